//! A server's root keys: one that mints, and older ones that still verify.

use alloc::vec::Vec;
use core::fmt;

use subtle::{Choice, ConstantTimeEq};

use crate::caveat::preimage_proves;
use crate::mac::{GENERATOR, MacKey, Padded, Tag, chain};
use crate::macaroon::MacaroonRef;
use crate::{Identifier, Network, PaymentHash, Preimage, RootKey};

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

impl Keyring {
    /// Who paid for a macaroon of this ring: all that [`verify`](Self::verify) proves about one
    /// token before it reads a caveat. `None` when identifier, key, signature or preimage is not
    /// right, or there is a third-party caveat; it does not say which.
    ///
    /// For a server with caveats of its own, [minted](Self::mint_chain) by itself. No caveat but
    /// `preimage` has been looked at, and the caller has to refuse what it does not know.
    pub fn authenticate(
        &self,
        macaroon: &MacaroonRef<'_>,
        preimage: Option<&Preimage>,
    ) -> Option<PaymentHash> {
        let identifier = Identifier::parse(macaroon.identifier()).ok()?;
        let payment_hash = identifier.payment_hash;
        let proved = self.signed(&identifier, macaroon)
            && !macaroon.has_third_party_caveats()
            && preimage_proves(macaroon.caveats(), preimage, &payment_hash);
        proved.then_some(payment_hash)
    }

    /// The identifier and the signing key of a new macaroon, under the minting key.
    pub(crate) fn minting(&self, payment_hash: &PaymentHash) -> (Identifier, Tag) {
        let label = self.label(payment_hash);
        let (hash, label) = (Padded::new(payment_hash.as_bytes()), Padded::new(label.as_bytes()));
        let [token_id, macaroon_key] = self.keys[0].macs([&hash, &label]);
        let identifier = Identifier { payment_hash: *payment_hash, token_id: token_id.to_bytes() };
        (identifier, GENERATOR.mac_tag(&macaroon_key))
    }

    /// Whether one of the keys signed the macaroon. Every key is tried and the chain is always
    /// finished, so that the time tells neither which key it was nor which byte differed.
    pub(crate) fn signed(&self, identifier: &Identifier, macaroon: &MacaroonRef<'_>) -> bool {
        let label = self.label(&identifier.payment_hash);
        let hash = Padded::new(identifier.payment_hash.as_bytes());
        let label = Padded::new(label.as_bytes());
        let claimed = Tag::from_bytes(&identifier.token_id);
        let mut known = Choice::from(0);
        let mut macaroon_key = Tag::default();
        for key in &self.keys {
            let [token_id, candidate] = key.macs([&hash, &label]);
            let hit = token_id.ct_eq(&claimed);
            macaroon_key.conditional_assign(&candidate, hit);
            known |= hit;
        }
        let key = GENERATOR.mac_tag(&macaroon_key);
        let signature = chain(key, macaroon.identifier(), macaroon.caveats());
        (known & signature.ct_eq(&Tag::from_bytes(macaroon.signature()))).into()
    }

    fn label(&self, payment_hash: &PaymentHash) -> MacaroonKeyLabel {
        MacaroonKeyLabel::new(self.network, payment_hash)
    }
}

/// What a root key signs to make a macaroon's key: a key of its own for each macaroon, with
/// nothing stored (docs/PROTOCOL.md §1).
struct MacaroonKeyLabel {
    bytes: [u8; Self::MAX],
    len: usize,
}

impl MacaroonKeyLabel {
    const PREFIX: &[u8] = b"l402/macaroon/0";
    /// With the longest currency, `bcrt`.
    const MAX: usize = Self::PREFIX.len() + 4 + 1 + 32;

    fn new(network: Network, payment_hash: &PaymentHash) -> Self {
        let mut label = Self { bytes: [0; Self::MAX], len: 0 };
        for part in [Self::PREFIX, network.currency().as_bytes(), &[0], payment_hash.as_bytes()] {
            label.bytes[label.len..label.len + part.len()].copy_from_slice(part);
            label.len += part.len();
        }
        label
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
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

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn prints_no_key() {
        let ring = Keyring::new(Network::Regtest, RootKey::from_bytes([0x5a; 32]))
            .with_verifying(RootKey::from_bytes([0x5b; 32]));
        assert_eq!(format!("{ring:?}"), "Keyring { network: Regtest, keys: [redacted; 2] }");
    }

    #[test]
    fn the_label_is_the_currency_and_the_hash() {
        let hash = PaymentHash::from_bytes([7; 32]);
        for network in Network::ALL {
            let expected =
                [b"l402/macaroon/0", network.currency().as_bytes(), b"\0", hash.as_bytes()]
                    .concat();
            assert_eq!(MacaroonKeyLabel::new(network, &hash).as_bytes(), expected);
        }
    }
}
