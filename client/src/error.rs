//! What a call can end in besides a response.

use std::fmt;

use plannt_core::PaymentHash;
use plannt_core::flow::{Receipt, Refusal};

use crate::JournalError;

/// Why a call brought no response. The messages say what to do next and hold no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The client's own configuration can't be used.
    #[error("the client can't be set up: {message}")]
    Config {
        /// What is wrong.
        message: String,
    },
    /// The journal can't be used; nothing new was paid.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Paid, but no response came. The credential is kept: the same call again presents it and pays nothing.
    #[error("paid {} msat, but the answer did not come ({source}): run the same call again, it is not paid twice", .receipt.paid_msat())]
    NotDelivered {
        /// The payment.
        receipt: Box<Receipt>,
        /// Why no response came.
        source: TransportError,
    },
    /// The wallet paid, but the journal could not note it, so the credential was not sent. The same call again asks
    /// the wallet and pays nothing.
    #[error(
        "{payment_hash} was paid, but the payments journal could not note it ({}): mend that and run the same call \
         again, it is not paid twice", .source.code()
    )]
    NotJournaled {
        /// The payment.
        payment_hash: PaymentHash,
        /// What is wrong with the journal.
        source: JournalError,
    },
    /// Paid and answered with a redirect, which could not be followed. What the credential was good for is used.
    #[error(
        "paid {} msat and got a redirect, but no answer from where it leads ({source}): ask there without paying",
        .receipt.paid_msat()
    )]
    RedirectFailed {
        /// The payment.
        receipt: Box<Receipt>,
        /// Why no response came.
        source: TransportError,
    },
    /// Refused, or ended without delivery: see [`Refusal`].
    #[error("{refusal}{}", Wallet(.wallet))]
    Refused {
        /// What this call had paid by then, where the refusal came after a paid answer: a redirect to what costs more.
        receipt: Option<Box<Receipt>>,
        /// Why.
        refusal: Refusal,
        /// The wallet's last words about it, where it had any.
        wallet: Option<String>,
    },
    /// The request can't be sent as it is.
    #[error("the request can't be sent: {message}")]
    Request {
        /// What is wrong with it.
        message: String,
    },
    /// No response came, and nothing was paid by this call.
    #[error("no answer from the server ({0}); nothing was paid")]
    Transport(#[from] TransportError),
}

impl ClientError {
    /// A stable snake_case name; a refusal's and a journal's error have their own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::Journal(error) => error.code(),
            Self::NotDelivered { .. } => "not_delivered",
            Self::NotJournaled { .. } => "not_journaled",
            Self::RedirectFailed { .. } => "redirect_failed",
            Self::Refused { refusal, .. } => refusal.code(),
            Self::Request { .. } => "invalid_request",
            Self::Transport(error) => error.code(),
        }
    }

    /// The payment that the error is about, where money was spent.
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::NotDelivered { receipt, .. }
            | Self::RedirectFailed { receipt, .. }
            | Self::Refused { refusal: Refusal::PaymentLost(receipt), .. }
            | Self::Refused { receipt: Some(receipt), .. } => Some(receipt),
            _ => None,
        }
    }
}

/// Prints the wallet's words after a refusal.
struct Wallet<'a>(&'a Option<String>);

impl fmt::Display for Wallet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |words| write!(f, "; the wallet says: {words}"))
    }
}

/// Why no response came, or its body broke off. Without the URL, whose query may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    code: &'static str,
    message: String,
}

impl TransportError {
    /// An error with a stable code (`connect`, `timeout`, `transport`, …) and a text without secrets.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A stable snake_case name.
    pub fn code(&self) -> &'static str {
        self.code
    }
}
