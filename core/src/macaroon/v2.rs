//! Writing v2 binary.

use alloc::vec::Vec;

use super::Macaroon;
use super::reference::{END, IDENTIFIER, LOCATION, SIGNATURE, VERIFICATION_ID, VERSION};

pub(super) fn write(macaroon: &Macaroon) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded_len(macaroon));
    out.push(VERSION);
    if let Some(location) = &macaroon.location {
        field(&mut out, LOCATION, location.as_bytes());
    }
    field(&mut out, IDENTIFIER, &macaroon.identifier);
    out.push(END);
    for caveat in &macaroon.caveats {
        if let Some(location) = &caveat.location {
            field(&mut out, LOCATION, location.as_bytes());
        }
        field(&mut out, IDENTIFIER, &caveat.id);
        if let Some(verification_id) = &caveat.verification_id {
            field(&mut out, VERIFICATION_ID, verification_id);
        }
        out.push(END);
    }
    out.push(END);
    field(&mut out, SIGNATURE, &macaroon.signature);
    out
}

/// How many bytes [`write`] makes.
pub(super) fn encoded_len(macaroon: &Macaroon) -> usize {
    let optional = |len: Option<usize>| len.map_or(0, field_len);
    let caveats: usize = macaroon
        .caveats
        .iter()
        .map(|c| {
            optional(c.location.as_ref().map(|l| l.len()))
                + field_len(c.id.len())
                + optional(c.verification_id.as_ref().map(Vec::len))
                + 1
        })
        .sum();
    1 + optional(macaroon.location.as_ref().map(|l| l.len()))
        + field_len(macaroon.identifier.len())
        + 1
        + caveats
        + 1
        + field_len(macaroon.signature.len())
}

/// Bytes of a field with `len` bytes of content.
pub(crate) const fn field_len(len: usize) -> usize {
    let varint = match len {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        _ => 3,
    };
    1 + varint + len
}

/// A field's type and length.
pub(crate) fn field_head(out: &mut Vec<u8>, kind: u8, len: usize) {
    out.push(kind);
    let mut len = len;
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

fn field(out: &mut Vec<u8>, kind: u8, content: &[u8]) {
    field_head(out, kind, content.len());
    out.extend_from_slice(content);
}
