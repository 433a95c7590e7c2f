//! The native part of Node's package `plannt` (docs/BINDINGS.md). What it offers is for `lib/`, which is documented, typed, and
//! checks what it passes on: simple values, and JSON for plain data.
#![allow(unreachable_pub, reason = "napi exports what is `pub`, from wherever it is")]
#![allow(missing_docs, reason = "the package's own documentation is in lib/")]
#![cfg_attr(
    test,
    allow(
        dead_code,
        unused,
        reason = "napi exports nothing in a test build, which clippy makes all the same"
    )
)]

mod credential;
#[cfg(debug_assertions)]
mod defect;
mod error;
mod flow;
mod gate;
mod macaroon;
mod paying;
mod plain;
mod wire;
