//! Switches for everything that goes wrong with a node.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

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

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum FaultKind {
    /// Pay: refused as already paid.
    AlreadyPaid,
    /// The connection is cut before any work is done; with [`Operation::Any`], before TLS.
    Down,
    /// An error answer of the node: the HTTP status, gRPC code 2 and a text of your choice.
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
    /// Pay: fails with FAILURE_REASON_INCORRECT_PAYMENT_DETAILS.
    IncorrectDetails,
    /// Pay: fails with FAILURE_REASON_INSUFFICIENT_BALANCE.
    NoBalance,
    /// Pay: fails with FAILURE_REASON_NO_ROUTE.
    NoRoute,
    /// The answer is 200 and not JSON; for a payment, the work is done.
    Nonsense,
    /// The work is done, then the connection is cut without an answer.
    ReplyLost,
    /// Waits before the work.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// Pay: stays in flight until settled or failed by command.
    Stuck,
    /// Pay: fails with FAILURE_REASON_TIMEOUT.
    Timeout,
    /// The preimage in a payment's answer is not the right one; the work is done.
    WrongPreimage,
}

/// A fault, where it applies, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What it applies to.
    pub operation: Operation,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// For the next so many calls; `None`: until cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// The switches of one devnet. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    active: Arc<Mutex<Vec<Fault>>>,
}

impl Faults {
    /// Adds a fault. Of several that apply to a call, the first set decides; [`FaultKind::Slow`]
    /// comes on top of any other.
    pub fn set(&self, fault: Fault) {
        self.active.lock().expect("no panic while held").push(fault);
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
        self.active.lock().expect("no panic while held").clear();
    }
}
