//! Redirects, followed only where the caller wants it, and never with a credential.

use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION,
    PROXY_AUTHORIZATION,
};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::outgoing::{Outgoing, OutgoingBody};

/// The longest chain that is followed.
pub(super) const MAX_REDIRECTS: usize = 10;

/// The request that a redirect asks for; none where the 3xx is better handed back: no usable `Location`, a body that
/// is gone, or a step down from `https`.
pub(super) fn next(from: &Outgoing, status: StatusCode, headers: &HeaderMap) -> Option<Outgoing> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = std::str::from_utf8(headers.get(LOCATION)?.as_bytes()).ok()?;
    let mut url = from.url.join(location).ok()?;
    let stays_safe =
        url.scheme() == "https" || (url.scheme() == "http" && from.url.scheme() == "http");
    if !stays_safe || url.host_str().is_none() {
        return None;
    }
    // A server must not make this client log in elsewhere.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);

    let becomes_get = match status.as_u16() {
        303 => from.method != Method::HEAD && from.method != Method::GET,
        301 | 302 => from.method == Method::POST,
        _ => false,
    };
    let mut headers = from.headers.clone();
    let (method, body) = if becomes_get {
        for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
            headers.remove(name);
        }
        (Method::GET, bytes::Bytes::new())
    } else {
        match &from.body {
            OutgoingBody::Bytes(bytes) => (from.method.clone(), bytes.clone()),
            OutgoingBody::Once(_) => return None,
        }
    };
    if !same_origin(&from.url, &url) {
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            headers.remove(name);
        }
    }
    Some(Outgoing { method, url, headers, body: OutgoingBody::Bytes(body) })
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}
