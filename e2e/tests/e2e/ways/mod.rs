//! The ways to a node: each backend of `lightning`, with what has to run between it and lnd.

mod lnbits;
mod nwc;

use std::any::Any;

use plannt_e2e::Lnd;

pub(crate) use lnbits::lnbits;
pub(crate) use nwc::nwc;

/// A URL by which `plannt` reaches a node.
pub(crate) struct Way {
    pub(crate) url: String,
    /// What the URL leads through, for as long as this is kept.
    _through: Box<dyn Any + Send + Sync>,
}

/// lnd's REST interface.
pub(crate) async fn lnd(node: &Lnd) -> Way {
    Way { url: node.url(), _through: Box::new(()) }
}

/// lnd's gRPC interface.
pub(crate) async fn lnd_grpc(node: &Lnd) -> Way {
    Way { url: node.grpc_url(), _through: Box::new(()) }
}
