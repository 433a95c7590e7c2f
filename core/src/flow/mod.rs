//! The paying client's flow as a state machine without I/O (docs/PROTOCOL.md §5).
//!
//! A [`Flow`] says what to do next, the driver does it and reports what came of it. It is plain data in and out, so
//! that every language drives the same one with its own HTTP client and its own wallet.
//!
//! ```text
//!            ┌────────────── Release ◄── failed ──┐
//!            ▼                                    │
//!  ──► LoadCredential ── unresolved ──► LookUpPayment ── not resolved ──► Hold ──► Refused
//!            │  ▲                            │ paid
//!    nothing │  │ exclusive                  ▼
//!            ▼  │                         Commit ──► SendRequest with the credential ◄── undelivered, delivered
//!       SendRequest ── 402 ──► checks                       │        ▲
//!            │ other             │ refused                  │        │
//!            ▼                   ▼                          ▼        │
//!          Done               Refused               StoreCredential  │
//!                                                           │        │
//!   checks ── passed ──► LoadCredential (exclusive)         ▼        │
//!                           │ nothing                     Done       │
//!                           ▼                                        │
//!                      JournalIntent ──► Pay ── paid ──► Commit ─────┘
//! ```
//!
//! What holds, whatever the driver reports: at most one payment a flow; a payment of unknown outcome keeps its
//! reservation; nothing is stored as paid before its preimage hashes right; no limit is passed.

mod budget;
mod exchange;
mod machine;
mod policy;
mod quote;
mod receipt;
mod refusal;
mod request;
mod resolve;
mod step;
mod token;

pub use budget::{Budget, BudgetRule};
pub use machine::Flow;
pub use policy::{FeeLimit, Hosts, MAX_TOKEN_TEXT_BYTES, MIN_INVOICE_SECONDS, Policy};
pub use quote::{Pending, Quote};
pub use receipt::{
    CredentialState, Intent, IntentState, Receipt, StoredCredential, StoredToken, UnknownStateError,
};
pub use refusal::Refusal;
pub use request::{BodyFacts, Origin, OriginError, RequestFacts, RequestKey};
pub use resolve::{Resolution, resolve};
pub use step::{
    Authorization, CredentialUse, Event, Found, Loaded, LookUp, Outcome, PaymentResult,
    Reservation, ResponseFacts, Step, UnexpectedEventError,
};
pub use token::{token_fits, token_valid_until};
