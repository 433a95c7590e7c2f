//! Cross-origin reading: preflights are answered here and never challenged, and every answer says who
//! may read it (Fetch standard, "CORS protocol"; docs/PROTOCOL.md §3, "Around the credential").

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderName,
    HeaderValue, ORIGIN, VARY,
};
use http::{Method, Response, StatusCode};

use crate::body::{self, Body};
use crate::config::Cors;

/// What a page may send besides what it asked for.
const ALLOWED: &str = "Authorization, Accept-Authenticate, Content-Type";
/// What a page may read: without these it could neither pay nor tell what happened.
const EXPOSED: &str = "WWW-Authenticate, x-l402, x-l402-price-msat, Retry-After";
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
/// Seconds for which a browser keeps a preflight's answer.
const MAX_AGE: &str = "600";

impl Cors {
    /// The answer to a preflight; `None` where the request is none, or CORS is off.
    pub(crate) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        let is_preflight = method == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if *self == Self::Off || !is_preflight {
            return None;
        }
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed(headers));
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        answer.insert(
            VARY,
            HeaderValue::from_static(
                "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
            ),
        );
        Some(response)
    }

    /// Says on any answer who may read it, in place of what an upstream said.
    pub(crate) fn decorate(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        let allowed = match self {
            Self::Off => return,
            Self::AnyOrigin => Some(HeaderValue::from_static("*")),
            Self::Origins(origins) => {
                headers.append(VARY, HeaderValue::from_static("Origin"));
                origin.filter(|origin| origins.contains(origin)).cloned()
            }
        };
        headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        match allowed {
            Some(allowed) => headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed),
            None => headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN),
        };
        // What the upstream exposes stays readable.
        let mut exposed = vec![EXPOSED.to_owned()];
        for line in headers.get_all(ACCESS_CONTROL_EXPOSE_HEADERS) {
            exposed.extend(line.to_str().ok().map(str::to_owned));
        }
        if let Ok(exposed) = HeaderValue::try_from(exposed.join(", ")) {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}

/// The headers that a page may send: ours, and those that it asked for.
fn allowed(headers: &HeaderMap) -> HeaderValue {
    let mut allowed = ALLOWED.to_owned();
    let asked = headers
        .get_all(ACCESS_CONTROL_REQUEST_HEADERS)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok());
    for name in asked {
        if !ALLOWED.split(", ").any(|known| known.eq_ignore_ascii_case(name.as_str())) {
            allowed.push_str(", ");
            allowed.push_str(name.as_str());
        }
    }
    HeaderValue::try_from(allowed).unwrap_or(HeaderValue::from_static(ALLOWED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_preflight_allows_what_it_asked_for_and_the_credential() {
        let asked = headers(&[
            ("origin", "https://shop.example"),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization, x-mine, bad name"),
        ]);
        let answer = Cors::AnyOrigin.preflight(&Method::OPTIONS, &asked).expect("a preflight");
        assert_eq!(answer.status(), 204);
        let allowed = &answer.headers()[ACCESS_CONTROL_ALLOW_HEADERS];
        assert_eq!(allowed, "Authorization, Accept-Authenticate, Content-Type, x-mine");
        assert!(Cors::Off.preflight(&Method::OPTIONS, &asked).is_none());
        assert!(Cors::AnyOrigin.preflight(&Method::GET, &asked).is_none());
        assert!(Cors::AnyOrigin.preflight(&Method::OPTIONS, &HeaderMap::new()).is_none());
    }

    #[test]
    fn only_listed_origins_may_read() {
        let shop = HeaderValue::from_static("https://shop.example");
        let cors = Cors::Origins(vec![shop.clone()]);
        let mut answer = headers(&[("access-control-allow-origin", "*")]);
        cors.decorate(Some(&shop), &mut answer);
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_ORIGIN], shop);
        assert_eq!(answer[VARY], "Origin");
        let mut answer = headers(&[
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
        ]);
        cors.decorate(Some(&HeaderValue::from_static("https://evil.example")), &mut answer);
        assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        assert!(!answer.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }
}
