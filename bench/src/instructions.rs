//! How many instructions a verification takes, which no other process on the machine changes.

use std::hint::black_box;
use std::process::Command;

use crate::{ours, token};

/// Does one thing `times` times.
pub(crate) fn repeat(what: &str, times: u64) -> Result<(), String> {
    let ring = ours::keyring();
    let preimage = ours::preimage();
    match what {
        "verify" => {
            let token = ours::mint(&ring, &preimage.payment_hash());
            for _ in 0..times {
                assert!(ours::verify(&ring, black_box(token.as_str()), &preimage, token::NOW));
            }
        }
        "verify-sold" => {
            let sold = ring.mint(&ours::mint_request()).map_err(|error| error.to_string())?;
            let header = plannt_core::authorization_value(sold.as_str(), &preimage);
            let (credential, request) = (ours::credential(&header), ours::request());
            for _ in 0..times {
                black_box(ours::verify_sold(&ring, black_box(&credential), &request));
            }
        }
        _ => return Err(format!("nothing called {what}")),
    }
    Ok(())
}

/// Counts under callgrind, and prints a table; `SKIPPED` where there is none.
pub(crate) fn run() -> Result<(), String> {
    let valgrind = crate::machine::first_line("valgrind", "--version");
    if valgrind.is_empty() {
        println!("SKIPPED callgrind: valgrind is not on PATH");
        return Ok(());
    }
    println!("| instructions, by callgrind ({valgrind}) | all | without SHA-256 |");
    println!("|---|---:|---:|");
    for (what, name) in [("verify", "verify, three caveats"), ("verify-sold", "verify, as sold")] {
        // What the process does besides is the same in both runs.
        let (few, many) = (count(what, 100)?, count(what, 1_100)?);
        let each = |few: u64, many: u64| (many - few) as f64 / 1_000.0;
        println!("| {name} | {:.0} | {:.0} |", each(few.0, many.0), each(few.1, many.1));
    }
    Ok(())
}

/// All instructions of a run, and those outside the compression function: valgrind's processor has
/// no SHA instructions, so that the portable code stands in for them.
fn count(what: &str, times: u64) -> Result<(u64, u64), String> {
    let text = |error: std::io::Error| error.to_string();
    let out = std::env::temp_dir().join(format!("plannt-callgrind-{}", std::process::id()));
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().map_err(text)?)
        .args(["loop", what, &times.to_string()])
        .output()
        .map_err(text)?;
    if !ran.status.success() {
        return Err(format!("valgrind: {}", String::from_utf8_lossy(&ran.stderr)));
    }
    let profile = std::fs::read_to_string(&out).map_err(text)?;
    std::fs::remove_file(&out).map_err(text)?;
    Ok(tally(&profile))
}

/// Adds up the self costs of a profile: lines `<position> <cost>`, apart from the line after each
/// `calls=`, which is the callee's cost once more.
fn tally(profile: &str) -> (u64, u64) {
    let (mut all, mut outside) = (0, 0);
    let (mut in_sha, mut callee) = (false, false);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            in_sha = name.contains("sha2") || name.contains("sha256");
        } else if line.starts_with("calls=") {
            callee = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit()) {
            let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or(0);
            if !std::mem::take(&mut callee) {
                all += cost;
                outside += if in_sha { 0 } else { cost };
            }
        }
    }
    (all, outside)
}
