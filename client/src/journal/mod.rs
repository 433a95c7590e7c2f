//! The journal of payments, in one SQLite file that all of a user's processes share.
//!
//! Keyed by payment hash: a hash is paid at most once, ever. Every write is on the disk before the call returns (WAL,
//! `synchronous=FULL`), budgets are reserved in the transaction that writes the intent, and the file's mode is 0600,
//! since it holds the preimages of credentials that are still good.

mod error;
mod ledger;
mod lock;
mod open;
mod payments;
mod row;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use plannt_core::flow::{BudgetRule, RequestKey};
use rusqlite::Connection;

pub use error::JournalError;
pub use lock::KeyLock;

/// The journal. Open one a process; its methods may be called from any thread, and block on the disk.
///
/// ```
/// use plannt_client::{Budget, BudgetRule, Journal};
/// use plannt_core::Network;
/// # let folder = tempfile::tempdir()?;
/// let journal = Journal::open(folder.path().join("journal.db"))?;
/// journal.set_budget(&Budget::new([BudgetRule::per_day(100_000)]))?;
/// let status = journal.budget_status(Network::Bitcoin, &Budget::unlimited(), 1_700_000_000)?;
/// assert_eq!(status[0].left_msat, 100_000);
/// assert!(journal.receipts(10)?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Journal {
    connection: Mutex<Connection>,
    /// None of a journal that is only looked at.
    file: Option<JournalFile>,
    session: Option<SessionBudget>,
    blame: error::Blame,
}

/// A budget for what is paid through one [`Journal`] value, besides those that all of the user's processes share.
#[derive(Debug)]
struct SessionBudget {
    id: String,
    limit_msat: u64,
}

#[derive(Debug)]
struct JournalFile {
    locks: PathBuf,
    place: open::Place,
}

/// How much of a rule is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetStatus {
    /// The rule.
    pub rule: BudgetRule,
    /// Spent within its window, msat, fees included.
    pub spent_msat: u64,
    /// Reserved by payments that are not resolved, msat.
    pub reserved_msat: u64,
    /// What is left, msat.
    pub left_msat: u64,
}

impl Journal {
    /// Opens a journal, or makes one, with the folders above it. Beside it lies a folder of lock files.
    ///
    /// # Errors
    /// [`JournalError`] for a file that is damaged, foreign, or can't be written durably.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let blame = error::Blame::new(path.as_ref());
        let opened = open::open(&blame)?;
        let file = JournalFile { locks: opened.locks, place: opened.place };
        let connection = Mutex::new(opened.connection);
        Ok(Self { connection, file: Some(file), session: None, blame })
    }

    /// Begins a session with a budget of its own: what is paid through this value counts against `limit_msat`, fees
    /// included, besides every other rule. Payments of other processes don't, and neither do those of earlier sessions.
    ///
    /// ```
    /// use plannt_client::Journal;
    /// use plannt_core::Network;
    /// # let folder = tempfile::tempdir()?;
    /// let journal = Journal::open(folder.path().join("journal.db"))?.with_session(50_000)?;
    /// let status = journal.session_status(Network::Bitcoin)?;
    /// assert_eq!(status.map(|s| s.left_msat), Some(50_000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn with_session(mut self, limit_msat: u64) -> Result<Self, JournalError> {
        let id = self
            .connection()
            .query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))
            .map_err(|error| self.blame.sql(error))?;
        self.session = Some(SessionBudget { id, limit_msat });
        Ok(self)
    }

    /// An empty journal that is nowhere on the disk: for asking prices where there is no journal yet. It takes no lock
    /// and no reservation, so nothing can be paid with it.
    ///
    /// # Errors
    /// [`JournalError`], where there is no memory for it.
    pub fn empty() -> Result<Self, JournalError> {
        let blame = error::Blame::new(Path::new("(none)"));
        let connection = Mutex::new(open::open_empty(&blame)?);
        Ok(Self { connection, file: None, session: None, blame })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.blame.path()
    }

    /// Takes a request key against every other call of every process, or `None` if another has it now.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn try_lock(&self, key: &RequestKey) -> Result<Option<KeyLock>, JournalError> {
        let name = key.digest().iter().fold(String::with_capacity(64), |mut name, byte| {
            // Writing to a string can't fail.
            let _ = write!(name, "{byte:02x}");
            name
        });
        KeyLock::try_take(&self.in_place()?.locks, &name, &self.blame)
    }

    /// The file, where it is still the one that every other process finds under its name.
    fn in_place(&self) -> Result<&JournalFile, JournalError> {
        let path = || self.blame.path().to_owned();
        let file = self.file.as_ref().ok_or_else(|| JournalError::NotDurable {
            path: path(),
            detail: "it is in memory only".into(),
        })?;
        if file.place.is_kept() { Ok(file) } else { Err(JournalError::Replaced { path: path() }) }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic between two statements rolled its transaction back; the connection is as good as before.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
