//! What lnd's answers mean. Pure functions, since everything that decides about money is here.

use plannt_core::{PaymentHash, Preimage};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::http::{Msat, cut, invalid, preimage, proof, read_bolt11};
use crate::{InvoiceState, LightningError, PayFailure, Payment, PaymentState};

/// An error of lnd, read from its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: RefusalKind,
    message: String,
}

/// The refusals that differ in what they mean for a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalKind {
    AlreadyPaid,
    Auth,
    Expired,
    InFlight,
    InvalidArgument,
    /// The node has no such payment or invoice.
    NotFound,
    /// The node is locked, starting, or lacks this call: no handler saw the request.
    NotServed,
    Other,
    SelfPayment,
    WrongNetwork,
}

impl Refusal {
    /// Reads `{"code","message"}`, bare or as `{"error":{…}}` (how streams send it).
    pub(super) fn read(http_status: u16, body: &[u8]) -> Result<Self, LightningError> {
        let outer: ErrorBody =
            serde_json::from_slice(body).map_err(|_| invalid("not an error of lnd"))?;
        let inner = match outer {
            ErrorBody { error: Some(ErrorMember::Status(status)), .. } => status,
            ErrorBody { code: Some(code), message: Some(message), .. } => Status { code, message },
            _ => return Err(invalid("not an error of lnd")),
        };
        Ok(Self::new(http_status, inner))
    }

    /// Of a gRPC status, which REST repeats.
    #[cfg(feature = "lnd-grpc")]
    pub(super) fn of_grpc(code: i32, message: &str) -> Self {
        Self::new(0, Status { code, message: message.into() })
    }

    fn new(http_status: u16, Status { code, message }: Status) -> Self {
        let has = |text: &str| message.contains(text);
        let kind = match code {
            6 if has("already paid") => RefusalKind::AlreadyPaid,
            6 if has("in transition") => RefusalKind::InFlight,
            // Recorded, with no attempt made yet: another call is just beginning it.
            2 | 6 if has("payment already exists") => RefusalKind::InFlight,
            // The REST gateway says the same of a path that it does not have at all.
            5 if message == "Not Found" => RefusalKind::NotServed,
            5 => RefusalKind::NotFound,
            12 => RefusalKind::NotServed,
            7 | 16 => RefusalKind::Auth,
            3 => RefusalKind::InvalidArgument,
            _ if http_status == 401 || http_status == 403 => RefusalKind::Auth,
            2 if has("permission denied") || has("verification failed") || has("macaroon") => {
                RefusalKind::Auth
            }
            2 if has("wallet locked")
                || has("wallet not created")
                || has("waiting to start")
                || has("in the process of starting up") =>
            {
                RefusalKind::NotServed
            }
            2 if message.starts_with("invoice expired") => RefusalKind::Expired,
            2 if has("not for current active network") => RefusalKind::WrongNetwork,
            2 if has("self-payments not allowed") => RefusalKind::SelfPayment,
            2 if has("unable to locate invoice") || has("there are no existing invoices") => {
                RefusalKind::NotFound
            }
            _ => RefusalKind::Other,
        };
        Self { kind, message: cut(&message) }
    }

    /// The refusal of a call that moves no money.
    pub(super) fn into_error(self) -> LightningError {
        match self.kind {
            RefusalKind::Auth => LightningError::NodeAuth { message: self.message },
            RefusalKind::InFlight => LightningError::PaymentInFlight,
            _ => LightningError::NodeError { message: self.message },
        }
    }

    /// The refusal of a payment, where it certainly means that there is none. `Err`: it does not.
    ///
    /// lnd answers code 2 for most things, also for a stream that broke while an attempt was in
    /// flight; so only texts that are known to come before any attempt count.
    pub(super) fn into_failure(self) -> Result<PayFailure, LightningError> {
        match self.kind {
            RefusalKind::Auth | RefusalKind::NotServed => Ok(self.into_error().into()),
            RefusalKind::Expired => Ok(PayFailure::InvoiceExpired),
            RefusalKind::InvalidArgument | RefusalKind::SelfPayment => {
                Ok(PayFailure::Rejected { message: self.message })
            }
            RefusalKind::WrongNetwork => Ok(PayFailure::WrongNetwork),
            RefusalKind::AlreadyPaid
            | RefusalKind::InFlight
            | RefusalKind::NotFound
            | RefusalKind::Other => Err(self.into_error()),
        }
    }
}

/// One line of `/v2/router/send` and `/v2/router/track`.
pub(super) enum Update {
    Payment(PaymentState),
    Refused(Refusal),
}

impl Update {
    /// As the answer to a look-up.
    pub(super) fn into_state(self) -> Result<PaymentState, LightningError> {
        match self {
            Self::Payment(state) => Ok(state),
            Self::Refused(refusal) if refusal.kind == RefusalKind::NotFound => {
                Ok(PaymentState::NotFound)
            }
            Self::Refused(refusal) => Err(refusal.into_error()),
        }
    }
}

/// Reads such a line about the payment of `hash`.
pub(super) fn read_update(
    http_status: u16,
    line: &[u8],
    hash: &PaymentHash,
) -> Result<Update, LightningError> {
    // serde's messages quote the input, and that may be a preimage.
    let update: WireUpdate =
        serde_json::from_slice(line).map_err(|_| invalid("not a payment update of lnd"))?;
    match update {
        WireUpdate { result: Some(payment), error: None } => {
            payment.state(hash).map(Update::Payment)
        }
        WireUpdate { result: None, error: Some(status) } => {
            Ok(Update::Refused(Refusal::new(http_status, status)))
        }
        _ => Err(invalid("a payment update has neither a result nor an error")),
    }
}

/// Reads the answer to `POST /v1/invoices`.
pub(super) fn read_issued(body: &[u8]) -> Result<String, LightningError> {
    let issued: WireIssued = serde_json::from_slice(body).map_err(|_| invalid("not an invoice"))?;
    read_bolt11(issued.payment_request)
}

/// Reads the answer to `GET /v1/invoice/<hash>`.
pub(super) fn read_invoice(body: &[u8]) -> Result<InvoiceState, LightningError> {
    let invoice: WireInvoice =
        serde_json::from_slice(body).map_err(|_| invalid("not an invoice"))?;
    match invoice.state.as_str() {
        "ACCEPTED" => Ok(InvoiceState::Accepted),
        "CANCELED" => Ok(InvoiceState::Canceled),
        "OPEN" => Ok(InvoiceState::Open),
        "SETTLED" => Ok(InvoiceState::Settled { amount_msat: invoice.amt_paid_msat.0 }),
        _ => Err(invalid("an unknown invoice state")),
    }
}

/// Reads the answer to `GET /v1/balance/channels`.
pub(super) fn read_balance(body: &[u8]) -> Result<u64, LightningError> {
    let balance: WireBalance =
        serde_json::from_slice(body).map_err(|_| invalid("not a balance"))?;
    Ok(balance.local_balance.msat.0)
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Option<ErrorMember>,
    code: Option<i32>,
    message: Option<String>,
}

/// Older gateways repeat the message as a string under `error`.
#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorMember {
    Status(Status),
    Other(#[allow(dead_code, reason = "only that it is there matters")] IgnoredAny),
}

#[derive(Deserialize)]
struct Status {
    code: i32,
    message: String,
}

#[derive(Deserialize)]
struct WireUpdate {
    result: Option<WirePayment>,
    error: Option<Status>,
}

#[derive(Deserialize)]
pub(super) struct WirePayment {
    #[serde(default)]
    pub(super) failure_reason: String,
    pub(super) fee_msat: Option<Msat>,
    pub(super) payment_hash: Option<String>,
    #[serde(default, deserialize_with = "preimage")]
    pub(super) payment_preimage: Option<Preimage>,
    pub(super) status: String,
}

impl WirePayment {
    pub(super) fn state(self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        if self.payment_hash.is_some_and(|h| h.parse() != Ok(*hash)) {
            return Err(invalid("the update is about another payment"));
        }
        match self.status.as_str() {
            // INITIATED: recorded, no attempt made yet.
            "IN_FLIGHT" | "INITIATED" => Ok(PaymentState::InFlight),
            "FAILED" => Ok(PaymentState::Failed(match self.failure_reason.as_str() {
                "FAILURE_REASON_INCORRECT_PAYMENT_DETAILS" => PayFailure::IncorrectPaymentDetails,
                "FAILURE_REASON_INSUFFICIENT_BALANCE" => PayFailure::InsufficientBalance,
                "FAILURE_REASON_NO_ROUTE" => PayFailure::NoRoute,
                "FAILURE_REASON_TIMEOUT" => PayFailure::Timeout,
                other => PayFailure::Rejected { message: cut(other) },
            })),
            "SUCCEEDED" => {
                let preimage = proof(self.payment_preimage, hash)?;
                let fee = self.fee_msat.ok_or_else(|| invalid("a payment without its fee"))?;
                Ok(PaymentState::Paid(Payment { preimage, fee_msat: fee.0 }))
            }
            _ => Err(invalid("an unknown payment status")),
        }
    }
}

#[derive(Deserialize)]
struct WireIssued {
    payment_request: String,
}

#[derive(Deserialize)]
struct WireInvoice {
    state: String,
    amt_paid_msat: Msat,
}

#[derive(Deserialize)]
struct WireBalance {
    local_balance: WireAmount,
}

#[derive(Deserialize)]
struct WireAmount {
    msat: Msat,
}

#[cfg(test)]
mod tests;
