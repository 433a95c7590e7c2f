//! A server's root keys: one that mints, and older ones that still verify.

use alloc::vec::Vec;
use core::fmt;

use crate::mac::MacKey;
use crate::{Network, RootKey};

/// The root keys of one network and one spend store (docs/PROTOCOL.md §1). Never printed; erased
/// when dropped.
pub struct Keyring {
    network: Network,
    /// The minting key is the first.
    keys: Vec<MacKey>,
}

impl Keyring {
    /// A ring of one key, which mints and verifies.
    pub fn new(network: Network, minting: RootKey) -> Self {
        Self { network, keys: alloc::vec![MacKey::new(minting.expose_bytes())] }
    }

    /// Adds a key that verifies and does not mint.
    #[must_use]
    pub fn with_verifying(mut self, key: RootKey) -> Self {
        self.keys.push(MacKey::new(key.expose_bytes()));
        self
    }

    /// Mints with a new key from now on; the old ones still verify.
    pub fn rotate(&mut self, minting: RootKey) {
        self.keys.insert(0, MacKey::new(minting.expose_bytes()));
    }

    /// The network that its invoices are on.
    pub fn network(&self) -> Network {
        self.network
    }

    /// How many keys verify; the minting one is one of them.
    #[expect(clippy::len_without_is_empty, reason = "a ring has at least the minting key")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("network", &self.network)
            .field("keys", &format_args!("[redacted; {}]", self.keys.len()))
            .finish()
    }
}
