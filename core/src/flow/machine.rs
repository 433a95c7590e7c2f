//! The states and what leads from one to the next.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::exchange::{Carried, Offer, Verdict};
use super::step::{Found, Loaded};
use super::{
    BodyFacts, CredentialState, Event, Intent, IntentState, LookUp, Outcome, PaymentResult,
    Pending, Policy, Quote, Refusal, RequestFacts, Reservation, Resolution, ResponseFacts, Step,
    UnexpectedEventError, resolve,
};
use crate::{Challenge, InvoiceError, InvoiceFacts, PaymentHash, Preimage, read_challenge};

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
    LookUp(Intent),
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
                AfterHold::LookUp(intent) => State::LookUp(intent),
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

    /// A 402, whose challenge is in the header, or else in the body once that is read.
    fn challenged(
        &mut self,
        carried: Carried,
        head: &ResponseFacts,
        body: Option<&[u8]>,
        now: u64,
    ) -> State {
        let may_go_on = match &carried {
            Carried::Nothing | Carried::Kept(_) => true,
            Carried::Bought(_) => false,
            Carried::Recovered(_) => self.policy.pay_after_loss && !self.attempted,
        };
        let challenge = if may_go_on { find_challenge(head, body) } else { Ok(None) };
        if may_go_on && body.is_none() && matches!(challenge, Ok(None)) {
            return State::Body { carried, head: head.clone() };
        }
        let offer = challenge
            .map(|found| found.map(|challenge| Offer { challenge, redirected: head.redirected }));
        let then = match offer {
            // Without a challenge the call begins anew, unless its body is gone.
            Ok(None) if self.request.body == BodyFacts::Once => {
                AfterStore::Finish(carried.outcome_as(CredentialState::Dropped))
            }
            Ok(offer) => AfterStore::GoOn(offer),
            Err(error) => AfterStore::Refuse(error.into()),
        };
        match carried {
            Carried::Nothing => match then {
                AfterStore::GoOn(Some(offer)) => self.consider(offer, now),
                AfterStore::Refuse(refusal) => refuse(refusal),
                _ => done(Outcome::default()),
            },
            Carried::Kept(credential) => State::Store {
                payment_hash: credential.receipt.payment_hash,
                state: CredentialState::Dropped,
                then,
            },
            Carried::Bought(credential) | Carried::Recovered(credential) => {
                let payment_hash = credential.receipt.payment_hash;
                let mut receipt = credential.receipt;
                receipt.credential = Some(CredentialState::Lost);
                let lost = Refusal::PaymentLost(Box::new(receipt));
                let then = if may_go_on { then } else { AfterStore::Refuse(lost) };
                State::Store { payment_hash, state: CredentialState::Lost, then }
            }
        }
    }

    /// A complete challenge: what does it ask for?
    fn consider(&mut self, offer: Offer, now: u64) -> State {
        #[cfg(feature = "invoice")]
        {
            let read = crate::read_invoice(&offer.challenge.invoice);
            self.considered(offer, read, now)
        }
        #[cfg(not(feature = "invoice"))]
        {
            let _ = now;
            State::Invoice(offer)
        }
    }

    fn considered(
        &mut self,
        offer: Offer,
        read: Result<InvoiceFacts, InvoiceError>,
        now: u64,
    ) -> State {
        let checked = read
            .map_err(Refusal::from)
            .and_then(|invoice| Ok((self.check(&offer, &invoice, now)?, invoice)));
        match checked {
            Err(refusal) => refuse(refusal),
            Ok((quote, _)) if self.dry_run => State::End(Box::new(Step::Quoted(quote))),
            Ok((_, invoice)) => State::Load { exclusive: true, offer: Some((offer, invoice)) },
        }
    }

    /// A quote for the offer. In a dry run it carries the reason not to pay, otherwise that is the error.
    fn check(&self, offer: &Offer, invoice: &InvoiceFacts, now: u64) -> Result<Quote, Refusal> {
        let mut quote = self.policy.quote(&self.request, &offer.challenge, invoice)?;
        quote.budget_left_msat = self.budget_left_msat;
        quote.pending = self.pending.clone();
        let checked = self.policy.check(
            &self.request,
            &offer.challenge,
            &quote,
            self.budget_left_msat,
            offer.redirected,
            now,
        );
        match checked {
            Err(refusal) if self.dry_run => quote.refusal = Some(Box::new(refusal)),
            checked => checked?,
        }
        Ok(quote)
    }

    /// The key is held and nothing is left of earlier calls: check once more, since waiting took time, and write.
    fn intend(&mut self, offer: Offer, invoice: InvoiceFacts, now: u64) -> State {
        let quote = match self.check(&offer, &invoice, now) {
            Ok(quote) => quote,
            Err(refusal) => return refuse(refusal),
        };
        match self.request.key(&self.wallet) {
            Some(request) if !self.attempted => State::Journal(Intent {
                payment_hash: quote.payment_hash,
                request,
                scheme: offer.challenge.scheme,
                token: offer.challenge.token,
                invoice: offer.challenge.invoice,
                network: quote.network,
                payee: quote.payee,
                amount_msat: quote.amount_msat,
                max_fee_msat: quote.max_fee_msat,
                invoice_expires_at: quote.invoice_expires_at,
                created_at: now,
            }),
            Some(_) => refuse(Refusal::PaymentHashKnown { payment_hash: quote.payment_hash }),
            None => refuse(Refusal::BodyNotReplayable),
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

fn find_challenge(
    head: &ResponseFacts,
    body: Option<&[u8]>,
) -> Result<Option<Challenge>, crate::ChallengeError> {
    read_challenge(head.www_authenticate.iter().map(Vec::as_slice), body)
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
            then: AfterHold::LookUp(intent),
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
        State::Hold { then: AfterHold::LookUp(intent), .. } => State::LookUp(intent),
        State::Commit { .. }
        | State::Journal(_)
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
