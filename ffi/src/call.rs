//! One paying call, step by step.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plannt_client as client;
use plannt_client::{SystemClock, TransportError};
use plannt_core::PaymentHash;
use plannt_core::flow;
use plannt_lightning as lightning;

use crate::convert::Convert;
use crate::journal::{OpenOnUse, blocking, look_up};
use crate::{
    Budget, ClientError, Count, Journal, Outcome, PayRequest, Payment, PaymentState, Policy, Quote,
    RequestFacts, ResponseFacts, SecretText, UnexpectedEventError,
};

/// What a call or a driver needs besides its journal and wallet.
#[derive(Clone, Debug, uniffi::Record)]
pub struct DriverOptions {
    /// What a call may do.
    pub policy: Policy,
    /// Rules besides those that the journal keeps for all of the user's processes.
    pub budget: Budget,
    /// How long the wallet may try to pay, seconds.
    #[uniffi(default = 60.0)]
    pub payment_timeout: f64,
    /// How long to wait for another call with the same request, seconds.
    #[uniffi(default = 120.0)]
    pub lock_wait: f64,
}

impl DriverOptions {
    fn read(self) -> Result<client::DriverOptions, ClientError> {
        Ok(client::DriverOptions {
            policy: self.policy.convert(),
            budget: self.budget.convert(),
            payment_timeout: seconds("payment_timeout", self.payment_timeout)?,
            lock_wait: seconds("lock_wait", self.lock_wait)?,
            clock: Arc::new(SystemClock),
        })
    }

    pub(crate) fn check(&self) -> Result<(), ClientError> {
        self.clone().read().map(drop)
    }
}

fn seconds(name: &str, number: f64) -> Result<Duration, ClientError> {
    let wrong = |_| ClientError::config(format!("{name} is a number of seconds from 0 on"));
    Duration::try_from_secs_f64(number).map_err(wrong)
}

/// What a call asks of its driver.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum CallStep {
    /// The end: hand the last response back.
    Done {
        /// The credential that it carried, and the receipt.
        outcome: Outcome,
        /// How long the payment took, seconds, where this call paid.
        payment_took: Option<f64>,
    },
    /// Ask the wallet about a payment. Answer: `lookedUp`.
    LookUpPayment {
        /// The payment.
        payment_hash: PaymentHash,
    },
    /// Pay the invoice. Answer: `paid`, `paymentFailed` or `paymentUnknown`. It is asked for once: a driver that lost the
    /// wallet's answer and calls `advance` again is asked to look the payment up.
    Pay {
        /// The invoice and its limits.
        request: PayRequest,
    },
    /// The end of a dry run.
    Quoted {
        /// The price and terms.
        quote: Quote,
    },
    /// Read the last response's body as far as `max_bytes`, keeping it for the caller. Answer: `bodyRead`.
    ReadBody {
        /// The longest body that can hold a challenge.
        max_bytes: Count,
    },
    /// Send the request, with this `Authorization` value as the first such line if there is one, following no redirect with
    /// it. Answer: `responded` or `sendFailed`.
    SendRequest {
        /// The credential.
        authorization: Option<SecretText>,
    },
    /// Another call holds the request's key: call `advance` again after this time.
    Wait {
        /// How long, seconds.
        seconds: f64,
    },
}

impl Convert<CallStep> for client::CallStep {
    fn convert(self) -> CallStep {
        match self {
            Self::Done(driven) => CallStep::Done {
                outcome: driven.outcome.convert(),
                payment_took: driven.payment_took.map(|took| took.as_secs_f64()),
            },
            Self::LookUpPayment { payment_hash } => CallStep::LookUpPayment { payment_hash },
            Self::Pay(request) => CallStep::Pay { request: request.convert() },
            Self::Quoted(quote) => CallStep::Quoted { quote: quote.convert() },
            Self::ReadBody { max_bytes } => CallStep::ReadBody { max_bytes: max_bytes.convert() },
            Self::SendRequest { authorization } => {
                let text = |value: flow::Authorization| SecretText(value.expose().into());
                CallStep::SendRequest { authorization: authorization.map(text) }
            }
            Self::Wait(pause) => CallStep::Wait { seconds: pause.as_secs_f64() },
            _ => unreachable!("every variant is listed"),
        }
    }
}

/// One paying call, step by step: it does the journal's work by itself, and asks its driver for HTTP and for the wallet. Take
/// a step from `advance`, do it, and answer with the method that the step names. A `Driver` does what is the wallet's.
///
/// Abandoning it, or freeing it, gives the request's key back to other calls. What is paid or under way stays in the journal, and the next call
/// with the same request goes on from there.
#[derive(uniffi::Object)]
pub struct Call(Arc<Mutex<State>>);

/// Where a call is.
enum State {
    /// The journal is not opened yet.
    Begun(Beginning),
    Abandoned,
    Live(Live),
}

struct Beginning {
    journal: Arc<OpenOnUse>,
    wallet_id: String,
    options: client::DriverOptions,
    request: flow::RequestFacts,
    dry_run: bool,
}

struct Live {
    call: client::Call,
    journal: Arc<client::Journal>,
    /// What is charged for the fee of the payment that was asked for, where the wallet tells none.
    max_fee_msat: u64,
    /// The payment that was asked about.
    asked: Option<PaymentHash>,
}

impl Beginning {
    fn live(self) -> Result<Live, client::JournalError> {
        let Self { journal, wallet_id, options, request, dry_run } = self;
        let journal = if dry_run { journal.look_at()? } else { journal.open()? };
        let make = if dry_run { client::Call::dry_run } else { client::Call::new };
        let call = make(journal.clone(), wallet_id, options, request);
        Ok(Live { call, journal, max_fee_msat: 0, asked: None })
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn advance(state: &mut State) -> Result<CallStep, ClientError> {
    if let State::Begun(_) = state {
        let State::Begun(beginning) = std::mem::replace(state, State::Abandoned) else {
            unreachable!("it was just looked at")
        };
        let live = beginning.live().map_err(client::ClientError::Journal)?;
        *state = State::Live(live);
    }
    let State::Live(live) = state else {
        return Err(ClientError::config("the call was abandoned"));
    };
    let step = live.call.advance()?;
    match &step {
        client::CallStep::LookUpPayment { payment_hash } => live.asked = Some(*payment_hash),
        client::CallStep::Pay(request) => live.max_fee_msat = request.max_fee_msat,
        _ => {}
    }
    Ok(step.convert())
}

impl Call {
    pub(crate) fn begin(
        journal: &Journal,
        wallet_id: String,
        options: DriverOptions,
        request: RequestFacts,
        dry_run: bool,
    ) -> Result<Self, ClientError> {
        let beginning = Beginning {
            journal: journal.handle(),
            wallet_id,
            options: options.read()?,
            request: request.convert(),
            dry_run,
        };
        Ok(Self(Arc::new(Mutex::new(State::Begun(beginning)))))
    }

    pub(crate) async fn step(&self) -> Result<CallStep, ClientError> {
        let state = self.0.clone();
        // It goes on to its end when the caller gives up: what it has written is what counts.
        blocking(move || advance(&mut lock(&state))).await
    }

    /// Tells the call what came of its step.
    fn answer(
        &self,
        tell: impl FnOnce(&mut Live) -> Result<(), flow::UnexpectedEventError>,
    ) -> Result<(), UnexpectedEventError> {
        match &mut *lock(&self.0) {
            State::Live(live) => Ok(tell(live)?),
            _ => Err(flow::UnexpectedEventError.into()),
        }
    }

    pub(crate) async fn know(&self, answer: PaymentState) -> Result<(), UnexpectedEventError> {
        let state = self.0.clone();
        let told = blocking(move || match &mut *lock(&state) {
            State::Live(live) => {
                let hash = live.asked.ok_or(flow::UnexpectedEventError)?;
                let answer = look_up(&live.journal, &hash, answer);
                live.call.looked_up(answer)
            }
            _ => Err(flow::UnexpectedEventError),
        });
        Ok(told.await?)
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Call {
    /// Begins a call that pays from the wallet with this stable id.
    #[uniffi::constructor]
    pub fn new(
        journal: &Journal,
        wallet_id: String,
        options: DriverOptions,
        request: RequestFacts,
    ) -> Result<Self, ClientError> {
        Self::begin(journal, wallet_id, options, request, false)
    }

    /// Begins a call that only asks for the price: it pays nothing, presents nothing, writes nothing.
    #[uniffi::constructor]
    pub fn dry_run(
        journal: &Journal,
        wallet_id: String,
        options: DriverOptions,
        request: RequestFacts,
    ) -> Result<Self, ClientError> {
        Self::begin(journal, wallet_id, options, request, true)
    }

    /// Does the journal's steps up to the next one that is the driver's. After an error the call is over.
    pub async fn advance(&self) -> Result<CallStep, ClientError> {
        self.step().await
    }

    /// The head of the response came.
    pub fn responded(&self, facts: ResponseFacts) -> Result<(), UnexpectedEventError> {
        self.answer(|live| live.call.responded(facts.convert()))
    }

    /// No response came. The message has no secrets in it.
    pub fn send_failed(&self, message: String) -> Result<(), UnexpectedEventError> {
        self.answer(|live| live.call.send_failed(TransportError::new("transport", message)))
    }

    /// The last response's body; none where it is longer than was asked for or breaks off.
    pub fn body_read(&self, body: Option<Vec<u8>>) -> Result<(), UnexpectedEventError> {
        self.answer(|live| live.call.body_read(body))
    }

    /// The wallet paid. Where it tells no fee, the maximum is charged.
    pub fn paid(&self, payment: Payment) -> Result<(), UnexpectedEventError> {
        self.answer(|live| {
            let fee_msat = payment.fee_msat.map_or(live.max_fee_msat, |fee| fee.0);
            let payment = lightning::Payment { preimage: payment.preimage.convert(), fee_msat };
            live.call.paid(lightning::PayOutcome::Paid(payment))
        })
    }

    /// The payment certainly failed, and nothing is in flight.
    pub fn payment_failed(&self, code: String, reason: String) -> Result<(), UnexpectedEventError> {
        let failure = lightning::PayFailure::from_code(&code, reason);
        self.answer(|live| live.call.paid(lightning::PayOutcome::Failed(failure)))
    }

    /// It is not known whether the wallet paid.
    pub fn payment_unknown(&self, reason: String) -> Result<(), UnexpectedEventError> {
        let error = lightning::LightningError::NodeError { message: reason };
        self.answer(|live| live.call.paid(lightning::PayOutcome::Unknown(error)))
    }

    /// What the wallet knows of the payment.
    pub async fn looked_up(&self, answer: PaymentState) -> Result<(), UnexpectedEventError> {
        self.know(answer).await
    }

    /// Gives the request's key back to other calls.
    pub fn abandon(&self) {
        *lock(&self.0) = State::Abandoned;
    }
}
