//! What goes wrong with the devnet itself, as opposed to what it plays.

use std::io;

/// Why a devnet did not start or could not do as told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevnetError {
    /// The configuration: an account's name or balance.
    #[error("devnet configuration: {message}")]
    Config {
        /// What is wrong with it.
        message: String,
    },
    /// Another devnet has this data folder open.
    #[error("the devnet data folder is in use by another devnet")]
    InUse,
    /// A file, folder or socket.
    #[error("{context}: {source}")]
    Io {
        /// What was being done.
        context: String,
        /// Why it failed.
        source: io::Error,
    },
    /// There is no such payment in flight.
    #[error("no payment with this hash is in flight")]
    NotInFlight,
    /// A running devnet was not found, or did not answer as one.
    #[error("no devnet answers there: {message}")]
    NotRunning {
        /// What happened instead.
        message: String,
    },
    /// The database.
    #[error("devnet database: {message}")]
    Store {
        /// What it said.
        message: String,
    },
    /// The TLS certificate.
    #[error("devnet certificate: {message}")]
    Tls {
        /// What is wrong with it.
        message: String,
    },
}

impl DevnetError {
    /// A stable snake_case name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "devnet_config",
            Self::InUse => "devnet_in_use",
            Self::Io { .. } => "devnet_io",
            Self::NotInFlight => "devnet_not_in_flight",
            Self::NotRunning { .. } => "devnet_not_running",
            Self::Store { .. } => "devnet_store",
            Self::Tls { .. } => "devnet_tls",
        }
    }

    pub(super) fn io(context: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { context: context.into(), source }
    }
}

impl From<rusqlite::Error> for DevnetError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store { message: error.to_string() }
    }
}
