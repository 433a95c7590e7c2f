//! The JSON of LND's REST interface, as far as the devnet speaks it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use plannt_core::{PaymentHash, Preimage};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::DevnetError;
use super::records::{InvoiceRecord, PaymentRecord};

/// An error as lnd answers it: an HTTP status, a gRPC code, a text.
#[derive(Clone, Debug)]
pub(super) struct RpcError {
    pub(super) http: u16,
    code: i32,
    message: String,
}

impl RpcError {
    pub(super) fn new(http: u16, code: i32, message: impl Into<String>) -> Self {
        Self { http, code, message: message.into() }
    }

    /// What lnd answers to most things.
    pub(super) fn unknown(message: impl Into<String>) -> Self {
        Self::new(500, 2, message)
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(404, 5, message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, 3, message)
    }

    pub(super) fn already_paid() -> Self {
        Self::new(409, 6, "invoice is already paid")
    }

    pub(super) fn in_transition() -> Self {
        Self::new(409, 6, "payment is in transition")
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"code": self.code, "message": self.message, "details": []})
    }
}

impl From<DevnetError> for RpcError {
    fn from(error: DevnetError) -> Self {
        match error {
            DevnetError::NotInFlight => Self::not_found("no payment with this hash is in flight"),
            error => Self::unknown(error.to_string()),
        }
    }
}

/// `POST /v1/invoices`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewInvoice {
    pub(super) memo: String,
    value: Option<Int64>,
    value_msat: Option<Int64>,
    expiry: Option<Int64>,
    #[serde(deserialize_with = "bytes32")]
    pub(super) r_preimage: Option<[u8; 32]>,
}

impl NewInvoice {
    pub(super) fn amount_msat(&self) -> Result<u64, RpcError> {
        amount(&self.value, &self.value_msat)
    }

    pub(super) fn expiry_seconds(&self) -> Result<u64, RpcError> {
        match self.expiry {
            None | Some(Int64(0)) => Ok(86_400),
            Some(Int64(seconds @ 1..=31_536_000)) => Ok(seconds as u64),
            Some(_) => Err(RpcError::unknown("expiry is out of range")),
        }
    }
}

/// `POST /v2/router/send`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SendPayment {
    pub(super) payment_request: String,
    pub(super) timeout_seconds: i32,
    pub(super) no_inflight_updates: bool,
    amt: Option<Int64>,
    amt_msat: Option<Int64>,
    fee_limit_sat: Option<Int64>,
    fee_limit_msat: Option<Int64>,
}

impl SendPayment {
    pub(super) fn amount_msat(&self, of_invoice: Option<u64>) -> Result<u64, RpcError> {
        match (of_invoice, amount(&self.amt, &self.amt_msat)?) {
            (Some(amount), 0) => Ok(amount),
            (Some(_), _) => Err(RpcError::unknown(
                "amount must not be specified when paying a non-zero amount invoice",
            )),
            (None, 0) => {
                Err(RpcError::unknown("amount must be specified when paying a zero amount invoice"))
            }
            (None, amount) => Ok(amount),
        }
    }

    /// No limit means 0, as at lnd.
    pub(super) fn fee_limit_msat(&self) -> Result<u64, RpcError> {
        amount(&self.fee_limit_sat, &self.fee_limit_msat)
    }
}

fn amount(sat: &Option<Int64>, msat: &Option<Int64>) -> Result<u64, RpcError> {
    let sat = sat.map_or(0, |n| n.0).checked_mul(1_000);
    let msat = match (sat, msat.map_or(0, |n| n.0)) {
        (Some(0), msat) => Some(msat),
        (sat, 0) => sat,
        _ => return Err(RpcError::unknown("amounts in sat and in msat are mutually exclusive")),
    };
    let amount = msat.and_then(|n| u64::try_from(n).ok());
    amount.ok_or_else(|| RpcError::unknown("the amount is out of range"))
}

/// A 64-bit integer: protobuf's JSON takes a string or a number.
#[derive(Clone, Copy, Debug)]
struct Int64(i64);

impl<'de> Deserialize<'de> for Int64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(i64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

fn bytes32<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[u8; 32]>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
    let bytes = bytes.try_into().map_err(|_| serde::de::Error::custom("not 32 bytes"))?;
    Ok(Some(bytes))
}

/// The hash in `/v2/router/track/<base64>`.
pub(super) fn hash_from_base64(text: &str) -> Option<[u8; 32]> {
    URL_SAFE.decode(text).or_else(|_| STANDARD.decode(text)).ok()?.try_into().ok()
}

pub(super) fn issued(invoice: &InvoiceRecord, hash: &[u8; 32]) -> Value {
    json!({
        "r_hash": STANDARD.encode(hash),
        "payment_request": invoice.payment_request,
        "add_index": "0",
    })
}

/// An invoice as its owner sees it; with the preimage, as at lnd.
pub(super) fn invoice(invoice: &InvoiceRecord, preimage: &Preimage) -> Value {
    json!({
        "memo": invoice.memo,
        "r_preimage": STANDARD.encode(preimage.expose_bytes()),
        "r_hash": STANDARD.encode(preimage.payment_hash().as_bytes()),
        "value": (invoice.amount_msat / 1_000).to_string(),
        "value_msat": invoice.amount_msat.to_string(),
        "settled": invoice.state == "SETTLED",
        "creation_date": invoice.created_at.to_string(),
        "payment_request": invoice.payment_request,
        "expiry": (invoice.expires_at - invoice.created_at).to_string(),
        "amt_paid_sat": (invoice.paid_msat / 1_000).to_string(),
        "amt_paid_msat": invoice.paid_msat.to_string(),
        "state": invoice.state,
    })
}

/// One line of `/v1/invoices/subscribe`, as far as anyone reads it.
pub(super) fn news_line(invoice: &InvoiceRecord) -> Option<String> {
    let hash: PaymentHash = invoice.payment_hash.parse().ok()?;
    let line = json!({"result": {
        "r_hash": STANDARD.encode(hash.as_bytes()),
        "value_msat": invoice.amount_msat.to_string(),
        "amt_paid_msat": invoice.paid_msat.to_string(),
        "state": invoice.state,
    }});
    Some(format!("{line}\n"))
}

/// One line of `/v2/router/send` and `/v2/router/track`.
pub(super) fn payment_line(payment: &PaymentRecord, preimage: Option<&Preimage>) -> String {
    let preimage = preimage.map(|p| p.expose_hex().to_string());
    let line = json!({"result": {
        "payment_hash": payment.payment_hash,
        "payment_preimage": preimage.unwrap_or_else(|| "0".repeat(64)),
        "payment_request": payment.payment_request,
        "creation_date": payment.created_at.to_string(),
        "value_sat": (payment.amount_msat / 1_000).to_string(),
        "value_msat": payment.amount_msat.to_string(),
        "fee_sat": (payment.fee_msat / 1_000).to_string(),
        "fee_msat": payment.fee_msat.to_string(),
        "status": payment.status,
        "failure_reason": payment.failure_reason,
        "htlcs": [],
    }});
    format!("{line}\n")
}

pub(super) fn balance(msat: u64) -> Value {
    json!({
        "balance": (msat / 1_000).to_string(),
        "local_balance": {"sat": (msat / 1_000).to_string(), "msat": msat.to_string()},
    })
}
