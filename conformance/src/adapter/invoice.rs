//! `invoice`: what a BOLT 11 text says.

use plannt_core::read_invoice;
use serde_json::{Value, json};

use super::Answer;
use super::input::{hex, text};

pub(crate) fn answer(input: &Value) -> Answer {
    match read_invoice(text(input, "bolt11")) {
        Ok(facts) => Answer::Output(json!({
            "payment_hash": hex(facts.payment_hash.as_bytes()),
            "amount_msat": facts.amount_msat,
            "network": facts.network.name(),
            "issued_at": facts.issued_at,
            "expires_at": facts.expires_at,
            "payee": facts.payee.map(|payee| hex(&payee)),
            "description": facts.description,
        })),
        Err(error) => Answer::error(error.code()),
    }
}
