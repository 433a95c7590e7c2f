//! The real binary, run as a user runs it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use plannt_core::PaymentHash;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// What the demo service sells, and what it answers.
const DEMO: &str = "/v1/demo";
const GOODS: &str = "{\"result\":\"verified\"}";

/// `plannt` with its state under `home`.
fn plannt(home: &Path) -> Command {
    let mut command = Command::new(binary());
    for name in ["PLANNT_NETWORK", "PLANNT_NODE", "PLANNT_WALLET", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.env("PLANNT_HOME", home).stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// In the folder above this program's: `e2e/run` has built it.
fn binary() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let binary = this.parent().unwrap().with_file_name("plannt");
    assert!(binary.exists(), "{} is not there: use e2e/run, which builds it", binary.display());
    binary
}

/// A running `plannt serve --demo`; killed when dropped.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Gateway {
    /// Starts it on a node, with its state under `home`, at a port.
    pub(crate) async fn start(home: &Path, node: &str, port: u16) -> Self {
        Self::start_with(home, node, port, &[]).await
    }

    /// The same with more on its command line.
    pub(crate) async fn start_with(home: &Path, node: &str, port: u16, more: &[&str]) -> Self {
        let mut command = plannt(home);
        command.args(["serve", "--demo", "--network", "regtest", "--node", node]);
        command.args(["--listen", &format!("127.0.0.1:{port}")]).args(more);
        let (child, address) = listening(command, "listening on http://").await;
        Self { child, address }
    }

    /// `kill -9`, and waits for the end.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// A running `plannt devnet`; killed when dropped.
pub(crate) struct Devnet {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Devnet {
    pub(crate) async fn start(home: &Path, port: u16) -> Self {
        let mut command = plannt(home);
        command.args(["devnet", "--listen", &format!("127.0.0.1:{port}")]);
        let (child, address) = listening(command, "listening on https://").await;
        Self { child, address }
    }

    /// `kill -9`, and waits for the end.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Starts what prints its address in its first line.
async fn listening(mut command: Command, words: &str) -> (Child, SocketAddr) {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).await.unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let Some(address) = line.trim().strip_prefix(words) else {
        let mut said = String::new();
        stderr.read_to_string(&mut said).await.unwrap();
        panic!("it did not start: {line:?} {said}");
    };
    let address = address.parse().unwrap();
    // What it says later is read and dropped, so that it never blocks on a full pipe.
    tokio::spawn(async move { tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await });
    tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await });
    (child, address)
}

/// `plannt URL`: a call from one home and one wallet to one service.
pub(crate) struct Call {
    pub(crate) home: PathBuf,
    pub(crate) wallet: String,
    pub(crate) service: SocketAddr,
    pub(crate) arguments: &'static [&'static str],
}

impl Call {
    pub(crate) fn start(&self) -> Child {
        let mut command = plannt(&self.home);
        command.args(["--wallet", &self.wallet, "--network", "regtest"]).args(self.arguments);
        command.arg(format!("http://{}{DEMO}", self.service)).spawn().unwrap()
    }

    pub(crate) async fn run(&self) -> Ran {
        Ran::of(self.start()).await
    }

    /// What its journal knows: the payment hashes, oldest first.
    pub(crate) async fn hashes(&self) -> Vec<PaymentHash> {
        let output = plannt(&self.home).args(["receipts", "--json"]).output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        let read = |line: &str| {
            let receipt: serde_json::Value = serde_json::from_str(line).unwrap();
            receipt["payment_hash"].as_str().unwrap().parse().unwrap()
        };
        String::from_utf8(output.stdout).unwrap().lines().map(read).collect()
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// `None`: killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Waits for its end.
    pub(crate) async fn of(child: Child) -> Self {
        let output = child.wait_with_output().await.unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Whether it brought what was paid for.
    pub(crate) fn delivered(&self) -> bool {
        self.code == Some(0) && self.stdout == GOODS
    }

    /// The stable code in its error message.
    pub(crate) fn error(&self) -> Option<&str> {
        let (_, rest) = self.stderr.lines().next()?.rsplit_once(" [")?;
        rest.strip_suffix(']')
    }
}
