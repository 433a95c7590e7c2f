//! How long a challenge takes while the node needs 50 ms for an invoice: from the pool, and without one. At a steady 200 challenges
//! a second over real HTTP, each on the clock from when it was due. Prints a table for docs/BENCHMARKS.md.
//!
//! `--seconds N` of each; `--pool N` invoices.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use plannt_core::Network;
use plannt_gateway::{Gateway, GatewayConfig};
use plannt_lightning::devnet::{Devnet, DevnetConfig, FaultKind, Operation};
use plannt_lightning::invoicer_from_url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Challenges a second.
const RATE: u32 = 200;
/// What the node takes for an invoice, ms.
const NODE_MS: u64 = 50;
/// What is promised of a challenge from the pool.
const MOST: Duration = Duration::from_millis(2);
/// Connections that take turns; each is idle again long before it is needed.
const CONNECTIONS: usize = 64;

fn argument(name: &str, otherwise: usize) -> usize {
    let args: Vec<String> = std::env::args().collect();
    let at = args.iter().position(|arg| arg == name);
    at.map_or(otherwise, |at| args[at + 1].parse().unwrap())
}

/// One challenge over a kept connection.
async fn ask(stream: &mut TcpStream) {
    stream.write_all(b"GET /v1/demo HTTP/1.1\r\nHost: bench\r\n\r\n").await.unwrap();
    let mut answer = Vec::with_capacity(4_096);
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the gateway hung up");
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        if body.len() >= length.parse::<usize>().unwrap() {
            assert!(head.starts_with("HTTP/1.1 402 "), "{text}");
            return;
        }
    }
}

struct Measured {
    times: Vec<Duration>,
    invoices: usize,
}

async fn measure(pool: usize, seconds: usize) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let devnet = Devnet::start(DevnetConfig::new(folder.path().join("devnet"))).await.unwrap();
    let node = invoicer_from_url(&devnet.invoicer_url()).unwrap();
    let config = GatewayConfig::demo(node, Network::Regtest, folder.path().join("gateway"))
        .challenges_per_minute(10_000_000)
        .invoice_pool(pool)
        .listen(([127, 0, 0, 1], 0).into());
    let gateway = Gateway::bind(config).await.unwrap();
    let addr: SocketAddr = gateway.local_addr();
    tokio::spawn(gateway.serve(std::future::pending()));
    devnet.faults().always(Operation::Issue, FaultKind::Slow { ms: NODE_MS });
    if pool > 0 {
        // The demo's other price has as many.
        let wanted = 2 * pool;
        while devnet.invoices().await.unwrap().len() < wanted {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let before = devnet.invoices().await.unwrap().len();
    let mut lines = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, mut due) = tokio::sync::mpsc::unbounded_channel::<Instant>();
        let asking = tokio::spawn(async move {
            let (mut stream, mut times) = (stream, Vec::new());
            while let Some(due) = due.recv().await {
                ask(&mut stream).await;
                times.push(due.elapsed());
            }
            times
        });
        lines.push((sender, asking));
    }
    let count = RATE as usize * seconds;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    for n in 0..count {
        ticks.tick().await;
        lines[n % CONNECTIONS].0.send(Instant::now()).unwrap();
    }
    let mut times = Vec::with_capacity(count);
    for (sender, asking) in lines {
        drop(sender);
        times.extend(asking.await.unwrap());
    }
    times.sort_unstable();
    let invoices = devnet.invoices().await.unwrap().len() - before;
    Measured { times, invoices }
}

fn main() {
    let (seconds, pool) = (argument("--seconds", 60), argument("--pool", 256));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let with = runtime.block_on(measure(pool, seconds));
    let without = runtime.block_on(measure(0, seconds));
    let at = |times: &[Duration], part: f64| {
        times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3
    };
    println!(
        "| {RATE} challenges a second for {seconds} s, {NODE_MS} ms an invoice | median, ms | p99, ms | slowest, ms |"
    );
    println!("|---|---:|---:|---:|");
    for (name, measured) in [(format!("pool of {pool}"), &with), ("no pool".into(), &without)] {
        let times = &measured.times;
        println!(
            "| {name} | {:.2} | {:.2} | {:.2} |",
            at(times, 0.5),
            at(times, 0.99),
            at(times, 1.0)
        );
    }
    // Who waited for the node took its time at least: all others came from the pool.
    let node = Duration::from_millis(NODE_MS);
    let hits = with.times.iter().filter(|time| **time < node).count();
    let rate = 100.0 * hits as f64 / with.times.len() as f64;
    println!(
        "\nFrom the pool: {rate:.2} % of {}; the node made {} invoices meanwhile.",
        with.times.len(),
        with.invoices
    );
    let p99 = at(&with.times, 0.99);
    let verdict = if p99 < MOST.as_secs_f64() * 1e3 { "kept" } else { "BROKEN" };
    println!("\n| promised | measured | |\n|---|---:|---|");
    println!(
        "| p99 of a challenge from the pool < {} ms | {p99:.2} ms | {verdict} |",
        MOST.as_millis()
    );
}
