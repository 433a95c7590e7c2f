//! What a request carries, and what the answer means for it.

use super::{
    Authorization, CredentialState, CredentialUse, Outcome, ResponseFacts, StoredCredential,
};
use crate::{Challenge, PaymentHash, authorization_value_for};

/// A complete challenge, and how it came.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) challenge: Challenge,
    pub(super) redirected: bool,
}

/// The credential that a request is sent with.
#[derive(Clone, Debug)]
pub(super) enum Carried {
    /// Paid for by this call.
    Bought(StoredCredential),
    /// Delivered before, and good for more.
    Kept(StoredCredential),
    Nothing,
    /// Paid for by an earlier call, and not delivered.
    Recovered(StoredCredential),
}

/// What an answer other than 402 does to the credential.
pub(super) enum Verdict {
    /// It stays what it is.
    Keep,
    /// It changes.
    Store { payment_hash: PaymentHash, state: CredentialState },
}

impl Carried {
    fn credential(&self) -> Option<&StoredCredential> {
        match self {
            Self::Bought(credential) | Self::Kept(credential) | Self::Recovered(credential) => {
                Some(credential)
            }
            Self::Nothing => None,
        }
    }

    pub(super) fn payment_hash(&self) -> Option<PaymentHash> {
        self.credential().map(|c| c.receipt.payment_hash)
    }

    pub(super) fn authorization(&self) -> Option<Authorization> {
        self.credential().map(|c| {
            Authorization(authorization_value_for(c.scheme, c.token.as_str(), &c.preimage))
        })
    }

    /// docs/PROTOCOL.md §5.6, but for the 402 to the credential.
    pub(super) fn judge(&self, head: &ResponseFacts) -> Verdict {
        let Some(payment_hash) = self.payment_hash() else { return Verdict::Keep };
        if head.redirected {
            // The credential never follows a redirect: a 3xx answered it, and this answers another request.
            return match self {
                Self::Bought(_) | Self::Recovered(_) => {
                    Verdict::Store { payment_hash, state: CredentialState::Delivered }
                }
                _ => Verdict::Keep,
            };
        }
        if head.says_spent() {
            return Verdict::Store { payment_hash, state: CredentialState::Spent };
        }
        match self {
            Self::Bought(_) | Self::Recovered(_) if (200..400).contains(&head.status) => {
                Verdict::Store { payment_hash, state: CredentialState::Delivered }
            }
            _ => Verdict::Keep,
        }
    }

    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            credential: match self {
                Self::Bought(_) => CredentialUse::Bought,
                Self::Kept(_) => CredentialUse::Kept,
                Self::Nothing => CredentialUse::None,
                Self::Recovered(_) => CredentialUse::Recovered,
            },
            receipt: self.credential().map(|c| c.receipt.clone()),
            journal_failed: false,
        }
    }

    /// The outcome, with the credential's new state on the receipt.
    pub(super) fn outcome_as(&self, state: CredentialState) -> Outcome {
        let mut outcome = self.outcome();
        if let Some(receipt) = &mut outcome.receipt {
            receipt.credential = Some(state);
        }
        outcome
    }
}
