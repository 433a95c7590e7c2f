//! What can keep a gateway from starting.

use std::io;
use std::net::SocketAddr;

use plannt_gate::{GateConfigError, KeyringError};

/// Why a gateway does not start, or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The address can't be listened on.
    #[error("cannot listen on {listen}: {source}")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A setting makes no sense.
    #[error("configuration: {message}")]
    Config {
        /// What is wrong with which setting.
        message: String,
    },
    /// The gate can't be built so.
    #[error(transparent)]
    Gate(#[from] GateConfigError),
    /// The keyring, or the spend store that belongs to it, can't be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The prices of earlier starts can't be read or written.
    #[error("the prices in the data folder: {0}")]
    Prices(#[source] io::Error),
    /// The HTTP library or the system did not do what every start needs.
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
}

impl GatewayError {
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::Config { message: message.into() }
    }

    /// A stable snake_case name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bind { .. } => "bind",
            Self::Config { .. } => "config",
            Self::Gate(error) => error.code(),
            Self::Keyring(error) => error.code(),
            Self::Prices(_) => "prices_io",
            Self::Start(_) => "start",
        }
    }
}
