//! The chain: btcd on regtest, which mines what it is told to.

use std::path::{Path, PathBuf};
use std::process::Command;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::transaction::Version;
use bitcoin::{
    Address, Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
    opcodes, script,
};
use serde_json::{Value, json};

use crate::process::Process;
use crate::{free_port, http};

pub(crate) const USER: &str = "e2e";
pub(crate) const PASSWORD: &str = "e2e";
/// Segwit is active after three windows of 144 blocks, and by then the first coinbases can be spent.
const FIRST_BLOCKS: u64 = 440;

pub(crate) struct Btcd {
    pub(crate) process: Process,
    pub(crate) rpc_port: u16,
    pub(crate) certificate: PathBuf,
}

impl Btcd {
    /// Starts it on an empty chain, and mines until coins can be spent.
    pub(crate) async fn start(programs: &Path, folder: &Path) -> Self {
        let (home, rpc_port) = (folder.join("btcd"), free_port());
        std::fs::create_dir_all(&home).unwrap();
        let file = |name: &str| home.join(name);
        // An empty file: the user's own btcd.conf is not ours.
        std::fs::write(file("none.conf"), "").unwrap();
        let mut command = Command::new(programs.join("btcd"));
        command.args(["--regtest", "--txindex", "--debuglevel=warn"]);
        for (name, path) in [
            ("configfile", file("none.conf")),
            ("datadir", file("data")),
            ("logdir", file("log")),
            ("rpccert", file("rpc.cert")),
            ("rpckey", file("rpc.key")),
        ] {
            command.arg(format!("--{name}={}", path.display()));
        }
        command.arg(format!("--rpcuser={USER}")).arg(format!("--rpcpass={PASSWORD}"));
        command.arg(format!("--rpclisten=127.0.0.1:{rpc_port}"));
        command.arg(format!("--listen=127.0.0.1:{}", free_port()));
        command.arg(format!("--miningaddr={}", Address::p2wsh(&anyones(), Network::Regtest)));
        let process = Process::start(command, &folder.join("btcd.log"));
        let mut this = Self { process, rpc_port, certificate: file("rpc.cert") };
        crate::wait_for("btcd", async || {
            assert!(!this.process.has_ended(), "btcd has ended:\n{}", this.process.last_words());
            this.call("getblockcount", json!([])).await
        })
        .await;
        for _ in 0..FIRST_BLOCKS / 44 {
            this.mine(44).await;
        }
        this
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> Result<Value, String> {
        let body = json!({"jsonrpc": "1.0", "id": 1, "method": method, "params": params});
        let request = http::CLIENT
            .post(format!("https://127.0.0.1:{}/", self.rpc_port))
            .basic_auth(USER, Some(PASSWORD))
            .json(&body);
        let answer = http::json(request).await?;
        match &answer["error"] {
            Value::Null => Ok(answer["result"].clone()),
            error => Err(format!("{method}: {error}")),
        }
    }

    pub(crate) async fn mine(&self, blocks: u64) {
        self.call("generate", json!([blocks])).await.unwrap();
    }

    /// How many transactions wait for a block.
    pub(crate) async fn waiting(&self) -> usize {
        self.call("getrawmempool", json!([])).await.unwrap().as_array().map_or(0, Vec::len)
    }

    /// Sends the first block's reward to an address, in ten equal parts.
    pub(crate) async fn send_reward(&self, address: &str) {
        let address: Address<_> = address.parse().unwrap();
        let to = address.require_network(Network::Regtest).unwrap().script_pubkey();
        let block = self.call("getblockhash", json!([1])).await.unwrap();
        let block = self.call("getblock", json!([block, 2])).await.unwrap();
        let reward = &block["tx"].as_array().or(block["rawtx"].as_array()).unwrap()[0];
        let value = Amount::from_btc(reward["vout"][0]["value"].as_f64().unwrap()).unwrap();
        let part = (value - Amount::from_sat(100_000)) / 10;
        let transaction = Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::new(
                    reward["txid"].as_str().unwrap().parse().unwrap(),
                    0,
                ),
                script_sig: ScriptBuf::new(),
                sequence: Sequence::MAX,
                witness: Witness::from_slice(&[anyones().as_bytes()]),
            }],
            output: vec![TxOut { value: part, script_pubkey: to }; 10],
        };
        self.call("sendrawtransaction", json!([serialize_hex(&transaction)])).await.unwrap();
        self.mine(1).await;
    }
}

/// What anyone can spend without a key: the tests' mining reward.
fn anyones() -> ScriptBuf {
    script::Builder::new().push_opcode(opcodes::OP_TRUE).into_script()
}
