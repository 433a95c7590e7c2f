//! v1: packets of four lower-case hex digits (the packet's whole length), a name, a space, the
//! value, and a newline.

use alloc::string::String;
use alloc::vec::Vec;

use super::owned::Caveat;
use super::{
    MAX_BYTES, MAX_CAVEATS, MAX_FIELD_BYTES, Macaroon, MacaroonError, Part, VERIFICATION_ID_BYTES,
};

/// The length's digits, the space and the newline.
const FRAME_BYTES: usize = 4 + 1 + 1;

pub(super) fn read(bytes: &[u8]) -> Result<Macaroon, MacaroonError> {
    if bytes.len() > MAX_BYTES {
        return Err(MacaroonError::TooLong);
    }
    let mut packets = Packets { rest: bytes, ahead: None };
    let location = packets.expect(Part::Location)?;
    let location = text(location, Part::Location)?;
    let identifier = packets.expect(Part::Identifier)?.to_vec();
    let mut caveats = Vec::new();
    while let Some(id) = packets.optional(Part::CaveatId)? {
        if caveats.len() == MAX_CAVEATS {
            return Err(MacaroonError::TooManyCaveats);
        }
        let verification_id = packets.optional(Part::VerificationId)?;
        let location = packets.optional(Part::CaveatLocation)?;
        match (verification_id, location) {
            (Some(vid), _) if vid.len() != VERIFICATION_ID_BYTES => {
                return Err(MacaroonError::VerificationIdLength);
            }
            (None, Some(_)) => return Err(MacaroonError::LocationOnFirstParty),
            _ => {}
        }
        caveats.push(Caveat {
            id: id.to_vec(),
            verification_id: verification_id.map(<[u8]>::to_vec),
            location: location.map(|l| text(l, Part::CaveatLocation)).transpose()?,
        });
    }
    let signature = packets.expect(Part::Signature)?;
    let signature = signature.try_into().map_err(|_| MacaroonError::SignatureLength)?;
    if !packets.rest.is_empty() {
        return Err(MacaroonError::TrailingBytes);
    }
    // v1 always has the packet; what no library gave a location has an empty one.
    let location = (!location.is_empty()).then_some(location);
    Ok(Macaroon { location, identifier, caveats, signature })
}

pub(super) fn write(macaroon: &Macaroon) -> Result<Vec<u8>, MacaroonError> {
    let mut out = Vec::new();
    let location = macaroon.location.as_deref().unwrap_or_default();
    packet(&mut out, Part::Location, location.as_bytes())?;
    packet(&mut out, Part::Identifier, &macaroon.identifier)?;
    for caveat in &macaroon.caveats {
        packet(&mut out, Part::CaveatId, &caveat.id)?;
        if let Some(verification_id) = &caveat.verification_id {
            packet(&mut out, Part::VerificationId, verification_id)?;
        }
        if let Some(location) = &caveat.location {
            packet(&mut out, Part::CaveatLocation, location.as_bytes())?;
        }
    }
    packet(&mut out, Part::Signature, &macaroon.signature)?;
    if out.len() > MAX_BYTES { Err(MacaroonError::TooLong) } else { Ok(out) }
}

const fn name(part: Part) -> &'static [u8] {
    match part {
        Part::CaveatId => b"cid",
        Part::CaveatLocation => b"cl",
        Part::Identifier => b"identifier",
        Part::Location => b"location",
        Part::Signature => b"signature",
        Part::VerificationId => b"vid",
    }
}

fn packet(out: &mut Vec<u8>, part: Part, value: &[u8]) -> Result<(), MacaroonError> {
    let len = FRAME_BYTES + name(part).len() + value.len();
    // Four digits say no more: a library that writes on makes a corrupt packet.
    if len > MAX_FIELD_BYTES {
        return Err(MacaroonError::FieldTooLong(part));
    }
    for shift in [12, 8, 4, 0] {
        out.push(b"0123456789abcdef"[len >> shift & 15]);
    }
    out.extend_from_slice(name(part));
    out.push(b' ');
    out.extend_from_slice(value);
    out.push(b'\n');
    Ok(())
}

struct Packets<'a> {
    rest: &'a [u8],
    /// A packet that was looked at and is still due.
    ahead: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Packets<'a> {
    fn expect(&mut self, part: Part) -> Result<&'a [u8], MacaroonError> {
        self.optional(part)?.ok_or(MacaroonError::Expected(part))
    }

    fn optional(&mut self, part: Part) -> Result<Option<&'a [u8]>, MacaroonError> {
        let (key, value) = match self.ahead.take() {
            Some(packet) => packet,
            None => self.read()?,
        };
        if key == name(part) {
            return Ok(Some(value));
        }
        self.ahead = Some((key, value));
        Ok(None)
    }

    fn read(&mut self) -> Result<(&'a [u8], &'a [u8]), MacaroonError> {
        let digits = self.rest.get(..4).ok_or(MacaroonError::Truncated)?;
        let mut len = 0;
        for digit in digits {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return Err(MacaroonError::Packet),
            };
            len = len << 4 | usize::from(value);
        }
        let (packet, rest) = self.rest.split_at_checked(len).ok_or(MacaroonError::Truncated)?;
        let content = packet.get(4..).ok_or(MacaroonError::Packet)?;
        let content = content.strip_suffix(b"\n").ok_or(MacaroonError::Packet)?;
        let space = content.iter().position(|c| *c == b' ').ok_or(MacaroonError::Packet)?;
        self.rest = rest;
        Ok((&content[..space], &content[space + 1..]))
    }
}

fn text(bytes: &[u8], part: Part) -> Result<String, MacaroonError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| MacaroonError::Utf8(part))
}
