//! What a token says.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::Serialize;

use crate::macaroon::{CaveatRef, Format, MAX_BYTES, Macaroon, MacaroonError};
use crate::{Identifier, TokenError, TokenText, base64, hex};

/// A token's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DecodedToken {
    /// `v1`, `v2` or `v2_json`.
    pub format: &'static str,
    /// Bytes before base64 or hex.
    pub bytes: usize,
    /// Where it says that it is for; never authenticated.
    pub location: Option<String>,
    /// The identifier, hex.
    pub identifier: String,
    /// The payment hash, hex, where the identifier is L402's.
    pub payment_hash: Option<String>,
    /// The token id, hex, where the identifier is L402's.
    pub token_id: Option<String>,
    /// The caveats in order.
    pub caveats: Vec<DecodedCaveat>,
    /// The signature, hex. Without the root key nobody can tell whether it is right.
    pub signature: String,
}

/// A caveat's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DecodedCaveat {
    /// What stands before the first `=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// What stands after it; `[redacted]` for a preimage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The caveat's bytes in hex, where they are no `condition=value` or can't be printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// Whether a third party has to discharge it.
    pub third_party: bool,
    /// Where that third party is; never authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// A text on its own that is a token: base64, hex, or a macaroon's JSON as it is.
pub(super) fn recognize(text: &str) -> Option<DecodedToken> {
    if text.starts_with('{') {
        return describe(text.as_bytes()).ok();
    }
    [TokenText::Hex(text), TokenText::Base64(text)].into_iter().find_map(|text| read(text).ok())
}

/// Decodes a token's text up to the macaroon's limit, which is more than a server would take.
pub(super) fn read(text: TokenText<'_>) -> Result<DecodedToken, TokenError> {
    let bytes = match text {
        // Before any room is made for it.
        TokenText::Base64(text) | TokenText::Hex(text) if text.len() > 2 * MAX_BYTES => {
            return Err(MacaroonError::TooLong.into());
        }
        TokenText::Base64(text) => base64::decode(text)?,
        TokenText::Hex(text) => {
            let mut bytes = vec![0; text.len() / 2];
            if !text.len().is_multiple_of(2) || hex::decode_to(text.as_bytes(), &mut bytes).is_err()
            {
                return Err(MacaroonError::Format.into());
            }
            bytes
        }
    };
    describe(&bytes)
}

fn describe(bytes: &[u8]) -> Result<DecodedToken, TokenError> {
    let format = match Format::sniff(bytes).ok_or(MacaroonError::Format)? {
        Format::V1 => "v1",
        Format::V2 => "v2",
        Format::V2Json => "v2_json",
    };
    let macaroon = Macaroon::parse(bytes)?;
    let l402 = Identifier::parse(macaroon.identifier()).ok();
    Ok(DecodedToken {
        format,
        bytes: bytes.len(),
        location: macaroon.location().map(printable),
        identifier: hex_text(macaroon.identifier()),
        payment_hash: l402.map(|id| hex_text(id.payment_hash.as_bytes())),
        token_id: l402.map(|id| hex_text(&id.token_id)),
        caveats: macaroon.caveats().map(|caveat| describe_caveat(&caveat)).collect(),
        signature: hex_text(macaroon.signature()),
    })
}

fn describe_caveat(caveat: &CaveatRef<'_>) -> DecodedCaveat {
    let third_party = caveat.is_third_party();
    let location = caveat.location.map(printable);
    let text = core::str::from_utf8(caveat.id).ok().filter(|_| !third_party);
    let Some((condition, value)) = text.and_then(|text| text.split_once('=')) else {
        let hex = Some(hex_text(caveat.id));
        return DecodedCaveat { condition: None, value: None, hex, third_party, location };
    };
    let (condition, value) = (condition.trim(), value.trim());
    let secret = condition.eq_ignore_ascii_case("preimage");
    let clean = !caveat.id.iter().any(u8::is_ascii_control) || secret;
    DecodedCaveat {
        condition: Some(printable(condition)),
        value: Some(if secret { "[redacted]".into() } else { printable(value) }),
        hex: (!clean).then(|| hex_text(caveat.id)),
        third_party,
        location,
    }
}

/// What a terminal shows and does not obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

pub(super) fn hex_text(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    hex::encode_to(bytes, &mut digits);
    digits.into_iter().map(char::from).collect()
}
