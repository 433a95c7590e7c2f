//! The whole network: the chain, two nodes, and a channel between them.

use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::btcd::Btcd;
use crate::lnd::Lnd;
use crate::process::at_our_end;
use crate::{Direction, Hold, Proxy, wait_for};

/// What the channel holds at first, half of it at each end, in sats.
const CHANNEL_SATS: u64 = 10_000_000;

/// More than BOLT 2's `update_add_htlc` is on the wire, 1,486 bytes, and less than with the `commitment_signed` after it, 134 bytes
/// where the payment is too small for an output of its own.
const COMMITMENT_BYTES: u64 = 1_600;

/// How long nothing is said between two nodes that are done with each other. A commitment and its answer take some milliseconds.
const QUIET: Duration = Duration::from_millis(150);

/// btcd and two lnd nodes. `bob` pays, `alice` is paid; their one connection goes through a proxy, so that a payment can be
/// held in flight.
pub struct Network {
    /// The node that sells.
    pub alice: Lnd,
    /// The node that pays.
    pub bob: Lnd,
    peers: Proxy,
    btcd: Btcd,
    /// Removes the folder once this is gone.
    _cleaner: Child,
}

impl Network {
    /// Starts everything in a new folder, which goes away with this process, and waits until a payment has a way.
    ///
    /// # Panics
    /// When something does not start, or `PLANNT_NODES` does not name the folder of the programs.
    pub async fn start() -> Self {
        let programs = std::env::var_os("PLANNT_NODES").map(PathBuf::from);
        let programs = programs.expect("PLANNT_NODES: run e2e/run, which builds the nodes");
        let folder = TempDir::with_prefix("plannt-e2e-").unwrap().keep();
        // Once the nodes are gone too: they are killed at the same time.
        let cleaner = at_our_end("sleep 1; rm -rf \"$1\"", folder.to_str().unwrap());

        let btcd = Btcd::start(&programs, &folder).await;
        let alice = Lnd::new("alice", &programs, &folder, &btcd);
        let bob = Lnd::new("bob", &programs, &folder, &btcd);
        tokio::join!(alice.start(), bob.start());
        let peers = Proxy::start(([127, 0, 0, 1], alice.peer_port()).into()).await;
        let this = Self { alice, bob, peers, btcd, _cleaner: cleaner };
        this.fund().await;
        this
    }

    /// Connects the nodes, where they are not, and waits until a payment has a way.
    ///
    /// # Panics
    /// When there is none within a minute.
    pub async fn connect(&self) {
        let key = self.key_of_alice().await;
        let (host, path) = (self.peers.address().to_string(), "/v1/peers");
        wait_for("the connection between the nodes", async || {
            let peers = self.bob.get(path).await?;
            if peers["peers"].as_array().is_some_and(|list| !list.is_empty()) {
                return Ok(());
            }
            let body = json!({"addr": {"pubkey": key, "host": host}, "perm": true, "timeout": "5"});
            self.bob.post(path, body).await.map(drop)
        })
        .await;
        if !self.channels().await.is_empty() {
            self.wait_for_route(&key).await;
        }
    }

    /// Bob forgets which payments have failed: for an hour and more he would not try the same way again.
    ///
    /// # Panics
    /// When he does not.
    pub async fn forget_failures(&self) {
        self.bob.post("/v2/router/mc/reset", json!({})).await.unwrap();
    }

    /// Whether bob's channel is in use by both ends, and has no payment in it.
    ///
    /// # Panics
    /// When he does not say.
    pub async fn is_idle(&self) -> bool {
        let is_idle = |channel: &Value| {
            channel["active"] == true
                && channel["pending_htlcs"].as_array().is_some_and(Vec::is_empty)
        };
        self.channels().await.iter().all(is_idle)
    }

    /// Waits until bob knows that he and alice are not connected.
    ///
    /// # Panics
    /// When he does not within a minute.
    pub async fn wait_until_disconnected(&self) {
        wait_for(
            "bob's view of his peers",
            async || match self.bob.get("/v1/peers").await?["peers"].as_array() {
                Some(list) if !list.is_empty() => Err("one is connected".to_owned()),
                _ => Ok(()),
            },
        )
        .await;
    }

    /// Holds what alice sends to bob: bob commits to his next payment, which stays in flight.
    ///
    /// # Panics
    /// When the nodes go on talking for a minute.
    pub async fn hold_payments(&self) {
        // A payment is made before the nodes are done with it, and until then bob commits to no other.
        let mut before = u64::MAX;
        wait_for("silence between the nodes", async || {
            tokio::time::sleep(QUIET).await;
            let passed = self.peers.passed();
            let is_quiet = passed == before;
            before = passed;
            if is_quiet { Ok(()) } else { Err("they talk") }
        })
        .await;
        self.peers.hold(Direction::Down, Hold::Everything);
    }

    /// Waits until bob has committed to a payment, and alice's answer is held.
    ///
    /// # Panics
    /// When that takes longer than a minute.
    pub async fn wait_for_payment_in_flight(&self) {
        self.peers.wait_until_held().await;
        // Alice may have sent something else first. Bob has the commitment on disk when he sends it.
        wait_for("bob's commitment", async || match self.peers.passed_since_held() {
            COMMITMENT_BYTES.. => Ok(()),
            few => Err(format!("bob has sent {few} bytes")),
        })
        .await;
    }

    /// Lets go of what [`hold_payments`](Self::hold_payments) holds.
    pub fn let_payments_go(&self) {
        self.peers.release();
    }

    /// Cuts the connection between the nodes, with what is held of it, as the death of either would.
    pub fn cut_peers(&self) {
        self.peers.cut();
        self.peers.release();
    }

    /// Prints the last lines of every node's log.
    pub fn print_last_words(&self) {
        eprintln!("btcd:\n{}", self.btcd.process.last_words());
        for node in [&self.alice, &self.bob] {
            eprintln!("{node:?}:\n{}", node.last_words());
        }
    }

    /// Gives bob coins and opens the channel, half of which is alice's.
    async fn fund(&self) {
        let address = self.bob.get("/v1/newaddress?type=WITNESS_PUBKEY_HASH").await.unwrap();
        self.btcd.send_reward(address["address"].as_str().unwrap()).await;
        wait_for("bob's coins", async || match self.bob.get("/v1/balance/blockchain").await? {
            balance if balance["confirmed_balance"] != "0" => Ok(()),
            balance => Err(balance.to_string()),
        })
        .await;
        self.connect().await;
        let key = self.key_of_alice().await;
        let bytes: Vec<u8> = (0..key.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&key[at..at + 2], 16).unwrap())
            .collect();
        // Tried again: right after a block a node is still reading it.
        wait_for("the channel", async || {
            let body = json!({
                "node_pubkey": STANDARD.encode(&bytes),
                "local_funding_amount": CHANNEL_SATS.to_string(),
                "push_sat": (CHANNEL_SATS / 2).to_string(),
                "sat_per_vbyte": "2",
            });
            self.bob.post("/v1/channels", body).await
        })
        .await;
        wait_for("the channel's transaction", async || match self.btcd.waiting().await {
            0 => Err("no transaction waits"),
            _ => Ok(()),
        })
        .await;
        self.btcd.mine(6).await;
        wait_for("the channel to open", async || match self.channels().await.len() {
            0 => Err("no channel"),
            _ => Ok(()),
        })
        .await;
        self.wait_for_route(&key).await;
    }

    /// A channel is shown as active about a second before payments find it.
    async fn wait_for_route(&self, key: &str) {
        wait_for("a route", async || {
            let active = "/v1/channels?active_only=true";
            for node in [&self.alice, &self.bob] {
                if node.get(active).await?["channels"].as_array().is_none_or(Vec::is_empty) {
                    return Err("no active channel".into());
                }
            }
            let routes = self.bob.get(&format!("/v1/graph/routes/{key}/21")).await?;
            match routes["routes"].as_array() {
                Some(list) if !list.is_empty() => Ok(()),
                _ => Err(routes.to_string()),
            }
        })
        .await;
    }

    async fn channels(&self) -> Vec<Value> {
        let list = self.bob.get("/v1/channels").await.unwrap();
        list["channels"].as_array().cloned().unwrap_or_default()
    }

    async fn key_of_alice(&self) -> String {
        let info = self.alice.get("/v1/getinfo").await.unwrap();
        info["identity_pubkey"].as_str().unwrap().to_owned()
    }
}
