//! L402 access control as a library: price → challenge → verify → spend.
//!
//! A [`Gate`] decides about one request; a [`GateLayer`] puts it before a tower service, and
//! [`Gate::enter`] before any other server. Uses are
//! counted in a [`SpendStore`], durably and before a byte of the request goes on
//! (docs/PROTOCOL.md §3 and §4). [`KeyringStore`] opens the keyring of a data folder together with
//! the store that belongs to it.
//!
//! ```no_run
//! use std::error::Error;
//! use std::sync::Arc;
//!
//! use http::request::Parts;
//! use plannt_core::Network;
//! use plannt_gate::{
//!     Clock, Gate, GateLayer, GateService, KeyringStore, Pricing, SystemClock, Terms,
//! };
//! use plannt_lightning::Invoicer;
//! use tower::Layer;
//!
//! fn sell<S>(inner: S, node: Arc<dyn Invoicer>) -> Result<GateService<S>, Box<dyn Error>> {
//!     let (folder, now) = ("/var/lib/reports".as_ref(), SystemClock.now());
//!     let opened = KeyringStore::open_or_create(folder, Network::Bitcoin, now)?;
//!     let gate = Gate::builder(opened.keyring.keyring(), node, opened.store).build()?;
//!     let report = Arc::new(Terms::new("reports", 21_000.try_into()?));
//!     let prices = move |request: &Parts| match request.uri.path() {
//!         "/status" => Pricing::Free,
//!         "/v1/report" => Pricing::Paid(report.clone()),
//!         _ => Pricing::NotFound,
//!     };
//!     Ok(GateLayer::new(gate, prices).layer(inner))
//! }
//! ```
#![forbid(unsafe_code)]

mod answer;
mod authority;
mod body;
mod clock;
#[cfg(feature = "contract-tests")]
pub mod contract;
#[cfg(feature = "sqlite")]
mod data_dir;
mod entry;
mod files;
mod gate;
mod headers;
mod id;
mod issue;
mod keyring_file;
mod layer;
mod limiter;
mod maker;
mod pool;
mod presented;
mod recent;
mod settlement;
mod spending;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod terms;

pub use answer::error_response;
pub use authority::authority;
pub use body::GateBody;
pub use clock::{Clock, SystemClock};
#[cfg(feature = "sqlite")]
pub use data_dir::KeyringStore;
pub use entry::{Entry, Passage};
pub use gate::{
    Admission, ClientAddr, Gate, GateBuilder, GateConfigError, IssuedChallenge, RequestFacts,
};
pub use id::{AttemptId, PairId, PairIdError};
pub use keyring_file::{KeyringError, KeyringFile};
pub use layer::{GateLayer, GateService, NotReached};
pub use pool::{PoolOptions, PoolStatus};
pub use spending::Grant;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store::{SpendOutcome, SpendStore, StoreError, StoreOpenError};
pub use terms::{Pricer, Pricing, Terms};
