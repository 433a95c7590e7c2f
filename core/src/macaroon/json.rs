//! v2 JSON: `{"v":2,"l":…,"i":…,"c":[{"i":…}],"s64":…}`, where a name with `64` holds base64.
//!
//! Stricter than the libraries: no name twice, none that is unknown, no part in both spellings.
//! `v` may be 2, `"2"` or absent, and any part `null`, since deployed libraries write so.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::owned::Caveat;
use super::{MAX_BYTES, MAX_CAVEATS, Macaroon, MacaroonError, Part, VERIFICATION_ID_BYTES};

pub(super) fn read(text: &[u8]) -> Result<Macaroon, MacaroonError> {
    if text.len() > MAX_BYTES {
        return Err(MacaroonError::TooLong);
    }
    let Object(wire): Object<WireMacaroon<'_>> =
        serde_json::from_slice(text).map_err(|_| MacaroonError::Json)?;
    if wire.v.is_some_and(|Version(known)| !known) {
        return Err(MacaroonError::Version);
    }
    let location = string(wire.l, wire.l64, Part::Location)?;
    let identifier = required(wire.i, wire.i64, Part::Identifier)?;
    let caveats = wire.c.unwrap_or_default();
    if caveats.len() > MAX_CAVEATS {
        return Err(MacaroonError::TooManyCaveats);
    }
    let caveats =
        caveats.into_iter().map(|Object(c)| read_caveat(c)).collect::<Result<Vec<_>, _>>()?;
    let signature = required(wire.s, wire.s64, Part::Signature)?;
    let signature = signature.try_into().map_err(|_| MacaroonError::SignatureLength)?;
    Ok(Macaroon { location, identifier, caveats, signature })
}

pub(super) fn write(macaroon: &Macaroon) -> Result<String, MacaroonError> {
    let mut out = String::from("{\"v\":2");
    if let Some(location) = &macaroon.location {
        out.push_str(",\"l\":");
        push_text(&mut out, location);
    }
    out.push(',');
    push_bytes(&mut out, "i", &macaroon.identifier);
    out.push_str(",\"c\":[");
    for (i, caveat) in macaroon.caveats.iter().enumerate() {
        out.push_str(if i == 0 { "{" } else { ",{" });
        push_bytes(&mut out, "i", &caveat.id);
        if let Some(verification_id) = &caveat.verification_id {
            out.push(',');
            push_base64(&mut out, "v", verification_id);
        }
        if let Some(location) = &caveat.location {
            out.push_str(",\"l\":");
            push_text(&mut out, location);
        }
        out.push('}');
    }
    out.push_str("],");
    push_base64(&mut out, "s", &macaroon.signature);
    out.push('}');
    if out.len() > MAX_BYTES { Err(MacaroonError::TooLong) } else { Ok(out) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireMacaroon<'a> {
    v: Option<Version>,
    #[serde(borrow)]
    l: Option<Cow<'a, str>>,
    #[serde(borrow)]
    l64: Option<Cow<'a, str>>,
    #[serde(borrow)]
    i: Option<Cow<'a, str>>,
    #[serde(borrow)]
    i64: Option<Cow<'a, str>>,
    #[serde(borrow)]
    c: Option<Vec<Object<WireCaveat<'a>>>>,
    #[serde(borrow)]
    s: Option<Cow<'a, str>>,
    #[serde(borrow)]
    s64: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCaveat<'a> {
    #[serde(borrow)]
    i: Option<Cow<'a, str>>,
    #[serde(borrow)]
    i64: Option<Cow<'a, str>>,
    #[serde(borrow)]
    v: Option<Cow<'a, str>>,
    #[serde(borrow)]
    v64: Option<Cow<'a, str>>,
    #[serde(borrow)]
    l: Option<Cow<'a, str>>,
    #[serde(borrow)]
    l64: Option<Cow<'a, str>>,
}

fn read_caveat(wire: WireCaveat<'_>) -> Result<Caveat, MacaroonError> {
    let id = required(wire.i, wire.i64, Part::CaveatId)?;
    let verification_id = bytes(wire.v, wire.v64, Part::VerificationId)?;
    let location = string(wire.l, wire.l64, Part::CaveatLocation)?;
    match (&verification_id, &location) {
        (Some(vid), _) if vid.len() != VERIFICATION_ID_BYTES => {
            Err(MacaroonError::VerificationIdLength)
        }
        (None, Some(_)) => Err(MacaroonError::LocationOnFirstParty),
        _ => Ok(Caveat { id, verification_id, location }),
    }
}

fn bytes(
    text: Option<Cow<'_, str>>,
    base64: Option<Cow<'_, str>>,
    part: Part,
) -> Result<Option<Vec<u8>>, MacaroonError> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(MacaroonError::Duplicate(part)),
        (Some(text), None) => Ok(Some(text.into_owned().into_bytes())),
        (None, Some(base64)) => {
            crate::base64::decode(&base64).map(Some).map_err(|_| MacaroonError::Base64(part))
        }
        (None, None) => Ok(None),
    }
}

fn required(
    text: Option<Cow<'_, str>>,
    base64: Option<Cow<'_, str>>,
    part: Part,
) -> Result<Vec<u8>, MacaroonError> {
    bytes(text, base64, part)?.ok_or(MacaroonError::Expected(part))
}

fn string(
    text: Option<Cow<'_, str>>,
    base64: Option<Cow<'_, str>>,
    part: Part,
) -> Result<Option<String>, MacaroonError> {
    let bytes = bytes(text, base64, part)?;
    bytes.map(String::from_utf8).transpose().map_err(|_| MacaroonError::Utf8(part))
}

/// Text where it is text, else base64.
fn push_bytes(out: &mut String, name: &str, bytes: &[u8]) {
    match core::str::from_utf8(bytes) {
        Ok(text) => {
            out.push('"');
            out.push_str(name);
            out.push_str("\":");
            push_text(out, text);
        }
        Err(_) => push_base64(out, name, bytes),
    }
}

fn push_base64(out: &mut String, name: &str, bytes: &[u8]) {
    out.push('"');
    out.push_str(name);
    out.push_str("64\":\"");
    URL_SAFE_NO_PAD.encode_string(bytes, out);
    out.push('"');
}

fn push_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
}

/// A value that must be a JSON object: a derived struct alone would take an array, too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(OnlyMap(PhantomData)).map(Self)
    }
}

/// Whether the version is 2, as a number or as a string.
struct Version(bool);

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Two;

        impl Visitor<'_> for Two {
            type Value = Version;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("2")
            }

            fn visit_u64<E>(self, version: u64) -> Result<Version, E> {
                Ok(Version(version == 2))
            }

            fn visit_str<E>(self, version: &str) -> Result<Version, E> {
                Ok(Version(version == "2"))
            }
        }

        deserializer.deserialize_any(Two)
    }
}
