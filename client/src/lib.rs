//! Pays for HTTP requests with Lightning.
//!
//! [`Client`] sends a request, and where the server asks for payment (a 402 with an L402 challenge) it checks the
//! price, pays the invoice, and repeats the request with the credential. It never pays twice for one call, not even
//! when it is killed halfway: every payment is written to a [`Journal`] before the wallet is asked to pay, and the
//! next call with the same request picks up what the last one left.
//!
//! ```no_run
//! # async fn example(payer: std::sync::Arc<dyn plannt_lightning::Payer>) -> Result<(), plannt_client::ClientError> {
//! use plannt_client::{Client, Request};
//! use plannt_core::Network;
//!
//! let client = Client::builder(payer, Network::Regtest)
//!     .journal_path("/home/me/.plannt/journal.db")
//!     .max_payment_msat(100_000)
//!     .build()?;
//! let response = client.send(Request::get("http://127.0.0.1:8402/v1/demo")?).await?;
//! println!("{} {:?}", response.status, response.payment);
//! # Ok(())
//! # }
//! ```
//!
//! Other HTTP stacks use the same parts: [`Driver`] runs the core's flow over anything that is an [`Exchange`], and
//! [`Call`] asks for HTTP and wallet step by step, for a driver that is not written in async Rust. Both work without
//! the feature `http`, and share a [`Session`], which does the flow's journal steps.
#![forbid(unsafe_code)]

mod call;
mod clock;
mod driver;
mod error;
#[cfg(feature = "http")]
mod http;
pub mod journal;
mod no_wallet;
mod recovery;
mod session;

pub use call::{Call, CallStep};
pub use clock::{Clock, SystemClock};
pub use driver::{Driven, Driver, DriverOptions, Exchange, Observer, Progress, Quoted};
pub use error::{ClientError, TransportError};
#[cfg(feature = "http")]
pub use http::{
    Body, BodyStream, Client, ClientBuilder, PaymentReport, Request, RequestError, Response,
};
pub use journal::{BudgetStatus, Journal, JournalError, KeyLock};
pub use no_wallet::NoWallet;
pub use plannt_core::flow::{
    Authorization, BodyFacts, Budget, BudgetRule, CredentialState, CredentialUse, FeeLimit, Hosts,
    IntentState, Origin, Outcome, Pending, Policy, Quote, Receipt, Refusal, RequestFacts,
    ResponseFacts,
};
pub use recovery::{Recovered, RecoveredState, Unfinished};
pub use session::Session;
