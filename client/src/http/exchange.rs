//! One request over reqwest, whose last response is kept whole for the caller.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::WWW_AUTHENTICATE;
use plannt_core::flow::{Authorization, ResponseFacts};

use super::outgoing::Outgoing;
use super::resolver::NotPublic;
use super::response::BodyStream;
use crate::{Exchange, TransportError};

/// The code of an error that is about where a server is.
pub(super) const ADDRESS_NOT_ALLOWED: &str = "address_not_allowed";

/// The sending side of the driver.
pub(super) struct HttpExchange<'a> {
    pub(super) http: &'a reqwest::Client,
    pub(super) outgoing: Outgoing,
    pub(super) response_timeout: Option<Duration>,
    pub(super) received: Option<Received>,
}

/// A response, and what was read of its body already.
pub(super) struct Received {
    pub(super) response: reqwest::Response,
    read: Vec<Result<Bytes, TransportError>>,
}

impl Received {
    pub(super) fn facts(&self) -> ResponseFacts {
        let headers = self.response.headers();
        let lines = headers.get_all(WWW_AUTHENTICATE).iter();
        ResponseFacts {
            status: self.response.status().as_u16(),
            www_authenticate: lines.map(|value| value.as_bytes().to_vec()).collect(),
            x_l402: headers.get("x-l402").map(|value| value.as_bytes().to_vec()),
            redirected: false,
        }
    }

    /// Reads as far as a challenge may reach, keeping every byte for [`Received::body`].
    pub(super) async fn read_body(&mut self, max_bytes: usize) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match self.response.chunk().await {
                Ok(Some(chunk)) => {
                    body.extend_from_slice(&chunk);
                    self.read.push(Ok(chunk));
                    if body.len() > max_bytes {
                        return None;
                    }
                }
                Ok(None) => return Some(body),
                Err(error) => {
                    self.read.push(Err(describe(error)));
                    return None;
                }
            }
        }
    }

    /// The whole body, from its first byte.
    pub(super) fn body(self) -> BodyStream {
        let rest = self.response.bytes_stream().map(|chunk| chunk.map_err(describe));
        BodyStream(Box::pin(stream::iter(self.read).chain(rest)))
    }
}

/// Sends one request and waits for the head of its response.
pub(super) async fn send_once(
    http: &reqwest::Client,
    request: reqwest::Request,
    timeout: Option<Duration>,
) -> Result<Received, TransportError> {
    let sending = http.execute(request);
    let response = match timeout {
        Some(limit) => tokio::time::timeout(limit, sending)
            .await
            .map_err(|_| TransportError::new("timeout", "no answer in time"))?,
        None => sending.await,
    };
    Ok(Received { response: response.map_err(describe)?, read: Vec::new() })
}

#[async_trait]
impl Exchange for HttpExchange<'_> {
    async fn send(
        &mut self,
        authorization: Option<&Authorization>,
    ) -> Result<ResponseFacts, TransportError> {
        // Dropped first, so that an answer which is not wanted doesn't keep its connection.
        self.received = None;
        let request = self.outgoing.build(authorization)?;
        let received = send_once(self.http, request, self.response_timeout).await?;
        let facts = received.facts();
        self.received = Some(received);
        Ok(facts)
    }

    async fn read_body(&mut self, max_bytes: usize) -> Option<Vec<u8>> {
        let received = self.received.as_mut()?;
        let reading = received.read_body(max_bytes);
        match self.response_timeout {
            // What was read stays with the response, also when this gives up.
            Some(limit) => tokio::time::timeout(limit, reading).await.unwrap_or_default(),
            None => reading.await,
        }
    }
}

/// An error's chain of causes, without its URL: the query may hold secrets.
fn describe(error: reqwest::Error) -> TransportError {
    if let Some(refusal) = causes(&error).find(|cause| cause.is::<NotPublic>()) {
        return TransportError::new(ADDRESS_NOT_ALLOWED, refusal.to_string());
    }
    let code = if error.is_connect() {
        "connect"
    } else if error.is_timeout() {
        "timeout"
    } else {
        "transport"
    };
    let error = error.without_url();
    let mut message = error.to_string();
    for cause in causes(&error) {
        let text = cause.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
    }
    TransportError::new(code, message)
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| cause.source())
}
