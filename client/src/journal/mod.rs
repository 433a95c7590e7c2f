//! The journal of payments, in one SQLite file that all of a user's processes share.
//!
//! Every write is on the disk before the call returns (WAL, `synchronous=FULL`); the file's mode is 0600.

mod error;
mod lock;

use std::path::Path;

use plannt_core::flow::{
    Budget, BudgetRule, CredentialState, Intent, IntentState, Loaded, Receipt, RequestFacts,
    RequestKey, Reservation,
};
use plannt_core::{Network, PaymentHash, Preimage};

pub use error::JournalError;
pub use lock::KeyLock;

/// The journal. Open one a process; its methods may be called from any thread, and block on the disk.
#[derive(Debug)]
pub struct Journal {}

/// How much of a rule is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetStatus {
    /// The rule.
    pub rule: BudgetRule,
    /// Spent within its window, msat, fees included.
    pub spent_msat: u64,
    /// Reserved by payments that are not resolved, msat.
    pub reserved_msat: u64,
    /// What is left, msat.
    pub left_msat: u64,
}

#[allow(unused_variables)]
impl Journal {
    /// Opens a journal, or makes one, with the folders above it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        todo!()
    }
    /// What earlier calls left behind for a request.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn load(
        &self,
        request: &RequestFacts,
        key: Option<&RequestKey>,
        network: Network,
        budget: &Budget,
        now: u64,
    ) -> Result<Loaded, JournalError> {
        todo!()
    }
    /// Reserves and writes an intent, both or none.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn reserve(
        &self,
        intent: &Intent,
        budget: &Budget,
        now: u64,
    ) -> Result<Reservation, JournalError> {
        todo!()
    }
    /// Journals a payment as paid.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn commit(
        &self,
        payment_hash: &PaymentHash,
        preimage: &Preimage,
        fee_msat: u64,
        now: u64,
    ) -> Result<(), JournalError> {
        todo!()
    }
    /// Journals that a payment is not resolved.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn hold(&self, payment_hash: &PaymentHash, state: IntentState) -> Result<(), JournalError> {
        todo!()
    }
    /// Journals that a payment certainly failed.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn release(
        &self,
        payment_hash: &PaymentHash,
        failure: &str,
        now: u64,
    ) -> Result<(), JournalError> {
        todo!()
    }
    /// Journals what became of a credential.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn store_credential(
        &self,
        payment_hash: &PaymentHash,
        state: CredentialState,
    ) -> Result<(), JournalError> {
        todo!()
    }
    /// A wallet's payments that are not resolved, oldest first.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn unresolved(&self, wallet: &str) -> Result<Vec<Intent>, JournalError> {
        todo!()
    }
    /// The newest receipts first, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn receipts(&self, limit: usize) -> Result<Vec<Receipt>, JournalError> {
        todo!()
    }
    /// The receipt of one payment.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn receipt(&self, payment_hash: &PaymentHash) -> Result<Option<Receipt>, JournalError> {
        todo!()
    }
    /// Replaces the budget that all of the user's processes share.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn set_budget(&self, budget: &Budget) -> Result<(), JournalError> {
        todo!()
    }
    /// How much of each rule is used on a network: the journal's own rules, and those in `budget`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn budget_status(
        &self,
        network: Network,
        budget: &Budget,
        now: u64,
    ) -> Result<Vec<BudgetStatus>, JournalError> {
        todo!()
    }
}
