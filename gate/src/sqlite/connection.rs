//! Making and opening the file, with every promise checked that spending rests on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension};

use crate::{PairId, StoreError, StoreOpenError};

/// "PLSP", so that no other program's file is taken for a store.
const APPLICATION_ID: i64 = 0x504c_5350;
const SCHEMA_VERSION: i64 = 1;

/// An entry counts the uses of one payment; `attempts` says whose they are. Entries whose
/// `keep_until` is before `meta.pruned_before` may have been deleted.
const SCHEMA: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE entries (
        hash BLOB PRIMARY KEY, keep_until INTEGER NOT NULL, used INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX entries_by_time ON entries (keep_until);
    CREATE TABLE attempts (
        hash BLOB NOT NULL, attempt BLOB NOT NULL, PRIMARY KEY (hash, attempt)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('pruned_before', 0);
";

/// A write that changes nothing and is synced all the same.
pub(super) const TOUCH: &str = "UPDATE meta SET value = value WHERE key = 'pruned_before'";

/// How long SQLite may wait for the lock, counted from the last [`renew`](Self::renew).
///
/// SQLite's own waiting backs off to 100 ms, and starves while others take the lock each
/// millisecond; this one keeps asking, and ends on time.
#[derive(Clone)]
pub(super) struct Patience {
    limit: Duration,
    until: Arc<Mutex<Instant>>,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { limit, until: Arc::new(Mutex::new(Instant::now() + limit)) }
    }

    pub(super) fn renew(&self) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + self.limit;
    }

    fn wait(&self, asked: i32) -> bool {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.saturating_duration_since(Instant::now());
        let pause = Duration::from_micros(if asked < 8 { 100 } else { 700 });
        std::thread::sleep(pause.min(left));
        !left.is_zero()
    }
}

/// An open store.
pub(super) struct Store {
    pub(super) sqlite: Connection,
    pub(super) patience: Patience,
    files: [Identity; 2],
}

/// A file and which one it was when the store was opened.
struct Identity {
    path: PathBuf,
    file: FileId,
}

impl Store {
    /// Bytes of the log.
    pub(super) fn log_bytes(&self) -> u64 {
        fs::metadata(&self.files[1].path).map_or(0, |log| log.len())
    }

    /// Whether its files are still the ones at their paths. A commit into a deleted file is lost
    /// with the process.
    pub(super) fn check_files(&self) -> Result<(), StoreError> {
        let same = |file: &Identity| file_id(&file.path).is_ok_and(|id| id == file.file);
        if self.files.iter().all(same) { Ok(()) } else { Err(StoreError::Replaced) }
    }
}

pub(super) fn create(path: &Path, pair: &PairId) -> Result<(), StoreOpenError> {
    if path.try_exists().map_err(|error| io_error(path, error))? {
        return Err(StoreOpenError::Exists { path: path.display().to_string() });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // One that a crash leaves behind is in nobody's way.
    let draft = path.with_file_name(format!(".{name}.{}", PairId::random()));
    let made = write_draft(&draft, pair).and_then(|()| {
        // A link fails where a rename would replace what someone else has made meanwhile.
        fs::hard_link(&draft, path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                StoreOpenError::Exists { path: path.display().to_string() }
            }
            _ => io_error(path, error),
        })
    });
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(with_suffix(&draft, suffix));
    }
    made?;
    crate::files::sync_folder_of(path).map_err(|error| io_error(path, error))
}

fn write_draft(draft: &Path, pair: &PairId) -> Result<(), StoreOpenError> {
    let io = |error| io_error(draft, error);
    // SQLite gives its other files the mode of this one.
    let file = crate::files::create_private(draft).map_err(io)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let write = || {
        let mut sqlite = Connection::open_with_flags(draft, flags)?;
        set_durable(&sqlite)?;
        let transaction = sqlite.transaction()?;
        transaction.execute_batch(SCHEMA)?;
        transaction.execute("INSERT INTO meta VALUES ('pair_id', ?1)", [pair.as_bytes()])?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        transaction.commit()?;
        // Closing moves it all from the log to the file.
        sqlite.close().map_err(|(_, error)| error)
    };
    write().map_err(store_error)?;
    file.sync_all().map_err(io)
}

pub(super) fn open(
    path: &Path,
    pair: &PairId,
    busy_timeout: Duration,
) -> Result<Store, StoreOpenError> {
    let missing = || StoreOpenError::Missing { path: path.display().to_string() };
    let main = match file_id(path) {
        Ok(main) => main,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(io_error(path, error)),
    };
    let not_durable =
        |message: String| StoreOpenError::NotDurable { path: path.display().to_string(), message };
    let (sqlite, patience) = connect(path, busy_timeout)?;
    let (mode, sync) = set_durable(&sqlite).map_err(store_error)?;
    if mode != "wal" {
        return Err(not_durable(format!("its journal mode is {mode}, not wal")));
    }
    if sync != 2 {
        return Err(not_durable(format!("its synchronous level is {sync}, not 2 (full)")));
    }
    check_kind(&sqlite, path)?;
    if read_pair(&sqlite)? != *pair {
        return Err(StoreOpenError::Foreign { path: path.display().to_string() });
    }
    patience.renew();
    // It can be written, and now the log exists.
    sqlite.execute(TOUCH, []).map_err(store_error)?;
    let log = with_suffix(path, "-wal");
    let log_id = file_id(&log).map_err(|error| io_error(&log, error))?;
    let files =
        [Identity { path: path.to_owned(), file: main }, Identity { path: log, file: log_id }];
    let store = Store { sqlite, patience, files };
    // Also against a file that was exchanged between the first look and the opening.
    store.check_files()?;
    Ok(store)
}

pub(super) fn read_pair_id(path: &Path) -> Result<Option<PairId>, StoreOpenError> {
    match fs::metadata(path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path, error)),
    }
    let (sqlite, _) = connect(path, Duration::from_secs(2))?;
    check_kind(&sqlite, path)?;
    read_pair(&sqlite).map(Some)
}

fn connect(path: &Path, busy_timeout: Duration) -> Result<(Connection, Patience), StoreOpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut sqlite = Connection::open_with_flags(path, flags).map_err(store_error)?;
    // SQLite opens a file that it can't write for reading, and says nothing.
    if sqlite.is_readonly(MAIN_DB).map_err(store_error)? {
        return Err(StoreError::ReadOnly.into());
    }
    let patience = Patience::new(busy_timeout);
    let waits = patience.clone();
    sqlite.busy_handler(Some(move |asked| waits.wait(asked))).map_err(store_error)?;
    Ok((sqlite, patience))
}

/// Asks for what spending needs, and reads back the journal mode and the level of syncing.
fn set_durable(sqlite: &Connection) -> rusqlite::Result<(String, i64)> {
    sqlite.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;",
    )?;
    let mode = sqlite.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    let sync = sqlite.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    Ok((mode, sync))
}

fn check_kind(sqlite: &Connection, path: &Path) -> Result<(), StoreOpenError> {
    let pragma = |name: &str| {
        let read = |row: &rusqlite::Row<'_>| row.get(0);
        sqlite.query_row(&format!("PRAGMA {name}"), [], read).map_err(store_error)
    };
    let (kind, version): (i64, i64) = (pragma("application_id")?, pragma("user_version")?);
    if kind != APPLICATION_ID {
        return Err(StoreError::Corrupt { message: "it is not a spend store".into() }.into());
    }
    if version != SCHEMA_VERSION {
        return Err(StoreOpenError::UnknownVersion { path: path.display().to_string(), version });
    }
    Ok(())
}

fn read_pair(sqlite: &Connection) -> Result<PairId, StoreOpenError> {
    let bytes: Option<[u8; 16]> = sqlite
        .query_row("SELECT value FROM meta WHERE key = 'pair_id'", [], |row| row.get(0))
        .optional()
        .map_err(store_error)?;
    let missing = || StoreError::Corrupt { message: "it has no pair id".into() };
    Ok(PairId::from_bytes(bytes.ok_or_else(missing)?))
}

/// What SQLite said, as our error. Nothing was committed.
pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    // The shared memory beside the log can't grow: SQLite has no better word for "no space" there.
    const NO_SPACE_FOR_SHARED_MEMORY: i32 = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
    if error.sqlite_error().is_some_and(|e| e.extended_code == NO_SPACE_FOR_SHARED_MEMORY) {
        return StoreError::DiskFull;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { message: error.to_string() }
        }
        Some(ErrorCode::DiskFull) => StoreError::DiskFull,
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly,
        _ => StoreError::Failed { message: error.to_string() },
    }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> StoreOpenError {
    StoreOpenError::Io { path: path.display().to_string(), source }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
type FileId = (u64, u64);

/// The device and number of the file at `path`.
#[cfg(unix)]
fn file_id(path: &Path) -> io::Result<FileId> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
type FileId = ();

/// An open file can't be deleted here.
#[cfg(not(unix))]
fn file_id(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|_| ())
}
