//! `mint`: a token from given keys, to the byte.

use std::num::NonZeroU32;

use plannt_core::{MintRequest, PaymentHash};
use serde_json::{Value, json};

use super::Answer;
use super::input::{array, list, number, optional_text, text, unhex};
use super::request::keyring;

pub(crate) fn answer(input: &Value) -> Answer {
    let digest = |member| {
        optional_text(input, member).map(|hex| unhex(hex).try_into().expect("32 bytes of hash"))
    };
    let uses = u32::try_from(number(input, "uses")).ok().and_then(NonZeroU32::new);
    let capabilities: Vec<_> =
        list(input, "capabilities").iter().filter_map(Value::as_str).collect();
    let minted = keyring(input).mint(&MintRequest {
        payment_hash: PaymentHash::from_bytes(array(input, "payment_hash")),
        service: text(input, "service"),
        tier: u8::try_from(number(input, "tier")).expect("a tier"),
        valid_until: number(input, "valid_until"),
        method: text(input, "method"),
        path: text(input, "path"),
        max_price_msat: number(input, "max_price_msat"),
        uses: uses.expect("at least one use"),
        query: digest("query"),
        digest: digest("digest"),
        capabilities: &capabilities,
    });
    match minted {
        Ok(token) => Answer::Output(json!({ "token": token.as_str() })),
        Err(error) => Answer::error(error.code()),
    }
}
