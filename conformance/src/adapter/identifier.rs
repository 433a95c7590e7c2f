//! `identifier`: the 66 bytes that name a credential.

use plannt_core::Identifier;
use serde_json::{Value, json};

use super::Answer;
use super::input::{bytes, hex};

pub(crate) fn answer(input: &Value) -> Answer {
    match Identifier::parse(&bytes(input, "identifier")) {
        Ok(identifier) => Answer::Output(json!({
            "payment_hash": hex(identifier.payment_hash.as_bytes()),
            "token_id": hex(&identifier.token_id),
        })),
        Err(error) => Answer::error(error.code()),
    }
}
