//! What phoenixd's answers mean.

use plannt_core::{PaymentHash, Preimage};
use serde::Deserialize;

use crate::http::{Answer, cut, invalid, is_about, preimage, proof, sats};
use crate::{InvoiceState, LightningError, PayFailure, Payment, PaymentState};

/// The first version with `/payments/outgoingbyhash` in its documentation.
const OUTGOING_BY_HASH: (u64, u64) = (0, 5);

/// An answer without success, to a call that moves no money.
pub(super) fn refusal(answer: &Answer) -> LightningError {
    let message = answer.words();
    match answer.status {
        400 => LightningError::InvalidRequest { message },
        401 | 403 => LightningError::NodeAuth { message },
        _ => LightningError::NodeError { message },
    }
}

#[derive(Deserialize)]
pub(super) struct Issued {
    pub(super) serialized: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Balance {
    pub(super) balance_sat: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Incoming {
    payment_hash: String,
    is_paid: bool,
    received_sat: u64,
    /// msat: what phoenixd kept for liquidity.
    fees: u64,
}

impl Incoming {
    pub(super) fn state(self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        is_about(&self.payment_hash, hash)?;
        if self.is_paid {
            // The payer's amount: fees are taken out of what is received.
            let amount_msat = sats(self.received_sat)?.checked_add(self.fees);
            let amount_msat = amount_msat.ok_or_else(|| invalid("an amount is out of range"))?;
            return Ok(InvoiceState::Settled { amount_msat });
        }
        // Expired, too: what was paid before may be noted later.
        Ok(InvoiceState::Open)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outgoing {
    payment_hash: String,
    #[serde(default, deserialize_with = "preimage")]
    preimage: Option<Preimage>,
    is_paid: bool,
    /// msat.
    fees: u64,
    /// Set when it has ended, well or not.
    completed_at: Option<u64>,
}

impl Outgoing {
    pub(super) fn state(self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        is_about(&self.payment_hash, hash)?;
        if self.is_paid {
            let preimage = proof(self.preimage, hash)?;
            return Ok(PaymentState::Paid(Payment { preimage, fee_msat: self.fees }));
        }
        Ok(match self.completed_at {
            None => PaymentState::InFlight,
            Some(_) => PaymentState::Failed(PayFailure::Rejected {
                message: "phoenixd has it as failed".into(),
            }),
        })
    }
}

/// What the answer to `/payinvoice` says.
pub(super) enum Told {
    Failed(PayFailure),
    InProgress,
    Paid(Payment),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePaid {
    payment_hash: String,
    #[serde(default, deserialize_with = "preimage")]
    payment_preimage: Option<Preimage>,
    routing_fee_sat: Option<u64>,
    reason: Option<String>,
}

/// Reads it; a failure too has status 200.
pub(super) fn read_paid(answer: &Answer, hash: &PaymentHash) -> Result<Told, LightningError> {
    let paid: WirePaid = answer.json("an answer to a payment")?;
    is_about(&paid.payment_hash, hash)?;
    match (paid.routing_fee_sat, paid.reason) {
        (Some(fee), None) => {
            let preimage = proof(paid.payment_preimage, hash)?;
            Ok(Told::Paid(Payment { preimage, fee_msat: sats(fee)? }))
        }
        (None, Some(reason)) => Ok(read_reason(&reason)),
        _ => Err(invalid("neither paid nor failed")),
    }
}

/// The reasons are names of lightning-kmp's `FinalFailure`.
fn read_reason(reason: &str) -> Told {
    let has = |name: &str| reason.to_ascii_lowercase().contains(name);
    Told::Failed(if has("alreadyinprogress") {
        return Told::InProgress;
    } else if has("alreadypaid") {
        PayFailure::AlreadyPaid
    } else if has("insufficientbalance") {
        PayFailure::InsufficientBalance
    } else if has("expired") {
        PayFailure::InvoiceExpired
    } else if has("noroute") || has("retryexhausted") || has("recipientunreachable") {
        PayFailure::NoRoute
    } else {
        PayFailure::Rejected { message: cut(reason) }
    })
}

/// Reads `/getinfo`.
pub(super) fn has_outgoing_by_hash(info: &Answer) -> Result<bool, LightningError> {
    #[derive(Deserialize)]
    struct Info {
        version: String,
    }
    let info: Info = info.json("a phoenixd's information")?;
    let mut parts = info.version.split(['.', '-']).map(str::parse::<u64>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor) >= OUTGOING_BY_HASH),
        _ => Err(invalid("no version")),
    }
}
