//! The response that a caller gets.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, StatusCode, Version};
use plannt_core::flow::{CredentialUse, Receipt};
use url::Url;

use crate::TransportError;

/// A server's answer, as it came.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The HTTP version.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// Where it came from: the request's URL, but after redirects.
    pub url: Url,
    /// The body, as it arrives.
    pub body: BodyStream,
    /// What this call paid, if it did.
    pub payment: Option<PaymentReport>,
    /// Which credential the request carried.
    pub credential: CredentialUse,
    /// The payment that bought that credential, by this call or an earlier one.
    pub receipt: Option<Receipt>,
    /// Whether the journal missed what became of the credential: the next call may try it in vain.
    pub journal_failed: bool,
}

/// What a call paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentReport {
    /// The payment.
    pub receipt: Receipt,
    /// From the pay request to the wallet's answer.
    pub took: Duration,
}

/// A response's body: a [`Stream`] of [`Bytes`].
pub struct BodyStream(pub(super) Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>);

impl BodyStream {
    /// Reads it to its end.
    ///
    /// # Errors
    /// [`TransportError`] where it breaks off.
    pub async fn bytes(mut self) -> Result<Vec<u8>, TransportError> {
        let mut all = Vec::new();
        while let Some(chunk) = self.0.next().await {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes, TransportError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyStream")
    }
}
