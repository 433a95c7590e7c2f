//! Issuing invoices and asking whether they were paid.

use async_trait::async_trait;
use plannt_core::{Network, PaymentHash};

use crate::LightningError;

/// What an invoice is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceRequest {
    /// The exact amount, in msat; 0 is refused, since such an invoice takes any amount.
    pub amount_msat: u64,
    /// Its description, at most 639 bytes (BOLT 11, field `d`).
    pub memo: String,
    /// Seconds from now until it expires; 0 is refused.
    pub expiry_seconds: u32,
}

impl InvoiceRequest {
    /// Checks what no node should have to: an amount, an expiry, a description that fits BOLT 11.
    ///
    /// # Errors
    /// [`LightningError::InvalidRequest`].
    pub fn check(&self) -> Result<(), LightningError> {
        let message = if self.amount_msat == 0 {
            "an invoice needs an amount"
        } else if i64::try_from(self.amount_msat).is_err() {
            "the amount is out of range"
        } else if self.expiry_seconds == 0 {
            "an invoice needs an expiry"
        } else if self.memo.len() > 639 {
            "the memo is longer than 639 bytes"
        } else {
            return Ok(());
        };
        Err(LightningError::InvalidRequest { message: message.into() })
    }
}

/// How far an invoice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvoiceState {
    /// A payment has arrived and is held, neither taken nor given back.
    Accepted,
    /// Canceled, also since it expired: it is not settled, and never will be.
    Canceled,
    /// The node does not know this payment hash.
    NotFound,
    /// Not paid yet; expired, too, where a service may note a payment later than it came.
    Open,
    /// Paid.
    Settled {
        /// What arrived, in msat: at least the invoice's amount.
        amount_msat: u64,
    },
}

/// Who is told of settled invoices; `None` when it wants to hear no more.
pub type OnSettled<'a> = dyn Fn(PaymentHash) -> Option<()> + Send + Sync + 'a;

/// A node that issues invoices. It never gives away a preimage: only a payment does.
#[async_trait]
pub trait Invoicer: Send + Sync {
    /// Issues an invoice and returns its BOLT 11 text as the node wrote it. The caller parses it
    /// and refuses one that is not what it asked for (docs/PROTOCOL.md §3).
    ///
    /// # Errors
    /// [`LightningError`]; an invoice may still have been made, and nobody has seen it.
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError>;

    /// Looks an invoice of this node up.
    ///
    /// # Errors
    /// [`LightningError`]; an unknown hash is [`InvoiceState::NotFound`] instead.
    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError>;

    /// Tells `settled` of each invoice of this node that is settled for its whole amount from now on, until the connection
    /// ends or `settled` gives `None`. News may be missed while there is no connection: they only spare look-ups.
    ///
    /// # Errors
    /// [`LightningError::InvalidRequest`]: this node has no such news, and never will. Any other: try again.
    async fn follow_settled(&self, settled: &OnSettled<'_>) -> Result<(), LightningError> {
        let _ = settled;
        Err(LightningError::InvalidRequest {
            message: "this node tells of no settled invoices".into(),
        })
    }

    /// Tells this node, or this wallet on it, from another, over restarts: what one issued, the other can't look up. Never a
    /// secret. Empty where it can't be told.
    fn invoicer_id(&self) -> String {
        String::new()
    }

    /// The smallest step of an amount that this node can ask for, in msat; prices round up to it.
    fn unit_msat(&self) -> u64 {
        1
    }

    /// The network that it is configured for, if that was said.
    fn network(&self) -> Option<Network> {
        None
    }
}
