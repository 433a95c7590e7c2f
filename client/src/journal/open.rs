//! Opens the file, and makes sure that it is durable, private, whole and ours.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::JournalError;
use super::error::Blame;
use super::lock::{KeyLock, open_private};

/// "PLNT", which marks the file as a journal of ours.
const APPLICATION_ID: i32 = 0x504c_4e54;

/// The schema's version. 2 added `session`.
const VERSION: i32 = 2;

/// How long to wait for another process that writes or opens.
const BUSY_WAIT: Duration = Duration::from_secs(10);

/// How long between two looks at the opening lock.
const OPEN_POLL: Duration = Duration::from_millis(5);

/// Pages of 4 KiB up to which opening checks everything.
const MAX_PAGES_TO_CHECK: i64 = 1_024;

const SCHEMA: &str = "
CREATE TABLE payments (
    payment_hash BLOB NOT NULL PRIMARY KEY CHECK (length(payment_hash) = 32),
    request_key BLOB NOT NULL CHECK (length(request_key) = 32),
    method TEXT NOT NULL,
    origin TEXT NOT NULL,
    target TEXT NOT NULL,
    body_sha256 BLOB NOT NULL CHECK (length(body_sha256) = 32),
    wallet TEXT NOT NULL,
    scheme TEXT NOT NULL,
    token TEXT NOT NULL,
    invoice TEXT NOT NULL,
    network TEXT NOT NULL,
    payee BLOB CHECK (payee IS NULL OR length(payee) = 33),
    amount_msat INTEGER NOT NULL CHECK (amount_msat > 0),
    max_fee_msat INTEGER NOT NULL CHECK (max_fee_msat >= 0),
    fee_msat INTEGER CHECK (fee_msat >= 0),
    charged_msat INTEGER NOT NULL CHECK (charged_msat >= 0),
    state TEXT NOT NULL CHECK (state IN ('failed', 'in_flight', 'intended', 'paid', 'unknown')),
    credential TEXT CHECK (credential IN ('delivered', 'dropped', 'lost', 'spent', 'undelivered')),
    preimage BLOB CHECK (preimage IS NULL OR length(preimage) = 32),
    failure TEXT,
    invoice_expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    -- The session whose budget it counts against, where it was made in one.
    session TEXT,
    CHECK ((state = 'paid') = (preimage IS NOT NULL AND credential IS NOT NULL AND fee_msat IS NOT NULL)),
    CHECK ((state IN ('failed', 'paid')) = (settled_at IS NOT NULL))
) STRICT;
CREATE INDEX payments_by_request ON payments (request_key, state);
CREATE INDEX payments_by_origin ON payments (origin, settled_at) WHERE credential = 'delivered';
CREATE INDEX payments_unresolved ON payments (wallet, created_at) WHERE settled_at IS NULL;
CREATE INDEX payments_charged ON payments (network, settled_at, charged_msat) WHERE charged_msat > 0;
CREATE INDEX payments_by_time ON payments (created_at);
CREATE INDEX payments_by_session ON payments (session) WHERE session IS NOT NULL;
CREATE TABLE budget_rules (
    -- 0 is for ever.
    window_seconds INTEGER NOT NULL PRIMARY KEY CHECK (window_seconds >= 0),
    limit_msat INTEGER NOT NULL CHECK (limit_msat >= 0)
) STRICT;
";

/// From version 1 to 2.
const ADD_SESSION: &str = "
ALTER TABLE payments ADD COLUMN session TEXT;
CREATE INDEX payments_by_session ON payments (session) WHERE session IS NOT NULL;
";

/// An open file and the folder of its locks.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) locks: PathBuf,
    pub(super) place: Place,
}

/// Where the file was when it was opened.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Place {
    fn of(path: PathBuf) -> std::io::Result<Self> {
        #[cfg(unix)]
        let inode = inode(&path)?;
        Ok(Self {
            path,
            #[cfg(unix)]
            inode,
        })
    }

    /// Whether the file that was opened is still the one that others find: what goes into a file that was moved away
    /// or deleted is lost to them. Elsewhere than on Unix an open file can't be.
    pub(super) fn is_kept(&self) -> bool {
        #[cfg(unix)]
        return inode(&self.path).is_ok_and(|found| found == self.inode);
        #[cfg(not(unix))]
        return self.path.exists();
    }
}

#[cfg(unix)]
fn inode(path: &Path) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

pub(super) fn open(blame: &Blame) -> Result<Opened, JournalError> {
    let io = |error| blame.io(&error);
    if let Some(folder) = blame.path().parent().filter(|p| !p.as_os_str().is_empty()) {
        make_folder(folder).map_err(io)?;
    }
    make_private(blame.path()).map_err(io)?;
    // Every name of the file, be it a link or relative, leads to the same locks.
    let path = blame.path().canonicalize().map_err(io)?;
    let mut locks = path.as_os_str().to_owned();
    locks.push(".locks");
    let locks = PathBuf::from(locks);
    make_folder(&locks).map_err(io)?;

    // One process at a time changes the journal mode and makes the tables.
    let _opening = wait_for_opening(&locks, blame)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(&path, flags).map_err(|e| blame.sql(e))?;
    prepare(&mut connection, blame)?;
    let place = Place::of(path).map_err(io)?;
    Ok(Opened { connection, locks, place })
}

/// An empty journal in memory.
pub(super) fn open_empty(blame: &Blame) -> Result<Connection, JournalError> {
    let connection = Connection::open_in_memory().map_err(|e| blame.sql(e))?;
    connection.execute_batch(SCHEMA).map_err(|e| blame.sql(e))?;
    Ok(connection)
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes the file with mode 0600, or takes other users' rights away from one that is there: it holds preimages.
fn make_private(path: &Path) -> std::io::Result<()> {
    let file = open_private(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let permissions = file.metadata()?.permissions();
        if permissions.mode() & 0o077 != 0 {
            file.set_permissions(PermissionsExt::from_mode(0o600))?;
        }
    }
    drop(file);
    Ok(())
}

fn wait_for_opening(locks: &Path, blame: &Blame) -> Result<KeyLock, JournalError> {
    let deadline = Instant::now() + BUSY_WAIT;
    loop {
        if let Some(lock) = KeyLock::try_take(locks, "open", blame)? {
            return Ok(lock);
        }
        if Instant::now() >= deadline {
            return Err(JournalError::Busy);
        }
        std::thread::sleep(OPEN_POLL);
    }
}

fn prepare(connection: &mut Connection, blame: &Blame) -> Result<(), JournalError> {
    let sql = |error| blame.sql(error);
    let foreign =
        |detail: &str| JournalError::Foreign { path: blame.path().into(), detail: detail.into() };
    connection.busy_timeout(BUSY_WAIT).map_err(sql)?;
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")
        .map_err(sql)?;
    let number = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |r| r.get(0));
    let id: i32 = number("application_id").map_err(sql)?;
    let version: i32 = number("user_version").map_err(sql)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(sql)?;
    let is_new = id == 0 && version == 0 && tables == 0;
    if !is_new && id != APPLICATION_ID {
        return Err(foreign("it is another program's database"));
    }
    if version > VERSION {
        return Err(foreign("a newer version wrote it"));
    }

    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(sql)?;
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;",
        )
        .map_err(sql)?;
    let synchronous: i64 =
        connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).map_err(sql)?;
    if mode != "wal" || synchronous != 2 {
        return Err(JournalError::NotDurable {
            path: blame.path().into(),
            detail: format!("journal_mode is {mode}, synchronous is {synchronous}"),
        });
    }

    if is_new {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        transaction.execute_batch(SCHEMA).map_err(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(sql)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(sql)?;
        return transaction.commit().map_err(sql);
    }
    // The whole check also holds each index against its table. It takes its time with a large file, whose commits
    // still have their checksums.
    let pages: i64 =
        connection.query_row("PRAGMA page_count", [], |row| row.get(0)).map_err(sql)?;
    let check = if pages <= MAX_PAGES_TO_CHECK { "integrity_check" } else { "quick_check" };
    let verdict: String =
        connection.query_row(&format!("PRAGMA {check}(1)"), [], |row| row.get(0)).map_err(sql)?;
    if verdict != "ok" {
        return Err(blame.corrupt(&verdict));
    }
    if version == 1 { add_session(connection).map_err(sql) } else { Ok(()) }
}

/// Brings a file of version 1 up to date, or leaves it as it was.
fn add_session(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(ADD_SESSION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}
