//! Issue and pay Lightning invoices.
//!
//! Two narrow traits: an [`Invoicer`] issues invoices and says whether they were paid, a [`Payer`]
//! pays them. Each backend is a module behind a Cargo feature; [`invoicer_from_url`] and
//! [`payer_from_url`] choose one by the URL's scheme.
//!
//! | scheme | node | feature |
//! |---|---|---|
//! | `cln://` | Core Lightning's clnrest ([`cln`]) | `cln` (default) |
//! | `devnet:///folder` | the devnet that runs on that folder ([`devnet`]) | `devnet` |
//! | `lnbits://` | LNbits ([`lnbits`]) | `lnbits` (default) |
//! | `lnd://` | lnd's REST interface ([`lnd`]) | `lnd` (default) |
//! | `lnd+grpc://` | lnd's gRPC interface ([`lnd`]) | `lnd-grpc` |
//! | `name@host`, `lnurl:` | a Lightning address, for issuing ([`lnurl`]) | `lnurl` (default) |
//! | `nostr+walletconnect://` | any wallet of NIP-47 ([`nwc`]) | `nwc` |
//! | `phoenixd://` | phoenixd ([`phoenixd`]) | `phoenixd` (default) |
//!
//! The feature `devnet` adds [`devnet`], a Lightning network in one process for demos and tests,
//! which the `lnd` backend uses like any other node. The feature `contract-tests` adds
//! [`contract`], the tests that every backend has to pass.
//!
//! All amounts are in thousandths of a satoshi, and every such name says `msat`.
#![forbid(unsafe_code)]

#[cfg(feature = "cln")]
pub mod cln;
#[cfg(feature = "contract-tests")]
pub mod contract;
#[cfg(feature = "devnet")]
pub mod devnet;
#[cfg(feature = "lnbits")]
pub mod lnbits;
#[cfg(feature = "lnd")]
pub mod lnd;
#[cfg(feature = "lnurl")]
pub mod lnurl;
#[cfg(feature = "nwc")]
pub mod nwc;
#[cfg(feature = "phoenixd")]
pub mod phoenixd;

mod advice;
mod backend_url;
mod error;
#[cfg(feature = "_http")]
mod http;
mod invoicer;
mod payer;
#[cfg(feature = "_http")]
mod record;
#[cfg(feature = "_tls")]
mod settings;
#[cfg(feature = "_tls")]
mod tls;

pub use advice::advice;
pub use backend_url::{invoicer_from_url, payer_from_url};
pub use error::{LightningError, PayFailure};
#[cfg(feature = "_http")]
pub use http::ServiceConfig;
pub use invoicer::{InvoiceRequest, InvoiceState, Invoicer};
pub use payer::{PayOutcome, PayRequest, Payer, Payment, PaymentState};
