//! The native part of Node's package `plannt` (docs/BINDINGS.md). What it offers is for `lib/`, which is documented, typed, and
//! checks what it passes on: simple values, and JSON for plain data.
#![allow(unreachable_pub, reason = "napi exports what is `pub`, from wherever it is")]
#![allow(missing_docs, reason = "the package's own documentation is in lib/")]

mod credential;
mod error;
mod flow;
mod gate;
mod macaroon;
mod paying;
mod plain;
mod wire;
