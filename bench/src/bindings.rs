//! The bindings beside the same calls in Rust, and beside each language's macaroon library.

use std::hint::black_box;

use plannt_core::{Token, authorization_value};

use crate::compare::verdict;
use crate::measure::{Subject, race};
use crate::peers::{Peer, Task};
use crate::{machine, ours};

/// What is promised of each language, Python and Node in turn.
const PROMISES: [Promise; 2] = [
    Promise { language: "Python", most_over_rust_ns: 1_000.0, least_faster: 20.0 },
    Promise { language: "Node", most_over_rust_ns: 2_000.0, least_faster: 5.0 },
];
/// Batches of each subject in a round.
const BATCHES: usize = 100;

struct Promise {
    language: &'static str,
    /// The most that a call may take beyond the same call in Rust.
    most_over_rust_ns: f64,
    /// How many times faster verifying is than by the language's own library, from header to verdict.
    least_faster: f64,
}

/// Measures in `rounds` of Rust, each binding, and each library; `commands` are pairs of those two. A language of which
/// a program does not run is left out, and says so.
pub(crate) fn run(rounds: usize, commands: [(&str, &str); 2]) -> Result<(), String> {
    let (ring, preimage, request) = (ours::keyring(), ours::preimage(), ours::request());
    let mint_request = ours::mint_request();
    let sold = ring.mint(&mint_request).map_err(|error| error.to_string())?;
    let header = authorization_value(sold.as_str(), &preimage);
    let credential = ours::credential(&header);
    let mut subjects = [
        Subject::repeat("mint", || ring.mint(black_box(&mint_request))),
        Subject::repeat("verify", || ours::verify_sold(&ring, black_box(&credential), &request)),
        Subject::repeat("header", || {
            ours::verify_sold(&ring, &ours::credential(black_box(&header)), &request)
        }),
    ];

    let caveats = caveats(&sold)?;
    let caveats: Vec<&str> = caveats.iter().map(String::as_str).collect();
    let task = Task { token: sold.as_str(), caveats: &caveats };
    let mut pairs = Vec::new();
    for (promise, (binding, library)) in PROMISES.iter().zip(commands) {
        match Peer::start(binding, task).and_then(|b| Ok((b, Peer::start(library, task)?))) {
            Ok((binding, library)) => pairs.push((promise, binding, library)),
            Err(error) => eprintln!("SKIPPED {}: {}", promise.language, error.trim()),
        }
    }
    for _ in 0..rounds {
        race(&mut subjects, BATCHES);
        for (_, binding, library) in &mut pairs {
            binding.run(task)?;
            library.run(task)?;
        }
    }

    let best = |name: &str| {
        subjects.iter().find(|subject| subject.name == name).map_or(f64::NAN, Subject::best)
    };
    println!("{}\n", machine::describe());
    println!("| six caveats, {} bytes | mint, ns | verify, ns | from header to verdict, ns |", {
        plannt_core::base64::decoded_len(sold.as_str().len())
    });
    println!("|---|---:|---:|---:|");
    let row = |name: &str, mint: f64, verify: f64, header: Option<f64>| {
        // What was not measured is still at infinity.
        let cell = |ns: f64| if ns.is_finite() { format!("{ns:.0}") } else { "–".into() };
        let header = header.map_or("–".into(), cell);
        println!("| {name} | {} | {} | {header} |", cell(mint), cell(verify));
    };
    row("plannt-core (Rust)", best("mint"), best("verify"), Some(best("header")));
    for (_, binding, library) in &pairs {
        for peer in [binding, library] {
            let name = format!("{} ({})", peer.library, peer.runtime);
            row(&name, peer.mint.ns, peer.verify.ns, peer.header);
        }
    }
    println!("\n| promised | measured | |");
    println!("|---|---:|---|");
    for (promise, binding, library) in &pairs {
        let Promise { language, most_over_rust_ns, least_faster } = promise;
        for (call, took) in [("mint", binding.mint.ns), ("verify", binding.verify.ns)] {
            let over = took - best(call);
            let kept = verdict(over <= *most_over_rust_ns);
            println!(
                "| {call} from {language} ≤ {most_over_rust_ns:.0} ns over Rust | {over:.0} | {kept} |"
            );
        }
        let whole = binding.header.ok_or("a binding's program measures from header to verdict")?;
        let faster = library.verify.ns / whole;
        let kept = verdict(faster >= *least_faster);
        println!(
            "| from header to verdict from {language} ≥ {least_faster} × as fast as {} verifies | {faster:.1} | {kept} |",
            library.library
        );
    }
    Ok(())
}

fn caveats(token: &Token) -> Result<Vec<String>, String> {
    let macaroon = token.parse_macaroon().map_err(|error| error.to_string())?;
    Ok(macaroon.caveats().map(|c| String::from_utf8_lossy(c.id).into_owned()).collect())
}
