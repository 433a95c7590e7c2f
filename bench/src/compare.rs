//! The side-by-side table.

use std::hint::black_box;

use plannt_core::macaroon::MacaroonRef;
use plannt_core::{authorization_value, base64};

use crate::measure::{Subject, race};
use crate::peers::{Peer, Task, Took};
use crate::token::{self, CAVEATS, MINT_COMPRESSIONS, VERIFY_COMPRESSIONS};
use crate::{allocations, floor, machine, ours, rust_macaroon};

/// A token as sold has three caveats more, of four compressions each.
const SOLD_MORE: u32 = 3 * 4;
/// What is promised: at most so much of the floor, and so many times the fastest peer.
const MOST_VERIFY: f64 = 1.4;
const MOST_MINT: f64 = 1.3;
const LEAST_FASTER: f64 = 3.0;
/// Batches of each subject in a round.
const BATCHES: usize = 100;

struct Row {
    name: String,
    mint: Option<Took>,
    verify: Option<Took>,
}

/// Measures in `rounds` of ourselves and each peer, so that a busy minute on the machine is nobody's alone.
pub(crate) fn run(rounds: usize, commands: &[&str]) -> Result<(), String> {
    let ring = ours::keyring();
    let preimage = ours::preimage();
    let hash = preimage.payment_hash();
    let token = ours::mint(&ring, &hash);
    let token = token.as_str();
    let bytes = base64::decode(token).map_err(|error| error.to_string())?;
    let verifier = rust_macaroon::verifier();
    let (request, mint_request) = (ours::request(), ours::mint_request());
    let sold = ring.mint(&mint_request).map_err(|error| error.to_string())?;
    let header = authorization_value(sold.as_str(), &preimage);
    let credential = ours::credential(&header);
    let mut buffer = [0; 512];

    let verify = || ours::verify(&ring, black_box(token), &preimage, token::NOW);
    let verify_peer = || rust_macaroon::verify(&verifier, black_box(token), &token::PREIMAGE);
    let mint_peer = || rust_macaroon::mint(black_box(hash.as_bytes()));
    if bytes.len() != 184 || base64::decode(&mint_peer()) != Ok(bytes.clone()) {
        return Err("not the same macaroon".into());
    }
    let mut subjects = [
        Subject::new("one SHA-256 compression", floor::compressions),
        Subject::new("one of 64 in a row", floor::bulk),
        Subject::repeat("mint", || ours::mint(&ring, black_box(&hash))),
        Subject::repeat("verify", || assert!(verify())),
        Subject::repeat("mint, as sold", || ring.mint(black_box(&mint_request))),
        Subject::repeat("verify, as sold", || {
            ours::verify_sold(&ring, black_box(&credential), &request)
        }),
        Subject::repeat("macaroon mint", mint_peer),
        Subject::repeat("macaroon verify", || assert!(verify_peer())),
        Subject::repeat("base64", || {
            base64::decode_to_slice(black_box(token.as_bytes()), &mut buffer)
        }),
        Subject::repeat("parse", || {
            MacaroonRef::parse(black_box(&bytes)).map(|m| m.caveat_count())
        }),
        Subject::repeat("Authorization header, as sold", || ours::credential(black_box(&header))),
    ];
    let task = Task { token, caveats: &CAVEATS };
    let mut peers = Vec::new();
    for command in commands {
        match Peer::start(command, task) {
            Ok(peer) => peers.push(peer),
            Err(error) => eprintln!("SKIPPED a peer: {}", error.trim()),
        }
    }
    for _ in 0..rounds {
        race(&mut subjects, BATCHES);
        for peer in &mut peers {
            peer.run(task)?;
        }
    }

    let best = |name: &str| {
        subjects.iter().find(|subject| subject.name == name).map_or(f64::NAN, Subject::best)
    };
    let took = |name, allocations| Some(Took { ns: best(name), allocations: Some(allocations) });
    let one = best("one SHA-256 compression");
    let floor_of =
        |compressions: u32| Took { ns: one * f64::from(compressions), allocations: None };
    let (mint_floor, verify_floor) = (floor_of(MINT_COMPRESSIONS), floor_of(VERIFY_COMPRESSIONS));

    let zero = allocations::of(verify);
    let mut rows = vec![
        Row {
            name: "plannt-core (Rust)".into(),
            mint: took("mint", allocations::of(|| ours::mint(&ring, &hash))),
            verify: took("verify", zero),
        },
        Row {
            name: format!("macaroon {} (Rust)", rust_macaroon::VERSION),
            mint: took("macaroon mint", allocations::of(mint_peer)),
            verify: took("macaroon verify", allocations::of(verify_peer)),
        },
    ];
    for peer in &peers {
        let name = format!("{} ({})", peer.library, peer.runtime);
        let chain = peer.chain.map(|ns| Row {
            name: "the same, mint without exportBinary".into(),
            mint: Some(Took { ns, allocations: None }),
            verify: None,
        });
        rows.push(Row { name, mint: Some(peer.mint), verify: Some(peer.verify) });
        rows.extend(chain);
    }
    println!("{}\n", machine::describe());
    println!(
        "One SHA-256 compression: {one:.1} ns ({:.1} ns in a row of 64).\n",
        best("one of 64 in a row")
    );
    print_rows(&rows, mint_floor, verify_floor);

    let sold_mint = floor_of(MINT_COMPRESSIONS + SOLD_MORE);
    let sold_verify = floor_of(VERIFY_COMPRESSIONS + SOLD_MORE);
    println!("\n| as sold: six caveats | ns | of the floor | allocations |");
    println!("|---|---:|---:|---:|");
    let count = allocations::of(|| ring.mint(&mint_request));
    print_sold("mint", best("mint, as sold"), sold_mint, count);
    let count = allocations::of(|| ours::verify_sold(&ring, &credential, &request));
    print_sold("verify", best("verify, as sold"), sold_verify, count);

    println!("\n| a part of it | ns |");
    println!("|---|---:|");
    for name in ["base64", "parse", "Authorization header, as sold"] {
        println!("| {name} | {:.0} |", best(name));
    }

    println!("\n| promised | measured | |");
    println!("|---|---:|---|");
    let fastest = |of: fn(&Row) -> Option<Took>| {
        rows[1..].iter().filter_map(of).map(|took| took.ns).fold(f64::INFINITY, f64::min)
    };
    let faster_mint = fastest(|row| row.mint) / best("mint");
    let faster_verify = fastest(|row| row.verify) / best("verify");
    let promises = [
        (format!("verify ≤ {MOST_VERIFY} × floor"), best("verify") / verify_floor.ns, MOST_VERIFY),
        (
            format!("verify as sold ≤ {MOST_VERIFY} × its floor"),
            best("verify, as sold") / sold_verify.ns,
            MOST_VERIFY,
        ),
        (format!("mint ≤ {MOST_MINT} × floor"), best("mint") / mint_floor.ns, MOST_MINT),
        (
            format!("mint as sold ≤ {MOST_MINT} × its floor"),
            best("mint, as sold") / sold_mint.ns,
            MOST_MINT,
        ),
        ("allocations of verify: 0".into(), zero.max(count) as f64, 0.0),
    ];
    for (promise, measured, most) in promises {
        println!("| {promise} | {measured:.2} | {} |", verdict(measured <= most));
    }
    for (what, faster) in [("verify", faster_verify), ("mint", faster_mint)] {
        let kept = verdict(faster >= LEAST_FASTER);
        println!(
            "| {what} ≥ {LEAST_FASTER} × as fast as the fastest peer | {faster:.2} | {kept} |"
        );
    }
    Ok(())
}

pub(crate) fn verdict(kept: bool) -> &'static str {
    if kept { "kept" } else { "**missed**" }
}

fn print_sold(name: &str, ns: f64, floor: Took, allocations: u64) {
    println!("| {name} | {ns:.0} | {:.2} | {allocations} |", ns / floor.ns);
}

fn print_rows(rows: &[Row], mint_floor: Took, verify_floor: Took) {
    println!(
        "| three caveats, 184 bytes | mint, ns | of the floor | allocations | verify, ns | of the floor | allocations |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let cells = |took: Option<Took>, floor: Took| match took {
        None => "– | – | –".to_string(),
        Some(Took { ns, allocations }) => {
            let allocations = allocations.map_or("–".into(), |count| count.to_string());
            format!("{ns:.0} | {:.2} | {allocations}", ns / floor.ns)
        }
    };
    println!(
        "| the floor: {MINT_COMPRESSIONS} and {VERIFY_COMPRESSIONS} compressions | {} | {} |",
        cells(Some(mint_floor), mint_floor),
        cells(Some(verify_floor), verify_floor)
    );
    for row in rows {
        println!(
            "| {} | {} | {} |",
            row.name,
            cells(row.mint, mint_floor),
            cells(row.verify, verify_floor)
        );
    }
}
