//! The JSON body of a challenge, and of the other answers.

use alloc::string::String;

use crate::{Code, PaymentHash};

/// The members of a challenge's JSON body (docs/PROTOCOL.md §3).
#[derive(Clone, Copy, Debug)]
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
    /// The body's text: one JSON object, its first three members in the order that deployed clients were seen with.
    pub fn to_json(&self) -> String {
        todo!()
    }
}

/// The body of an answer that is no challenge: `{"error":"…","code":"…","detail":"…"}`.
pub fn error_body(code: Code, detail: Option<&str>) -> String {
    let _ = (code, detail);
    todo!()
}
