//! What ends a command early, and the exit code for it.

use std::io;

use plannt_client::{ClientError, Refusal};
use plannt_gateway::GatewayError;
use plannt_lightning::devnet::DevnetError;
use plannt_lightning::{LightningError, advice};

use crate::exit;

/// Why a command ended without doing its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("the response broke off: {0}")]
    Broken(String),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0}")]
    Decode(String),
    #[error("the demo went wrong: {0}")]
    Demo(String),
    #[error(transparent)]
    Devnet(#[from] DevnetError),
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error("could not {doing}: {source}")]
    Io { doing: String, source: io::Error },
    #[error(transparent)]
    Keyring(#[from] plannt_gate::KeyringError),
    #[error(transparent)]
    Lightning(#[from] LightningError),
    #[error("no folder for state: set PLANNT_HOME or HOME")]
    NoHome,
    #[error("no receiving node: give --node (or PLANNT_NODE), or --devnet for play money")]
    NoNode,
    #[error(
        "no wallet: give --wallet (or PLANNT_WALLET), or start `plannt serve --demo`, whose devnet has one"
    )]
    NoWallet,
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Wire(#[from] plannt_conformance::wire::WireError),
}

impl CliError {
    pub(crate) fn io(doing: &str) -> impl FnOnce(io::Error) -> Self + use<> {
        let doing = doing.to_owned();
        move |source| Self::Io { doing, source }
    }

    /// The stable code of the error below, for scripts.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Client(error) => Some(error.code()),
            Self::Devnet(error) => Some(error.code()),
            Self::Gateway(error) => Some(error.code()),
            Self::Keyring(error) => Some(error.code()),
            Self::Lightning(error) => Some(error.code()),
            _ => None,
        }
    }

    /// What to do next, where it is about the wallet or the node.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Client(ClientError::Refused { refusal, .. }) => match refusal {
                Refusal::PaymentFailed { failure } => advice(failure),
                Refusal::PreimageMismatch { .. } => advice("preimage_mismatch"),
                _ => None,
            },
            Self::Lightning(error) => Some(error.advice()),
            _ => None,
        }
    }

    /// See [`exit`].
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => crate::fetch::exit_code(error),
            Self::Broken(_) => exit::NETWORK,
            Self::NoNode | Self::NoWallet | Self::Usage(_) => exit::USAGE,
            _ => exit::OTHER,
        }
    }
}
