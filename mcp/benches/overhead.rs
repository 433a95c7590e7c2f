//! What a tool call costs on top of the same paid cycle by the client library: `plannt mcp` over stdio beside
//! `plannt_client::Client`, in turns, against one demo service. Prints a table for docs/BENCHMARKS.md.
//!
//! `PLANNT_BIN` is the program to measure; `--rounds N` of each.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use plannt_client::{Client, Request};
use plannt_core::Network;
use plannt_gateway::{Gateway, GatewayConfig};
use plannt_lightning::devnet::{Devnet, DevnetConfig};
use plannt_lightning::{invoicer_from_url, payer_from_url};
use serde_json::{Value, json};

/// What is promised.
const MOST_OVERHEAD: Duration = Duration::from_millis(5);
/// Rounds that are not counted.
const WARM_UP: usize = 10;

struct Mcp {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: u64,
}

impl Mcp {
    fn start(home: &Path, wallet: &str, authority: &str) -> Self {
        let mut child =
            Command::new(std::env::var_os("PLANNT_BIN").expect("PLANNT_BIN is the program"))
                .arg("--data-dir")
                .arg(home)
                .args([
                    "mcp",
                    "--wallet",
                    wallet,
                    "--network",
                    "regtest",
                    "--allow-private",
                    authority,
                ])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut mcp = Self { child, input, output: BufReader::new(output), next: 0 };
        let info = json!({"name": "bench", "version": "1"});
        mcp.call(
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}),
        );
        mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        mcp
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
        self.input.flush().unwrap();
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}));
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        answer["result"].take()
    }
}

impl Drop for Mcp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let rounds = args.iter().position(|arg| arg == "--rounds");
    let rounds: usize = rounds.map_or(300, |at| args[at + 1].parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();

    let (devnet, gateway) = runtime.block_on(async {
        let devnet = Devnet::start(DevnetConfig::new(home.join("devnet"))).await.unwrap();
        let node = invoicer_from_url(&devnet.invoicer_url()).unwrap();
        let config = GatewayConfig::demo(node, Network::Regtest, home.join("gateway"))
            .challenges_per_minute(1_000_000)
            .listen(([127, 0, 0, 1], 0).into());
        (devnet, Gateway::bind(config).await.unwrap())
    });
    let authority = gateway.local_addr().to_string();
    runtime.spawn(gateway.serve(std::future::pending()));
    let url = format!("http://{authority}/v1/demo");
    let client = Client::builder(payer_from_url(&devnet.payer_url()).unwrap(), Network::Regtest)
        .journal_path(home.join("library/journal.db"))
        .build()
        .unwrap();
    let mut mcp = Mcp::start(&home.join("mcp"), &devnet.payer_url(), &authority);

    let (mut library, mut tool) = (Vec::new(), Vec::new());
    for round in 0..WARM_UP + rounds {
        let begun = Instant::now();
        let body = runtime.block_on(async {
            let response = client.send(Request::get(&url).unwrap()).await.unwrap();
            assert!(response.payment.is_some());
            response.body.bytes().await.unwrap()
        });
        let by_library = begun.elapsed();
        assert_eq!(body, br#"{"result":"verified"}"#);
        let begun = Instant::now();
        let arguments = json!({"url": url});
        let result = mcp.call("tools/call", json!({"name": "fetch", "arguments": arguments}));
        let by_tool = begun.elapsed();
        let told = &result["structuredContent"];
        assert!(told["body"]["result"] == "verified" && told["paid"] == true, "{result}");
        if round >= WARM_UP {
            library.push(by_library);
            tool.push(by_tool);
        }
    }

    library.sort_unstable();
    tool.sort_unstable();
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    let at = |times: &[Duration], percent: usize| times[(times.len() - 1) * percent / 100];
    println!("| one paid cycle on /v1/demo, {rounds} in turns | median, ms | p90, ms |");
    println!("|---|---:|---:|");
    for (name, times) in
        [("plannt-client", &library), ("`fetch` of `plannt mcp`, over stdio", &tool)]
    {
        println!("| {name} | {} | {} |", ms(at(times, 50)), ms(at(times, 90)));
    }
    // Less than nothing where the machine is noisier than the difference is large.
    let over = (at(&tool, 50).as_secs_f64() - at(&library, 50).as_secs_f64()) * 1e3;
    let verdict = if over < MOST_OVERHEAD.as_secs_f64() * 1e3 { "kept" } else { "BROKEN" };
    println!("\n| promised | measured | |\n|---|---:|---|");
    println!(
        "| a tool call < {} ms over the same cycle by the library | {over:.2} ms | {verdict} |",
        MOST_OVERHEAD.as_millis()
    );
}
