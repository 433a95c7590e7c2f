//! L402 access control as a library: price → challenge → verify → spend.
//!
//! A [`Gate`] decides about one request; a [`GateLayer`] puts it before a tower service. Uses are
//! counted in a [`SpendStore`], durably and before a byte of the request goes on
//! (docs/PROTOCOL.md §3 and §4). [`KeyringStore`] opens the keyring of a data folder together with
//! the store that belongs to it.
#![forbid(unsafe_code)]

mod answer;
mod body;
mod clock;
#[cfg(feature = "contract-tests")]
pub mod contract;
#[cfg(feature = "sqlite")]
mod data_dir;
mod files;
mod gate;
mod headers;
mod id;
mod issue;
mod keyring_file;
mod layer;
mod limiter;
mod presented;
mod spending;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod terms;

pub use answer::error_response;
pub use body::GateBody;
pub use clock::{Clock, SystemClock};
#[cfg(feature = "sqlite")]
pub use data_dir::KeyringStore;
pub use gate::{
    Admission, ClientAddr, Gate, GateBuilder, GateConfigError, IssuedChallenge, RequestFacts,
};
pub use id::{AttemptId, PairId, PairIdError};
pub use keyring_file::{KeyringError, KeyringFile};
pub use layer::{GateLayer, GateService, NotReached};
pub use spending::Grant;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store::{SpendOutcome, SpendStore, StoreError, StoreOpenError};
pub use terms::{Pricer, Pricing, Terms};
