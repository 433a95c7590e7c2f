//! The client itself.

use std::sync::Arc;

use plannt_core::Network;
use plannt_core::flow::Receipt;
use plannt_lightning::Payer;

use super::{ClientBuilder, Request, Response};
use crate::{BudgetStatus, ClientError, Journal, Quoted, Recovered};

/// An HTTP client that pays. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Client {}

#[allow(unused_variables)]
impl Client {
    /// Begins a client that pays with `payer`, whose network is `network`.
    pub fn builder(payer: Arc<dyn Payer>, network: Network) -> ClientBuilder {
        ClientBuilder::new(payer, network)
    }

    pub(super) fn from_builder(builder: ClientBuilder) -> Result<Self, ClientError> {
        todo!()
    }

    /// Sends a request and pays for it where the server asks and the policy allows.
    ///
    /// A request with an own L402 credential in `Authorization` is sent as it is, and never paid for.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(&self, request: Request) -> Result<Response, ClientError> {
        todo!()
    }

    /// Asks what a request would cost: sends it once without a credential, and pays nothing.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn quote(&self, request: Request) -> Result<Quoted<Response>, ClientError> {
        todo!()
    }

    /// Asks the wallet about payments that earlier calls left unfinished.
    ///
    /// # Errors
    /// [`ClientError::Journal`].
    pub async fn recover(&self) -> Result<Vec<Recovered>, ClientError> {
        todo!()
    }

    /// The newest receipts first, at most `limit`.
    ///
    /// # Errors
    /// [`ClientError::Journal`].
    pub async fn receipts(&self, limit: usize) -> Result<Vec<Receipt>, ClientError> {
        todo!()
    }

    /// How much of each budget rule is used on this client's network.
    ///
    /// # Errors
    /// [`ClientError::Journal`].
    pub async fn budget(&self) -> Result<Vec<BudgetStatus>, ClientError> {
        todo!()
    }

    /// The journal.
    pub fn journal(&self) -> &Arc<Journal> {
        todo!()
    }
}
