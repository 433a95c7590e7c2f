//! The states and what leads from one to the next.

mod challenged;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::exchange::{Carried, Offer, Verdict};
use super::step::{Found, Loaded};
use super::{
    CredentialState, Event, Intent, IntentState, LookUp, Outcome, PaymentResult, Pending, Policy,
    Refusal, RequestFacts, Reservation, Resolution, ResponseFacts, Step, UnexpectedEventError,
    resolve,
};
use crate::{InvoiceFacts, PaymentHash, Preimage};

/// The longest body that is looked at for a challenge, bytes.
const MAX_CHALLENGE_BODY: usize = 65_536;

/// How many kept credentials one call may find useless before it stops trying any.
const MAX_KEPT_TRIES: usize = 3;

/// One paying call. [`Flow::next`] says what to do, [`Flow::handle`] takes what came of it.
///
/// ```
/// use plannt_core::Network;
/// use plannt_core::flow::*;
/// # let origin = Origin::new("https", "api.example", None)?;
/// let request = RequestFacts {
///     method: "GET".into(),
///     origin,
///     target: "/v1/demo".into(),
///     body: BodyFacts::of(b""),
/// };
/// let mut flow = Flow::new(Policy::new(Network::Regtest, 100_000), request, "wallet".into());
/// let now = 1_700_000_000;
/// assert!(matches!(flow.next(), Step::LoadCredential { .. }));
/// flow.handle(Event::Loaded(Loaded { found: Found::Nothing, budget_left_msat: None }), now)?;
/// assert!(matches!(flow.next(), Step::SendRequest { authorization: None }));
/// flow.handle(Event::Responded(ResponseFacts { status: 200, ..Default::default() }), now)?;
/// assert!(matches!(flow.next(), Step::Done(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Flow {
    policy: Policy,
    request: RequestFacts,
    wallet: String,
    dry_run: bool,
    /// Set before the first [`Step::Pay`], and never unset: a flow pays at most once.
    attempted: bool,
    /// The credentials that this call has presented.
    tried: Vec<PaymentHash>,
    budget_left_msat: Option<u64>,
    pending: Option<Pending>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Body {
        carried: Carried,
        head: ResponseFacts,
    },
    Commit {
        intent: Intent,
        preimage: Preimage,
        fee_msat: u64,
    },
    End(Box<Step>),
    Hold {
        payment_hash: PaymentHash,
        state: IntentState,
        then: AfterHold,
    },
    #[cfg_attr(
        feature = "invoice",
        expect(dead_code, reason = "the flow reads the invoice itself")
    )]
    Invoice(Offer),
    Journal(Intent),
    Load {
        exclusive: bool,
        offer: Option<(Offer, InvoiceFacts)>,
    },
    LookUp(Intent),
    Pay(Intent),
    Release {
        payment_hash: PaymentHash,
        failure: String,
    },
    Send(Carried),
    Store {
        payment_hash: PaymentHash,
        state: CredentialState,
        then: AfterStore,
    },
}

#[derive(Clone, Debug)]
enum AfterHold {
    LookUp(Box<Intent>),
    Refuse(Refusal),
}

#[derive(Clone, Debug)]
enum AfterStore {
    Finish(Outcome),
    /// As a new call, with the challenge that came with the 402 if it was complete.
    GoOn(Option<Offer>),
    Refuse(Refusal),
}

impl Flow {
    /// Starts a call for the wallet with this stable id.
    pub fn new(policy: Policy, request: RequestFacts, wallet: String) -> Self {
        Self {
            policy,
            request,
            wallet,
            dry_run: false,
            attempted: false,
            tried: Vec::new(),
            budget_left_msat: None,
            pending: None,
            state: State::Load { exclusive: false, offer: None },
        }
    }

    /// Starts a call that pays nothing, presents nothing and writes nothing: it ends in [`Step::Quoted`], or in
    /// [`Step::Done`] where the server asks for no payment.
    pub fn dry_run(policy: Policy, request: RequestFacts, wallet: String) -> Self {
        Self { dry_run: true, ..Self::new(policy, request, wallet) }
    }

    /// What to do next. The same until [`Flow::handle`] takes the answer.
    pub fn next(&self) -> Step {
        match &self.state {
            State::Body { .. } => Step::ReadBody { max_bytes: MAX_CHALLENGE_BODY },
            State::Commit { intent, preimage, fee_msat } => Step::Commit {
                payment_hash: intent.payment_hash,
                preimage: preimage.clone(),
                fee_msat: *fee_msat,
            },
            State::End(step) => (**step).clone(),
            State::Hold { payment_hash, state, .. } => {
                Step::Hold { payment_hash: *payment_hash, state: *state }
            }
            State::Invoice(offer) => Step::ReadInvoice { bolt11: offer.challenge.invoice.clone() },
            State::Journal(intent) => Step::JournalIntent(intent.clone()),
            State::Load { exclusive, .. } => Step::LoadCredential {
                key: self.request.key(&self.wallet),
                request: self.request.clone(),
                exclusive: *exclusive,
            },
            State::LookUp(intent) => Step::LookUpPayment { payment_hash: intent.payment_hash },
            State::Pay(intent) => Step::Pay(intent.clone()),
            State::Release { payment_hash, failure, .. } => {
                Step::Release { payment_hash: *payment_hash, failure: failure.clone() }
            }
            State::Send(carried) => Step::SendRequest { authorization: carried.authorization() },
            State::Store { payment_hash, state, .. } => {
                Step::StoreCredential { payment_hash: *payment_hash, state: *state }
            }
        }
    }

    /// Takes what came of the step, at `now`, unix seconds.
    ///
    /// # Errors
    /// [`UnexpectedEventError`] for an event that does not answer the step; the flow is as it was.
    pub fn handle(&mut self, event: Event, now: u64) -> Result<(), UnexpectedEventError> {
        self.state = match (self.state.clone(), event) {
            (State::Load { offer, exclusive }, Event::Loaded(loaded)) => {
                self.loaded(exclusive, offer, loaded, now)
            }
            (State::Load { exclusive: true, .. }, Event::Busy) => refuse(Refusal::Busy),
            (State::LookUp(intent), Event::LookedUp(answer)) => self.looked_up(intent, answer, now),
            (State::Hold { then, .. }, Event::Stored) => match then {
                AfterHold::LookUp(intent) => State::LookUp(*intent),
                AfterHold::Refuse(refusal) => refuse(refusal),
            },
            (State::Release { failure, .. }, Event::Stored) => self.released(failure),
            (State::Commit { intent, preimage, fee_msat }, Event::Stored) => {
                let credential = intent.into_credential(preimage, fee_msat, now);
                self.present(if self.attempted {
                    Carried::Bought(credential)
                } else {
                    Carried::Recovered(credential)
                })
            }
            (State::Send(carried), Event::Responded(head)) => self.responded(carried, head, now),
            (State::Send(carried), Event::SendFailed) => {
                State::End(Box::new(Step::Unanswered(carried.outcome())))
            }
            (State::Body { carried, head }, Event::Body(body)) => {
                let body = body.unwrap_or_default();
                self.challenged(carried, &head, Some(&body), now)
            }
            (State::Invoice(offer), Event::InvoiceRead(read)) => self.considered(offer, read, now),
            (State::Journal(intent), Event::Reserved(reservation)) => {
                self.reserved(intent, reservation)
            }
            (State::Pay(intent), Event::Payment(result)) => paid(intent, result),
            (State::Store { then, .. }, Event::Stored) => match then {
                AfterStore::Finish(outcome) => State::End(Box::new(Step::Done(outcome))),
                AfterStore::GoOn(Some(offer)) => self.consider(offer, now),
                AfterStore::GoOn(None) => State::Send(Carried::Nothing),
                AfterStore::Refuse(refusal) => refuse(refusal),
            },
            (state, Event::JournalFailed) => journal_failed(state)?,
            _ => return Err(UnexpectedEventError),
        };
        Ok(())
    }

    /// What earlier calls left comes before anything new.
    fn loaded(
        &mut self,
        exclusive: bool,
        offer: Option<(Offer, InvoiceFacts)>,
        loaded: Loaded,
        now: u64,
    ) -> State {
        self.budget_left_msat = loaded.budget_left_msat;
        if self.dry_run {
            self.pending = match loaded.found {
                Found::Delivered(credential) => Some(Pending::Delivered(credential.receipt)),
                Found::Nothing => None,
                Found::Undelivered(credential) => Some(Pending::Undelivered(credential.receipt)),
                Found::Unresolved(intent) => Some(Pending::Unresolved(intent.payment_hash)),
            };
            return State::Send(Carried::Nothing);
        }
        match loaded.found {
            Found::Unresolved(_) | Found::Undelivered(_) if !exclusive => {
                State::Load { exclusive: true, offer }
            }
            Found::Unresolved(intent) => State::LookUp(intent),
            Found::Undelivered(credential)
                if !self.tried.contains(&credential.receipt.payment_hash) =>
            {
                self.present(Carried::Recovered(credential))
            }
            Found::Delivered(credential)
                if self.tried.len() < MAX_KEPT_TRIES
                    && !self.tried.contains(&credential.receipt.payment_hash) =>
            {
                self.present(Carried::Kept(credential))
            }
            _ => match offer {
                None => State::Send(Carried::Nothing),
                Some((offer, invoice)) => self.intend(offer, invoice, now),
            },
        }
    }

    fn present(&mut self, carried: Carried) -> State {
        self.tried.extend(carried.payment_hash());
        State::Send(carried)
    }

    fn looked_up(&self, intent: Intent, answer: LookUp, now: u64) -> State {
        let payment_hash = intent.payment_hash;
        match resolve(answer, &payment_hash, intent.invoice_expires_at, now) {
            Resolution::Failed { failure } => State::Release { payment_hash, failure },
            Resolution::Paid { preimage, fee_msat } => State::Commit { intent, preimage, fee_msat },
            Resolution::Unproven => unproven(payment_hash),
            Resolution::Unresolved(state) => {
                let refusal = Refusal::PaymentUnresolved {
                    payment_hash,
                    state,
                    invoice_expires_at: intent.invoice_expires_at,
                };
                State::Hold { payment_hash, state, then: AfterHold::Refuse(refusal) }
            }
        }
    }

    /// A failed payment of this call ends it; one of an earlier call makes room for this one.
    fn released(&self, failure: String) -> State {
        if self.attempted {
            refuse(Refusal::PaymentFailed { failure })
        } else {
            State::Load { exclusive: true, offer: None }
        }
    }

    fn responded(&mut self, carried: Carried, head: ResponseFacts, now: u64) -> State {
        // A proxy's 402 to CONNECT is not the server's.
        if head.status == 402 && self.request.method != "CONNECT" {
            return self.challenged(carried, &head, None, now);
        }
        match carried.judge(&head) {
            Verdict::Keep => done(carried.outcome()),
            Verdict::Store { payment_hash, state } => State::Store {
                payment_hash,
                state,
                then: AfterStore::Finish(carried.outcome_as(state)),
            },
        }
    }

    fn reserved(&mut self, intent: Intent, reservation: Reservation) -> State {
        match reservation {
            Reservation::Granted => {
                self.attempted = true;
                State::Pay(intent)
            }
            Reservation::HashKnown => {
                refuse(Refusal::PaymentHashKnown { payment_hash: intent.payment_hash })
            }
            Reservation::KeyBusy => refuse(Refusal::Busy),
            Reservation::OverBudget { left_msat } => refuse(Refusal::BudgetExceeded {
                needed_msat: intent.reservation_msat(),
                left_msat,
            }),
        }
    }
}

fn paid(intent: Intent, result: PaymentResult) -> State {
    let payment_hash = intent.payment_hash;
    match result {
        PaymentResult::Failed { failure } => State::Release { payment_hash, failure },
        PaymentResult::Paid { preimage, fee_msat } if preimage.proves(&payment_hash) => {
            State::Commit { intent, preimage, fee_msat }
        }
        PaymentResult::Paid { .. } => unproven(payment_hash),
        // The answer may only have been lost on the way: ask once before giving up.
        PaymentResult::Unknown => State::Hold {
            payment_hash,
            state: IntentState::Unknown,
            then: AfterHold::LookUp(Box::new(intent)),
        },
    }
}

fn unproven(payment_hash: PaymentHash) -> State {
    let then = AfterHold::Refuse(Refusal::PreimageMismatch { payment_hash });
    State::Hold { payment_hash, state: IntentState::Unknown, then }
}

/// Money that moved stays known to the wallet, so a journal that fails never leads to a second payment.
fn journal_failed(state: State) -> Result<State, UnexpectedEventError> {
    Ok(match state {
        State::Store { then: AfterStore::Finish(outcome), .. } => {
            done(Outcome { journal_failed: true, ..outcome })
        }
        State::Store { then: AfterStore::Refuse(refusal), .. } => refuse(refusal),
        State::Hold { then: AfterHold::Refuse(refusal), .. } => refuse(refusal),
        State::Hold { then: AfterHold::LookUp(intent), .. } => State::LookUp(*intent),
        State::Commit { intent, .. } => {
            refuse(Refusal::JournalAfterPayment { payment_hash: intent.payment_hash })
        }
        State::Journal(_)
        | State::Load { .. }
        | State::Release { .. }
        | State::Store { then: AfterStore::GoOn(_), .. } => refuse(Refusal::Journal),
        _ => return Err(UnexpectedEventError),
    })
}

fn refuse(refusal: Refusal) -> State {
    State::End(Box::new(Step::Refused(refusal)))
}

fn done(outcome: Outcome) -> State {
    State::End(Box::new(Step::Done(outcome)))
}
