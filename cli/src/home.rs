//! Where state lives on disk.

use std::path::{Path, PathBuf};

use crate::args::HomeArgs;
use crate::error::CliError;

/// The folder of all state, and what lies where in it.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// `--data-dir`, `PLANNT_HOME`, `$XDG_DATA_HOME/plannt`, or `~/.local/share/plannt`.
    pub(crate) fn new(args: &HomeArgs) -> Result<Self, CliError> {
        if let Some(dir) = &args.data_dir {
            return Ok(Self(dir.clone()));
        }
        let absolute = |name: &str| {
            std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        absolute("XDG_DATA_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".local/share")))
            .map(|base| Self(base.join("plannt")))
            .ok_or(CliError::NoHome)
    }

    /// A folder somewhere else, for the demo.
    pub(crate) fn at(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    /// Keyring and spend store.
    pub(crate) fn gateway(&self) -> PathBuf {
        self.0.join("gateway")
    }

    /// The devnet's certificate, macaroons and ledger.
    pub(crate) fn devnet(&self) -> PathBuf {
        self.0.join("devnet")
    }

    /// The journal of payments.
    pub(crate) fn journal(&self) -> PathBuf {
        self.0.join("client").join("journal.db")
    }
}
