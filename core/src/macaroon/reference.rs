//! The borrowed v2 binary form: one pass over the bytes, and no allocation.

use core::fmt;

use super::{
    MAX_BYTES, MAX_CAVEATS, MAX_FIELD_BYTES, Macaroon, MacaroonError, Part, VERIFICATION_ID_BYTES,
};

pub(crate) const VERSION: u8 = 2;
pub(crate) const END: u8 = 0;
pub(crate) const LOCATION: u8 = 1;
pub(crate) const IDENTIFIER: u8 = 2;
pub(crate) const VERIFICATION_ID: u8 = 4;
pub(crate) const SIGNATURE: u8 = 6;

/// A macaroon in v2 binary, borrowed; reading it allocates nothing.
///
/// ```
/// use plannt_core::macaroon::{Macaroon, MacaroonRef};
/// let bytes = Macaroon::create(b"key", b"id", Some("l402"))?.to_v2();
/// let macaroon = MacaroonRef::parse(&bytes)?;
/// assert_eq!(macaroon.identifier(), b"id");
/// assert_eq!(macaroon.location(), Some("l402"));
/// assert!(MacaroonRef::parse(&bytes[1..]).is_err());
/// # Ok::<(), plannt_core::macaroon::MacaroonError>(())
/// ```
#[derive(Clone, Copy)]
pub struct MacaroonRef<'a> {
    location: Option<&'a str>,
    identifier: &'a [u8],
    /// The caveat section without its end, checked.
    caveats: &'a [u8],
    caveat_count: usize,
    third_party: bool,
    signature: &'a [u8; 32],
}

/// One caveat, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaveatRef<'a> {
    /// The caveat's bytes: a condition, or what a third party knows it by.
    pub id: &'a [u8],
    /// The verification id, on third-party caveats only.
    pub verification_id: Option<&'a [u8]>,
    /// Where the third party is; never authenticated.
    pub location: Option<&'a str>,
}

impl CaveatRef<'_> {
    /// Whether a third party has to discharge it.
    pub fn is_third_party(&self) -> bool {
        self.verification_id.is_some()
    }
}

impl<'a> MacaroonRef<'a> {
    /// Reads v2 binary, all of it (docs/PROTOCOL.md §1).
    ///
    /// # Errors
    /// [`MacaroonError`], the first thing that is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, MacaroonError> {
        if bytes.len() > MAX_BYTES {
            return Err(MacaroonError::TooLong);
        }
        let mut reader = Reader(bytes);
        match reader.byte()? {
            VERSION => {}
            _ => return Err(MacaroonError::Format),
        }
        let location = reader.optional(LOCATION, Part::Location)?.map(utf8(Part::Location));
        let location = location.transpose()?;
        let identifier = reader.field(IDENTIFIER, Part::Identifier)?;
        reader.end()?;

        let section = reader.0;
        let mut caveat_count = 0;
        let mut third_party = false;
        while reader.peek()? != END {
            if caveat_count == MAX_CAVEATS {
                return Err(MacaroonError::TooManyCaveats);
            }
            if reader.short_caveat().is_none() {
                third_party |= reader.caveat()?.is_third_party();
            }
            caveat_count += 1;
        }
        let caveats = &section[..section.len() - reader.0.len()];
        reader.end()?;

        let signature = reader.field(SIGNATURE, Part::Signature)?;
        let signature = signature.try_into().map_err(|_| MacaroonError::SignatureLength)?;
        if !reader.0.is_empty() {
            return Err(MacaroonError::TrailingBytes);
        }
        Ok(Self { location, identifier, caveats, caveat_count, third_party, signature })
    }

    /// Where it says that it is for; never authenticated.
    pub fn location(&self) -> Option<&'a str> {
        self.location
    }

    /// The identifier's bytes.
    pub fn identifier(&self) -> &'a [u8] {
        self.identifier
    }

    /// The caveats in order.
    pub fn caveats(&self) -> Caveats<'a> {
        Caveats { reader: Reader(self.caveats), left: self.caveat_count }
    }

    /// How many caveats there are.
    pub fn caveat_count(&self) -> usize {
        self.caveat_count
    }

    /// Whether a third party has to discharge any of them.
    pub fn has_third_party_caveats(&self) -> bool {
        self.third_party
    }

    /// The signature, a MAC over all before.
    pub fn signature(&self) -> &'a [u8; 32] {
        self.signature
    }

    /// An owned copy.
    pub fn to_macaroon(&self) -> Macaroon {
        Macaroon::from_reference(self)
    }
}

impl fmt::Debug for MacaroonRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacaroonRef")
            .field("location", &self.location)
            .field("caveat_count", &self.caveat_count)
            .finish_non_exhaustive()
    }
}

/// The caveats of a [`MacaroonRef`].
#[derive(Clone)]
pub struct Caveats<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Iterator for Caveats<'a> {
    type Item = CaveatRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<CaveatRef<'a>> {
        self.left = self.left.checked_sub(1)?;
        // `parse` has read this section once, so that it reads again.
        self.reader.short_caveat().or_else(|| self.reader.caveat().ok())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Caveats<'_> {}

impl fmt::Debug for Caveats<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// What is still unread.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn peek(&self) -> Result<u8, MacaroonError> {
        self.0.first().copied().ok_or(MacaroonError::Truncated)
    }

    fn byte(&mut self) -> Result<u8, MacaroonError> {
        let (first, rest) = self.0.split_first().ok_or(MacaroonError::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    fn end(&mut self) -> Result<(), MacaroonError> {
        match self.byte()? {
            END => Ok(()),
            _ => Err(MacaroonError::SectionEnd),
        }
    }

    /// Field types are one byte: a longer varint of the same value would not be minimal.
    #[inline]
    fn field(&mut self, kind: u8, part: Part) -> Result<&'a [u8], MacaroonError> {
        if self.byte()? != kind {
            return Err(MacaroonError::Expected(part));
        }
        let len = self.length()?;
        if len > MAX_FIELD_BYTES {
            return Err(MacaroonError::FieldTooLong(part));
        }
        let (field, rest) = self.0.split_at_checked(len).ok_or(MacaroonError::Truncated)?;
        self.0 = rest;
        Ok(field)
    }

    #[inline]
    fn optional(&mut self, kind: u8, part: Part) -> Result<Option<&'a [u8]>, MacaroonError> {
        if self.peek()? == kind { self.field(kind, part).map(Some) } else { Ok(None) }
    }

    /// A varint of at most five bytes, the shortest for its value.
    #[inline]
    fn length(&mut self) -> Result<usize, MacaroonError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(usize::from(first));
        }
        let mut value = u64::from(first & 0x7f);
        for shift in [7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                // A last byte of zero adds nothing: a shorter varint says the same.
                let minimal = byte != 0;
                // Beyond any field's length, `usize` of 16 bits or not.
                let length = usize::try_from(value).unwrap_or(usize::MAX);
                return minimal.then_some(length).ok_or(MacaroonError::Varint);
            }
        }
        Err(MacaroonError::Varint)
    }

    /// A first-party caveat of less than 128 bytes, as nearly all are, at a fraction of the price;
    /// none, and nothing read, where something else stands.
    #[inline]
    fn short_caveat(&mut self) -> Option<CaveatRef<'a>> {
        let [IDENTIFIER, len @ ..0x80, rest @ ..] = self.0 else { return None };
        let (id, [END, rest @ ..]) = rest.split_at_checked(usize::from(*len))? else {
            return None;
        };
        self.0 = rest;
        Some(CaveatRef { id, verification_id: None, location: None })
    }

    fn caveat(&mut self) -> Result<CaveatRef<'a>, MacaroonError> {
        let location = self.optional(LOCATION, Part::CaveatLocation)?;
        let id = self.field(IDENTIFIER, Part::CaveatId)?;
        let verification_id = self.optional(VERIFICATION_ID, Part::VerificationId)?;
        self.end()?;
        match (location, verification_id) {
            (_, Some(vid)) if vid.len() != VERIFICATION_ID_BYTES => {
                return Err(MacaroonError::VerificationIdLength);
            }
            (Some(_), None) => return Err(MacaroonError::LocationOnFirstParty),
            _ => {}
        }
        let location = location.map(utf8(Part::CaveatLocation)).transpose()?;
        Ok(CaveatRef { id, verification_id, location })
    }
}

fn utf8<'a>(part: Part) -> impl Fn(&'a [u8]) -> Result<&'a str, MacaroonError> {
    move |bytes| core::str::from_utf8(bytes).map_err(|_| MacaroonError::Utf8(part))
}
