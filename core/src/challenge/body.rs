//! The JSON body of a challenge, written and read, and of the other answers.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::header::{Challenge, ChallengeError, ChallengeSource, Parts, Scheme, usable};
use crate::{Code, PaymentHash};

/// Longest body in which a challenge is looked for, in bytes.
const MAX_BODY_BYTES: usize = 65_536;

/// The members of a challenge's JSON body (docs/PROTOCOL.md §3).
///
/// ```
/// use plannt_core::{ChallengeBody, Code, Preimage};
///
/// let body = ChallengeBody {
///     token: "AgEE",
///     invoice: "lnbc1",
///     payment_hash: Preimage::from_bytes([7; 32]).payment_hash(),
///     price_msat: 20_001,
///     expires_at: "2026-01-01T00:00:00Z",
///     service: "demo",
///     code: Code::PaymentRequired,
///     detail: None,
/// };
/// let json = body.to_json();
/// assert!(json.starts_with(
///     r#"{"error":"Payment Required","invoice":"lnbc1","format":"L402 AgEE:<preimage>","#
/// ));
/// assert!(json.contains(r#""price_msat":20001,"price_sats":21,"#));
/// ```
#[derive(Clone, Copy)]
pub struct ChallengeBody<'a> {
    /// The token's wire text.
    pub token: &'a str,
    /// The BOLT 11 invoice.
    pub invoice: &'a str,
    /// The invoice's payment hash.
    pub payment_hash: PaymentHash,
    /// The invoice's amount in msat.
    pub price_msat: u64,
    /// When the invoice expires, as RFC 3339 text.
    pub expires_at: &'a str,
    /// The service's name.
    pub service: &'a str,
    /// Why the request was challenged.
    pub code: Code,
    /// More about the reason; left out when there is nothing to say.
    pub detail: Option<&'a str>,
}

impl ChallengeBody<'_> {
    /// The body's text: one JSON object, its first three members in the order that deployed clients
    /// rely on.
    pub fn to_json(&self) -> String {
        write_json(self)
    }
}

impl Serialize for ChallengeBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let format = format!("L402 {}:<preimage>", self.token);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("error", reason(self.code.status()))?;
        map.serialize_entry("invoice", self.invoice)?;
        map.serialize_entry("format", &format)?;
        map.serialize_entry("macaroon", self.token)?;
        map.serialize_entry("authorization_format", &format)?;
        map.serialize_entry("payment_hash", &self.payment_hash.to_string())?;
        map.serialize_entry("price_msat", &self.price_msat)?;
        map.serialize_entry("price_sats", &self.price_msat.div_ceil(1_000))?;
        map.serialize_entry("expires_at", self.expires_at)?;
        map.serialize_entry("service", self.service)?;
        map.serialize_entry("code", self.code.as_str())?;
        if let Some(detail) = self.detail {
            map.serialize_entry("detail", detail)?;
        }
        map.end()
    }
}

/// The body of an answer that is no challenge: `error` is the status's reason, then `code`, then
/// `detail` where there is one.
///
/// ```
/// use plannt_core::{Code, error_body};
/// assert_eq!(
///     error_body(Code::BadPath, Some("the path has a dot segment")),
///     r#"{"error":"Bad Request","code":"bad_path","detail":"the path has a dot segment"}"#
/// );
/// ```
pub fn error_body(code: Code, detail: Option<&str>) -> String {
    struct Body<'a>(Code, Option<&'a str>);

    impl Serialize for Body<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry("error", reason(self.0.status()))?;
            map.serialize_entry("code", self.0.as_str())?;
            if let Some(detail) = self.1 {
                map.serialize_entry("detail", detail)?;
            }
            map.end()
        }
    }

    write_json(&Body(code, detail))
}

fn write_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("text and numbers under text keys are always JSON")
}

/// RFC 9110's reason phrase of the statuses that [`Code::status`] gives.
fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        402 => "Payment Required",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Error",
    }
}

/// The challenge of a JSON body: `invoice` with `macaroon`, `format` or `authorization_format`.
pub(super) fn read(body: &[u8]) -> Result<Option<Challenge>, ChallengeError> {
    if body.len() > MAX_BODY_BYTES {
        return Ok(None);
    }
    let Ok(members) = serde_json::from_slice::<Members<'_>>(body) else { return Ok(None) };
    // A template in words, such as "L402 {macaroon}:{preimage}", gives no token.
    let formats = [&members.format, &members.authorization_format]
        .map(|format| format.text().and_then(read_format));
    let scheme = formats.iter().flatten().next().map_or(Scheme::L402, |&(scheme, _)| scheme);
    let mut found = Parts::new(scheme, members.repeated);
    found.invoice = members.invoice.text().and_then(|text| usable(text.as_bytes()));
    for (_, token) in formats.into_iter().flatten() {
        found.add_token(Some(token));
    }
    if let Some(macaroon) = members.macaroon.text() {
        found.add_token(usable(macaroon.as_bytes()));
    }
    found.complete(ChallengeSource::Body)
}

/// The scheme and the token of `L402 <token>:<preimage>`, whatever stands for the preimage.
fn read_format(format: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = format.trim().split_once(' ')?;
    let scheme = Scheme::from_name(scheme)?;
    let (token, preimage) = rest.trim_start().split_once(':')?;
    let token68 =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=');
    (!token.is_empty() && !preimage.is_empty() && token.bytes().all(token68))
        .then_some((scheme, token))
}

/// The members that matter. All else is skipped, and of what type they are is not an error: the
/// body may be anyone's.
#[derive(Default)]
struct Members<'a> {
    authorization_format: Member<'a>,
    format: Member<'a>,
    invoice: Member<'a>,
    macaroon: Member<'a>,
    repeated: bool,
}

#[derive(Default)]
enum Member<'a> {
    #[default]
    Absent,
    Other,
    Text(Cow<'a, str>),
}

impl Member<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Other => None,
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key::<Text<'de>>()? {
                    let member = match &*name.0 {
                        "authorization_format" => &mut members.authorization_format,
                        "format" => &mut members.format,
                        "invoice" => &mut members.invoice,
                        "macaroon" => &mut members.macaroon,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    members.repeated |= !matches!(member, Member::Absent);
                    let value = map.next_value()?;
                    // The first one stands, so that completeness does not depend on the second.
                    if !matches!(member, Member::Text(_)) {
                        *member = value;
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// A text, borrowed where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Member::deserialize(deserializer)? {
            Member::Text(text) => Ok(Self(text)),
            Member::Absent | Member::Other => Ok(Self(Cow::Borrowed(""))),
        }
    }
}

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Member<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Member::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Member::Text(Cow::Owned(text.into())))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Member::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Member::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}
