//! Whether an invoice is settled, by the node's own word: what a preimage alone can't tell.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plannt_core::PaymentHash;
use plannt_lightning::{InvoiceState, Invoicer, LightningError};

use crate::recent::Recent;

/// How many settled invoices are remembered: later uses of a payment ask nobody.
const REMEMBERED: usize = 65_536;
/// How long to wait before the node's news are asked for again, at first and at most.
const BACKOFF: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(10)];

/// How long to wait before an invoice that is not settled yet is asked for again: a payer may have the preimage a moment
/// before the service behind the invoice has noted the payment.
const AGAIN: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// What is known of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// And never will be.
    No,
    /// Not yet, or the node can't tell.
    Unknown,
    Yes,
}

pub(crate) struct Settlement {
    invoicer: Arc<dyn Invoicer>,
    deadline: Duration,
    known: Arc<Known>,
    started: std::sync::Once,
}

type Known = Mutex<Recent>;

impl Settlement {
    pub(crate) fn new(invoicer: Arc<dyn Invoicer>, deadline: Duration) -> Self {
        let known = Arc::new(Mutex::new(Recent::new(REMEMBERED)));
        Self { invoicer, deadline, known, started: std::sync::Once::new() }
    }

    /// Whether at least `least_msat` has arrived for good. What may still be settled is asked for again, for a moment.
    pub(crate) async fn check(&self, hash: &PaymentHash, least_msat: u64) -> Settled {
        self.listen();
        let asked = tokio::time::timeout(self.deadline, self.ask(hash, least_msat)).await;
        asked.unwrap_or_else(|_| {
            tracing::warn!("the node did not tell of an invoice in time");
            Settled::Unknown
        })
    }

    async fn ask(&self, hash: &PaymentHash, least_msat: u64) -> Settled {
        for pause in AGAIN.map(Some).into_iter().chain([None]) {
            if self.known().contains(hash) {
                return Settled::Yes;
            }
            match self.invoicer.look_up_invoice(hash).await {
                // A node settles for the whole amount or not at all; the price is what this request costs at least.
                Ok(InvoiceState::Settled { amount_msat }) if amount_msat >= least_msat => {
                    self.known().add(*hash);
                    return Settled::Yes;
                }
                // Nothing that comes will change it.
                Ok(state @ (InvoiceState::Canceled | InvoiceState::Settled { .. })) => {
                    tracing::warn!(?state, %hash, "a preimage is known, and its invoice is not settled");
                    return Settled::No;
                }
                Ok(state) => {
                    let (InvoiceState::Accepted | InvoiceState::Open, Some(pause)) = (state, pause)
                    else {
                        tracing::warn!(?state, %hash, "a preimage is known, and its invoice is not settled yet");
                        return Settled::Unknown;
                    };
                    tokio::time::sleep(pause).await;
                }
                Err(error) => {
                    tracing::warn!(code = error.code(), %error, "the node does not tell of an invoice");
                    return Settled::Unknown;
                }
            }
        }
        Settled::Unknown
    }

    fn known(&self) -> MutexGuard<'_, Recent> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in the news of a node that has them, until this is dropped; they only spare look-ups.
    fn listen(&self) {
        self.started.call_once(|| {
            let (invoicer, known) = (Arc::clone(&self.invoicer), Arc::downgrade(&self.known));
            tokio::spawn(async move {
                let [mut backoff, longest] = BACKOFF;
                loop {
                    let news = known.clone();
                    let tell = move |hash| {
                        let known = news.upgrade()?;
                        known.lock().unwrap_or_else(PoisonError::into_inner).add(hash);
                        Some(())
                    };
                    match invoicer.follow_settled(&tell).await {
                        Err(LightningError::InvalidRequest { .. }) => return,
                        Err(error) => tracing::info!(code = error.code(), "no news of invoices"),
                        Ok(()) => backoff = BACKOFF[0],
                    }
                    if known.strong_count() == 0 {
                        return;
                    }
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(longest);
                }
            });
        });
    }
}
