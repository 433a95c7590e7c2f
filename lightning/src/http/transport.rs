//! HTTP to the node, and the line between "certainly not sent" and "who knows".

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, Response};
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use zeroize::Zeroizing;

use super::fields::invalid;
use crate::{LightningError, PayFailure, tls};

/// The most that an answer, other than a payment's updates, may have.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Where a service is, and how it and we prove who we are.
pub(crate) struct Endpoint<'a> {
    /// Scheme, authority and path, without a slash at the end.
    pub(crate) base: String,
    /// Sent with each request; secrets in it are marked as sensitive.
    pub(crate) headers: HeaderMap,
    /// Pinned, exactly; if empty, the platform's roots decide.
    pub(crate) certificates: &'a [CertificateDer<'static>],
    pub(crate) connect_timeout: Duration,
}

pub(crate) struct Transport {
    base: String,
    headers: HeaderMap,
    pooled: Client,
    /// Without kept connections, for payments: the first write to a kept connection whose node
    /// has gone fails in a way that leaves the payment unknown, while a refused connection proves
    /// that it was not sent. A handshake is a small price for that.
    fresh: Client,
}

/// Which connection a request takes.
#[derive(Clone, Copy)]
pub(crate) enum Connection {
    Fresh,
    Pooled,
}

/// What a request carries.
#[derive(Clone, Copy)]
pub(crate) enum Body<'a> {
    Empty,
    Form(&'a [(&'a str, &'a str)]),
    Json(&'a Value),
}

/// A whole answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Transport {
    pub(crate) fn new(endpoint: Endpoint<'_>) -> Result<Self, LightningError> {
        let tls = tls::client_config(endpoint.certificates)?;
        let encrypted = endpoint.base.starts_with("https://");
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(endpoint.connect_timeout)
                .http1_only()
                .https_only(encrypted)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|e| LightningError::Config { message: reason(e) })
        };
        Ok(Self {
            base: endpoint.base,
            headers: endpoint.headers,
            pooled: build(builder())?,
            fresh: build(builder().pool_max_idle_per_host(0))?,
        })
    }

    /// Sends a request and returns its answer's head, whatever its status. `limit` bounds the whole
    /// exchange, until the last byte of the answer.
    ///
    /// [`LightningError::NodeUnreachable`], [`LightningError::InvalidRequest`]: it was not sent.
    pub(crate) async fn send(
        &self,
        connection: Connection,
        method: Method,
        path: &str,
        body: Body<'_>,
        limit: Duration,
    ) -> Result<Response, LightningError> {
        let client = match connection {
            Connection::Fresh => &self.fresh,
            Connection::Pooled => &self.pooled,
        };
        let request = client
            .request(method, format!("{}{path}", self.base))
            .headers(self.headers.clone())
            .timeout(limit);
        let request = match body {
            Body::Empty => request,
            Body::Form(fields) => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                request
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.finish())
            }
            Body::Json(value) => {
                request.header(CONTENT_TYPE, "application/json").body(value.to_string())
            }
        };
        request.send().await.map_err(transport_error)
    }

    /// Sends a request that moves no money, and reads its whole answer.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Body<'_>,
        limit: Duration,
    ) -> Result<Answer, LightningError> {
        let response = self.send(Connection::Pooled, method, path, body, limit).await?;
        Answer::read(response).await
    }

    /// Sends a payment, and reads its whole answer. The error says whether it was sent.
    pub(crate) async fn pay(
        &self,
        path: &str,
        body: Body<'_>,
        limit: Duration,
    ) -> Result<Answer, crate::PayOutcome> {
        use crate::PayOutcome;
        let sent = self.send(Connection::Fresh, Method::POST, path, body, limit).await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                return Err(not_sent(error).map_or_else(PayOutcome::Unknown, PayOutcome::Failed));
            }
        };
        Answer::read(response).await.map_err(PayOutcome::Unknown)
    }
}

impl Answer {
    async fn read(response: Response) -> Result<Self, LightningError> {
        let status = response.status().as_u16();
        Ok(Self { status, body: read_all(response).await? })
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads the body; `what` is what it should have been.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &self,
        what: &str,
    ) -> Result<T, LightningError> {
        // serde's messages quote the input, and that may be a preimage.
        serde_json::from_slice(&self.body).map_err(|_| invalid(&format!("not {what}")))
    }

    /// The body as words for a person.
    pub(crate) fn words(&self) -> String {
        super::fields::cut(&String::from_utf8_lossy(&self.body))
    }
}

/// Whether an error of [`Transport::send`] proves that the request never reached the node.
pub(crate) fn not_sent(error: LightningError) -> Result<PayFailure, LightningError> {
    match error {
        LightningError::NodeUnreachable { .. } | LightningError::InvalidRequest { .. } => {
            Ok(error.into())
        }
        error => Err(error),
    }
}

/// Reads an answer's body, up to a bound.
pub(crate) async fn read_all(mut response: Response) -> Result<Zeroizing<Vec<u8>>, LightningError> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(invalid("the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(crate) fn transport_error(error: reqwest::Error) -> LightningError {
    // The connector's errors come before the first byte of the request; all else may come after.
    if error.is_connect() {
        LightningError::NodeUnreachable { message: reason(error) }
    } else if error.is_builder() {
        LightningError::InvalidRequest { message: reason(error) }
    } else if error.is_timeout() {
        LightningError::TimeoutUnknown
    } else {
        LightningError::ConnectionLost { message: reason(error) }
    }
}

/// The innermost reason, which holds no URL and no header.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
