//! Runs the core's flow over a journal, a wallet and any HTTP stack.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plannt_core::PaymentHash;
use plannt_core::flow::{
    Authorization, Budget, Outcome, Policy, Quote, RequestFacts, ResponseFacts,
};
use plannt_lightning::Payer;

use crate::{ClientError, Clock, Journal, TransportError};

/// One request, on an HTTP stack of the caller's. It keeps the last response for the end of the call.
#[async_trait]
pub trait Exchange: Send {
    /// Sends the request, with `authorization` as the first `Authorization` line if there is one, following no
    /// redirect with it, and returns the response's head. An earlier response may be dropped.
    ///
    /// # Errors
    /// [`TransportError`] when no response came.
    async fn send(
        &mut self,
        authorization: Option<&Authorization>,
    ) -> Result<ResponseFacts, TransportError>;

    /// Reads the last response's body, keeping it so that the caller still gets all of it. None where it is longer
    /// than `max_bytes` or breaks off.
    async fn read_body(&mut self, max_bytes: usize) -> Option<Vec<u8>>;
}

/// What a [`Driver`] needs besides its journal and wallet.
#[derive(Clone)]
pub struct DriverOptions {
    /// What a call may do.
    pub policy: Policy,
    /// Rules besides those that the journal keeps for all of the user's processes.
    pub budget: Budget,
    /// How long the wallet may try to pay.
    pub payment_timeout: Duration,
    /// How long to wait for another call with the same request key.
    pub lock_wait: Duration,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// Runs calls.
#[derive(Clone)]
pub struct Driver {
    journal: Arc<Journal>,
    payer: Arc<dyn Payer>,
    options: DriverOptions,
}

/// A call that ended in a response, which the [`Exchange`] holds.
#[derive(Clone, Debug)]
pub struct Driven {
    /// The credential that it carried, and the receipt.
    pub outcome: Outcome,
    /// How long the payment took, where this call paid.
    pub payment_took: Option<Duration>,
}

/// The result of a dry run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Quoted<R> {
    /// The server asks for payment.
    Charged(Box<Quote>),
    /// It does not, or not in a way that can be acted on: this is its answer.
    Free(R),
}

/// A payment that was left unfinished, after the wallet was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The payment.
    pub payment_hash: PaymentHash,
    /// What became of it.
    pub state: RecoveredState,
}

/// What became of an unfinished payment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecoveredState {
    /// Another call is working on it.
    Busy,
    /// Certainly not paid; its reservation is free again.
    Failed,
    /// Paid: the next call with the same request presents the credential.
    Paid,
    /// Not known yet; it keeps its reservation. With the wallet's words, if any.
    Unresolved(Option<String>),
}

impl Driver {
    /// Puts a driver together.
    pub fn new(journal: Arc<Journal>, payer: Arc<dyn Payer>, options: DriverOptions) -> Self {
        Self { journal, payer, options }
    }

    /// Runs one call to its end.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn call(
        &self,
        request: RequestFacts,
        exchange: &mut dyn Exchange,
    ) -> Result<Driven, ClientError> {
        let _ = (request, exchange, &self.journal, &self.payer, &self.options);
        todo!()
    }

    /// Asks what a call would cost. Pays nothing, presents nothing, writes nothing.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn quote(
        &self,
        request: RequestFacts,
        exchange: &mut dyn Exchange,
    ) -> Result<Quoted<()>, ClientError> {
        let _ = (request, exchange);
        todo!()
    }

    /// Asks the wallet about every payment that was left unfinished.
    ///
    /// # Errors
    /// [`JournalError`](crate::JournalError); what the wallet can't tell is in the list.
    pub async fn recover(&self) -> Result<Vec<Recovered>, ClientError> {
        todo!()
    }
}
