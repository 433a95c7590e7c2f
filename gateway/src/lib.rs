//! A reverse proxy that sells each request over Lightning, and the demo service.
//!
//! [`GatewayConfig`] says what is sold; [`Gateway::bind`] opens the listener, the keyring and the
//! spend store; [`BoundGateway::serve`] answers until told to stop. What is paid for, challenged
//! and spent is decided by `plannt-gate`; this crate is the HTTP around it: it takes only
//! requests that every other HTTP implementation would read the same way, forwards exactly what
//! was priced, and says when an upstream was certainly not reached (docs/PROTOCOL.md §3).
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use plannt_core::Network;
//! use plannt_gateway::{Gateway, GatewayConfig};
//!
//! let node = plannt_lightning::invoicer_from_url("lnd://127.0.0.1:8080?cert=tls.cert&macaroon=invoices.macaroon")?;
//! let config = GatewayConfig::upstream(node, Network::Bitcoin, "data", "http://127.0.0.1:3000", 5_000)?
//!     .free_paths(["/health", "/public/*"])?;
//! let gateway = Gateway::bind(config).await?;
//! println!("selling at http://{}", gateway.local_addr());
//! gateway.serve(std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! `GET /.well-known/l402.json` is the gateway's own and free: it tells what is sold, for how much, and what a credential
//! binds (docs/DISCOVERY.md).
//!
//! HTTP/1.1 and HTTP/2 by prior knowledge are spoken on one plain listener.
#![forbid(unsafe_code)]

mod authority;
mod body;
mod config;
mod connection;
mod cors;
mod demo;
mod discovery;
mod error;
mod front;
mod gating;
mod generate;
mod hygiene;
mod prices;
mod problem;
mod routes;
mod server;
mod upstream;
mod wire;

pub use config::{Cors, GatewayConfig, Limits, Timeouts};
pub use error::GatewayError;
pub use server::{BoundGateway, Gateway};
