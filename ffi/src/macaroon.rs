//! Macaroons as a format, whatever they are used for.

use std::sync::{Arc, Mutex, PoisonError};

use plannt_core::macaroon as core;

use crate::convert::{Convert, mirrored_enum};
use crate::{Bytes32, CallbackError, CaveatNonce, DischargeError, MacaroonError};

mirrored_enum! {
    /// An encoding of a macaroon.
    Format of core::Format {
        /// Packets with a length of four hex digits.
        V1,
        /// Binary with a version byte of 2.
        V2,
        /// JSON with `"v": 2`.
        V2Json,
    }
}

/// The format that bytes of this kind begin with.
#[uniffi::export]
pub fn sniff_format(bytes: Vec<u8>) -> Option<Format> {
    core::Format::sniff(&bytes).convert()
}

/// A macaroon, in whichever of the three encodings it came (docs/PROTOCOL.md §1). Reading is strict: any bytes give a value
/// or an error.
#[derive(Debug, uniffi::Object)]
#[uniffi::export(Debug, Eq)]
pub struct Macaroon(Mutex<core::Macaroon>);

impl Macaroon {
    pub(crate) fn of(macaroon: core::Macaroon) -> Self {
        Self(Mutex::new(macaroon))
    }

    /// As it is now.
    pub(crate) fn held(&self) -> core::Macaroon {
        self.with(|macaroon| macaroon.clone())
    }

    fn with<T>(&self, work: impl FnOnce(&mut core::Macaroon) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PartialEq for Macaroon {
    fn eq(&self, other: &Self) -> bool {
        // One after the other, since both may be one.
        let own = self.held();
        own == other.held()
    }
}

impl Eq for Macaroon {}

#[uniffi::export]
impl Macaroon {
    /// Makes a macaroon under `root_key`, which goes through `macaroons-key-generator` first, as in every macaroon library.
    #[uniffi::constructor]
    pub fn create(
        root_key: Vec<u8>,
        identifier: Vec<u8>,
        location: Option<String>,
    ) -> Result<Self, MacaroonError> {
        let made = core::Macaroon::create(&root_key, &identifier, location.as_deref())?;
        Ok(Self::of(made))
    }

    /// Reads a macaroon of any format; its first byte tells which. At most 64 KiB and 4,096 caveats.
    #[uniffi::constructor]
    pub fn parse(bytes: Vec<u8>) -> Result<Self, MacaroonError> {
        Ok(Self::of(core::Macaroon::parse(&bytes)?))
    }

    /// Reads v1.
    #[uniffi::constructor]
    pub fn from_v1(bytes: Vec<u8>) -> Result<Self, MacaroonError> {
        Ok(Self::of(core::Macaroon::from_v1(&bytes)?))
    }

    /// Reads v2 binary.
    #[uniffi::constructor]
    pub fn from_v2(bytes: Vec<u8>) -> Result<Self, MacaroonError> {
        Ok(Self::of(core::Macaroon::from_v2(&bytes)?))
    }

    /// Reads v2 JSON.
    #[uniffi::constructor]
    pub fn from_json(text: Vec<u8>) -> Result<Self, MacaroonError> {
        Ok(Self::of(core::Macaroon::from_json(&text)?))
    }

    /// Writes v1. An absent location is written as an empty one, and read back as absent.
    pub fn to_v1(&self) -> Result<Vec<u8>, MacaroonError> {
        Ok(self.held().to_v1()?)
    }

    /// Writes v2 binary.
    pub fn to_v2(&self) -> Vec<u8> {
        self.held().to_v2()
    }

    /// Writes v2 JSON.
    pub fn to_json(&self) -> Result<String, MacaroonError> {
        Ok(self.held().to_json()?)
    }

    /// Writes it in `format`.
    pub fn to_format(&self, format: Format) -> Result<Vec<u8>, MacaroonError> {
        Ok(self.held().to_format(format.convert())?)
    }

    /// Adds a first-party caveat; anyone who holds the macaroon can. When it would outgrow a limit, it stays as it was.
    pub fn attenuate(&self, caveat: Vec<u8>) -> Result<(), MacaroonError> {
        Ok(self.with(|macaroon| macaroon.attenuate(&caveat))?)
    }

    /// Adds a caveat that whoever has `caveat_key` can discharge, with a macaroon that `create` makes of that key and of
    /// `id`. `nonce` is from a cryptographic random source, and new for each caveat.
    pub fn attenuate_third_party(
        &self,
        caveat_key: Vec<u8>,
        id: Vec<u8>,
        location: Option<String>,
        nonce: CaveatNonce,
    ) -> Result<(), MacaroonError> {
        Ok(self.with(|macaroon| {
            macaroon.attenuate_third_party(&caveat_key, &id, location.as_deref(), &nonce.0)
        })?)
    }

    /// The discharge as it is presented with this macaroon, whose caveats are all added by then.
    pub fn bind(&self, discharge: &Macaroon) -> Self {
        Self::of(self.held().bind(&discharge.held()))
    }

    /// Whether the signature is that of `root_key` over identifier and caveats; in constant time. It says nothing of
    /// whether the caveats hold.
    pub fn verify_signature(&self, root_key: Vec<u8>) -> bool {
        self.held().verify_signature(&root_key)
    }

    /// Whether the macaroon holds under `root_key`: its signature, each third-party caveat by one of the bound
    /// `discharges` (whose own caveats count the same), and each first-party caveat by `checker`. All signatures are
    /// checked before it is asked anything; a caveat for which it throws is not satisfied.
    pub fn verify_discharged(
        &self,
        root_key: Vec<u8>,
        discharges: Vec<Arc<Macaroon>>,
        checker: Arc<dyn CaveatChecker>,
    ) -> Result<(), DischargeError> {
        let discharges: Vec<_> = discharges.iter().map(|discharge| discharge.held()).collect();
        let satisfied = |caveat: &[u8]| checker.is_satisfied(caveat.to_vec()).unwrap_or(false);
        Ok(self.held().verify_discharged(&root_key, &discharges, satisfied)?)
    }

    /// Where it says that it is for; never authenticated.
    pub fn location(&self) -> Option<String> {
        self.with(|macaroon| macaroon.location().map(String::from))
    }

    /// The identifier's bytes.
    pub fn identifier(&self) -> Vec<u8> {
        self.with(|macaroon| macaroon.identifier().to_vec())
    }

    /// The caveats in order.
    pub fn caveats(&self) -> Vec<Caveat> {
        self.with(|macaroon| {
            let owned = |caveat: core::CaveatRef<'_>| Caveat {
                id: caveat.id.to_vec(),
                verification_id: caveat.verification_id.map(<[u8]>::to_vec),
                location: caveat.location.map(String::from),
            };
            macaroon.caveats().map(owned).collect()
        })
    }

    /// The signature, a MAC over all before.
    pub fn signature(&self) -> Bytes32 {
        self.with(|macaroon| Bytes32(*macaroon.signature()))
    }
}

/// One caveat.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Caveat {
    /// What it says, or what its third party knows it by.
    pub id: Vec<u8>,
    /// The sealed key of its discharge; none for a first-party caveat.
    #[uniffi(default = None)]
    pub verification_id: Option<Vec<u8>>,
    /// Where its third party is; never authenticated.
    #[uniffi(default = None)]
    pub location: Option<String>,
}

#[uniffi::export]
impl Caveat {
    /// Whether a third party has to discharge it.
    pub fn is_third_party(&self) -> bool {
        self.verification_id.is_some()
    }
}

/// Says whether a first-party caveat holds.
#[uniffi::export(with_foreign)]
pub trait CaveatChecker: Send + Sync {
    /// Whether `caveat` is satisfied. Throwing says no.
    fn is_satisfied(&self, caveat: Vec<u8>) -> Result<bool, CallbackError>;
}
