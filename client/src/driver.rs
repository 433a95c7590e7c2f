//! Runs the core's flow over a journal, a wallet and any HTTP stack.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plannt_core::PaymentHash;
use plannt_core::flow::{
    Authorization, Budget, Intent, Outcome, Policy, Quote, RequestFacts, ResponseFacts,
};
use plannt_lightning::{LightningError, PayOutcome, PayRequest, Payer, PaymentState};

use crate::{
    Call, CallStep, ClientError, Clock, Journal, JournalError, Recovered, RecoveredState,
    TransportError, Unfinished,
};

/// How long a wallet may take beyond the time that it was told, and for a look-up.
const WALLET_GRACE: Duration = Duration::from_secs(30);

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

/// What a call is about to do, or has just done, for whoever watches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// An earlier payment of unknown outcome is looked up.
    LookingUp {
        /// Its payment hash.
        payment_hash: PaymentHash,
    },
    /// The wallet has paid.
    Paid {
        /// The invoice's amount, msat.
        amount_msat: u64,
    },
    /// The wallet is asked to pay.
    Paying {
        /// The invoice's amount, msat.
        amount_msat: u64,
        /// The most that it may cost beyond that, msat.
        max_fee_msat: u64,
    },
    /// The request is sent.
    Requesting {
        /// Whether it carries a credential.
        with_credential: bool,
    },
}

/// Watches a call. It is called between two steps, so it must not block.
pub type Observer = Arc<dyn Fn(Progress) + Send + Sync>;

/// Runs calls.
#[derive(Clone)]
pub struct Driver {
    journal: Arc<Journal>,
    payer: Arc<dyn Payer>,
    options: DriverOptions,
    observer: Option<Observer>,
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

impl Driver {
    /// Puts a driver together.
    pub fn new(journal: Arc<Journal>, payer: Arc<dyn Payer>, options: DriverOptions) -> Self {
        Self { journal, payer, options, observer: None }
    }

    /// The same driver, with another limit for a call, msat, fee included.
    #[must_use]
    pub fn with_max_payment_msat(mut self, limit_msat: u64) -> Self {
        self.options.policy.max_payment_msat = limit_msat;
        self
    }

    /// The same driver, whose calls tell `observer` how far they are.
    #[must_use]
    pub fn with_observer(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
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
        let call =
            Call::new(self.journal.clone(), self.payer.wallet_id(), self.options.clone(), request);
        match self.run(call, exchange).await? {
            End::Done(driven) => Ok(*driven),
            End::Quoted(_) => unreachable!("only a dry run ends in a quote"),
        }
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
        let call = Call::dry_run(
            self.journal.clone(),
            self.payer.wallet_id(),
            self.options.clone(),
            request,
        );
        Ok(match self.run(call, exchange).await? {
            End::Done(_) => Quoted::Free(()),
            End::Quoted(quote) => Quoted::Charged(quote),
        })
    }

    /// Asks the wallet about every payment that was left unfinished.
    ///
    /// # Errors
    /// [`JournalError`](crate::JournalError); what the wallet can't tell is in the list.
    pub async fn recover(&self) -> Result<Vec<Recovered>, ClientError> {
        let wallet = self.payer.wallet_id();
        let unresolved = self.on_journal(move |journal| journal.unresolved(&wallet)).await?;
        let mut recovered = Vec::with_capacity(unresolved.len());
        for intent in unresolved {
            recovered.push(Recovered {
                payment_hash: intent.payment_hash,
                state: self.recover_one(intent).await?,
            });
        }
        Ok(recovered)
    }

    async fn recover_one(&self, intent: Intent) -> Result<RecoveredState, ClientError> {
        let journal = self.journal.clone();
        let begun = blocking(move || Unfinished::begin(journal, intent)).await?;
        let Some(unfinished) = begun else { return Ok(RecoveredState::Busy) };
        let answer = self.look_up(unfinished.payment_hash()).await;
        let now = self.options.clock.now();
        Ok(blocking(move || unfinished.resolve(answer, now)).await?)
    }

    /// Journal work blocks on the disk, so it runs beside the async threads.
    async fn on_journal<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let journal = self.journal.clone();
        blocking(move || work(&journal)).await
    }

    async fn run(&self, mut call: Call, exchange: &mut dyn Exchange) -> Result<End, ClientError> {
        loop {
            // Journal work blocks on the disk. The call goes along: if this future is dropped, its lock is held until
            // the write is done.
            let (back, step) = blocking(move || {
                let step = call.advance();
                (call, step)
            })
            .await;
            call = back;
            let answered = match step? {
                CallStep::Done(driven) => return Ok(End::Done(driven)),
                CallStep::LookUpPayment { payment_hash } => {
                    self.tell(Progress::LookingUp { payment_hash });
                    call.looked_up(self.look_up(&payment_hash).await)
                }
                CallStep::Pay(request) => {
                    let (amount_msat, max_fee_msat) = (request.amount_msat, request.max_fee_msat);
                    self.tell(Progress::Paying { amount_msat, max_fee_msat });
                    let outcome = self.pay(&request).await;
                    if matches!(outcome, PayOutcome::Paid(_)) {
                        self.tell(Progress::Paid { amount_msat });
                    }
                    call.paid(outcome)
                }
                CallStep::Quoted(quote) => return Ok(End::Quoted(quote)),
                CallStep::ReadBody { max_bytes } => {
                    call.body_read(exchange.read_body(max_bytes).await)
                }
                CallStep::SendRequest { authorization } => {
                    self.tell(Progress::Requesting { with_credential: authorization.is_some() });
                    match exchange.send(authorization.as_ref()).await {
                        Ok(facts) => call.responded(facts),
                        Err(error) => call.send_failed(error),
                    }
                }
                CallStep::Wait(pause) => {
                    tokio::time::sleep(pause).await;
                    Ok(())
                }
            };
            answered.expect("each step is answered with its own event");
        }
    }

    fn tell(&self, progress: Progress) {
        if let Some(observer) = &self.observer {
            observer(progress);
        }
    }

    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        let limit = request.timeout.saturating_add(WALLET_GRACE);
        tokio::time::timeout(limit, self.payer.pay(request))
            .await
            .unwrap_or(PayOutcome::Unknown(LightningError::TimeoutUnknown))
    }

    async fn look_up(&self, payment_hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        tokio::time::timeout(WALLET_GRACE, self.payer.look_up_payment(payment_hash))
            .await
            .unwrap_or(Err(LightningError::TimeoutUnknown))
    }
}

/// How a call ended without an error.
enum End {
    Done(Box<Driven>),
    Quoted(Box<Quote>),
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is shutting down cancels it, and then nobody polls this again.
            Err(_) => std::future::pending().await,
        },
    }
}
