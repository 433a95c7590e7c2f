//! The flow's journal steps.

use std::sync::Arc;

use plannt_core::Network;
use plannt_core::flow::{Budget, Event, Step};

use crate::{Journal, JournalError, KeyLock};

/// Does the journal steps of one flow, and holds the request's key from the exclusive load to its own end.
///
/// Give each [`Step`] to [`Session::perform`], and what it returns to the flow; [`Call`](crate::Call) does so.
#[derive(Debug)]
pub struct Session {
    journal: Arc<Journal>,
    network: Network,
    budget: Budget,
    lock: Option<KeyLock>,
}

impl Session {
    /// Begins a session; `budget` holds rules besides those that the journal keeps.
    pub fn new(journal: Arc<Journal>, network: Network, budget: Budget) -> Self {
        Self { journal, network, budget, lock: None }
    }

    /// Does a step if it is the journal's, at `now`, unix seconds; `None` for the other steps. [`Event::Busy`] means
    /// that another call holds the request's key: try the same step again for as long as the caller wants to wait,
    /// then report it.
    ///
    /// # Errors
    /// [`JournalError`]: report [`Event::JournalFailed`] to the flow.
    pub fn perform(&mut self, step: &Step, now: u64) -> Result<Option<Event>, JournalError> {
        let journal = &self.journal;
        let event = match step {
            Step::Commit { payment_hash, preimage, fee_msat } => {
                journal.commit(payment_hash, preimage, *fee_msat, now)?;
                Event::Stored
            }
            Step::Hold { payment_hash, state } => {
                journal.hold(payment_hash, *state)?;
                Event::Stored
            }
            Step::JournalIntent(intent) => {
                Event::Reserved(journal.reserve(intent, &self.budget, now)?)
            }
            Step::LoadCredential { request, key, exclusive } => {
                if let (true, Some(key), None) = (exclusive, key, &self.lock) {
                    self.lock = journal.try_lock(key)?;
                    if self.lock.is_none() {
                        return Ok(Some(Event::Busy));
                    }
                }
                let loaded =
                    journal.load(request, key.as_ref(), self.network, &self.budget, now)?;
                Event::Loaded(loaded)
            }
            Step::Release { payment_hash, failure } => {
                journal.release(payment_hash, failure, now)?;
                Event::Stored
            }
            Step::StoreCredential { payment_hash, state } => {
                journal.store_credential(payment_hash, *state)?;
                Event::Stored
            }
            _ => return Ok(None),
        };
        Ok(Some(event))
    }
}
