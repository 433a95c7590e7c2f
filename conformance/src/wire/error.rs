//! Why a run could not begin.

use std::io;

use plannt_lightning::LightningError;
use plannt_lightning::devnet::DevnetError;

/// Nothing was tested, for this reason.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The command under test is not one.
    #[error("the command can't be tested: {message}")]
    Command {
        /// Why.
        message: String,
    },
    /// The node behind the played servers did not start.
    #[error(transparent)]
    Devnet(#[from] DevnetError),
    /// A socket or a folder of the run could not be made.
    #[error("could not prepare the run: {0}")]
    Io(#[from] io::Error),
    /// The URL under test is not one.
    #[error("the URL can't be tested: {message}")]
    Url {
        /// Why.
        message: String,
    },
    /// The wallet can't be used.
    #[error("the wallet can't be used: {0}")]
    Wallet(LightningError),
}

impl WireError {
    pub(crate) fn url(message: impl Into<String>) -> Self {
        Self::Url { message: message.into() }
    }

    pub(crate) fn command(message: impl Into<String>) -> Self {
        Self::Command { message: message.into() }
    }
}
