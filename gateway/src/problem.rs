//! The answers that the gateway itself gives: JSON with a stable `code` and a `detail`.

use std::error::Error;
use std::io;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use plannt_core::Code;

use crate::body::{self, Body};

/// Why a request is answered by the gateway and goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into() }
    }

    fn of(code: Code, detail: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        Self::new(status, code.as_str(), detail)
    }

    /// 400: the message is not HTTP, or contradicts itself about its lengths or its authority.
    pub(crate) fn request(detail: impl Into<String>) -> Self {
        Self::of(Code::BadRequest, detail)
    }

    /// 400: the target's path can't be taken.
    pub(crate) fn path(detail: impl Into<String>) -> Self {
        Self::of(Code::BadPath, detail)
    }

    /// 421: no service lives at this authority.
    pub(crate) fn misdirected() -> Self {
        Self::of(Code::MisdirectedRequest, "no service is offered at this host")
    }

    /// 404: no route matches.
    pub(crate) fn not_found() -> Self {
        Self::of(Code::NotFound, "no route matches this method and path")
    }

    /// 405: a method that is never served.
    pub(crate) fn method() -> Self {
        Self::of(Code::MethodNotAllowed, "TRACE and CONNECT are never served")
    }

    /// 408: the request did not arrive in time.
    pub(crate) fn slow(detail: &'static str) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail)
    }

    /// 408: the body did not.
    pub(crate) fn slow_body() -> Self {
        Self::slow("the request body did not arrive in time")
    }

    /// 413: the body is above the route's limit.
    pub(crate) fn body_too_large(limit: usize) -> Self {
        Self::of(Code::BodyTooLarge, format!("the body is longer than {limit} bytes"))
    }

    /// 414: the target is above the limit.
    pub(crate) fn uri_too_long(limit: usize) -> Self {
        Self::of(Code::UriTooLong, format!("the request target is longer than {limit} bytes"))
    }

    /// 431: the header section is above the limit.
    pub(crate) fn header_too_large(detail: impl Into<String>) -> Self {
        Self::of(Code::HeaderTooLarge, detail)
    }

    /// 502: no connection to the upstream; not a byte of the request was sent.
    pub(crate) fn unreachable() -> Self {
        Self::of(Code::UpstreamUnreachable, "the upstream could not be connected to")
    }

    /// 504: no connection to the upstream in time; not a byte of the request was sent.
    pub(crate) fn unreachable_in_time() -> Self {
        Self::of(Code::UpstreamTimeout, "the upstream could not be connected to in time")
    }

    /// 502: the upstream broke off after it may have seen some of the request.
    pub(crate) fn upstream_failed() -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "upstream_failed",
            "the upstream closed the connection before its answer began",
        )
    }

    /// 504: the upstream has the request, or some of it, and does not answer.
    pub(crate) fn upstream_silent() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "upstream_silent",
            "the upstream took the request and did not answer in time",
        )
    }

    /// 500: a defect of the gateway.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the gateway failed")
    }

    /// What to answer where the client's own body broke off: 408 where it took too long, else 400.
    pub(crate) fn broken_body(error: &(dyn Error + 'static)) -> Self {
        let timed_out = body::sources(error)
            .filter_map(|source| source.downcast_ref::<io::Error>())
            .any(|source| source.kind() == io::ErrorKind::TimedOut);
        if timed_out {
            Self::slow_body()
        } else {
            Self::request("the request body broke off, or is not framed as HTTP says")
        }
    }

    /// The response: `{"error":"<reason>","code":"…","detail":"…"}`.
    pub(crate) fn into_response(self) -> Response<Body> {
        let text = serde_json::to_string(&Text {
            error: self.status.canonical_reason().unwrap_or("Error"),
            code: self.code,
            detail: &self.detail,
        });
        let mut response = Response::new(body::full(text.unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// The members of a problem's body, in their order.
#[derive(serde::Serialize)]
struct Text<'a> {
    error: &'a str,
    code: &'a str,
    detail: &'a str,
}
