//! The request that a caller puts together.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use crate::ClientError;

/// A request to send and, where the server asks for it, to pay for.
///
/// ```
/// use plannt_client::Request;
/// let request = Request::new("POST", "https://api.example/v1/generate")?
///     .header("content-type", "application/json")?
///     .body(r#"{"prompt":"hello"}"#);
/// assert_eq!(request.url.path(), "/v1/generate");
/// # Ok::<(), plannt_client::RequestError>(())
/// ```
#[derive(Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL. Its path and query are sent as they stand here.
    pub url: Url,
    /// The headers. An own `Authorization` of another scheme goes along behind the credential.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

impl Request {
    /// A request without headers and body.
    ///
    /// # Errors
    /// [`RequestError`] for a method or URL that can't be sent.
    pub fn new(method: &str, url: &str) -> Result<Self, RequestError> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| RequestError::Method)?;
        let url =
            Url::parse(url).map_err(|error| RequestError::Url { detail: error.to_string() })?;
        Ok(Self { method, url, headers: HeaderMap::new(), body: Body::empty() })
    }

    /// A GET.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn get(url: &str) -> Result<Self, RequestError> {
        Self::new("GET", url)
    }

    /// Adds a header line, beside others of its name.
    ///
    /// # Errors
    /// [`RequestError`] for a name or value that no header has.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, RequestError> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| RequestError::Header)?;
        let value = HeaderValue::from_str(value).map_err(|_| RequestError::Header)?;
        self.headers.append(name, value);
        Ok(self)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }
}

/// Why a request can't be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A header's name or value.
    #[error("not a header")]
    Header,
    /// The method.
    #[error("not an HTTP method")]
    Method,
    /// The URL.
    #[error("not a URL: {detail}")]
    Url {
        /// What is wrong with it.
        detail: String,
    },
}

impl RequestError {
    /// A stable snake_case name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Header => "invalid_header",
            Self::Method => "invalid_method",
            Self::Url { .. } => "invalid_url",
        }
    }
}

impl From<RequestError> for ClientError {
    fn from(error: RequestError) -> Self {
        Self::Request { message: error.to_string() }
    }
}

pub(super) type ByteStream =
    Pin<Box<dyn Stream<Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>> + Send>>;

/// A request's body.
pub struct Body(pub(super) BodyKind);

pub(super) enum BodyKind {
    Bytes(Bytes),
    Stream(ByteStream),
}

impl Body {
    /// No body.
    pub const fn empty() -> Self {
        Self(BodyKind::Bytes(Bytes::new()))
    }

    /// A stream. It can't be sent a second time, so such a request is never paid for.
    pub fn stream(
        stream: impl Stream<Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + 'static,
    ) -> Self {
        Self(BodyKind::Stream(Box::pin(stream)))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            BodyKind::Bytes(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            BodyKind::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(BodyKind::Bytes(bytes.into()))
    }
}
