//! Payments that an earlier call left unfinished.

use std::sync::Arc;

use plannt_core::PaymentHash;
use plannt_core::flow::{Intent, IntentState, Resolution, resolve};
use plannt_lightning::{LightningError, PaymentState};

use crate::call::read_look_up;
use crate::{Journal, JournalError, KeyLock};

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

/// An unfinished payment, held against every other call while the wallet is asked about it.
///
/// [`Driver::recover`](crate::Driver::recover) goes through all of them; for a driver in another language,
/// [`Journal::unresolved`] lists them.
#[derive(Debug)]
pub struct Unfinished {
    journal: Arc<Journal>,
    intent: Intent,
    /// Held until the change is written.
    _lock: KeyLock,
}

impl Unfinished {
    /// Takes hold of it; `None` where another call is working on it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn begin(journal: Arc<Journal>, intent: Intent) -> Result<Option<Self>, JournalError> {
        let lock = journal.try_lock(&intent.request)?;
        Ok(lock.map(|lock| Self { journal, intent, _lock: lock }))
    }

    /// The payment to ask the wallet about.
    pub fn payment_hash(&self) -> &PaymentHash {
        &self.intent.payment_hash
    }

    /// Journals what the wallet knows of it, at `now`, unix seconds (docs/PROTOCOL.md §5.4).
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn resolve(
        self,
        answer: Result<PaymentState, LightningError>,
        now: u64,
    ) -> Result<RecoveredState, JournalError> {
        let (journal, hash) = (&self.journal, &self.intent.payment_hash);
        let (answer, words) = read_look_up(answer);
        match resolve(answer, hash, self.intent.invoice_expires_at, now) {
            Resolution::Failed { failure } => {
                journal.release(hash, &failure, now).map(|()| RecoveredState::Failed)
            }
            Resolution::Paid { preimage, fee_msat } => {
                journal.commit(hash, &preimage, fee_msat, now).map(|()| RecoveredState::Paid)
            }
            Resolution::Unresolved(state) => {
                journal.hold(hash, state).map(|()| RecoveredState::Unresolved(words))
            }
            _ => {
                journal.hold(hash, IntentState::Unknown).map(|()| RecoveredState::Unresolved(words))
            }
        }
    }
}
