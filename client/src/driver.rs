//! Runs the core's flow over a journal, a wallet and any HTTP stack.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use plannt_core::flow::{
    Authorization, Budget, CredentialUse, Event, Flow, Intent, IntentState, LookUp, Outcome,
    PaymentResult, Policy, Quote, Refusal, RequestFacts, Resolution, ResponseFacts, Step, resolve,
};
use plannt_core::{PaymentHash, read_invoice};
use plannt_lightning::{PayOutcome, PayRequest, Payer, PaymentState};

use crate::{ClientError, Clock, Journal, JournalError, Session, TransportError};

/// How long a wallet may take beyond the time that it was told, and for a look-up.
const WALLET_GRACE: Duration = Duration::from_secs(30);

/// How long between two looks at another call's lock.
const LOCK_POLL: Duration = Duration::from_millis(25);

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
        let flow = Flow::new(self.options.policy.clone(), request, self.payer.wallet_id());
        match self.run(flow, exchange).await? {
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
        let flow = Flow::dry_run(self.options.policy.clone(), request, self.payer.wallet_id());
        Ok(match self.run(flow, exchange).await? {
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
        let key = intent.request.clone();
        let Some(lock) = self.on_journal(move |journal| journal.try_lock(&key)).await? else {
            return Ok(RecoveredState::Busy);
        };
        let mut words = None;
        let answer = self.look_up(&intent.payment_hash, &mut words).await;
        let hash = intent.payment_hash;
        let now = self.options.clock.now();
        let state = self
            .on_journal(move |journal| {
                // Held until the change is written.
                let _lock = lock;
                match resolve(answer, &hash, intent.invoice_expires_at, now) {
                    Resolution::Failed { failure } => {
                        journal.release(&hash, &failure, now).map(|()| RecoveredState::Failed)
                    }
                    Resolution::Paid { preimage, fee_msat } => journal
                        .commit(&hash, &preimage, fee_msat, now)
                        .map(|()| RecoveredState::Paid),
                    Resolution::Unresolved(state) => {
                        journal.hold(&hash, state).map(|()| RecoveredState::Unresolved(words))
                    }
                    _ => journal
                        .hold(&hash, IntentState::Unknown)
                        .map(|()| RecoveredState::Unresolved(words)),
                }
            })
            .await?;
        Ok(state)
    }

    /// Journal work blocks on the disk, so it runs beside the async threads.
    async fn on_journal<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Journal) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let journal = self.journal.clone();
        blocking(move || work(&journal)).await
    }

    async fn run(&self, mut flow: Flow, exchange: &mut dyn Exchange) -> Result<End, ClientError> {
        let options = &self.options;
        let mut session =
            Session::new(self.journal.clone(), options.policy.network, options.budget.clone());
        let mut words = None;
        let mut took = None;
        let mut journal_error = None;
        let mut transport_error = None;
        loop {
            let step = flow.next();
            let event = match &step {
                Step::Done(outcome) => {
                    let outcome = outcome.clone();
                    return Ok(End::Done(Box::new(Driven { outcome, payment_took: took })));
                }
                Step::LookUpPayment { payment_hash } => {
                    Event::LookedUp(self.look_up(payment_hash, &mut words).await)
                }
                Step::Pay(intent) => {
                    let started = Instant::now();
                    let result = self.pay(intent, &mut words).await;
                    took = Some(started.elapsed());
                    Event::Payment(result)
                }
                Step::Quoted(quote) => return Ok(End::Quoted(Box::new(quote.clone()))),
                Step::ReadBody { max_bytes } => Event::Body(exchange.read_body(*max_bytes).await),
                Step::ReadInvoice { bolt11 } => Event::InvoiceRead(read_invoice(bolt11)),
                Step::Refused(refusal) => {
                    return Err(match (refusal, journal_error) {
                        (Refusal::Journal, Some(error)) => ClientError::Journal(error),
                        (Refusal::JournalAfterPayment { payment_hash }, Some(source)) => {
                            ClientError::NotJournaled { payment_hash: *payment_hash, source }
                        }
                        (refusal, _) => ClientError::Refused {
                            refusal: refusal.clone(),
                            wallet: words,
                            receipt: None,
                        },
                    });
                }
                Step::SendRequest { authorization } => {
                    match exchange.send(authorization.as_ref()).await {
                        Ok(facts) => Event::Responded(facts),
                        Err(error) => {
                            transport_error = Some(error);
                            Event::SendFailed
                        }
                    }
                }
                Step::Unanswered(outcome) => {
                    return Err(unanswered(outcome, transport_error));
                }
                journaled => {
                    let (back, done) = self.perform(session, journaled.clone()).await;
                    session = back;
                    done.unwrap_or_else(|error| {
                        tracing::warn!(code = error.code(), "the payments journal failed");
                        journal_error = Some(error);
                        Event::JournalFailed
                    })
                }
            };
            flow.handle(event, options.clock.now())
                .expect("the driver answers each step with its own event");
        }
    }

    /// Does a journal step, waiting within bounds for another call with the same request key.
    async fn perform(
        &self,
        mut session: Session,
        step: Step,
    ) -> (Session, Result<Event, JournalError>) {
        // Beyond the end of time there is no deadline.
        let deadline = Instant::now().checked_add(self.options.lock_wait);
        loop {
            let (now, again) = (self.options.clock.now(), step.clone());
            // The session goes along: if this future is dropped, its lock is held until the write is done.
            let (back, done) = blocking(move || {
                let done = session.perform(&again, now);
                (session, done)
            })
            .await;
            session = back;
            match done {
                Ok(Some(Event::Busy)) if deadline.is_none_or(|end| Instant::now() < end) => {
                    tokio::time::sleep(LOCK_POLL).await;
                }
                Ok(event) => {
                    return (session, Ok(event.expect("every step left is the journal's")));
                }
                Err(error) => return (session, Err(error)),
            }
        }
    }

    async fn pay(&self, intent: &Intent, words: &mut Option<String>) -> PaymentResult {
        let request = PayRequest {
            bolt11: intent.invoice.clone(),
            payment_hash: intent.payment_hash,
            amount_msat: intent.amount_msat,
            max_fee_msat: intent.max_fee_msat,
            timeout: self.options.payment_timeout,
        };
        let limit = self.options.payment_timeout.saturating_add(WALLET_GRACE);
        match tokio::time::timeout(limit, self.payer.pay(&request)).await {
            Ok(PayOutcome::Failed(failure)) => {
                *words = Some(failure.to_string());
                PaymentResult::Failed { failure: failure.code().into() }
            }
            Ok(PayOutcome::Paid(payment)) => {
                PaymentResult::Paid { preimage: payment.preimage, fee_msat: payment.fee_msat }
            }
            Ok(PayOutcome::Unknown(error)) => {
                *words = Some(error.to_string());
                PaymentResult::Unknown
            }
            Err(_) => {
                *words = Some("no answer in time".into());
                PaymentResult::Unknown
            }
        }
    }

    async fn look_up(&self, payment_hash: &PaymentHash, words: &mut Option<String>) -> LookUp {
        match tokio::time::timeout(WALLET_GRACE, self.payer.look_up_payment(payment_hash)).await {
            Ok(Ok(PaymentState::Failed(failure))) => {
                *words = Some(failure.to_string());
                LookUp::Failed { failure: failure.code().into() }
            }
            Ok(Ok(PaymentState::InFlight)) => LookUp::InFlight,
            Ok(Ok(PaymentState::NotFound)) => LookUp::NotFound,
            Ok(Ok(PaymentState::Paid(payment))) => {
                LookUp::Paid { preimage: payment.preimage, fee_msat: payment.fee_msat }
            }
            Ok(Err(error)) => {
                *words = Some(error.to_string());
                LookUp::Unknown
            }
            Err(_) => {
                *words = Some("no answer in time".into());
                LookUp::Unknown
            }
        }
    }
}

/// How a flow ended without an error.
enum End {
    Done(Box<Driven>),
    Quoted(Box<Quote>),
}

fn unanswered(outcome: &Outcome, error: Option<TransportError>) -> ClientError {
    let source = error.unwrap_or_else(|| TransportError::new("transport", "no response"));
    match (&outcome.receipt, outcome.credential) {
        (Some(receipt), CredentialUse::Bought | CredentialUse::Recovered) => {
            ClientError::NotDelivered { receipt: Box::new(receipt.clone()), source }
        }
        _ => ClientError::Transport(source),
    }
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
