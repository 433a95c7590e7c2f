//! The core beside other macaroon libraries, on one L402 macaroon, in one run (../README.md).
//!
//! `compare` and `bindings` measure and print the tables, `timing` tests that verifying tells nothing by its
//! time, `loop` does one thing again and again for a profiler.
#![forbid(unused_must_use)]

mod allocations;
mod bindings;
mod compare;
mod floor;
mod instructions;
mod machine;
mod measure;
mod ours;
mod peers;
mod rust_macaroon;
mod timing;
mod token;

use std::process::ExitCode;

const USAGE: &str = "usage: plannt-bench compare [--rounds N] COMMAND…
       plannt-bench bindings [--rounds N] PYTHON PYMACAROONS NODE JS
       plannt-bench instructions
       plannt-bench timing [--samples N]
       plannt-bench loop verify|verify-sold N";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["compare", "--rounds", rounds, ref peers @ ..] => {
            rounds.parse().map(|rounds| compare::run(rounds, peers)).map_err(|_| USAGE.into())
        }
        ["compare", ref peers @ ..] => Ok(compare::run(6, peers)),
        ["bindings", "--rounds", rounds, python, pymacaroons, node, js] => rounds
            .parse()
            .map(|rounds| bindings::run(rounds, [(python, pymacaroons), (node, js)]))
            .map_err(|_| USAGE.into()),
        ["instructions"] => Ok(instructions::run()),
        ["timing", "--samples", samples] => {
            samples.parse().map(timing::run).map_err(|_| USAGE.into())
        }
        ["timing"] => Ok(timing::run(1_000_000)),
        ["loop", what, times] => {
            times.parse().map(|times| instructions::repeat(what, times)).map_err(|_| USAGE.into())
        }
        _ => Err(USAGE.to_string()),
    };
    match done.and_then(|result| result) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
