//! Bodies on their way through the gate.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::headers;

pin_project_lite::pin_project! {
    /// A body of the gate: whole in memory, or passing through. `x-l402*` trailers are removed.
    #[derive(Debug)]
    pub struct GateBody<B> {
        // What is left of a body in memory.
        whole: Option<Bytes>,
        #[pin]
        passing: Option<B>,
    }
}

impl<B> GateBody<B> {
    /// A body in memory.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { whole: Some(bytes.into()).filter(|bytes| !bytes.is_empty()), passing: None }
    }

    /// A body that passes through.
    pub fn passing(body: B) -> Self {
        Self { whole: None, passing: Some(body) }
    }
}

impl<B: Body<Data = Bytes>> Body for GateBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        match this.passing.as_pin_mut() {
            None => Poll::Ready(this.whole.take().map(|bytes| Ok(Frame::data(bytes)))),
            Some(body) => {
                let frame = ready!(body.poll_frame(context));
                Poll::Ready(frame.map(|frame| frame.map(strip_trailers)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.passing {
            None => self.whole.is_none(),
            Some(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.passing {
            None => SizeHint::with_exact(self.whole.as_ref().map_or(0, |b| b.len() as u64)),
            Some(body) => body.size_hint(),
        }
    }
}

fn strip_trailers(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        headers::remove_x_l402(trailers);
    }
    frame
}

/// Why a bound body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadError {
    /// It broke off.
    Broken,
    /// It is above the limit.
    TooLarge,
}

/// Reads a body whole, up to `limit` bytes. Trailers are not part of the content, whose digest is
/// bound, and are left behind.
pub(crate) async fn read_whole<B: Body<Data = Bytes>>(
    body: B,
    limit: usize,
) -> Result<Bytes, ReadError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(ReadError::TooLarge);
    }
    let mut body = std::pin::pin!(body);
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| ReadError::Broken)?.into_data() else { continue };
        if data.len() > limit - whole.len() {
            return Err(ReadError::TooLarge);
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.into())
}
