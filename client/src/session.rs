//! The flow's journal steps.

use std::sync::Arc;

use plannt_core::Network;
use plannt_core::flow::{Budget, Event, Step};

use crate::{Journal, JournalError, KeyLock};

/// Does the journal steps of one flow, and holds the request's key from the exclusive load to its own end.
///
/// For a driver in another language: give each [`Step`] to [`Session::perform`], and what it returns to the flow.
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

    /// Does a step if it is the journal's; `None` for the other steps. [`Event::Busy`] means that another call holds
    /// the request's key: try the same step again for as long as the caller wants to wait, then report it.
    ///
    /// # Errors
    /// [`JournalError`]: report [`Event::JournalFailed`] to the flow.
    pub fn perform(&mut self, step: &Step, now: u64) -> Result<Option<Event>, JournalError> {
        let _ = (step, now, &self.journal, self.network, &self.budget, &self.lock);
        todo!()
    }
}
