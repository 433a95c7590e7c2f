//! Third-party caveats and the discharges that satisfy them, as every macaroon library has them
//! (feature `third-party`).
//!
//! A third-party caveat carries the key of its discharge, sealed (XSalsa20-Poly1305) under the
//! signature that it is added to; a discharge is a macaroon under that key, bound to the macaroon
//! that it is presented with. L402 has neither: its verifier refuses such caveats always.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crypto_secretbox::aead::{AeadInPlace, KeyInit};
use crypto_secretbox::{Key, Nonce, Tag as SealTag, XSalsa20Poly1305};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::owned::Caveat;
use super::{Macaroon, MacaroonError, VERIFICATION_ID_BYTES};
use crate::mac::{MacKey, Padded, Tag, signing_key};

const NONCE_BYTES: usize = 24;
const SEAL_BYTES: usize = 16;

/// Why a macaroon does not hold with the discharges that came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DischargeError {
    /// A first-party caveat, of the macaroon or of a discharge, is not satisfied.
    #[error("a caveat is not satisfied")]
    Caveat,
    /// Two discharges have one identifier, so that a caveat could mean either.
    #[error("two discharges have one identifier")]
    Duplicate,
    /// A third-party caveat has no discharge.
    #[error("a third-party caveat has no discharge")]
    Missing,
    /// Two caveats ask for one discharge; a discharge that asks for itself does so, too.
    #[error("a discharge is used twice")]
    Reused,
    /// A signature, of the macaroon or of a discharge bound to it, is not right.
    #[error("a signature is not right")]
    Signature,
    /// No caveat asks for one of the discharges.
    #[error("a discharge is not asked for")]
    Unused,
    /// A verification id is not sealed under its macaroon's signature.
    #[error("a verification id does not open")]
    VerificationId,
}

impl DischargeError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Caveat => "discharge_caveat",
            Self::Duplicate => "discharge_duplicate",
            Self::Missing => "discharge_missing",
            Self::Reused => "discharge_reused",
            Self::Signature => "discharge_signature",
            Self::Unused => "discharge_unused",
            Self::VerificationId => "discharge_verification_id",
        }
    }
}

impl Macaroon {
    /// Adds a caveat that whoever has `caveat_key` can discharge, with a macaroon that
    /// [`create`](Self::create) makes of that key and of `id`.
    ///
    /// `nonce` is from a cryptographic random source, and new for each caveat.
    ///
    /// ```
    /// use plannt_core::macaroon::Macaroon;
    /// let mut macaroon = Macaroon::create(b"key", b"id", None)?;
    /// macaroon.attenuate_third_party(b"shared", b"who pays?", Some("https://pay"), &[7; 24])?;
    /// let discharge = Macaroon::create(b"shared", b"who pays?", None)?;
    /// let bound = [macaroon.bind(&discharge)];
    /// assert_eq!(macaroon.verify_discharged(b"key", &bound, |_| true), Ok(()));
    /// assert!(macaroon.verify_discharged(b"key", &[discharge], |_| true).is_err());
    /// # Ok::<(), plannt_core::macaroon::MacaroonError>(())
    /// ```
    ///
    /// # Errors
    /// [`MacaroonError`] when it would outgrow a limit; the macaroon is then as it was.
    pub fn attenuate_third_party(
        &mut self,
        caveat_key: &[u8],
        id: &[u8],
        location: Option<&str>,
        nonce: &[u8; NONCE_BYTES],
    ) -> Result<(), MacaroonError> {
        let mut signature = Tag::from_bytes(&self.signature);
        let key = Zeroizing::new(signing_key(caveat_key).to_bytes());
        self.caveats.push(Caveat {
            id: id.to_vec(),
            verification_id: Some(seal(&signature, nonce, &key)),
            location: location.map(String::from),
        });
        if let Err(error) = self.check() {
            self.caveats.pop();
            return Err(error);
        }
        let caveat = self.caveats[self.caveats.len() - 1].as_ref();
        signature.link_caveat(&caveat);
        self.signature = signature.to_bytes();
        Ok(())
    }

    /// The discharge as it is presented with this macaroon, whose caveats are all added by then.
    #[must_use]
    pub fn bind(&self, discharge: &Self) -> Self {
        let signature = bound(&Tag::from_bytes(&self.signature), &discharge.signature);
        Self { signature: signature.to_bytes(), ..discharge.clone() }
    }

    /// Whether the macaroon holds under `root_key`: its signature, each third-party caveat by one
    /// of the bound `discharges` (whose own caveats count the same), and each first-party caveat
    /// by `satisfied`. All signatures are checked before `satisfied` is asked anything.
    ///
    /// # Errors
    /// [`DischargeError`]; also for a discharge that is not asked for, or is asked for twice.
    pub fn verify_discharged(
        &self,
        root_key: &[u8],
        discharges: &[Self],
        mut satisfied: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), DischargeError> {
        // First, since nothing else opens where it is wrong.
        let (signature, mut due) = self.walk(signing_key(root_key));
        let root = Tag::from_bytes(&self.signature);
        if !bool::from(signature.ct_eq(&root)) {
            return Err(DischargeError::Signature);
        }
        let mut ids: Vec<_> =
            discharges.iter().enumerate().map(|(i, d)| (&*d.identifier, i)).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(DischargeError::Duplicate);
        }

        // A list of what is still to be discharged, and no recursion: each discharge is taken
        // once, so that the work has an end whatever they ask for.
        let mut used = vec![false; discharges.len()];
        while let Some(Due { id, key }) = due.pop() {
            let at = ids.binary_search_by_key(&id, |(id, _)| *id);
            let at = ids[at.map_err(|_| DischargeError::Missing)?].1;
            if core::mem::replace(&mut used[at], true) {
                return Err(DischargeError::Reused);
            }
            let key = key.ok_or(DischargeError::VerificationId)?;
            let (signature, more) = discharges[at].walk(key);
            let presented = Tag::from_bytes(&discharges[at].signature);
            if !bool::from(bound(&root, &signature.to_bytes()).ct_eq(&presented)) {
                return Err(DischargeError::Signature);
            }
            due.extend(more);
        }
        if used.contains(&false) {
            return Err(DischargeError::Unused);
        }

        let mut all = [self].into_iter().chain(discharges).flat_map(|m| &m.caveats);
        let holds = all.all(|caveat| caveat.verification_id.is_some() || satisfied(&caveat.id));
        if holds { Ok(()) } else { Err(DischargeError::Caveat) }
    }

    /// The signature under `key`, and what its third parties have to discharge.
    fn walk(&self, key: Tag) -> (Tag, Vec<Due<'_>>) {
        let mut signature = key;
        signature.link(&Padded::new(&self.identifier));
        let mut due = Vec::new();
        for caveat in &self.caveats {
            if let Some(verification_id) = &caveat.verification_id {
                due.push(Due { id: &caveat.id, key: open(&signature, verification_id) });
            }
            signature.link_caveat(&caveat.as_ref());
        }
        (signature, due)
    }
}

/// A discharge that a caveat asks for.
struct Due<'a> {
    /// Its identifier.
    id: &'a [u8],
    /// The key that it is made with; none when the caveat's verification id does not open.
    key: Option<Tag>,
}

/// A discharge's signature as it is presented: one that was presented with another macaroon, or
/// with none, is another.
fn bound(root: &Tag, discharge: &[u8; 32]) -> Tag {
    MacKey::new(&[0; 32]).mac_of_two(&root.to_bytes(), discharge)
}

/// A verification id: nonce, tag, and the key under the signature.
fn seal(signature: &Tag, nonce: &[u8; NONCE_BYTES], key: &[u8; 32]) -> Vec<u8> {
    let mut sealed = Zeroizing::new(*key);
    let tag = cipher(signature)
        .encrypt_in_place_detached(Nonce::from_slice(nonce), &[], sealed.as_mut())
        .expect("a key is short, and there is no associated data");
    [nonce.as_slice(), &tag, sealed.as_slice()].concat()
}

fn open(signature: &Tag, verification_id: &[u8]) -> Option<Tag> {
    let sealed: &[u8; VERIFICATION_ID_BYTES] = verification_id.try_into().ok()?;
    let (nonce, sealed) = sealed.split_at(NONCE_BYTES);
    let (tag, sealed) = sealed.split_at(SEAL_BYTES);
    let mut key = Zeroizing::new([0; 32]);
    key.copy_from_slice(sealed);
    cipher(signature)
        .decrypt_in_place_detached(
            Nonce::from_slice(nonce),
            &[],
            key.as_mut(),
            SealTag::from_slice(tag),
        )
        .ok()?;
    Some(Tag::from_bytes(&key))
}

fn cipher(signature: &Tag) -> XSalsa20Poly1305 {
    let key = Zeroizing::new(signature.to_bytes());
    XSalsa20Poly1305::new(Key::from_slice(key.as_ref()))
}
