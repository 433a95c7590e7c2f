//! How a devnet is set up, and the file by which others find it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DevnetError;

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
    /// What routing each payment costs, in msat.
    pub fee_msat: u64,
}

/// A node of the devnet, chosen by its own macaroon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `[a-z0-9_-]+`, at most 64 bytes; its macaroon is the file `<name>.macaroon`.
    pub name: String,
    /// What it owns when it is first made, in msat.
    pub balance_msat: u64,
}

impl Account {
    /// An account by name.
    pub fn new(name: impl Into<String>, balance_msat: u64) -> Self {
        Self { name: name.into(), balance_msat }
    }
}

/// The account that sells, in every devnet.
pub const MERCHANT: &str = "merchant";
/// The account that buys, in every devnet.
pub const PAYER: &str = "payer";
/// 10,000,000 sats.
const PAYER_BALANCE_MSAT: u64 = 10_000_000_000;

impl DevnetConfig {
    /// A devnet on a free loopback port: `payer` owns 10,000,000 sats, `merchant` nothing, and
    /// payments are free.
    pub fn new(data_dir: impl AsRef<Path>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data_dir: data_dir.as_ref().to_owned(),
            accounts: Vec::new(),
            fee_msat: 0,
        }
    }

    /// With another address to listen at.
    #[must_use]
    pub fn listen(mut self, listen: SocketAddr) -> Self {
        self.listen = listen;
        self
    }

    /// With an account more, or another first balance of `merchant` or `payer`.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// With a routing fee, in msat, on each payment.
    #[must_use]
    pub fn fee_msat(mut self, fee_msat: u64) -> Self {
        self.fee_msat = fee_msat;
        self
    }

    pub(super) fn all_accounts(&self) -> Result<Vec<Account>, DevnetError> {
        let mut accounts = self.accounts.clone();
        for (name, balance_msat) in [(MERCHANT, 0), (PAYER, PAYER_BALANCE_MSAT)] {
            if accounts.iter().all(|a| a.name != name) {
                accounts.push(Account::new(name, balance_msat));
            }
        }
        for Account { name, balance_msat } in &accounts {
            let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
            if name.is_empty() || name.len() > 64 || !name.bytes().all(named) {
                return Err(config("an account's name is [a-z0-9_-]+, at most 64 bytes"));
            }
            // All the bitcoin there will be; it also keeps sums of balances within 64 bits.
            if *balance_msat > 2_100_000_000_000_000_000 {
                return Err(config("an account's balance is above 21,000,000 bitcoin"));
            }
        }
        if i64::try_from(self.fee_msat).is_err() {
            return Err(config("the fee is out of range"));
        }
        Ok(accounts)
    }
}

fn config(message: &str) -> DevnetError {
    DevnetError::Config { message: message.into() }
}

/// The contents of `devnet.json`, which is there while a devnet runs, and after one was killed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DevnetFile {
    /// For [`payer_from_url`](crate::payer_from_url).
    pub payer_url: String,
    /// For [`invoicer_from_url`](crate::invoicer_from_url).
    pub invoicer_url: String,
    /// For [`Control`](super::Control): always on loopback, and reachable while the devnet plays
    /// dead.
    pub control_url: String,
    /// The process that serves it.
    pub pid: u32,
    /// Where it listens.
    pub listen: SocketAddr,
}

impl DevnetFile {
    /// Reads `devnet.json` in `data_dir`; `None` when there is none or it makes no sense. That
    /// the devnet still runs is for a connection to find out.
    pub fn read(data_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data_dir.join(super::files::DEVNET_JSON)).ok()?).ok()
    }
}
