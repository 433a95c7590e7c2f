//! What is fuzzed: one module a target, each with a `run` that takes any bytes and panics where
//! something that must hold does not.
//!
//! The functions know nothing of a fuzzer, so that an ordinary test runs them over the seeds, and
//! a finding's bytes can be stepped through in a debugger. See README.md.
#![deny(unsafe_code)]
#![allow(clippy::unwrap_used)]

pub mod authorization;
pub mod base64;
pub mod caveats;
pub mod challenge_body;
pub mod challenge_header;
pub mod client_flow;
pub mod decode_any;
pub mod grpc;
pub mod http1;
pub mod identifier;
pub mod invoice;
pub mod lifecycle;
pub mod macaroon;
pub mod path;
pub mod peer;
mod problem;
#[doc(hidden)]
pub mod seeds;
mod support;

/// A target's function.
pub type Run = fn(&[u8]);

/// Every target by its name, which is that of its binary and of its seeds' folder.
pub const TARGETS: [(&str, Run); 15] = [
    ("authorization", authorization::run),
    ("base64", base64::run),
    ("caveats", caveats::run),
    ("challenge_body", challenge_body::run),
    ("challenge_header", challenge_header::run),
    ("client_flow", client_flow::run),
    ("decode_any", decode_any::run),
    ("grpc", grpc::run),
    ("http1", http1::run),
    ("identifier", identifier::run),
    ("invoice", invoice::run),
    ("lifecycle", lifecycle::run),
    ("macaroon", macaroon::run),
    ("path", path::run),
    ("peer", peer::run),
];
