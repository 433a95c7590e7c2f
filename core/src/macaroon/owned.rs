//! The owned form, and what holders do with it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;

use super::{
    CaveatRef, Format, MAX_BYTES, MAX_CAVEATS, MAX_FIELD_BYTES, MacaroonError, MacaroonRef, Part,
    json, v1, v2,
};
use crate::mac::{self, Padded, Tag, signing_key};

/// A macaroon, owned.
///
/// ```
/// use plannt_core::macaroon::Macaroon;
/// let mut macaroon = Macaroon::create(b"key", b"id", None)?;
/// macaroon.attenuate(b"account = 3735928559")?;
/// assert!(macaroon.verify_signature(b"key"));
/// assert!(!macaroon.verify_signature(b"another key"));
/// assert_eq!(Macaroon::parse(&macaroon.to_v2())?, macaroon);
/// # Ok::<(), plannt_core::macaroon::MacaroonError>(())
/// ```
#[derive(Clone)]
pub struct Macaroon {
    pub(super) location: Option<String>,
    pub(super) identifier: Vec<u8>,
    pub(super) caveats: Vec<Caveat>,
    pub(super) signature: [u8; 32],
}

/// One caveat, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caveat {
    pub(super) id: Vec<u8>,
    pub(super) verification_id: Option<Vec<u8>>,
    pub(super) location: Option<String>,
}

impl Caveat {
    /// The same, borrowed.
    pub fn as_ref(&self) -> CaveatRef<'_> {
        CaveatRef {
            id: &self.id,
            verification_id: self.verification_id.as_deref(),
            location: self.location.as_deref(),
        }
    }
}

impl Macaroon {
    /// Makes a macaroon under `root_key`, which goes through `macaroons-key-generator` first, as
    /// in every macaroon library.
    ///
    /// # Errors
    /// [`MacaroonError::FieldTooLong`] and [`MacaroonError::TooLong`]: what can be made can be
    /// written in v2 binary and read again.
    pub fn create(
        root_key: &[u8],
        identifier: &[u8],
        location: Option<&str>,
    ) -> Result<Self, MacaroonError> {
        let mut signature = signing_key(root_key);
        signature.link(&Padded::new(identifier));
        let macaroon = Self {
            location: location.map(String::from),
            identifier: identifier.to_vec(),
            caveats: Vec::new(),
            signature: signature.to_bytes(),
        };
        macaroon.check()?;
        Ok(macaroon)
    }

    /// Reads a macaroon of any format; its first byte tells which.
    ///
    /// # Errors
    /// [`MacaroonError`], the first thing that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, MacaroonError> {
        match Format::sniff(bytes).ok_or(MacaroonError::Format)? {
            Format::V1 => Self::from_v1(bytes),
            Format::V2 => Self::from_v2(bytes),
            Format::V2Json => Self::from_json(bytes),
        }
    }

    /// Reads v1.
    ///
    /// # Errors
    /// [`MacaroonError`], the first thing that is wrong.
    pub fn from_v1(bytes: &[u8]) -> Result<Self, MacaroonError> {
        v1::read(bytes)?.checked()
    }

    /// Reads v2 binary.
    ///
    /// # Errors
    /// [`MacaroonError`], the first thing that is wrong.
    pub fn from_v2(bytes: &[u8]) -> Result<Self, MacaroonError> {
        MacaroonRef::parse(bytes).map(|m| m.to_macaroon())
    }

    /// Reads v2 JSON.
    ///
    /// # Errors
    /// [`MacaroonError`], the first thing that is wrong.
    pub fn from_json(text: &[u8]) -> Result<Self, MacaroonError> {
        json::read(text)?.checked()
    }

    /// Writes v1. An absent location is written as an empty one, and read back as absent.
    ///
    /// # Errors
    /// [`MacaroonError::FieldTooLong`] or [`MacaroonError::TooLong`] for what v1 has no room for.
    pub fn to_v1(&self) -> Result<Vec<u8>, MacaroonError> {
        v1::write(self)
    }

    /// Writes v2 binary.
    pub fn to_v2(&self) -> Vec<u8> {
        v2::write(self)
    }

    /// Writes v2 JSON.
    ///
    /// # Errors
    /// [`MacaroonError::TooLong`] when the text would be longer than what is read.
    pub fn to_json(&self) -> Result<String, MacaroonError> {
        json::write(self)
    }

    /// Writes it in `format`.
    ///
    /// # Errors
    /// Those of the format's own writer.
    pub fn to_format(&self, format: Format) -> Result<Vec<u8>, MacaroonError> {
        match format {
            Format::V1 => self.to_v1(),
            Format::V2 => Ok(self.to_v2()),
            Format::V2Json => self.to_json().map(String::into_bytes),
        }
    }

    /// Adds a first-party caveat; anyone who holds the macaroon can.
    ///
    /// # Errors
    /// [`MacaroonError`] when it would outgrow a limit; the macaroon is then as it was.
    pub fn attenuate(&mut self, caveat: &[u8]) -> Result<(), MacaroonError> {
        self.caveats.push(Caveat { id: caveat.to_vec(), verification_id: None, location: None });
        if let Err(error) = self.check() {
            self.caveats.pop();
            return Err(error);
        }
        let mut signature = Tag::from_bytes(&self.signature);
        signature.link(&Padded::new(caveat));
        self.signature = signature.to_bytes();
        Ok(())
    }

    /// Whether the signature is that of `root_key` over identifier and caveats; in constant time.
    /// It says nothing of whether the caveats hold.
    pub fn verify_signature(&self, root_key: &[u8]) -> bool {
        let caveats = self.caveats.iter().map(Caveat::as_ref);
        let signature = mac::chain(signing_key(root_key), &self.identifier, caveats);
        signature.ct_eq(&Tag::from_bytes(&self.signature)).into()
    }

    /// Where it says that it is for; never authenticated.
    pub fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    /// The identifier's bytes.
    pub fn identifier(&self) -> &[u8] {
        &self.identifier
    }

    /// The caveats in order.
    pub fn caveats(&self) -> impl ExactSizeIterator<Item = CaveatRef<'_>> + Clone {
        self.caveats.iter().map(Caveat::as_ref)
    }

    /// The signature, a MAC over all before.
    pub fn signature(&self) -> &[u8; 32] {
        &self.signature
    }

    pub(super) fn from_reference(macaroon: &MacaroonRef<'_>) -> Self {
        let caveats = macaroon.caveats().map(|caveat| Caveat {
            id: caveat.id.to_vec(),
            verification_id: caveat.verification_id.map(<[u8]>::to_vec),
            location: caveat.location.map(String::from),
        });
        Self {
            location: macaroon.location().map(String::from),
            identifier: macaroon.identifier().to_vec(),
            caveats: caveats.collect(),
            signature: *macaroon.signature(),
        }
    }

    fn checked(self) -> Result<Self, MacaroonError> {
        self.check().map(|()| self)
    }

    /// The bounds of v2 hold, so that every macaroon there is can be written and read again.
    pub(super) fn check(&self) -> Result<(), MacaroonError> {
        if self.caveats.len() > MAX_CAVEATS {
            return Err(MacaroonError::TooManyCaveats);
        }
        let fits = |part, len| {
            if len > MAX_FIELD_BYTES { Err(MacaroonError::FieldTooLong(part)) } else { Ok(()) }
        };
        fits(Part::Location, self.location.as_ref().map_or(0, String::len))?;
        fits(Part::Identifier, self.identifier.len())?;
        for caveat in &self.caveats {
            fits(Part::CaveatId, caveat.id.len())?;
            fits(Part::CaveatLocation, caveat.location.as_ref().map_or(0, String::len))?;
        }
        if v2::encoded_len(self) > MAX_BYTES { Err(MacaroonError::TooLong) } else { Ok(()) }
    }
}

impl PartialEq for Macaroon {
    fn eq(&self, other: &Self) -> bool {
        self.location == other.location
            && self.identifier == other.identifier
            && self.caveats == other.caveats
            && bool::from(self.signature.ct_eq(&other.signature))
    }
}

impl Eq for Macaroon {}

impl fmt::Debug for Macaroon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Macaroon")
            .field("location", &self.location)
            .field("caveats", &self.caveats.len())
            .finish_non_exhaustive()
    }
}

impl Format {
    /// The format that bytes of this kind begin with.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes.first()? {
            2 => Some(Self::V2),
            b'{' | b' ' | b'\t' | b'\r' | b'\n' => Some(Self::V2Json),
            b'0'..=b'9' | b'a'..=b'f' => Some(Self::V1),
            _ => None,
        }
    }
}
