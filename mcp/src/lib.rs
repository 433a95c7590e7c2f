//! A Model Context Protocol server that discovers, pays and verifies in one tool call.
//!
//! [`PlanntMcp`] offers six tools (`fetch`, `quote`, `discover`, `budget`, `receipts`, `wallet_status`) over stdio or
//! streamable HTTP, on the official Rust SDK. What may be spent, and where, is set in [`McpConfig`] by the person who
//! starts it: an agent can ask for less, never for more, and nothing that a server answers changes it. Payments are
//! `plannt-client`'s: journaled, budgeted, and never made twice. docs/MCP.md is the guide.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use plannt_client::Hosts;
//! use plannt_core::Network;
//! use plannt_mcp::{McpConfig, PlanntMcp};
//!
//! let wallet = plannt_lightning::payer_from_url("lnd://127.0.0.1:8080?cert=tls.cert&macaroon=pay.macaroon")?;
//! let mut config = McpConfig::new(Some(wallet), Network::Bitcoin, "/home/me/.local/share/plannt/client/journal.db");
//! config.max_payment_msat = 100_000;
//! config.session_limit_msat = Some(1_000_000);
//! config.allowed_hosts = Hosts::listed(["api.example"]);
//! PlanntMcp::new(config)?.serve_stdio().await?;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod answer;
mod arguments;
mod ask;
mod config;
mod discover;
mod error;
mod failure;
mod fetch;
mod handler;
mod http;
mod info;
mod progress;
mod quote;
mod redact;
mod responses;
mod text;
mod tools;

pub use config::{McpConfig, SizeLimits};
pub use error::McpError;
pub use handler::PlanntMcp;
pub use http::{BearerToken, BoundHttp, HttpConfig};
