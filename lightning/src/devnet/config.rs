//! How a devnet is set up, and the file by which others find it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How to run a devnet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DevnetConfig {
    /// Where to listen; port 0 takes a free one. Loopback unless you know better: whoever reaches
    /// it and can read the data folder can spend its play money.
    pub listen: SocketAddr,
    /// The folder of its certificate, macaroons, database and `devnet.json`; made if missing.
    pub data_dir: PathBuf,
    /// Accounts to make if they are missing; `merchant` and `payer` are always there.
    pub accounts: Vec<Account>,
    /// What each payment costs on top, in msat.
    pub fee_msat: u64,
}

/// A node of the devnet, chosen by its own macaroon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `[a-z0-9_-]+`; its macaroon is the file `<name>.macaroon`.
    pub name: String,
    /// What it owns when it is first made, in msat.
    pub balance_msat: u64,
}

impl DevnetConfig {
    /// A devnet on a free loopback port: `payer` owns 10,000,000 sats, `merchant` nothing.
    pub fn new(data_dir: impl AsRef<Path>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: data_dir.as_ref().to_owned(),
            accounts: vec![
                Account { name: "merchant".into(), balance_msat: 0 },
                Account { name: "payer".into(), balance_msat: 10_000_000_000 },
            ],
            fee_msat: 0,
        }
    }
}

/// The contents of `devnet.json`, which is there while a devnet runs (and after it was killed).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevnetFile {
    /// For [`payer_from_url`](crate::payer_from_url).
    pub payer_url: String,
    /// For [`invoicer_from_url`](crate::invoicer_from_url).
    pub invoicer_url: String,
    /// The process that serves it.
    pub pid: u32,
    /// Where it listens.
    pub listen: SocketAddr,
}

impl DevnetFile {
    /// Reads `devnet.json` in `data_dir`; `None` when there is none or it makes no sense.
    pub fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data_dir.join("devnet.json")).ok()?).ok()
    }
}
