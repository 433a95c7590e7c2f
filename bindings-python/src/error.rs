//! Errors of the Rust crates as Python's exceptions: `plannt._errors` has the classes.

use std::fmt::Display;

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
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::{Hash, Msat};
use crate::payment::receipt;

/// An error that has a class in Python.
pub(crate) trait Raise: Display {
    /// The name of its class.
    fn class(&self) -> String;

    /// Its stable code.
    fn code(&self) -> String;

    /// What Rust's fields are in Python.
    fn fields(&self, _fields: &Bound<'_, PyDict>) -> PyResult<()> {
        Ok(())
    }
}

/// The exception for an error.
pub(crate) fn raise(error: impl Raise) -> PyErr {
    Python::attach(|py| match exception(py, &error) {
        Ok(exception) => PyErr::from_value(exception),
        // The package itself can't be used: that is the error then.
        Err(error) => error,
    })
}

/// An instance that is not raised.
pub(crate) fn exception<'py>(py: Python<'py>, error: &impl Raise) -> PyResult<Bound<'py, PyAny>> {
    make(py, &error.class(), &error.to_string(), &error.code(), |fields| error.fields(fields))
}

/// An exception of a class of `plannt._errors`.
pub(crate) fn raise_as(class: &str, code: &str, message: &str) -> PyErr {
    Python::attach(|py| match make(py, class, message, code, |_| Ok(())) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    })
}

fn make<'py>(
    py: Python<'py>,
    class: &str,
    message: &str,
    code: &str,
    fill: impl FnOnce(&Bound<'py, PyDict>) -> PyResult<()>,
) -> PyResult<Bound<'py, PyAny>> {
    let fields = PyDict::new(py);
    fields.set_item("code", code)?;
    fill(&fields)?;
    py.import("plannt._errors")?.getattr(class)?.call((message,), Some(&fields))
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

    fn fields(&self, fields: &Bound<'_, PyDict>) -> PyResult<()> {
        fields.set_item("condition", self.condition())
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

impl Raise for GateConfigError {
    fn class(&self) -> String {
        "GateConfigError".into()
    }

    fn code(&self) -> String {
        GateConfigError::code(self).into()
    }
}

impl Raise for Refusal {
    fn class(&self) -> String {
        Python::attach(|py| {
            let class = py.import("plannt._errors")?.call_method1("refusal_class", (self.code(),));
            class?.getattr("__name__")?.extract()
        })
        .unwrap_or_else(|_: PyErr| "RefusalError".into())
    }

    fn code(&self) -> String {
        Refusal::code(self).into()
    }

    fn fields(&self, fields: &Bound<'_, PyDict>) -> PyResult<()> {
        let py = fields.py();
        match self {
            Self::AboveLimit { amount_msat, max_fee_msat, limit_msat } => {
                fields.set_item("amount_msat", Msat(*amount_msat))?;
                fields.set_item("max_fee_msat", Msat(*max_fee_msat))?;
                fields.set_item("limit_msat", Msat(*limit_msat))
            }
            Self::BudgetExceeded { needed_msat, left_msat } => {
                fields.set_item("needed_msat", Msat(*needed_msat))?;
                fields.set_item("left_msat", Msat(*left_msat))
            }
            Self::HostNotAllowed { host } | Self::PlainHttp { host } => {
                fields.set_item("host", host)
            }
            Self::InvoiceExpiring { seconds_left } => fields.set_item("seconds_left", seconds_left),
            Self::JournalAfterPayment { payment_hash }
            | Self::PaymentHashKnown { payment_hash }
            | Self::PreimageMismatch { payment_hash } => {
                fields.set_item("payment_hash", Hash(*payment_hash))
            }
            Self::PaymentFailed { failure } => fields.set_item("failure", failure),
            Self::PaymentLost(lost) => fields.set_item("receipt", receipt(py, lost)?),
            Self::PaymentUnresolved { payment_hash, state, invoice_expires_at } => {
                fields.set_item("payment_hash", Hash(*payment_hash))?;
                fields.set_item("state", state.name())?;
                fields.set_item("invoice_expires_at", invoice_expires_at)
            }
            Self::TokenExpired { valid_until } => fields.set_item("valid_until", valid_until),
            Self::WrongNetwork { invoice, wallet } => {
                fields.set_item("invoice", invoice.name())?;
                fields.set_item("wallet", wallet.name())
            }
            _ => Ok(()),
        }
    }
}

impl Raise for ClientError {
    fn class(&self) -> String {
        match self {
            Self::Config { .. } => "ConfigError".into(),
            Self::Journal(_) => "JournalError".into(),
            Self::NotDelivered { .. } => "NotDeliveredError".into(),
            Self::NotJournaled { .. } => "NotJournaledError".into(),
            Self::RedirectFailed { .. } => "RedirectFailedError".into(),
            Self::Refused { refusal, .. } => refusal.class(),
            Self::Request { .. } => "RequestError".into(),
            Self::Transport(_) => "TransportError".into(),
            _ => "ClientError".into(),
        }
    }

    fn code(&self) -> String {
        ClientError::code(self).into()
    }

    fn fields(&self, fields: &Bound<'_, PyDict>) -> PyResult<()> {
        if let Self::Refused { refusal, .. } = self {
            refusal.fields(fields)?;
        }
        if let Self::NotJournaled { payment_hash, .. } = self {
            fields.set_item("payment_hash", Hash(*payment_hash))?;
        }
        match self.receipt() {
            Some(paid) => fields.set_item("receipt", receipt(fields.py(), paid)?),
            None => Ok(()),
        }
    }
}
