//! Members of JSON answers, read without guessing.

use plannt_core::{PaymentHash, Preimage};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::LightningError;

pub(crate) fn invalid(message: &str) -> LightningError {
    LightningError::InvalidResponse { message: message.into() }
}

/// The start of a node's message: enough to act on, and one line of a log.
pub(crate) fn cut(message: &str) -> String {
    message.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A new invoice's text, as the node wrote it.
pub(crate) fn read_bolt11(text: String) -> Result<String, LightningError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(invalid("the payment request is not BOLT 11 text"));
    }
    Ok(text)
}

/// Refuses an answer that is about another payment hash than the one asked about.
pub(crate) fn is_about(told: &str, hash: &PaymentHash) -> Result<(), LightningError> {
    if told.parse() == Ok(*hash) { Ok(()) } else { Err(invalid("it is about another payment")) }
}

/// The proof of a payment that the node reports as made: nothing but the preimage will do.
pub(crate) fn proof(
    preimage: Option<Preimage>,
    hash: &PaymentHash,
) -> Result<Preimage, LightningError> {
    preimage.filter(|p| p.proves(hash)).ok_or(LightningError::PreimageMismatch)
}

/// Reads a preimage; `None` for null, and for text that is not 64 hex digits.
pub(crate) fn preimage<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Preimage>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.map(Zeroizing::new);
    Ok(text.and_then(|text| Preimage::from_hex(&text).ok()))
}

/// An amount in msat: a number, or text, as protobuf's JSON writes 64-bit integers and older Core
/// Lightning writes amounts (`"21000msat"`). Never negative.
#[derive(Clone, Copy)]
pub(crate) struct Msat(pub(crate) u64);

impl<'de> Deserialize<'de> for Msat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        let number = match Either::deserialize(deserializer)? {
            Either::Number(number) => Some(number),
            Either::Text(text) => text.strip_suffix("msat").unwrap_or(&text).parse().ok(),
        };
        number.map(Self).ok_or_else(|| serde::de::Error::custom("not an unsigned integer"))
    }
}

/// Sats as msat.
pub(crate) fn sats(sats: u64) -> Result<u64, LightningError> {
    sats.checked_mul(1_000).ok_or_else(|| invalid("an amount is out of range"))
}

/// An amount to ask for where the node counts in sats.
pub(crate) fn whole_sats(msat: u64) -> Result<u64, LightningError> {
    if !msat.is_multiple_of(1_000) {
        let message = "this node's invoices are in whole satoshis".into();
        return Err(LightningError::InvalidRequest { message });
    }
    Ok(msat / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Paid {
        #[serde(default, deserialize_with = "preimage")]
        preimage: Option<Preimage>,
    }

    #[test]
    fn nothing_but_the_preimage_is_a_proof() {
        let hash = Preimage::from_bytes([7; 32]).payment_hash();
        let read = |json: &str| {
            let paid: Paid = serde_json::from_str(json).expect("an object");
            proof(paid.preimage, &hash)
        };
        let right = format!("{{\"preimage\":\"{}\"}}", "07".repeat(32));
        assert!(read(&right).expect("a proof").proves(&hash));
        for wrong in [
            "{}".to_owned(),
            "{\"preimage\":null}".to_owned(),
            "{\"preimage\":\"\"}".to_owned(),
            // The invoice in its place.
            "{\"preimage\":\"lnbcrt210n1p5jfqgqpp505qtkkm9n80nq2awtxcgcyjlmv\"}".to_owned(),
            format!("{{\"preimage\":\"{}\"}}", "00".repeat(32)),
            format!("{{\"preimage\":\"{hash}\"}}"),
        ] {
            let error = read(&wrong).expect_err("no proof");
            assert_eq!(error, LightningError::PreimageMismatch, "{wrong}");
        }
    }
}
