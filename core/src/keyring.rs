//! A server's root keys: one that mints, and older ones that still verify.

use alloc::vec::Vec;
use core::fmt;

use subtle::{Choice, ConstantTimeEq};

use crate::mac::{GENERATOR, MacKey, Tag, chain};
use crate::macaroon::MacaroonRef;
use crate::{Identifier, Network, PaymentHash, RootKey};

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

/// A macaroon key's message before the currency (docs/PROTOCOL.md §1).
const MACAROON_KEY_LABEL: &[u8] = b"l402/macaroon/0";

impl Keyring {
    /// The identifier and the signing key of a new macaroon, under the minting key.
    pub(crate) fn minting(&self, payment_hash: &PaymentHash) -> (Identifier, MacKey) {
        let key = &self.keys[0];
        let token_id = token_id(key, payment_hash).to_bytes();
        let signing = GENERATOR.mac(&[&self.macaroon_key(key, payment_hash).to_bytes()]);
        (Identifier { payment_hash: *payment_hash, token_id }, signing.to_key())
    }

    /// Whether one of the keys signed the macaroon. Every key is tried and the chain is always
    /// finished, so that the time tells neither which key it was nor which byte differed.
    pub(crate) fn signed(&self, identifier: &Identifier, macaroon: &MacaroonRef<'_>) -> bool {
        let mut known = Choice::from(0);
        let mut macaroon_key = Tag::default();
        for key in &self.keys {
            let id = token_id(key, &identifier.payment_hash).to_bytes();
            let hit = id.ct_eq(&identifier.token_id);
            macaroon_key.conditional_assign(&self.macaroon_key(key, &identifier.payment_hash), hit);
            known |= hit;
        }
        let signing = GENERATOR.mac(&[&macaroon_key.to_bytes()]).to_key();
        let signature = chain(&signing, macaroon.identifier(), macaroon.caveats()).to_bytes();
        (known & signature.ct_eq(macaroon.signature())).into()
    }

    /// A root key of its own for each macaroon, with nothing stored.
    fn macaroon_key(&self, key: &MacKey, payment_hash: &PaymentHash) -> Tag {
        let currency = self.network.currency().as_bytes();
        key.mac(&[MACAROON_KEY_LABEL, currency, &[0], payment_hash.as_bytes()])
    }
}

fn token_id(key: &MacKey, payment_hash: &PaymentHash) -> Tag {
    key.mac(&[payment_hash.as_bytes()])
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("network", &self.network)
            .field("keys", &format_args!("[redacted; {}]", self.keys.len()))
            .finish()
    }
}
