//! A reverse proxy that sells each request over Lightning, and the demo service.
//!
//! [`GatewayConfig`] says what is sold; [`Gateway::bind`] opens the listener, the keyring and the
//! spend store; [`BoundGateway::serve`] answers until told to stop. What is paid for, challenged
//! and spent is decided by `plannt-gate`; this crate is the HTTP around it: it takes only
//! requests that every other HTTP implementation would read the same way, forwards exactly what
//! was priced, and says when an upstream was certainly not reached (docs/PROTOCOL.md §3).
//!
//! HTTP/1.1 and HTTP/2 by prior knowledge are spoken on one plain listener.
#![forbid(unsafe_code)]

mod authority;
mod body;
mod config;
mod connection;
mod cors;
mod demo;
mod error;
mod front;
mod gating;
mod generate;
mod hygiene;
mod problem;
mod routes;
mod server;
mod upstream;
mod wire;

pub use config::{Cors, GatewayConfig, Limits, Timeouts};
pub use error::GatewayError;
pub use server::{BoundGateway, Gateway};
