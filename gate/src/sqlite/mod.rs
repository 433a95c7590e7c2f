//! The embedded spend store: one SQLite file, shared by the processes of one machine.
//!
//! The file is in WAL mode with full sync: a commit has returned only after its pages are synced.
//! One thread of each process writes; it takes all steps that wait and commits them together, so
//! that one sync serves many requests.

mod connection;
mod steps;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use plannt_core::PaymentHash;
use tokio::sync::oneshot;

use crate::{AttemptId, PairId, SpendOutcome, SpendStore, StoreError, StoreOpenError};
use writer::{Job, Reply, Writer};

/// Steps that may wait for the writer; beyond, the store is busy.
const QUEUE: usize = 16_384;

/// How a [`SqliteStore`] behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How long a step waits for the lock while other processes hold it; 2 seconds by default, then
    /// [`StoreError::Busy`].
    pub busy_timeout: Duration,
    /// How often entries that are past their time are deleted, by the machine's clock; each minute
    /// by default. `None` leaves it to [`SqliteStore::prune`].
    pub prune_interval: Option<Duration>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(2), prune_interval: Some(Duration::from_secs(60)) }
    }
}

/// The embedded spend store. Closed when dropped, after what was begun is finished.
///
/// Its clock is the machine's, which is also the gate's: they can't drift apart, but they can jump
/// together. So the store remembers until when it has deleted entries, and refuses older ones.
///
/// ```
/// use plannt_core::PaymentHash;
/// use plannt_gate::{AttemptId, PairId, SpendOutcome, SpendStore, SqliteOptions, SqliteStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let (path, pair) = (folder.path().join("spends.sqlite"), PairId::random());
/// SqliteStore::create(&path, &pair)?;
/// let store = SqliteStore::open(&path, &pair, SqliteOptions::default())?;
///
/// let (hash, keep_until) = (PaymentHash::from_bytes([1; 32]), 4_000_000_000);
/// let first = store.spend(&hash, &AttemptId::random(), 1, keep_until).await?;
/// assert_eq!(first, SpendOutcome::Granted { remaining: 0 });
/// let second = store.spend(&hash, &AttemptId::random(), 1, keep_until).await?;
/// assert_eq!(second, SpendOutcome::Refused);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    /// `None` only while it is dropped.
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Makes a new, empty store that belongs to the keyring with this pair id. It appears at `path`
    /// whole and durable, or not at all.
    ///
    /// # Errors
    /// [`StoreOpenError::Exists`] when there is a file already, and other [`StoreOpenError`]s.
    pub fn create(path: &Path, pair: &PairId) -> Result<(), StoreOpenError> {
        connection::create(path, pair)
    }

    /// Opens the store that belongs to the keyring with this pair id, and makes sure that it can be
    /// written and is durable. Blocks for at most the busy timeout.
    ///
    /// # Errors
    /// [`StoreOpenError`]: above all, a store that is missing or foreign is refused.
    pub fn open(
        path: &Path,
        pair: &PairId,
        options: SqliteOptions,
    ) -> Result<Self, StoreOpenError> {
        let connection = connection::open(path, pair, options.busy_timeout)?;
        let (jobs, queue) = sync_channel(QUEUE);
        let writer = Writer::new(connection, path.to_owned(), *pair, options, queue);
        let writer = std::thread::Builder::new()
            .name("plannt-spends".into())
            .spawn(move || writer.run())
            .map_err(|source| connection::io_error(path, source))?;
        Ok(Self { path: path.to_owned(), jobs: Some(jobs), writer: Some(writer) })
    }

    /// The pair id of the store at `path`; `None` when there is no file.
    ///
    /// # Errors
    /// [`StoreOpenError`] for a file that is no store.
    pub fn read_pair_id(path: &Path) -> Result<Option<PairId>, StoreOpenError> {
        connection::read_pair_id(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Deletes the entries whose time is over at `now` (unix seconds), and says how many.
    ///
    /// From then on a credential whose entry would have been among them is refused with
    /// [`StoreError::ClockSkew`], whatever a clock says.
    ///
    /// # Errors
    /// [`StoreError`]; some may be deleted already.
    pub async fn prune(&self, now: u64) -> Result<u64, StoreError> {
        self.job(|reply| Job::Prune { now, reply }).await
    }

    /// How many payments have an entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries(&self) -> Result<u64, StoreError> {
        self.job(|reply| Job::Count { reply }).await
    }

    async fn job<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.try_send(job(Reply::new(reply))).map_err(|error| match error {
            TrySendError::Disconnected(_) => StoreError::Closed,
            TrySendError::Full(_) => StoreError::Busy,
        })?;
        // The writer answers everything that it takes, unless it died at it.
        answer.await.map_err(|_| StoreError::Closed.into_unknown())?
    }
}

#[async_trait]
impl SpendStore for SqliteStore {
    async fn spend(
        &self,
        hash: &PaymentHash,
        attempt: &AttemptId,
        uses: u32,
        keep_until: u64,
    ) -> Result<SpendOutcome, StoreError> {
        let (hash, attempt) = (*hash, *attempt);
        self.job(|reply| Job::Spend { hash, attempt, uses, keep_until, reply }).await
    }

    async fn release(&self, hash: &PaymentHash, attempt: &AttemptId) -> Result<bool, StoreError> {
        let (hash, attempt) = (*hash, *attempt);
        self.job(|reply| Job::Release { hash, attempt, reply }).await
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Without a sender the writer ends; whoever opens the file next finds it closed.
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
