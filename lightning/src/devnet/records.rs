//! What the devnet remembers, for tests to look at. No preimage in it.

use serde::{Deserialize, Serialize};

/// A payment as the devnet recorded it: one for each payer and payment hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PaymentRecord {
    /// Hex.
    pub payment_hash: String,
    /// The account that pays.
    pub account: String,
    /// The invoice's text.
    pub payment_request: String,
    /// In msat.
    pub amount_msat: u64,
    /// What routing costs, in msat.
    pub fee_msat: u64,
    /// lnd's word: `FAILED`, `IN_FLIGHT` or `SUCCEEDED`.
    pub status: String,
    /// lnd's word: `FAILURE_REASON_…`.
    pub failure_reason: String,
    /// How many times the account asked for it, those that were refused as repeated included.
    pub requests: u64,
    /// Unix seconds.
    pub created_at: u64,
}

/// An invoice as the devnet recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InvoiceRecord {
    /// Hex.
    pub payment_hash: String,
    /// The account that issued it.
    pub account: String,
    /// Its BOLT 11 text.
    pub payment_request: String,
    /// In msat; 0 when it leaves that to the payer.
    pub amount_msat: u64,
    /// What arrived, in msat.
    pub paid_msat: u64,
    /// Its description.
    pub memo: String,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// lnd's word: `CANCELED` (also: expired), `OPEN` or `SETTLED`.
    pub state: String,
}
