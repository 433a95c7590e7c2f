//! The libraries of other languages: one program each, which is handed the task as JSON and
//! answers with what it measured.

use std::process::Command;

use plannt_core::base64;
use serde_json::{Value, json};

use crate::token::{CURRENCY, LOCATION, NOW, PREIMAGE, ROOT_KEY};

/// The macaroon that is worked on.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) token: &'a str,
    pub(crate) caveats: &'a [&'a str],
}

/// What a peer took, the best of all its runs so far.
pub(crate) struct Peer {
    command: Vec<String>,
    pub(crate) library: String,
    pub(crate) runtime: String,
    pub(crate) mint: Took,
    pub(crate) verify: Took,
    /// Minting without the export to bytes, where the program measures it apart.
    pub(crate) chain: Option<f64>,
    /// From the header's text to the verdict, where the program measures it apart.
    pub(crate) header: Option<f64>,
}

#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) ns: f64,
    /// Where the language can count them.
    pub(crate) allocations: Option<u64>,
}

impl Peer {
    /// Runs `command` for the first time.
    pub(crate) fn start(command: &str, task: Task<'_>) -> Result<Self, String> {
        let mut peer = Self {
            command: command.split_whitespace().map(String::from).collect(),
            library: String::new(),
            runtime: String::new(),
            mint: Took { ns: f64::INFINITY, allocations: None },
            verify: Took { ns: f64::INFINITY, allocations: None },
            chain: None,
            header: None,
        };
        peer.run(task)?;
        Ok(peer)
    }

    /// Runs it once more and keeps what was faster.
    pub(crate) fn run(&mut self, task: Task<'_>) -> Result<(), String> {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let Task { token, caveats } = task;
        let task = json!({
            "root_key": hex(&ROOT_KEY), "preimage": hex(&PREIMAGE), "currency": CURRENCY,
            "location": LOCATION, "caveats": caveats, "now": NOW, "token": token, "batches": 100,
        });
        let name = self.command.join(" ");
        let (program, arguments) = self.command.split_first().ok_or("an empty command")?;
        let output = Command::new(program).args(arguments).arg(task.to_string()).output();
        let output = output.map_err(|error| format!("{name}: {error}"))?;
        if !output.status.success() {
            return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let answer: Value =
            serde_json::from_slice(&output.stdout).map_err(|error| format!("{name}: {error}"))?;
        // The same macaroon to the byte, in whichever alphabet the library writes; null where it can't write this one.
        let minted = answer["token"].as_str().unwrap_or_default();
        if !answer["token"].is_null() && base64::decode(minted) != base64::decode(token) {
            return Err(format!("{name}: minted another macaroon"));
        }
        self.library = answer["library"].as_str().unwrap_or(&name).into();
        self.runtime = answer["runtime"].as_str().unwrap_or_default().into();
        if !answer["mint"].is_null() {
            self.mint = self.mint.or(&answer["mint"]).ok_or_else(|| format!("{name}: no mint"))?;
        }
        self.verify =
            self.verify.or(&answer["verify"]).ok_or_else(|| format!("{name}: no verify"))?;
        let least = |so_far: Option<f64>, name: &str| match answer[name]["ns"].as_f64() {
            Some(ns) => Some(so_far.unwrap_or(f64::INFINITY).min(ns)),
            None => so_far,
        };
        self.chain = least(self.chain, "chain");
        self.header = least(self.header, "header");
        Ok(())
    }
}

impl Took {
    fn or(self, answer: &Value) -> Option<Self> {
        let allocations = answer["allocations"].as_f64().map(|count| count.round() as u64);
        Some(Self { ns: self.ns.min(answer["ns"].as_f64()?), allocations })
    }
}
