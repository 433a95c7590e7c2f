//! HTTPS to the node, and the line between "certainly not sent" and "who knows".

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use zeroize::Zeroizing;

use super::answer::{Refusal, invalid};
use super::config::LndConfig;
use super::tls;
use crate::LightningError;

/// The most that an answer, other than a payment's, may have.
const MAX_ANSWER_BYTES: usize = 1 << 20;

pub(super) struct Transport {
    base: String,
    macaroon: HeaderValue,
    pooled: Client,
    /// Without kept connections, for payments: the first write to a kept connection whose node
    /// has gone fails in a way that leaves the payment unknown, while a refused connection proves
    /// that it was not sent. A handshake is a small price for that.
    fresh: Client,
}

/// Which connection a request takes.
#[derive(Clone, Copy)]
pub(super) enum Connection {
    Fresh,
    Pooled,
}

impl Transport {
    pub(super) fn new(config: &LndConfig) -> Result<Self, LightningError> {
        let tls = tls::client_config(config.certificates())?;
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .connect_timeout(config.connect_timeout)
                .http1_only()
                .https_only(true)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
        };
        let build = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|e| LightningError::Config { message: reason(e) })
        };
        let mut macaroon = HeaderValue::from_str(config.macaroon_hex())
            .map_err(|_| LightningError::Config { message: "the macaroon is not hex".into() })?;
        macaroon.set_sensitive(true);
        Ok(Self {
            base: format!("https://{}", config.authority()),
            macaroon,
            pooled: build(builder())?,
            fresh: build(builder().pool_max_idle_per_host(0))?,
        })
    }

    /// Sends a request and returns its answer's head, whatever its status. `limit` bounds the whole
    /// exchange, until the last byte of the answer.
    ///
    /// [`LightningError::NodeUnreachable`], [`LightningError::InvalidRequest`]: it was not sent.
    pub(super) async fn send(
        &self,
        connection: Connection,
        method: Method,
        path: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Response, LightningError> {
        let client = match connection {
            Connection::Fresh => &self.fresh,
            Connection::Pooled => &self.pooled,
        };
        let mut request = client
            .request(method, format!("{}{path}", self.base))
            .header("Grpc-Metadata-macaroon", self.macaroon.clone())
            .timeout(limit);
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await.map_err(transport_error)
    }

    /// Sends a request that gets one JSON object back.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Result<Zeroizing<Vec<u8>>, Refusal>, LightningError> {
        let response = self.send(Connection::Pooled, method, path, body, limit).await?;
        let status = response.status();
        let body = read_all(response).await?;
        if status.is_success() {
            return Ok(Ok(body));
        }
        Refusal::read(status.as_u16(), &body).map(Err)
    }
}

/// Reads an answer's body, up to a bound.
pub(super) async fn read_all(mut response: Response) -> Result<Zeroizing<Vec<u8>>, LightningError> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(transport_error)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(invalid("the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(super) fn transport_error(error: reqwest::Error) -> LightningError {
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
