//! The HTTP client.

mod builder;
mod client;
mod request;
mod response;

pub use builder::ClientBuilder;
pub use client::Client;
pub use request::{Body, Request, RequestError};
pub use response::{BodyStream, PaymentReport, Response};
