//! What was read and what is answered on one HTTP/1 connection.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;

use futures_util::task::AtomicWaker;

use crate::problem::Problem;

/// What guard and service of one HTTP/1 connection tell each other. Requests are counted, so
/// that a pipelined request's problem is not taken for that of the one before it.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// Heads that were handed to the library.
    heads: AtomicU64,
    /// Requests that the library handed to the service.
    begun: AtomicU64,
    /// Answers that were written to their end, or given up.
    finished: AtomicU64,
    /// Who reads, to be told when an answer is finished.
    reader: AtomicWaker,
    refused: Mutex<Option<(u64, Problem)>>,
}

impl Exchange {
    /// Counts one request that arrives at the service; the problem is its answer, where there is one.
    pub(crate) fn begin(self: &Arc<Self>) -> (InFlight, Option<Problem>) {
        let number = self.begun.fetch_add(1, Ordering::AcqRel);
        let in_flight = InFlight(Arc::clone(self));
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.as_ref().is_some_and(|(at, _)| *at == number) {
            return (in_flight, refused.take().map(|(_, problem)| problem));
        }
        // The library saw a request where the guard saw none: they disagree on where one ends.
        let problem = (number >= self.heads.load(Ordering::Acquire))
            .then(|| Problem::request("the request was not framed clearly"));
        (in_flight, problem)
    }

    /// Counts one head that goes to the library.
    pub(super) fn pass_head(&self) {
        self.heads.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts a head that goes to the library in the place of one that is refused.
    pub(super) fn refuse(&self, problem: Problem) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused = Some((self.heads.fetch_add(1, Ordering::AcqRel), problem));
    }

    /// Whether an answer is due or being written; the task is woken when it no longer is.
    pub(super) fn is_busy_for(&self, cx: &Context<'_>) -> bool {
        self.reader.register(cx.waker());
        self.heads.load(Ordering::Acquire) > self.finished.load(Ordering::Acquire)
    }
}

/// One request of an HTTP/1 connection, until its answer has been written or given up.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Exchange>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.finished.fetch_add(1, Ordering::AcqRel);
        // From now on the client is waited for.
        self.0.reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_belongs_to_its_request() {
        let exchange = Arc::<Exchange>::default();
        exchange.pass_head();
        exchange.refuse(Problem::request("bad"));
        let (first, problem) = exchange.begin();
        assert_eq!(problem, None);
        let (second, problem) = exchange.begin();
        assert_eq!(problem, Some(Problem::request("bad")));
        drop((first, second));
    }

    #[test]
    fn a_request_that_no_head_was_judged_for_is_refused() {
        let exchange = Arc::<Exchange>::default();
        exchange.pass_head();
        let (_first, problem) = exchange.begin();
        assert_eq!(problem, None);
        let (_second, problem) = exchange.begin();
        assert!(problem.is_some());
    }
}
