//! The gate's own answers, for HTTP and for gRPC (docs/PROTOCOL.md §3).

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, Response, StatusCode};
use plannt_core::{ChallengeBody, Code, challenge_header, error_body};

use crate::IssuedChallenge;
use crate::issue::Issued;

/// The state of a credential, on the answer to a request that it paid for.
pub(crate) const X_L402: HeaderName = HeaderName::from_static("x-l402");
/// The price of a paid route, in msat, on the answer to `HEAD`.
const X_L402_PRICE_MSAT: HeaderName = HeaderName::from_static("x-l402-price-msat");

/// What a client waits after a 503: long enough for a node or a disk to be back, short enough that
/// nobody gives up.
const UNAVAILABLE_RETRY: Duration = Duration::from_secs(5);

/// Whether a request is gRPC: its content type begins with `application/grpc`.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    const PREFIX: &[u8] = b"application/grpc";
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().get(..PREFIX.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// A 402 with its challenge.
pub(crate) fn challenge(
    code: Code,
    detail: Option<&str>,
    issued: &Issued,
    service: &str,
    grpc: bool,
) -> Response<Bytes> {
    let (token, facts) = (issued.token.as_str(), &issued.facts);
    let body = || {
        let expires_at = UNIX_EPOCH.checked_add(Duration::from_secs(facts.expires_at));
        let expires_at = expires_at.map(|t| humantime::format_rfc3339_seconds(t).to_string());
        ChallengeBody {
            token,
            invoice: &issued.bolt11,
            payment_hash: facts.payment_hash,
            price_msat: issued.amount_msat,
            expires_at: expires_at.as_deref().unwrap_or_default(),
            service,
            code,
            detail,
        }
        .to_json()
    };
    let header = HeaderValue::from_str(&challenge_header(token, &issued.bolt11))
        .expect("base64 and bech32 are visible ASCII");
    let mut response = respond(code, grpc, Some(header), body);
    response.extensions_mut().insert(IssuedChallenge {
        token: token.to_owned(),
        invoice: issued.bolt11.clone(),
        price_msat: issued.amount_msat,
        expires_at: facts.expires_at,
        service: service.to_owned(),
    });
    response
}

/// An answer without a challenge.
pub(crate) fn error(
    code: Code,
    detail: Option<&str>,
    grpc: bool,
    retry_after: Option<Duration>,
) -> Response<Bytes> {
    let mut response = respond(code, grpc, None, || error_body(code, detail));
    let retry_after = retry_after.or((code == Code::Unavailable).then_some(UNAVAILABLE_RETRY));
    if let Some(wait) = retry_after {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}

/// The answer to `HEAD` on a paid route: the price, and nothing that could be paid.
pub(crate) fn quote(price_msat: u64) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::PAYMENT_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(X_L402_PRICE_MSAT, HeaderValue::from(price_msat));
    response.extensions_mut().insert(Code::PaymentRequired);
    response
}

/// The challenge header is the first line: some clients read no other.
fn respond(
    code: Code,
    grpc: bool,
    challenge: Option<HeaderValue>,
    body: impl FnOnce() -> String,
) -> Response<Bytes> {
    let mut response = Response::new(if grpc { Bytes::new() } else { body().into() });
    let headers = response.headers_mut();
    if let Some(challenge) = challenge {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if grpc {
        let message = if code.is_challenge() { "payment required" } else { code.as_str() };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert("grpc-status", HeaderValue::from(u16::from(code.grpc_status())));
        headers.insert("grpc-message", HeaderValue::from_static(message));
    } else {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.status_mut() =
            StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }
    response.extensions_mut().insert(code);
    response
}

/// An answer without a challenge, in the form of the gate's own: for what is refused before or
/// after it. `headers` are the request's; gRPC gets a Trailers-Only response. The [`Code`] is in
/// the response's extensions.
pub fn error_response(code: Code, detail: Option<&str>, headers: &HeaderMap) -> Response<Bytes> {
    error(code, detail, is_grpc(headers), None)
}
