//! Stores and nodes that fail on command.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use plannt_core::PaymentHash;
use plannt_gate::{AttemptId, SpendOutcome, SpendStore, SqliteStore, StoreError};
use plannt_lightning::{InvoiceRequest, InvoiceState, Invoicer, LightningError};

/// What a call of the store comes to.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is done, and the answer is this error.
    DoneBut(StoreError),
    /// It is done, and there is no answer, ever.
    DoneAndHangs,
    /// It is not done, and the answer is this error.
    Not(StoreError),
}

pub fn unknown() -> StoreError {
    StoreError::Failed { message: "the connection broke".into() }.into_unknown()
}

/// A real store with faults for its next calls.
pub struct FaultyStore {
    pub inner: Arc<SqliteStore>,
    pub spends: Mutex<VecDeque<Fault>>,
    pub releases: Mutex<VecDeque<Fault>>,
    /// Calls of `release` so far.
    pub released: AtomicUsize,
}

impl FaultyStore {
    pub fn new(inner: Arc<SqliteStore>) -> Self {
        let (spends, releases) = (Mutex::default(), Mutex::default());
        Self { inner, spends, releases, released: AtomicUsize::new(0) }
    }
}

async fn go_wrong<T>(
    fault: Option<Fault>,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match fault {
        None => work.await,
        Some(Fault::DoneBut(error)) => {
            work.await.unwrap();
            Err(error)
        }
        Some(Fault::DoneAndHangs) => {
            work.await.unwrap();
            std::future::pending().await
        }
        Some(Fault::Not(error)) => Err(error),
    }
}

#[async_trait]
impl SpendStore for FaultyStore {
    async fn spend(
        &self,
        hash: &PaymentHash,
        attempt: &AttemptId,
        uses: u32,
        keep_until: u64,
    ) -> Result<SpendOutcome, StoreError> {
        let fault = self.spends.lock().unwrap().pop_front();
        go_wrong(fault, self.inner.spend(hash, attempt, uses, keep_until)).await
    }

    async fn release(&self, hash: &PaymentHash, attempt: &AttemptId) -> Result<bool, StoreError> {
        let fault = self.releases.lock().unwrap().pop_front();
        let outcome = go_wrong(fault, self.inner.release(hash, attempt)).await;
        self.released.fetch_add(1, Ordering::SeqCst);
        outcome
    }
}

/// What a node's invoice is, other than asked for.
#[derive(Clone, Debug)]
pub enum Oddity {
    /// For one msat more.
    Amount,
    /// Expires at once, or far too late.
    Expiry(u32),
    /// Not an invoice.
    Nonsense,
    /// This one, made before.
    Old(String),
}

/// A real node with oddities for its next invoices.
pub struct OddInvoicer {
    pub inner: Arc<dyn Invoicer>,
    pub next: Arc<Mutex<VecDeque<Oddity>>>,
    pub unit_msat: u64,
}

#[async_trait]
impl Invoicer for OddInvoicer {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        let mut request = request.clone();
        let oddity = self.next.lock().unwrap().pop_front();
        match oddity {
            None => {}
            Some(Oddity::Amount) => request.amount_msat += 1,
            Some(Oddity::Expiry(seconds)) => request.expiry_seconds = seconds,
            Some(Oddity::Nonsense) => return Ok("lnbcrt1nonsense".into()),
            Some(Oddity::Old(bolt11)) => return Ok(bolt11),
        }
        self.inner.issue(&request).await
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        self.inner.look_up_invoice(hash).await
    }

    fn unit_msat(&self) -> u64 {
        self.unit_msat
    }
}
