//! The paying flow: the core's state machine, its steps and its events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plannt_core::PaymentHash;
use plannt_core::flow as core;

use crate::convert::Convert;
use crate::{
    Count, CredentialState, Intent, IntentState, Msat, Outcome, Policy, Preimage, Quote,
    RefusalError, RequestFacts, RequestKey, ResponseFacts, SecretText, StoredCredential,
    UnexpectedEventError, UnixSeconds,
};

/// One paying call as a state machine without I/O (docs/PROTOCOL.md §5): `next` says what to do, `handle` takes what came of
/// it. At most one payment a flow; a payment of unknown outcome keeps its reservation; nothing is stored as paid before its
/// preimage hashes right.
#[derive(uniffi::Object)]
pub struct Flow(Mutex<core::Flow>);

impl Flow {
    fn lock(&self) -> MutexGuard<'_, core::Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl Flow {
    /// Starts a call for the wallet with this stable id.
    #[uniffi::constructor]
    pub fn new(policy: Policy, request: RequestFacts, wallet: String) -> Self {
        Self(Mutex::new(core::Flow::new(policy.convert(), request.convert(), wallet)))
    }

    /// Starts a call that pays nothing, presents nothing and writes nothing: it ends in `Quoted`, or in `Done` where the
    /// server asks for no payment.
    #[uniffi::constructor]
    pub fn dry_run(policy: Policy, request: RequestFacts, wallet: String) -> Self {
        Self(Mutex::new(core::Flow::dry_run(policy.convert(), request.convert(), wallet)))
    }

    /// What to do next. The same until `handle` takes the answer.
    pub fn next(&self) -> Step {
        self.lock().next().convert()
    }

    /// Takes what came of the step, at `now`. After an event that does not answer the step, the flow is as it was.
    pub fn handle(&self, event: Event, now: UnixSeconds) -> Result<(), UnexpectedEventError> {
        Ok(self.lock().handle(event.convert(), now.0)?)
    }
}

/// What to do next. The driver does it and answers with the event that is named.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Step {
    /// Journal the payment as paid with its preimage, and charge the true cost: durably, before anything else is sent.
    /// Answer: `Stored`.
    Commit {
        /// The payment.
        payment_hash: PaymentHash,
        /// Proven to hash to it.
        preimage: Arc<Preimage>,
        /// What the payment cost beyond the amount, msat.
        fee_msat: Msat,
    },
    /// The end: hand the last response back.
    Done {
        /// How it ended.
        outcome: Outcome,
    },
    /// Journal that the payment is not resolved; it keeps its reservation. Answer: `Stored`.
    Hold {
        /// The payment.
        payment_hash: PaymentHash,
        /// In flight, or unknown.
        state: IntentState,
    },
    /// Reserve the intent's `reservation_msat` and write it, both or none, durably. Answer: `Reserved`.
    JournalIntent {
        /// The intent.
        intent: Intent,
    },
    /// Look for what earlier calls left behind. Answer: `Loaded` or, when another call holds the request's key too long,
    /// `Busy`.
    LoadCredential {
        /// The request.
        request: RequestFacts,
        /// What the journal knows it by; none where its body can't be repeated, and then never `exclusive`.
        key: Option<RequestKey>,
        /// Whether to hold the request's key from here to the end of the flow, against every other call and process.
        exclusive: bool,
    },
    /// Ask the wallet about a payment. Answer: `LookedUp`.
    LookUpPayment {
        /// The payment.
        payment_hash: PaymentHash,
    },
    /// Pay the invoice. Answer: `Payment`.
    Pay {
        /// The intent.
        intent: Intent,
    },
    /// The end of a dry run.
    Quoted {
        /// The price and terms.
        quote: Quote,
    },
    /// Read the last response's body as far as `max_bytes`, keeping it for the caller. Answer: `Body`.
    ReadBody {
        /// The longest body that can hold a challenge.
        max_bytes: Count,
    },
    /// The end: nothing to hand back.
    Refused {
        /// Why.
        refusal: RefusalError,
    },
    /// Journal that the payment certainly failed, and free its reservation. Answer: `Stored`.
    Release {
        /// The payment.
        payment_hash: PaymentHash,
        /// Why, as a stable code.
        failure: String,
    },
    /// Send the request, with this `Authorization` value as the first such line if there is one, and never carry it over a
    /// redirect. Answer: `Responded` or `SendFailed`.
    SendRequest {
        /// The credential.
        authorization: Option<SecretText>,
    },
    /// Journal what became of a credential. Answer: `Stored`.
    StoreCredential {
        /// The payment that bought it.
        payment_hash: PaymentHash,
        /// Its new state.
        state: CredentialState,
    },
    /// The end: the request brought no response. A paid credential is kept.
    Unanswered {
        /// How it ended.
        outcome: Outcome,
    },
}

impl Convert<Step> for core::Step {
    fn convert(self) -> Step {
        match self {
            Self::Commit { payment_hash, preimage, fee_msat } => Step::Commit {
                payment_hash,
                preimage: preimage.convert(),
                fee_msat: fee_msat.convert(),
            },
            Self::Done(outcome) => Step::Done { outcome: outcome.convert() },
            Self::Hold { payment_hash, state } => {
                Step::Hold { payment_hash, state: state.convert() }
            }
            Self::JournalIntent(intent) => Step::JournalIntent { intent: intent.convert() },
            Self::LoadCredential { request, key, exclusive } => {
                Step::LoadCredential { request: request.convert(), key: key.convert(), exclusive }
            }
            Self::LookUpPayment { payment_hash } => Step::LookUpPayment { payment_hash },
            Self::Pay(intent) => Step::Pay { intent: intent.convert() },
            Self::Quoted(quote) => Step::Quoted { quote: quote.convert() },
            Self::ReadBody { max_bytes } => Step::ReadBody { max_bytes: max_bytes.convert() },
            Self::Refused(refusal) => Step::Refused { refusal: refusal.into() },
            Self::Release { payment_hash, failure } => Step::Release { payment_hash, failure },
            Self::SendRequest { authorization } => {
                let text = |value: core::Authorization| SecretText(value.expose().into());
                Step::SendRequest { authorization: authorization.map(text) }
            }
            Self::StoreCredential { payment_hash, state } => {
                Step::StoreCredential { payment_hash, state: state.convert() }
            }
            Self::Unanswered(outcome) => Step::Unanswered { outcome: outcome.convert() },
            // `ReadInvoice` is of a core without invoices.
            _ => unreachable!("this core reads invoices itself"),
        }
    }
}

/// What the driver tells the flow.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Event {
    /// The response's body; none where it is longer than asked for, or broke off.
    Body {
        /// The bytes.
        body: Option<Vec<u8>>,
    },
    /// Another call holds the request's key.
    Busy,
    /// The journal could not do what was asked.
    JournalFailed,
    /// What earlier calls left behind.
    Loaded {
        /// What was found.
        found: Found,
        /// What the tightest budget has left, msat; none without a budget.
        budget_left_msat: Option<Msat>,
    },
    /// What the wallet knows.
    LookedUp {
        /// Its answer.
        look_up: LookUp,
    },
    /// How the payment ended.
    Payment {
        /// The wallet's answer.
        result: PaymentResult,
    },
    /// Whether the intent was written.
    Reserved {
        /// The journal's answer.
        reservation: Reservation,
    },
    /// A response's head.
    Responded {
        /// The head.
        facts: ResponseFacts,
    },
    /// No response came.
    SendFailed,
    /// It is journaled.
    Stored,
}

impl Convert<core::Event> for Event {
    fn convert(self) -> core::Event {
        match self {
            Self::Body { body } => core::Event::Body(body),
            Self::Busy => core::Event::Busy,
            Self::JournalFailed => core::Event::JournalFailed,
            Self::Loaded { found, budget_left_msat } => core::Event::Loaded(core::Loaded {
                found: found.convert(),
                budget_left_msat: budget_left_msat.convert(),
            }),
            Self::LookedUp { look_up } => core::Event::LookedUp(look_up.convert()),
            Self::Payment { result } => core::Event::Payment(result.convert()),
            Self::Reserved { reservation } => core::Event::Reserved(reservation.convert()),
            Self::Responded { facts } => core::Event::Responded(facts.convert()),
            Self::SendFailed => core::Event::SendFailed,
            Self::Stored => core::Event::Stored,
        }
    }
}

/// What earlier calls left behind for a request, the first that is there in this order.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Found {
    /// A payment that is not resolved, with the same request key.
    Unresolved {
        /// The payment.
        intent: Intent,
    },
    /// A paid credential that brought no answer yet, with the same request key.
    Undelivered {
        /// The credential.
        credential: StoredCredential,
    },
    /// A delivered credential of the origin whose readable caveats allow the request.
    Delivered {
        /// The credential.
        credential: StoredCredential,
    },
    /// Nothing.
    Nothing,
}

impl Convert<core::Found> for Found {
    fn convert(self) -> core::Found {
        match self {
            Self::Unresolved { intent } => core::Found::Unresolved(intent.convert()),
            Self::Undelivered { credential } => core::Found::Undelivered(credential.convert()),
            Self::Delivered { credential } => core::Found::Delivered(credential.convert()),
            Self::Nothing => core::Found::Nothing,
        }
    }
}

/// What a wallet knows of a payment.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum LookUp {
    /// Certainly not paid, and nothing is in flight.
    Failed {
        /// Why, as a stable code.
        failure: String,
    },
    /// Under way.
    InFlight,
    /// The wallet never saw it: that means failed only once the invoice has expired.
    NotFound,
    /// Paid.
    Paid {
        /// The proof.
        preimage: Arc<Preimage>,
        /// What it cost beyond the amount, msat.
        fee_msat: Msat,
    },
    /// The wallet could not tell.
    Unknown,
}

impl Convert<core::LookUp> for LookUp {
    fn convert(self) -> core::LookUp {
        match self {
            Self::Failed { failure } => core::LookUp::Failed { failure },
            Self::InFlight => core::LookUp::InFlight,
            Self::NotFound => core::LookUp::NotFound,
            Self::Paid { preimage, fee_msat } => {
                core::LookUp::Paid { preimage: preimage.convert(), fee_msat: fee_msat.0 }
            }
            Self::Unknown => core::LookUp::Unknown,
        }
    }
}

/// How a payment ended.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum PaymentResult {
    /// Certainly not paid, and nothing is in flight.
    Failed {
        /// Why, as a stable code.
        failure: String,
    },
    /// Paid.
    Paid {
        /// The proof.
        preimage: Arc<Preimage>,
        /// What it cost beyond the amount, msat.
        fee_msat: Msat,
    },
    /// It may have been paid, or may still be.
    Unknown,
}

impl Convert<core::PaymentResult> for PaymentResult {
    fn convert(self) -> core::PaymentResult {
        match self {
            Self::Failed { failure } => core::PaymentResult::Failed { failure },
            Self::Paid { preimage, fee_msat } => {
                core::PaymentResult::Paid { preimage: preimage.convert(), fee_msat: fee_msat.0 }
            }
            Self::Unknown => core::PaymentResult::Unknown,
        }
    }
}

/// Whether an intent was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Reservation {
    /// Reserved and written, durably.
    Granted,
    /// The journal knows the payment hash; nothing was written.
    HashKnown,
    /// The journal has an unfinished payment with the same request key; nothing was written.
    KeyBusy,
    /// A budget has too little left; nothing was written.
    OverBudget {
        /// What the tightest has left, msat.
        left_msat: Msat,
    },
}

impl Convert<core::Reservation> for Reservation {
    fn convert(self) -> core::Reservation {
        match self {
            Self::Granted => core::Reservation::Granted,
            Self::HashKnown => core::Reservation::HashKnown,
            Self::KeyBusy => core::Reservation::KeyBusy,
            Self::OverBudget { left_msat } => {
                core::Reservation::OverBudget { left_msat: left_msat.0 }
            }
        }
    }
}

/// What to journal of an unresolved payment.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Resolution {
    /// Certainly failed: free the reservation.
    Failed {
        /// Why, as a stable code.
        failure: String,
    },
    /// Paid, and proven.
    Paid {
        /// Proven to hash to the payment hash.
        preimage: Arc<Preimage>,
        /// What it cost beyond the amount, msat.
        fee_msat: Msat,
    },
    /// Not known yet: it keeps its reservation.
    Unresolved {
        /// Where it stands.
        state: IntentState,
    },
    /// The wallet says paid but proves something else: it keeps its reservation, for a person to look at.
    Unproven,
}

/// What a wallet's answer means for a payment that was left unfinished (docs/PROTOCOL.md §5.4): "not found" means failed
/// only once the invoice has expired, since the pay request may still be on its way to the node.
#[uniffi::export]
pub fn resolve(
    answer: LookUp,
    payment_hash: PaymentHash,
    invoice_expires_at: UnixSeconds,
    now: UnixSeconds,
) -> Resolution {
    match core::resolve(answer.convert(), &payment_hash, invoice_expires_at.0, now.0) {
        core::Resolution::Failed { failure } => Resolution::Failed { failure },
        core::Resolution::Paid { preimage, fee_msat } => {
            Resolution::Paid { preimage: preimage.convert(), fee_msat: fee_msat.convert() }
        }
        core::Resolution::Unresolved(state) => Resolution::Unresolved { state: state.convert() },
        // And whatever is added: it keeps its reservation.
        _ => Resolution::Unproven,
    }
}

/// Whether a kept credential's readable caveats allow a request at `now`; what can't be read is no reason to leave it out.
#[uniffi::export]
pub fn token_fits(token: String, request: RequestFacts, now: UnixSeconds) -> bool {
    core::token_fits(&token, &request.convert(), now.0)
}

/// Until when a token's caveats let it be used, unix seconds; none where they don't tell.
#[uniffi::export]
pub fn token_valid_until(token: String) -> Option<UnixSeconds> {
    core::token_valid_until(&token).convert()
}
