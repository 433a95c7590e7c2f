//! What goes out: the caller's request, made ready to be sent more than once.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use plannt_core::base64;
use plannt_core::flow::{Authorization, BodyFacts, Origin, RequestFacts};
use url::Url;

use super::request::{BodyKind, Request};
use crate::{ClientError, TransportError};

/// Some servers challenge only who says that they understand it.
const ACCEPT_AUTHENTICATE: HeaderName = HeaderName::from_static("accept-authenticate");

/// A request whose parts are checked.
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: OutgoingBody,
}

pub(super) enum OutgoingBody {
    Bytes(Bytes),
    /// A stream, until it is sent.
    Once(Option<super::request::ByteStream>),
}

impl Outgoing {
    pub(super) fn new(request: Request) -> Result<Self, ClientError> {
        let refuse = |message: &str| Err(ClientError::Request { message: message.into() });
        let Request { method, mut url, mut headers, body } = request;
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("the URL is neither http nor https");
        }
        if method == Method::CONNECT {
            return refuse("CONNECT is for proxies");
        }
        if headers.contains_key(HOST) {
            return refuse(
                "a Host header of its own would hide which server is paid: put it in the URL",
            );
        }
        // The body's length is the HTTP stack's to tell.
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
        url.set_fragment(None);
        take_userinfo(&mut url, &mut headers)?;
        if !headers.contains_key(ACCEPT) {
            headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        }
        if !headers.contains_key(&ACCEPT_AUTHENTICATE) {
            headers.insert(ACCEPT_AUTHENTICATE, HeaderValue::from_static("L402"));
        }
        let body = match body.0 {
            BodyKind::Bytes(bytes) => OutgoingBody::Bytes(bytes),
            BodyKind::Stream(stream) => OutgoingBody::Once(Some(stream)),
        };
        Ok(Self { method, url, headers, body })
    }

    pub(super) fn facts(&self) -> Result<RequestFacts, ClientError> {
        let host = self.url.host_str().unwrap_or_default();
        let origin = Origin::new(self.url.scheme(), host, self.url.port())
            .map_err(|error| ClientError::Request { message: error.to_string() })?;
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().into(),
        };
        let body = match &self.body {
            OutgoingBody::Bytes(bytes) => BodyFacts::of(bytes),
            OutgoingBody::Once(_) => BodyFacts::Once,
        };
        Ok(RequestFacts { method: self.method.to_string(), origin, target, body })
    }

    /// Whether the caller presents an L402 credential of its own: then it decides, and this client stays out of it.
    pub(super) fn has_own_credential(&self) -> bool {
        self.headers.get_all(AUTHORIZATION).iter().any(is_l402)
    }

    /// For a request that only asks for the price: with the credential it would use that up.
    pub(super) fn leave_out_own_credential(&mut self) {
        let lines: Vec<_> = self.headers.get_all(AUTHORIZATION).iter().cloned().collect();
        self.headers.remove(AUTHORIZATION);
        for line in lines.into_iter().filter(|line| !is_l402(line)) {
            self.headers.append(AUTHORIZATION, line);
        }
    }

    /// The request to send now, with the credential ahead of the caller's own `Authorization` lines.
    pub(super) fn build(
        &mut self,
        authorization: Option<&Authorization>,
    ) -> Result<reqwest::Request, TransportError> {
        let mut request = reqwest::Request::new(self.method.clone(), self.url.clone());
        let headers = request.headers_mut();
        if let Some(authorization) = authorization {
            let mut value = HeaderValue::from_str(authorization.expose()).map_err(|_| {
                TransportError::new("token_unusable", "the token can't be sent in a header")
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        for (name, value) in &self.headers {
            let mut value = value.clone();
            if *name == AUTHORIZATION {
                value.set_sensitive(true);
            }
            headers.append(name.clone(), value);
        }
        *request.body_mut() = match &mut self.body {
            OutgoingBody::Bytes(bytes) if bytes.is_empty() => None,
            OutgoingBody::Bytes(bytes) => Some(bytes.clone().into()),
            OutgoingBody::Once(stream) => {
                let stream = stream.take().ok_or_else(|| {
                    TransportError::new("body_not_replayable", "the body was sent already")
                })?;
                Some(reqwest::Body::wrap_stream(stream))
            }
        };
        Ok(request)
    }
}

fn is_l402(authorization: &HeaderValue) -> bool {
    let value = authorization.as_bytes().trim_ascii_start();
    let scheme = value.split(|b| *b == b' ' || *b == b'\t').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"L402") || scheme.eq_ignore_ascii_case(b"LSAT")
}

/// A user and password in the URL become `Authorization: Basic`, as everywhere; no URL with a password goes further.
fn take_userinfo(url: &mut Url, headers: &mut HeaderMap) -> Result<(), ClientError> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    let mut text = percent_decoded(url.username());
    text.push(b':');
    text.extend(percent_decoded(url.password().unwrap_or_default()));
    let value = HeaderValue::from_str(&format!("Basic {}", base64::encode(&text)));
    let value = value.map_err(|_| ClientError::Request { message: "unusable user name".into() })?;
    if !headers.contains_key(AUTHORIZATION) {
        headers.insert(AUTHORIZATION, value);
    }
    // These fail only for URLs without a host, and those were refused.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(())
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escape = text.get(i + 1..i + 3).filter(|_| bytes[i] == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                i += 3;
            }
            None => {
                decoded.push(bytes[i]);
                i += 1;
            }
        }
    }
    decoded
}
