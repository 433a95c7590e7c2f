//! Errors of the Rust crates on their way to JavaScript: as JSON in a plain error's message, of which `lib/errors.ts` makes
//! the class.

use std::fmt::Display;

use napi::{Error, Status};
use plannt_client::{ClientError, JournalError, Refusal};
use plannt_core::base64::Base64Error;
use plannt_core::challenge::GrammarError;
use plannt_core::decode::DecodeError;
use plannt_core::flow::{OriginError, UnexpectedEventError, UnknownStateError};
use plannt_core::macaroon::{DischargeError, MacaroonError};
use plannt_core::{
    ChallengeError, CredentialError, HexError, IdentifierError, InvoiceError, MintError, PathError,
    TokenError, UnknownNetworkError, VerifyError,
};
use plannt_gate::{GateConfigError, KeyringError};
use plannt_lightning::{LightningError, PayFailure};
use serde_json::{Value, json};

use crate::plain::{msat, receipt};

/// An error that has a class in JavaScript.
pub(crate) trait Raise: Display {
    /// The name of its class.
    fn class(&self) -> String;

    /// Its stable code.
    fn code(&self) -> String;

    /// What Rust's fields are in JavaScript.
    fn fields(&self) -> Value {
        json!({})
    }
}

/// The error that is thrown.
pub(crate) fn raise(error: impl Raise) -> Error {
    raise_as(&error.class(), &error.code(), &error.to_string(), error.fields())
}

/// An error of a class of `lib/errors.ts`.
pub(crate) fn raise_as(class: &str, code: &str, message: &str, fields: Value) -> Error {
    let told = json!({ "class": class, "code": code, "message": message, "fields": fields });
    Error::new(Status::GenericFailure, json!({ "plannt": told }).to_string())
}

/// A value of the wrong type.
pub(crate) fn type_error(message: impl Display) -> Error {
    Error::new(Status::InvalidArg, message.to_string())
}

/// An error as a value, where it is not thrown.
pub(crate) fn told(error: &impl Raise) -> Value {
    json!({
        "class": error.class(),
        "code": error.code(),
        "message": error.to_string(),
        "fields": error.fields(),
    })
}

macro_rules! raised {
    ($($error:ident),+ $(,)?) => {
        $(impl Raise for $error {
            fn class(&self) -> String {
                stringify!($error).into()
            }

            fn code(&self) -> String {
                $error::code(self).into()
            }
        })+
    };
}

raised!(
    Base64Error,
    ChallengeError,
    CredentialError,
    DecodeError,
    DischargeError,
    GateConfigError,
    GrammarError,
    HexError,
    IdentifierError,
    InvoiceError,
    JournalError,
    KeyringError,
    LightningError,
    MacaroonError,
    MintError,
    OriginError,
    PathError,
    TokenError,
);

macro_rules! raised_without_code {
    ($($error:ident: $code:literal),+ $(,)?) => {
        $(impl Raise for $error {
            fn class(&self) -> String {
                stringify!($error).into()
            }

            fn code(&self) -> String {
                $code.into()
            }
        })+
    };
}

raised_without_code!(
    UnexpectedEventError: "unexpected_event",
    UnknownNetworkError: "unknown_network",
    UnknownStateError: "unknown_state",
);

impl Raise for VerifyError {
    fn class(&self) -> String {
        "VerifyError".into()
    }

    fn code(&self) -> String {
        VerifyError::code(self).into()
    }

    fn fields(&self) -> Value {
        json!({ "condition": self.condition() })
    }
}

impl Raise for PayFailure {
    fn class(&self) -> String {
        "PaymentFailedError".into()
    }

    fn code(&self) -> String {
        PayFailure::code(self).into()
    }
}

impl Raise for Refusal {
    /// `lib/errors.ts` knows the class of each code.
    fn class(&self) -> String {
        "RefusalError".into()
    }

    fn code(&self) -> String {
        Refusal::code(self).into()
    }

    fn fields(&self) -> Value {
        match self {
            Self::AboveLimit { amount_msat, max_fee_msat, limit_msat } => json!({
                "amountMsat": msat(*amount_msat),
                "maxFeeMsat": msat(*max_fee_msat),
                "limitMsat": msat(*limit_msat),
            }),
            Self::BudgetExceeded { needed_msat, left_msat } => {
                json!({ "neededMsat": msat(*needed_msat), "leftMsat": msat(*left_msat) })
            }
            Self::HostNotAllowed { host } | Self::PlainHttp { host } => json!({ "host": host }),
            Self::InvoiceExpiring { seconds_left } => json!({ "secondsLeft": seconds_left }),
            Self::JournalAfterPayment { payment_hash }
            | Self::PaymentHashKnown { payment_hash }
            | Self::PreimageMismatch { payment_hash } => {
                json!({ "paymentHash": payment_hash.to_string() })
            }
            Self::PaymentFailed { failure } => json!({ "failure": failure }),
            Self::PaymentLost(lost) => json!({ "receipt": receipt(lost) }),
            Self::PaymentUnresolved { payment_hash, state, invoice_expires_at } => json!({
                "paymentHash": payment_hash.to_string(),
                "state": state.name(),
                "invoiceExpiresAt": invoice_expires_at,
            }),
            Self::TokenExpired { valid_until } => json!({ "validUntil": valid_until }),
            Self::WrongNetwork { invoice, wallet } => {
                json!({ "invoice": invoice.name(), "wallet": wallet.name() })
            }
            _ => json!({}),
        }
    }
}

impl Raise for ClientError {
    fn class(&self) -> String {
        match self {
            Self::Config { .. } => "ConfigError",
            Self::Journal(_) => "JournalError",
            Self::NotDelivered { .. } => "NotDeliveredError",
            Self::NotJournaled { .. } => "NotJournaledError",
            Self::RedirectFailed { .. } => "RedirectFailedError",
            Self::Refused { .. } => "RefusalError",
            Self::Request { .. } => "RequestError",
            Self::Transport(_) => "TransportError",
            _ => "ClientError",
        }
        .into()
    }

    fn code(&self) -> String {
        ClientError::code(self).into()
    }

    fn fields(&self) -> Value {
        let mut fields = match self {
            Self::Refused { refusal, .. } => refusal.fields(),
            Self::NotJournaled { payment_hash, .. } => {
                json!({ "paymentHash": payment_hash.to_string() })
            }
            _ => json!({}),
        };
        if let Some(paid) = self.receipt() {
            fields["receipt"] = receipt(paid);
        }
        fields
    }
}
