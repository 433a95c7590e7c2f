//! What Core Lightning's answers mean.

use plannt_core::{PaymentHash, Preimage};
use serde::Deserialize;

use crate::http::{Answer, Msat, cut, invalid, is_about, preimage, proof};
use crate::{InvoiceState, LightningError, PayFailure, Payment, PaymentState};

/// An error of a command, or of clnrest itself.
pub(super) struct Refusal {
    status: u16,
    code: i64,
    message: String,
}

impl Refusal {
    /// Reads `{"code","message"}`, bare (clnrest in Rust) or as `{"error":{…}}` (in Python).
    pub(super) fn read(answer: &Answer) -> Result<Self, LightningError> {
        #[derive(Deserialize)]
        struct Inner {
            code: i64,
            message: String,
        }
        #[derive(Deserialize)]
        struct Outer {
            error: Inner,
        }
        let inner = answer
            .json::<Outer>("an error of Core Lightning")
            .map(|outer| outer.error)
            .or_else(|_| answer.json::<Inner>("an error of Core Lightning"))?;
        Ok(Self { status: answer.status, code: inner.code, message: cut(&inner.message) })
    }

    /// The refusal of a command that moves no money.
    pub(super) fn into_error(self) -> LightningError {
        let message = self.message;
        match (self.status, self.code) {
            // 1501 and 1502: no rune, or one that does not allow this.
            (401 | 403, _) | (_, 1_501 | 1_502) => LightningError::NodeAuth { message },
            // The command, or its arguments, make no sense to the node.
            (_, -32_602) => LightningError::InvalidRequest { message },
            _ => LightningError::NodeError { message },
        }
    }

    /// The refusal of `pay`, where it may mean that there is no payment; `true` with it where the
    /// command did not run at all. The codes are those of lightning-pay(7) and lightning-xpay(7).
    pub(super) fn into_failure(self) -> Result<(PayFailure, bool), LightningError> {
        let begun = |failure| Ok((failure, false));
        match (self.status, self.code) {
            (401 | 403 | 404 | 405, _) | (_, 1_501 | 1_502 | -32_601) => {
                Ok((self.into_error().into(), true))
            }
            // Wrong arguments, also an invoice for another network.
            (_, -32_602) if self.message.contains("is not for") => {
                Ok((PayFailure::WrongNetwork, true))
            }
            (_, -32_602) => Ok((PayFailure::Rejected { message: self.message }, true)),
            (_, 200) => Err(LightningError::PaymentInFlight),
            (_, 201 | 219) => begun(PayFailure::AlreadyPaid),
            (_, 203) => begun(PayFailure::IncorrectPaymentDetails),
            (_, 205) if self.message.contains("pending payment") => {
                Err(LightningError::PaymentInFlight)
            }
            (_, 205) => begun(PayFailure::NoRoute),
            (_, 206) => begun(PayFailure::FeeLimit),
            (_, 207) => begun(PayFailure::InvoiceExpired),
            (_, 209) => begun(PayFailure::Rejected { message: self.message }),
            (_, 210) => begun(PayFailure::Timeout),
            _ => Err(self.into_error()),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Issued {
    pub(super) bolt11: String,
}

#[derive(Deserialize)]
pub(super) struct Invoices {
    invoices: Vec<WireInvoice>,
}

#[derive(Deserialize)]
struct WireInvoice {
    payment_hash: String,
    status: String,
    amount_received_msat: Option<Msat>,
}

impl Invoices {
    pub(super) fn state(self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        // The hash is unique at a node.
        let Some(invoice) = self.invoices.into_iter().next() else {
            return Ok(InvoiceState::NotFound);
        };
        is_about(&invoice.payment_hash, hash)?;
        match (invoice.status.as_str(), invoice.amount_received_msat) {
            ("expired", _) => Ok(InvoiceState::Canceled),
            ("paid", Some(amount)) => Ok(InvoiceState::Settled { amount_msat: amount.0 }),
            ("unpaid", _) => Ok(InvoiceState::Open),
            _ => Err(invalid("an unknown invoice state")),
        }
    }
}

/// What a successful answer to `pay` says.
pub(super) enum Told {
    Paid(Payment),
    Pending,
}

#[derive(Deserialize)]
struct WirePaid {
    #[serde(default, deserialize_with = "preimage")]
    payment_preimage: Option<Preimage>,
    amount_msat: Option<Msat>,
    amount_sent_msat: Option<Msat>,
    /// Not in the answer of `xpay`, which a node may have put in `pay`'s place.
    status: Option<String>,
}

/// Reads it.
pub(super) fn read_paid(answer: &Answer, hash: &PaymentHash) -> Result<Told, LightningError> {
    let paid: WirePaid = answer.json("an answer to pay")?;
    match paid.status.as_deref() {
        Some("pending") => Ok(Told::Pending),
        None | Some("complete") => {
            payment(paid.payment_preimage, paid.amount_msat, paid.amount_sent_msat, hash)
                .map(Told::Paid)
        }
        _ => Err(invalid("an unknown payment status")),
    }
}

fn payment(
    preimage: Option<Preimage>,
    amount: Option<Msat>,
    sent: Option<Msat>,
    hash: &PaymentHash,
) -> Result<Payment, LightningError> {
    let preimage = proof(preimage, hash)?;
    let fee_msat = amount.zip(sent).and_then(|(amount, sent)| sent.0.checked_sub(amount.0));
    let fee_msat = fee_msat.ok_or_else(|| invalid("a payment without its fee"))?;
    Ok(Payment { preimage, fee_msat })
}

#[derive(Deserialize)]
pub(super) struct Pays {
    pays: Vec<WirePay>,
}

#[derive(Deserialize)]
struct WirePay {
    payment_hash: String,
    status: String,
    #[serde(default, deserialize_with = "preimage")]
    preimage: Option<Preimage>,
    amount_msat: Option<Msat>,
    amount_sent_msat: Option<Msat>,
}

impl Pays {
    /// Each group of attempts is an entry: one that is paid counts before one that is pending, and
    /// that before those that failed.
    pub(super) fn state(self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        let mut state = PaymentState::NotFound;
        for pay in self.pays {
            is_about(&pay.payment_hash, hash)?;
            match pay.status.as_str() {
                "complete" => {
                    return payment(pay.preimage, pay.amount_msat, pay.amount_sent_msat, hash)
                        .map(PaymentState::Paid);
                }
                "pending" => state = PaymentState::InFlight,
                "failed" => {
                    if matches!(state, PaymentState::NotFound) {
                        let message = "the node has it as failed".into();
                        state = PaymentState::Failed(PayFailure::Rejected { message });
                    }
                }
                _ => return Err(invalid("an unknown payment status")),
            }
        }
        Ok(state)
    }
}

#[derive(Deserialize)]
pub(super) struct Channels {
    channels: Vec<WireChannel>,
}

#[derive(Deserialize)]
struct WireChannel {
    state: String,
    peer_connected: bool,
    spendable_msat: Option<Msat>,
}

impl Channels {
    /// What open channels with a connected peer can send.
    pub(super) fn spendable_msat(self) -> Result<u64, LightningError> {
        let mut sum = 0_u64;
        for channel in self.channels {
            if channel.state == "CHANNELD_NORMAL" && channel.peer_connected {
                let msat = channel
                    .spendable_msat
                    .ok_or_else(|| invalid("a channel without its balance"))?;
                sum =
                    sum.checked_add(msat.0).ok_or_else(|| invalid("a balance is out of range"))?;
            }
        }
        Ok(sum)
    }
}
