//! Bodies on their way to and from an upstream, watched for who stopped.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

use crate::body::{Body, BoxError};
use crate::problem::Problem;

/// What became of a request body while it was sent on.
#[derive(Debug)]
pub(crate) struct Upload(Mutex<State>);

#[derive(Debug)]
struct State {
    /// When the last piece of it was asked for.
    last: Instant,
    /// What the client did wrong.
    failure: Option<Problem>,
}

impl Upload {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { last: Instant::now(), failure: None }))
    }

    /// What to answer, where it was the client's body that broke off.
    pub(crate) fn failure(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failure.clone()
    }

    fn last(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last
    }
}

/// A request body that is being sent on.
pub(crate) struct Uploading {
    body: Body,
    upload: Arc<Upload>,
}

impl Uploading {
    pub(crate) fn new(body: Body, upload: Arc<Upload>) -> Self {
        Self { body, upload }
    }
}

impl http_body::Body for Uploading {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let mut state = self.upload.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.last = Instant::now();
        if let Poll::Ready(Some(Err(error))) = &frame {
            state.failure = Some(Problem::broken_body(error.as_ref()));
        }
        drop(state);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Waits for `answer` as long as the upload moves, and then for `limit`; `None` where that was not enough.
pub(crate) async fn unless_idle<T>(
    answer: impl Future<Output = T>,
    upload: &Upload,
    limit: Duration,
) -> Option<T> {
    let mut answer = std::pin::pin!(answer);
    loop {
        let deadline = upload.last() + limit;
        tokio::select! {
            answer = &mut answer => return Some(answer),
            () = sleep_until(deadline) => {
                if upload.last() + limit <= Instant::now() {
                    return None;
                }
            }
        }
    }
}
