//! From a 402 to the intent to pay it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{AfterStore, Flow, State, done, refuse};
use crate::flow::exchange::{Carried, Offer, Verdict};
use crate::flow::{
    BodyFacts, CredentialState, Intent, Outcome, Quote, Refusal, ResponseFacts, Step,
};
use crate::{Challenge, ChallengeError, InvoiceError, InvoiceFacts, read_challenge};

impl Flow {
    /// A 402, whose challenge is in the header, or else in the body once that is read.
    pub(super) fn challenged(
        &mut self,
        carried: Carried,
        head: &ResponseFacts,
        body: Option<&[u8]>,
        now: u64,
    ) -> State {
        if head.redirected && carried.payment_hash().is_some() {
            return asked_elsewhere(carried, head, body);
        }
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
    pub(super) fn consider(&mut self, offer: Offer, now: u64) -> State {
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

    pub(super) fn considered(
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
    pub(super) fn intend(&mut self, offer: Offer, invoice: InvoiceFacts, now: u64) -> State {
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
}

/// A 402 after a redirect, which the credential never follows: it is no answer to the credential, and not paid.
fn asked_elsewhere(carried: Carried, head: &ResponseFacts, body: Option<&[u8]>) -> State {
    let refusal = match find_challenge(head, body) {
        Ok(None) if body.is_none() => return State::Body { carried, head: head.clone() },
        Ok(None) => None,
        Ok(Some(_)) => Some(Refusal::Redirected),
        Err(error) => Some(error.into()),
    };
    match (carried.judge(head), refusal) {
        (Verdict::Store { payment_hash, state }, refusal) => {
            let then = match refusal {
                None => AfterStore::Finish(carried.outcome_as(state)),
                Some(refusal) => AfterStore::Refuse(refusal),
            };
            State::Store { payment_hash, state, then }
        }
        (Verdict::Keep, None) => done(carried.outcome()),
        (Verdict::Keep, Some(refusal)) => refuse(refusal),
    }
}

fn find_challenge(
    head: &ResponseFacts,
    body: Option<&[u8]>,
) -> Result<Option<Challenge>, ChallengeError> {
    read_challenge(head.www_authenticate.iter().map(Vec::as_slice), body)
}
