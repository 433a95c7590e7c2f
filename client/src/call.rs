//! One paying call, step by step: what any driver shares, in whatever language and HTTP stack.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plannt_core::flow::{
    Authorization, CredentialUse, Event, Flow, Intent, LookUp, Outcome, PaymentResult, Quote,
    Refusal, RequestFacts, ResponseFacts, Step, UnexpectedEventError,
};
use plannt_core::{PaymentHash, read_invoice};
use plannt_lightning::{LightningError, PayOutcome, PayRequest, PaymentState};

use crate::{ClientError, Driven, DriverOptions, Journal, JournalError, Session, TransportError};

/// How long between two looks at another call's lock.
const LOCK_POLL: Duration = Duration::from_millis(25);

/// One call. It does the journal's work by itself, and asks its driver for HTTP and for the wallet: take a step from
/// [`advance`](Self::advance), do it, and answer with the method that the step names.
///
/// Dropping it gives the request's key back to other calls. What is paid or under way stays in the journal, and the
/// next call with the same request goes on from there.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use plannt_client::{
///     BodyFacts, Budget, Call, CallStep, DriverOptions, Journal, Origin, Policy, RequestFacts,
///     ResponseFacts, SystemClock,
/// };
/// use plannt_core::Network;
/// # let folder = tempfile::tempdir()?;
/// let options = DriverOptions {
///     policy: Policy::new(Network::Regtest, 100_000),
///     budget: Budget::unlimited(),
///     payment_timeout: Duration::from_secs(60),
///     lock_wait: Duration::from_secs(10),
///     clock: Arc::new(SystemClock),
/// };
/// let request = RequestFacts {
///     method: "GET".into(),
///     origin: Origin::new("https", "api.example", None)?,
///     target: "/v1/demo".into(),
///     body: BodyFacts::of(b""),
/// };
/// let journal = Arc::new(Journal::open(folder.path().join("journal.db"))?);
/// let mut call = Call::new(journal, "my wallet".into(), options, request);
/// loop {
///     match call.advance()? {
///         CallStep::SendRequest { authorization: None } => {
///             // … send it, with whatever HTTP there is …
///             call.responded(ResponseFacts { status: 200, ..Default::default() })?;
///         }
///         CallStep::Done(_) => break,
///         step => unreachable!("nothing is paid here: {step:?}"),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Call {
    flow: Flow,
    session: Session,
    options: DriverOptions,
    /// When the wallet was asked to pay.
    asked: Option<Instant>,
    took: Option<Duration>,
    /// Since when another call holds the request's key.
    busy_since: Option<Instant>,
    words: Option<String>,
    journal_error: Option<JournalError>,
    transport_error: Option<TransportError>,
}

/// What a [`Call`] asks of its driver.
#[derive(Debug)]
#[non_exhaustive]
pub enum CallStep {
    /// The end: hand the last response back.
    Done(Box<Driven>),
    /// Ask the wallet about a payment. Answer: [`Call::looked_up`].
    LookUpPayment {
        /// The payment.
        payment_hash: PaymentHash,
    },
    /// Pay the invoice. Answer: [`Call::paid`]. It is asked for once: a driver that lost the wallet's answer and calls
    /// [`Call::advance`] again is asked to look the payment up.
    Pay(PayRequest),
    /// The end of a dry run.
    Quoted(Box<Quote>),
    /// Read the last response's body as far as `max_bytes`, keeping it for the caller. Answer: [`Call::body_read`].
    ReadBody {
        /// The longest body that can hold a challenge.
        max_bytes: usize,
    },
    /// Send the request, with this `Authorization` value as the first such line if there is one, following no redirect
    /// with it. Answer: [`Call::responded`] or [`Call::send_failed`].
    SendRequest {
        /// The credential.
        authorization: Option<Authorization>,
    },
    /// Another call holds the request's key: call [`Call::advance`] again after this time.
    Wait(Duration),
}

impl Call {
    /// Begins a call that pays from the wallet with this stable id.
    pub fn new(
        journal: Arc<Journal>,
        wallet_id: String,
        options: DriverOptions,
        request: RequestFacts,
    ) -> Self {
        let flow = Flow::new(options.policy.clone(), request, wallet_id);
        Self::with_flow(flow, journal, options)
    }

    /// Begins a call that only asks for the price: it pays nothing, presents nothing, writes nothing.
    pub fn dry_run(
        journal: Arc<Journal>,
        wallet_id: String,
        options: DriverOptions,
        request: RequestFacts,
    ) -> Self {
        let flow = Flow::dry_run(options.policy.clone(), request, wallet_id);
        Self::with_flow(flow, journal, options)
    }

    fn with_flow(flow: Flow, journal: Arc<Journal>, options: DriverOptions) -> Self {
        let session = Session::new(journal, options.policy.network, options.budget.clone());
        Self {
            flow,
            session,
            options,
            asked: None,
            took: None,
            busy_since: None,
            words: None,
            journal_error: None,
            transport_error: None,
        }
    }

    /// Does the journal's steps, which block on the disk, up to the next one that is the driver's.
    ///
    /// # Errors
    /// [`ClientError`]: the call is over.
    pub fn advance(&mut self) -> Result<CallStep, ClientError> {
        loop {
            let step = self.flow.next();
            let event = match &step {
                Step::Done(outcome) => {
                    let driven = Driven { outcome: outcome.clone(), payment_took: self.took };
                    return Ok(CallStep::Done(Box::new(driven)));
                }
                Step::LookUpPayment { payment_hash } => {
                    return Ok(CallStep::LookUpPayment { payment_hash: *payment_hash });
                }
                Step::Pay(_) if self.asked.is_some() => {
                    self.words = Some("its answer was lost".into());
                    Event::Payment(PaymentResult::Unknown)
                }
                Step::Pay(intent) => {
                    self.asked = Some(Instant::now());
                    return Ok(CallStep::Pay(self.pay_request(intent)));
                }
                Step::Quoted(quote) => return Ok(CallStep::Quoted(Box::new(quote.clone()))),
                Step::ReadBody { max_bytes } => {
                    return Ok(CallStep::ReadBody { max_bytes: *max_bytes });
                }
                Step::ReadInvoice { bolt11 } => Event::InvoiceRead(read_invoice(bolt11)),
                Step::Refused(refusal) => return Err(self.refused(refusal.clone())),
                Step::SendRequest { authorization } => {
                    return Ok(CallStep::SendRequest { authorization: authorization.clone() });
                }
                Step::Unanswered(outcome) => {
                    return Err(unanswered(outcome, self.transport_error.take()));
                }
                journaled => match self.session.perform(journaled, self.options.clock.now()) {
                    Ok(Some(Event::Busy)) if self.may_wait() => {
                        return Ok(CallStep::Wait(LOCK_POLL));
                    }
                    Ok(event) => {
                        self.busy_since = None;
                        event.expect("every step left is the journal's")
                    }
                    Err(error) => {
                        tracing::warn!(code = error.code(), "the payments journal failed");
                        self.journal_error = Some(error);
                        Event::JournalFailed
                    }
                },
            };
            self.handle(event).expect("each step is answered with its own event");
        }
    }

    /// The head of the response came.
    ///
    /// # Errors
    /// [`UnexpectedEventError`] when the call asked for something else; it is as it was. So for the others.
    pub fn responded(&mut self, facts: ResponseFacts) -> Result<(), UnexpectedEventError> {
        self.handle(Event::Responded(facts))
    }

    /// No response came.
    ///
    /// # Errors
    /// As for [`responded`](Self::responded).
    pub fn send_failed(&mut self, error: TransportError) -> Result<(), UnexpectedEventError> {
        self.handle(Event::SendFailed)?;
        self.transport_error = Some(error);
        Ok(())
    }

    /// The last response's body; none where it is longer than was asked for or breaks off.
    ///
    /// # Errors
    /// As for [`responded`](Self::responded).
    pub fn body_read(&mut self, body: Option<Vec<u8>>) -> Result<(), UnexpectedEventError> {
        self.handle(Event::Body(body))
    }

    /// What the wallet did with the payment.
    ///
    /// # Errors
    /// As for [`responded`](Self::responded).
    pub fn paid(&mut self, outcome: PayOutcome) -> Result<(), UnexpectedEventError> {
        let (result, words) = match outcome {
            PayOutcome::Failed(failure) => {
                let code = failure.code().into();
                (PaymentResult::Failed { failure: code }, Some(failure.to_string()))
            }
            PayOutcome::Paid(payment) => {
                let (preimage, fee_msat) = (payment.preimage, payment.fee_msat);
                (PaymentResult::Paid { preimage, fee_msat }, None)
            }
            PayOutcome::Unknown(error) => (PaymentResult::Unknown, Some(error.to_string())),
        };
        self.handle(Event::Payment(result))?;
        self.took = self.asked.map(|asked| asked.elapsed());
        self.words = words.or_else(|| self.words.take());
        Ok(())
    }

    /// What the wallet knows of the payment.
    ///
    /// # Errors
    /// As for [`responded`](Self::responded).
    pub fn looked_up(
        &mut self,
        answer: Result<PaymentState, LightningError>,
    ) -> Result<(), UnexpectedEventError> {
        let (look_up, words) = read_look_up(answer);
        self.handle(Event::LookedUp(look_up))?;
        self.words = words.or_else(|| self.words.take());
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<(), UnexpectedEventError> {
        self.flow.handle(event, self.options.clock.now())
    }

    fn pay_request(&self, intent: &Intent) -> PayRequest {
        PayRequest {
            bolt11: intent.invoice.clone(),
            payment_hash: intent.payment_hash,
            amount_msat: intent.amount_msat,
            max_fee_msat: intent.max_fee_msat,
            timeout: self.options.payment_timeout,
        }
    }

    /// Whether there is time left to wait for the other call.
    fn may_wait(&mut self) -> bool {
        let since = *self.busy_since.get_or_insert_with(Instant::now);
        since.elapsed() < self.options.lock_wait
    }

    fn refused(&mut self, refusal: Refusal) -> ClientError {
        match (refusal, self.journal_error.take()) {
            (Refusal::Journal, Some(error)) => ClientError::Journal(error),
            (Refusal::JournalAfterPayment { payment_hash }, Some(source)) => {
                ClientError::NotJournaled { payment_hash, source }
            }
            (refusal, _) => {
                ClientError::Refused { refusal, wallet: self.words.clone(), receipt: None }
            }
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("flow", &self.flow).finish_non_exhaustive()
    }
}

/// What a look-up's answer means to the flow, and the wallet's words about it.
pub(crate) fn read_look_up(
    answer: Result<PaymentState, LightningError>,
) -> (LookUp, Option<String>) {
    match answer {
        Ok(PaymentState::Failed(failure)) => {
            (LookUp::Failed { failure: failure.code().into() }, Some(failure.to_string()))
        }
        Ok(PaymentState::InFlight) => (LookUp::InFlight, None),
        Ok(PaymentState::NotFound) => (LookUp::NotFound, None),
        Ok(PaymentState::Paid(payment)) => {
            (LookUp::Paid { preimage: payment.preimage, fee_msat: payment.fee_msat }, None)
        }
        Err(error) => (LookUp::Unknown, Some(error.to_string())),
    }
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
