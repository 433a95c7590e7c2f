//! Switches for everything that goes wrong with a node.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What a fault applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// All of them.
    Any,
    /// Reading the balance.
    Balance,
    /// Issuing an invoice.
    Issue,
    /// Looking an invoice up.
    LookUpInvoice,
    /// Looking a payment up.
    LookUpPayment,
    /// Paying.
    Pay,
}

/// What goes wrong. In JSON it is the member `kind`, in snake_case, with its fields beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum FaultKind {
    /// Pay: refused as already paid.
    AlreadyPaid,
    /// The connection is cut before any work is done. With [`Operation::Any`] already before TLS,
    /// and open connections with it: to a client this is a node that does not run.
    Down,
    /// An answer that is an error, before any work is done.
    Error {
        /// HTTP status.
        status: u16,
        /// gRPC code, as in the body.
        code: i32,
        /// The text.
        message: String,
    },
    /// Pay: refused as expired.
    Expired,
    /// Pay: fails with `FAILURE_REASON_INCORRECT_PAYMENT_DETAILS`.
    IncorrectDetails,
    /// Pay: fails with `FAILURE_REASON_INSUFFICIENT_BALANCE`.
    NoBalance,
    /// Pay: fails with `FAILURE_REASON_NO_ROUTE`.
    NoRoute,
    /// The work is done, and the answer is 200 with a body that is not JSON.
    Nonsense,
    /// The work is done, then the connection is cut without an answer.
    ReplyLost,
    /// Waits before the work; the work is done even when the client has gone by then.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// Pay: stays in flight until settled or failed by command.
    Stuck,
    /// Pay: fails with `FAILURE_REASON_TIMEOUT`.
    Timeout,
    /// Pay, look-up of a payment: the answer shows another preimage; the work is done.
    WrongPreimage,
}

/// A fault, where it applies, and for how long.
///
/// ```
/// # use plannt_lightning::devnet::{Fault, FaultKind, Operation};
/// let fault: Fault = serde_json::from_str(r#"{"operation":"pay","kind":"slow","ms":200,"count":3}"#)?;
/// assert_eq!(fault, Fault { operation: Operation::Pay, kind: FaultKind::Slow { ms: 200 }, count: Some(3) });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What it applies to.
    pub operation: Operation,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// For the next so many calls; without it until cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// The switches of one devnet. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    active: Arc<Mutex<Vec<Fault>>>,
    /// Changes whenever open connections have to go.
    cut: Arc<watch::Sender<()>>,
}

impl Faults {
    /// Adds a fault. Of several that apply to a call, the first set decides, except that
    /// [`FaultKind::Slow`] comes on top of any other.
    pub fn set(&self, fault: Fault) {
        let cuts = fault.operation == Operation::Any && fault.kind == FaultKind::Down;
        self.lock().push(fault);
        if cuts {
            self.cut.send_replace(());
        }
    }

    /// `operation` goes wrong in this way until cleared.
    pub fn always(&self, operation: Operation, kind: FaultKind) {
        self.set(Fault { operation, kind, count: None });
    }

    /// `operation` goes wrong in this way at its next call.
    pub fn once(&self, operation: Operation, kind: FaultKind) {
        self.set(Fault { operation, kind, count: Some(1) });
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Those that are set, in order.
    pub fn active(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    /// What applies to a call of `operation` now; uses up counts.
    pub(super) fn take(&self, operation: Operation) -> Verdict {
        let mut active = self.lock();
        let mut verdict = Verdict::default();
        active.retain_mut(|fault| {
            if fault.operation != Operation::Any && fault.operation != operation {
                return true;
            }
            match &fault.kind {
                FaultKind::Slow { ms } => verdict.delay += Duration::from_millis(*ms),
                _ if verdict.fault.is_some() => return true,
                kind => verdict.fault = Some(kind.clone()),
            }
            fault.stays()
        });
        verdict
    }

    /// Whether to drop a new connection before TLS.
    pub(super) fn take_down(&self) -> bool {
        let mut active = self.lock();
        let down = |f: &Fault| f.operation == Operation::Any && f.kind == FaultKind::Down;
        let Some(index) = active.iter().position(down) else { return false };
        if !active[index].stays() {
            active.remove(index);
        }
        true
    }

    pub(super) fn cut(&self) -> watch::Receiver<()> {
        self.cut.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.active.lock().expect("no panic while held")
    }
}

impl Fault {
    /// Counts one call; whether the fault stays.
    fn stays(&mut self) -> bool {
        match &mut self.count {
            None => true,
            Some(count) => {
                *count = count.saturating_sub(1);
                *count > 0
            }
        }
    }
}

/// What the switches say about one call.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) delay: Duration,
    pub(super) fault: Option<FaultKind>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_run_out_and_the_first_decides() {
        let faults = Faults::default();
        faults.once(Operation::Pay, FaultKind::NoRoute);
        faults.always(Operation::Any, FaultKind::Slow { ms: 5 });
        faults.always(Operation::Pay, FaultKind::NoBalance);
        assert_eq!(faults.take(Operation::Issue).fault, None);
        let verdict = faults.take(Operation::Pay);
        assert_eq!(verdict.fault, Some(FaultKind::NoRoute));
        assert_eq!(verdict.delay, Duration::from_millis(5));
        assert_eq!(faults.take(Operation::Pay).fault, Some(FaultKind::NoBalance));
        assert_eq!(faults.active().len(), 2);
        faults.clear();
        assert!(faults.active().is_empty());
    }

    #[test]
    fn down_counts_connections() {
        let faults = Faults::default();
        faults.set(Fault { operation: Operation::Any, kind: FaultKind::Down, count: Some(2) });
        assert!(faults.take_down() && faults.take_down() && !faults.take_down());
        faults.always(Operation::Pay, FaultKind::Down);
        assert!(!faults.take_down());
    }
}
