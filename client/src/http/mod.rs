//! The HTTP client.

mod builder;
mod client;
mod exchange;
mod outgoing;
mod redirect;
mod request;
mod resolver;
mod response;
mod stacks;
mod tls;

pub use builder::ClientBuilder;
pub use client::Client;
pub use request::{Body, Request, RequestError};
pub use response::{BodyStream, PaymentReport, Response};
