//! A data folder: the keyring and the store that belongs to it (docs/PROTOCOL.md §4).

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use plannt_core::Network;

use crate::files;
use crate::{
    KeyringError, KeyringFile, PairId, PoolOptions, SqliteOptions, SqliteStore, StoreOpenError,
};

const KEYRING: &str = "keyring.json";
const STORE: &str = "spends.sqlite";
const INVOICES: &str = "invoices";
const LOCK: &str = "start.lock";
/// How long a start waits for another one with the same folder.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// The keyring of a data folder with its open store. Several processes may open the same one.
#[derive(Debug)]
#[non_exhaustive]
pub struct KeyringStore {
    /// The keyring.
    pub keyring: KeyringFile,
    /// Its store.
    pub store: Arc<SqliteStore>,
    /// Whether this was the folder's first start.
    pub created: bool,
    data_dir: PathBuf,
}

impl KeyringStore {
    /// Opens the folder, or makes it at the first start. `now` in unix seconds.
    ///
    /// The store is made first, then the keyring is paired with it: a keyring that was ever used
    /// has a store. When that is missing or another's, this refuses, since spent credentials would
    /// be let in again. Blocks for some seconds at most.
    ///
    /// # Errors
    /// [`KeyringError`], above all `store_missing` and `store_foreign`; its message says what to do.
    pub fn open_or_create(
        data_dir: &Path,
        network: Network,
        now: u64,
    ) -> Result<Self, KeyringError> {
        Self::open_or_create_with(data_dir, network, now, SqliteOptions::default())
    }

    /// The same by the store's URL: `sqlite:<folder>`, or the folder alone. The keyring is in that
    /// folder, too.
    ///
    /// # Errors
    /// As for [`open_or_create`](Self::open_or_create), and `store_unknown_scheme` for a URL with
    /// another scheme; the message doesn't repeat the URL, which may hold a password.
    pub fn open_url(url: &str, network: Network, now: u64) -> Result<Self, KeyringError> {
        let folder = url.strip_prefix("sqlite:").unwrap_or(url);
        let folder =
            folder.strip_prefix("//").filter(|_| folder.len() < url.len()).unwrap_or(folder);
        if folder.is_empty() || folder.contains("://") {
            return Err(StoreOpenError::UnknownScheme.into());
        }
        Self::open_or_create(Path::new(folder), network, now)
    }

    /// The same with other options for the store.
    ///
    /// # Errors
    /// As for [`open_or_create`](Self::open_or_create).
    pub fn open_or_create_with(
        data_dir: &Path,
        network: Network,
        now: u64,
        options: SqliteOptions,
    ) -> Result<Self, KeyringError> {
        let keyring_path = Self::keyring_path(data_dir);
        let store_path = Self::store_path(data_dir);
        files::create_private_folder(data_dir).map_err(|source| io_error(data_dir, source))?;
        let (keyring, created) = match KeyringFile::read(&keyring_path)? {
            // What is used is complete: no lock is needed, and none must be writable.
            Some(keyring) if keyring.pair_id().is_some() => (keyring, false),
            _ => pair(data_dir, network, now)?,
        };
        check_network(&keyring, network, &keyring_path)?;
        let pair = keyring.pair_id().expect("a used keyring has a pair id");
        let store = SqliteStore::open(&store_path, pair, options)?;
        Ok(Self { keyring, store: Arc::new(store), created, data_dir: data_dir.to_owned() })
    }

    /// A pool of `size` invoices for each price that lie in the data folder, too.
    pub fn pool_options(&self, size: usize) -> PoolOptions {
        PoolOptions::new(size).folder(self.data_dir.join(INVOICES))
    }

    /// Where the keyring of a data folder is.
    pub fn keyring_path(data_dir: &Path) -> PathBuf {
        data_dir.join(KEYRING)
    }

    /// Where the store of a data folder is.
    pub fn store_path(data_dir: &Path) -> PathBuf {
        data_dir.join(STORE)
    }
}

/// The first use of a keyring: it gets a store, and only then the pair id that says so. `true`
/// unless another process has just done it.
fn pair(data_dir: &Path, network: Network, now: u64) -> Result<(KeyringFile, bool), KeyringError> {
    let _lock = lock(data_dir)?;
    let keyring_path = KeyringStore::keyring_path(data_dir);
    let store_path = KeyringStore::store_path(data_dir);
    // Someone else may have been faster.
    let mut keyring = match KeyringFile::read(&keyring_path)? {
        Some(keyring) if keyring.pair_id().is_some() => return Ok((keyring, false)),
        Some(keyring) => keyring,
        None => KeyringFile::generate(network, now),
    };
    check_network(&keyring, network, &keyring_path)?;
    // A store without a used keyring is what a first start leaves that was cut short, or its
    // keyring is gone for good: nothing that it holds verifies under new keys.
    let pair = match SqliteStore::read_pair_id(&store_path)? {
        Some(pair) => pair,
        None => {
            let pair = PairId::random();
            SqliteStore::create(&store_path, &pair)?;
            pair
        }
    };
    keyring.pair(pair);
    keyring.write(&keyring_path)?;
    Ok((keyring, true))
}

fn check_network(
    keyring: &KeyringFile,
    expected: Network,
    path: &Path,
) -> Result<(), KeyringError> {
    let actual = keyring.network();
    if actual == expected {
        return Ok(());
    }
    Err(KeyringError::NetworkMismatch { path: path.display().to_string(), expected, actual })
}

/// Held until dropped.
fn lock(data_dir: &Path) -> Result<File, KeyringError> {
    let path = data_dir.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|source| io_error(&path, source))?;
    let until = Instant::now() + LOCK_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => return Err(io_error(&path, source)),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => {
                return Err(KeyringError::Locked { path: path.display().to_string() });
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn io_error(path: &Path, source: std::io::Error) -> KeyringError {
    KeyringError::Io { path: path.display().to_string(), source }
}
