//! Spending a use, and giving it back (docs/PROTOCOL.md §4).

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderValue;
use plannt_core::{PaymentHash, Verified};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use crate::{AttemptId, Clock, SpendOutcome, SpendStore, StoreError};

/// Attempts that wait to be released; beyond, a use stays spent. It takes that many requests with
/// paid credentials while the store is out.
const MAX_PENDING: usize = 65_536;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Why nothing was spent, as far as the request is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpendingError {
    Spent,
    Unavailable,
}

#[derive(Clone)]
pub(crate) struct Spender {
    store: Arc<dyn SpendStore>,
    deadline: Duration,
    releaser: Arc<Releaser>,
}

impl Spender {
    pub(crate) fn new(
        store: Arc<dyn SpendStore>,
        clock: Arc<dyn Clock>,
        deadline: Duration,
    ) -> Self {
        let releaser =
            Releaser { store: store.clone(), deadline, clock, pending: Mutex::default() };
        Self { store, deadline, releaser: Arc::new(releaser) }
    }

    pub(crate) async fn spend(&self, verified: &Verified) -> Result<Grant, SpendingError> {
        let mut attempt = Attempt {
            hash: verified.payment_hash,
            id: AttemptId::random(),
            keep_until: verified.keep_until,
            releaser: self.releaser.clone(),
            runtime: Handle::current(),
            // Until the outcome is known, however this future ends.
            armed: true,
        };
        let step = async {
            let spend =
                || self.store.spend(&attempt.hash, &attempt.id, verified.uses, attempt.keep_until);
            match spend().await {
                // The same attempt again reads the outcome back.
                Err(error) if error.outcome_is_unknown() => {
                    log(&error);
                    // What goes wrong now tells of this call; the first one stays unknown.
                    spend().await.map_err(StoreError::into_unknown)
                }
                outcome => outcome,
            }
        };
        match timeout(self.deadline, step).await {
            Ok(Ok(SpendOutcome::Granted { remaining })) => {
                Ok(Grant { attempt, remaining, spender: self.clone() })
            }
            Ok(Ok(SpendOutcome::Refused)) => {
                attempt.armed = false;
                Err(SpendingError::Spent)
            }
            Ok(Err(error)) => {
                log(&error);
                attempt.armed = error.outcome_is_unknown();
                Err(SpendingError::Unavailable)
            }
            Err(_) => {
                tracing::error!("the spend store did not answer in time");
                Err(SpendingError::Unavailable)
            }
        }
    }

    pub(crate) fn pending_releases(&self) -> usize {
        self.releaser.pending().count()
    }
}

fn log(error: &StoreError) {
    tracing::error!(code = error.code(), %error, "the spend store gave no answer");
}

/// A use that a request has spent, durably.
///
/// Until [`forward`](Self::forward), dropping it gives the use back in the background.
pub struct Grant {
    attempt: Attempt,
    remaining: u32,
    spender: Spender,
}

impl Grant {
    /// The payment that it is a use of.
    pub fn payment_hash(&self) -> &PaymentHash {
        &self.attempt.hash
    }

    /// The id under which the store holds it.
    pub fn attempt(&self) -> &AttemptId {
        &self.attempt.id
    }

    /// Uses that are left after it.
    pub fn remaining(&self) -> u32 {
        self.remaining
    }

    /// The answer's `x-l402`: `spent`, or `valid; remaining=N`.
    pub fn x_l402(&self) -> HeaderValue {
        match self.remaining {
            0 => HeaderValue::from_static("spent"),
            n => HeaderValue::from_str(&format!("valid; remaining={n}")).expect("visible ASCII"),
        }
    }

    /// The request goes on now: from here the use is spent unless it is
    /// [released](Self::release).
    pub fn forward(&mut self) {
        self.attempt.armed = false;
    }

    /// Gives the use back, because the upstream was certainly not reached: no byte of the request
    /// was written to any connection. `true` once the store has confirmed it, and only then may the
    /// answer say `unspent`; otherwise it goes on in the background.
    pub async fn release(mut self) -> bool {
        // Also if this future is dropped before it ends.
        self.attempt.armed = true;
        let release = self.spender.store.release(&self.attempt.hash, &self.attempt.id);
        match timeout(self.spender.deadline, release).await {
            Ok(Ok(_)) => self.attempt.armed = false,
            Ok(Err(error)) => log(&error),
            Err(_) => tracing::error!("the spend store did not answer in time"),
        }
        !self.attempt.armed
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("payment_hash", &self.attempt.hash)
            .field("attempt", &self.attempt.id)
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}

/// An attempt that is released in the background when it is dropped while armed.
struct Attempt {
    hash: PaymentHash,
    id: AttemptId,
    keep_until: u64,
    releaser: Arc<Releaser>,
    /// Drop may run outside of any runtime.
    runtime: Handle,
    armed: bool,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.armed {
            let release =
                Release { hash: self.hash, attempt: self.id, keep_until: self.keep_until };
            self.releaser.clone().submit(release, &self.runtime);
        }
    }
}

#[derive(Clone, Copy)]
struct Release {
    hash: PaymentHash,
    attempt: AttemptId,
    keep_until: u64,
}

/// Goes on releasing until the store confirms, one attempt after the other in one task.
struct Releaser {
    store: Arc<dyn SpendStore>,
    deadline: Duration,
    clock: Arc<dyn Clock>,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    waiting: VecDeque<Release>,
    running: bool,
}

impl Pending {
    fn count(&self) -> usize {
        // The one that the task has in hand.
        self.waiting.len() + usize::from(self.running)
    }
}

impl Releaser {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(self: Arc<Self>, release: Release, runtime: &Handle) {
        let mut pending = self.pending();
        if pending.count() >= MAX_PENDING {
            tracing::error!(hash = %release.hash, "too many uses to give back: one stays spent");
            return;
        }
        pending.waiting.push_back(release);
        if !std::mem::replace(&mut pending.running, true) {
            drop(pending);
            runtime.spawn(self.run());
        }
    }

    async fn run(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let next = {
                let mut pending = self.pending();
                let next = pending.waiting.pop_front();
                pending.running = next.is_some();
                next
            };
            let Some(release) = next else { return };
            let released = self.store.release(&release.hash, &release.attempt);
            // One that never answers would keep all others waiting.
            let released = timeout(self.deadline, released).await;
            match released.unwrap_or(Err(StoreError::Busy)) {
                Ok(_) => pause = FIRST_PAUSE,
                // The store has forgotten it, or will without us.
                Err(_) if self.clock.now() > release.keep_until => {}
                Err(error) => {
                    tracing::warn!(code = error.code(), "a use could not be given back yet");
                    self.pending().waiting.push_back(release);
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}
