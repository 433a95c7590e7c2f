//! One lnd node: started, killed and started again on the same state.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use plannt_core::PaymentHash;
use serde_json::Value;

use crate::btcd::{Btcd, PASSWORD, USER};
use crate::process::Process;
use crate::{free_port, http, wait_for};

/// An lnd node with its folder and its ports, which stay the same when it is started again.
pub struct Lnd {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    home: PathBuf,
    log: PathBuf,
    peer_port: u16,
    rest_port: u16,
    grpc_port: u16,
    process: Mutex<Option<Process>>,
}

impl Lnd {
    pub(crate) fn new(name: &'static str, programs: &Path, folder: &Path, btcd: &Btcd) -> Self {
        let home = folder.join(name);
        std::fs::create_dir_all(&home).unwrap();
        // An empty file: the user's own lnd.conf is not ours.
        std::fs::write(home.join("none.conf"), "").unwrap();
        let (peer_port, rest_port, grpc_port) = (free_port(), free_port(), free_port());
        let arguments = vec![
            format!("--lnddir={}", home.display()),
            format!("--configfile={}", home.join("none.conf").display()),
            format!("--alias={name}"),
            format!("--listen=127.0.0.1:{peer_port}"),
            format!("--restlisten=127.0.0.1:{rest_port}"),
            format!("--rpclisten=127.0.0.1:{grpc_port}"),
            format!("--btcd.rpchost=127.0.0.1:{}", btcd.rpc_port),
            format!("--btcd.rpcuser={USER}"),
            format!("--btcd.rpcpass={PASSWORD}"),
            format!("--btcd.rpccert={}", btcd.certificate.display()),
            "--bitcoin.regtest".into(),
            "--bitcoin.node=btcd".into(),
            "--bitcoin.defaultchanconfs=1".into(),
            "--noseedbackup".into(),
            "--nobootstrap".into(),
            "--tlsdisableautofill".into(),
            "--tlsextraip=127.0.0.1".into(),
            "--debuglevel=warn".into(),
            // A quick network: nothing is saved up to be sent or written together.
            "--trickledelay=50".into(),
            "--channel-commit-interval=1ms".into(),
            "--db.batch-commit-interval=1ms".into(),
        ];
        Self {
            name,
            program: programs.join("lnd"),
            arguments,
            home,
            log: folder.join(format!("{name}.log")),
            peer_port,
            rest_port,
            grpc_port,
            process: Mutex::new(None),
        }
    }

    /// Starts it, unless it runs, and waits until it serves and knows the chain.
    ///
    /// # Panics
    /// When it does not within a minute.
    pub async fn start(&self) {
        {
            let mut process = self.process.lock().unwrap();
            if process.is_none() {
                let mut command = Command::new(&self.program);
                command.args(&self.arguments);
                *process = Some(Process::start(command, &self.log));
            }
        }
        wait_for(self.name, async || {
            if self.process.lock().unwrap().as_mut().is_none_or(Process::has_ended) {
                panic!("{} has ended:\n{}", self.name, self.last_words());
            }
            let state = self.get("/v1/state").await?;
            if state["state"] != "SERVER_ACTIVE" {
                return Err(state.to_string());
            }
            match self.get("/v1/getinfo").await? {
                info if info["synced_to_chain"] == true => Ok(()),
                info => Err(info.to_string()),
            }
        })
        .await;
    }

    /// `kill -9`, and waits for the end.
    ///
    /// # Panics
    /// Never, but when another thread did.
    pub fn kill(&self) {
        drop(self.process.lock().unwrap().take());
    }

    /// The `lnd://` URL of its REST interface, with all permissions.
    pub fn url(&self) -> String {
        self.url_at(&format!("127.0.0.1:{}", self.rest_port))
    }

    /// The same through a proxy at `authority`.
    pub fn url_at(&self, authority: &str) -> String {
        format!("lnd://{authority}?{}", self.credentials())
    }

    fn credentials(&self) -> String {
        let (cert, macaroon) = (self.certificate(), self.macaroon());
        format!("cert={}&macaroon={}&network=regtest", cert.display(), macaroon.display())
    }

    /// The `lnd+grpc://` URL of its gRPC interface, with all permissions.
    pub fn grpc_url(&self) -> String {
        format!("lnd+grpc://127.0.0.1:{}?{}", self.grpc_port, self.credentials())
    }

    /// What it is called: `alice` or `bob`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its folder, which goes away with the network.
    pub fn folder(&self) -> &Path {
        &self.home
    }

    /// The port of its REST interface.
    pub fn rest_port(&self) -> u16 {
        self.rest_port
    }

    /// The port where it listens for other nodes.
    pub(crate) fn peer_port(&self) -> u16 {
        self.peer_port
    }

    /// Its certificate's file.
    pub fn certificate(&self) -> PathBuf {
        self.home.join("tls.cert")
    }

    /// The file of the macaroon that allows everything.
    pub fn macaroon(&self) -> PathBuf {
        self.home.join("data/chain/bitcoin/regtest/admin.macaroon")
    }

    /// lnd's word for how far its payment of this hash is; `None` when it knows of none.
    ///
    /// # Panics
    /// When it does not say.
    pub async fn payment(&self, hash: &PaymentHash) -> Option<String> {
        let path = "/v1/payments?include_incomplete=true&reversed=true&max_payments=1000";
        let answer = self.get(path).await.unwrap();
        let list = answer["payments"].as_array()?;
        let payment = list.iter().find(|p| p["payment_hash"] == hash.to_string())?;
        Some(payment["status"].as_str().unwrap().to_owned())
    }

    /// Whether it has paid under this hash.
    ///
    /// # Panics
    /// When it does not say.
    pub async fn has_paid(&self, hash: &PaymentHash) -> bool {
        self.payment(hash).await.as_deref() == Some("SUCCEEDED")
    }

    /// Whether its invoice of this hash is settled.
    ///
    /// # Panics
    /// When it does not say, or has no such invoice.
    pub async fn was_paid(&self, hash: &PaymentHash) -> bool {
        self.get(&format!("/v1/invoice/{hash}")).await.unwrap()["state"] == "SETTLED"
    }

    /// How many payments it has made.
    ///
    /// # Panics
    /// When it does not say.
    pub async fn paid(&self) -> usize {
        // Without the incomplete ones, which are also those that failed.
        self.count("/v1/payments?max_payments=10000", "payments", "status", "SUCCEEDED").await
    }

    /// How many of its invoices are settled.
    ///
    /// # Panics
    /// When it does not say.
    pub async fn settled(&self) -> usize {
        self.count("/v1/invoices?num_max_invoices=10000", "invoices", "state", "SETTLED").await
    }

    async fn count(&self, path: &str, list: &str, field: &str, value: &str) -> usize {
        let answer = self.get(path).await.unwrap();
        answer[list].as_array().unwrap().iter().filter(|entry| entry[field] == value).count()
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        self.process.lock().unwrap().as_ref().map(Process::last_words).unwrap_or_default()
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        self.send(http::CLIENT.get(self.at(path))).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        self.send(http::CLIENT.post(self.at(path)).json(&body)).await
    }

    fn at(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.rest_port)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let macaroon = std::fs::read(self.macaroon()).map_err(|e| e.to_string())?;
        let hex = macaroon.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        http::json(request.header("Grpc-Metadata-macaroon", hex)).await
    }
}

impl fmt::Debug for Lnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lnd").field(&self.name).finish()
    }
}
