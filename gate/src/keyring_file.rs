//! The keyring on disk.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use plannt_core::{Keyring, Network, RootKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::files;
use crate::{PairId, StoreOpenError};

/// A keyring as its file holds it: JSON, mode 0600, replaced as a whole.
///
/// It is *used* once it has a pair id: from then on it works only with the store of the same pair.
#[derive(Clone)]
pub struct KeyringFile {
    network: Network,
    pair_id: Option<PairId>,
    /// The minting key is the first.
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    secret: RootKey,
    created_at: u64,
}

impl KeyringFile {
    /// A keyring with one new random key, not used yet. `now` in unix seconds.
    pub fn generate(network: Network, now: u64) -> Self {
        Self { network, pair_id: None, keys: vec![Key::generate(now)] }
    }

    /// Mints with a new random key from now on; the others still verify.
    ///
    /// Where several replicas share the store, hand this file to all of them before any restarts
    /// with it: a key has to verify everywhere before it mints anywhere (docs/PROTOCOL.md §1).
    pub fn rotate(&mut self, now: u64) {
        self.keys.insert(0, Key::generate(now));
    }

    /// Drops the keys that were minting keys before the newest: after one validity window, or at
    /// once when they are compromised. Says how many there were.
    pub fn drop_older(&mut self) -> usize {
        self.keys.split_off(1).len()
    }

    /// The network that its invoices are on.
    pub fn network(&self) -> Network {
        self.network
    }

    /// The pair that it and its store make; `None` before its first use.
    pub fn pair_id(&self) -> Option<&PairId> {
        self.pair_id.as_ref()
    }

    /// When each key was made, in unix seconds, the minting key first.
    pub fn created_at(&self) -> impl Iterator<Item = u64> {
        self.keys.iter().map(|key| key.created_at)
    }

    /// The keys, ready to mint and verify.
    pub fn keyring(&self) -> Keyring {
        let mut keys = self.keys.iter().map(|key| key.secret.clone());
        let minting = keys.next().expect("a keyring file has at least one key");
        keys.fold(Keyring::new(self.network, minting), Keyring::with_verifying)
    }

    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// [`KeyringError`], which repeats nothing of the contents.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyringError> {
        let io = |source| KeyringError::Io { path: path.display().to_string(), source };
        let text = match fs::read(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        check_mode(path)?;
        let malformed = || KeyringError::Malformed { path: path.display().to_string() };
        // serde's message would repeat what it does not like.
        let file: FileForm = serde_json::from_slice(&text).map_err(|_| malformed())?;
        file.parse().map(Some).ok_or_else(malformed)
    }

    /// Writes the file, durably, in place of what is there.
    ///
    /// # Errors
    /// [`KeyringError::Io`].
    pub fn write(&self, path: &Path) -> Result<(), KeyringError> {
        let text = FileForm::of(self).to_json();
        files::write_private(path, &text)
            .map_err(|source| KeyringError::Io { path: path.display().to_string(), source })
    }

    /// Marks it used, with the store of this pair.
    #[cfg(feature = "sqlite")]
    pub(crate) fn pair(&mut self, pair: PairId) {
        self.pair_id = Some(pair);
    }
}

impl fmt::Debug for KeyringFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringFile")
            .field("network", &self.network)
            .field("pair_id", &self.pair_id)
            .field("keys", &self.keys.len())
            .finish()
    }
}

impl Key {
    fn generate(now: u64) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *secret).expect("the operating system's random source answers");
        Self { secret: RootKey::from_bytes(*secret), created_at: now }
    }
}

/// What the file says. Only here is a root key ever text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    version: u32,
    network: String,
    pair_id: Option<String>,
    keys: Vec<KeyForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm {
    root_key: String,
    created_at: u64,
}

impl Drop for KeyForm {
    fn drop(&mut self) {
        self.root_key.zeroize();
    }
}

impl FileForm {
    fn of(file: &KeyringFile) -> Self {
        let key = |key: &Key| {
            // Room for all of it at once: a growing text leaves copies behind.
            let mut root_key = String::with_capacity(64);
            for byte in key.secret.expose_bytes() {
                for digit in [byte >> 4, byte & 15] {
                    root_key.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
                }
            }
            KeyForm { root_key, created_at: key.created_at }
        };
        Self {
            version: 1,
            network: file.network.name().to_owned(),
            pair_id: file.pair_id.map(|id| id.to_string()),
            keys: file.keys.iter().map(key).collect(),
        }
    }

    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::with_capacity(1_024 + 256 * self.keys.len()));
        serde_json::to_writer_pretty(&mut *text, self).expect("plain data always serializes");
        text.push(b'\n');
        text
    }

    fn parse(self) -> Option<KeyringFile> {
        if self.version != 1 || self.keys.is_empty() {
            return None;
        }
        let key = |form: &KeyForm| {
            let secret = RootKey::from_hex(&form.root_key).ok()?;
            Some(Key { secret, created_at: form.created_at })
        };
        Some(KeyringFile {
            network: self.network.parse().ok()?,
            pair_id: self.pair_id.as_deref().map(str::parse).transpose().ok()?,
            keys: self.keys.iter().map(key).collect::<Option<_>>()?,
        })
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), KeyringError> {
    use std::os::unix::fs::PermissionsExt;
    let io = |source| KeyringError::Io { path: path.display().to_string(), source };
    if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyringError::Permissions { path: path.display().to_string() })
}

#[cfg(not(unix))]
fn check_mode(_path: &Path) -> Result<(), KeyringError> {
    Ok(())
}

/// Why a keyring, or the pair that it makes with its store, can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// A file or folder.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process is starting with this folder and does not finish.
    #[error("{path} is locked by another process that starts with it")]
    Locked {
        /// The lock's file.
        path: String,
    },
    /// The file is not a keyring.
    #[error("{path} is not a keyring file of version 1")]
    Malformed {
        /// The keyring's file.
        path: String,
    },
    /// The keyring is for another network.
    #[error("the keyring {path} is for {actual}, not for {expected}")]
    NetworkMismatch {
        /// The keyring's file.
        path: String,
        /// The network that was asked for.
        expected: Network,
        /// The keyring's.
        actual: Network,
    },
    /// Others than its owner may read the file.
    #[error(
        "the keyring {path} can be read by others than its owner: chmod 600 it, or rotate if it was read"
    )]
    Permissions {
        /// The keyring's file.
        path: String,
    },
    /// The store that belongs to it can't be used.
    #[error(transparent)]
    Store(#[from] StoreOpenError),
}

impl KeyringError {
    /// A stable snake_case name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "keyring_io",
            Self::Locked { .. } => "keyring_locked",
            Self::Malformed { .. } => "keyring_malformed",
            Self::NetworkMismatch { .. } => "network_mismatch",
            Self::Permissions { .. } => "keyring_permissions",
            Self::Store(error) => error.code(),
        }
    }
}
