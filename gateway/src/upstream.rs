//! Sending a request on, and saying truthfully whether any of it arrived.
//!
//! A failure is "not reached" only where no connection came about: then not a byte of the request
//! was written (docs/PROTOCOL.md §4). Whatever breaks later, a kept-alive connection that the upstream
//! hangs up in the middle included, may have been seen, and counts as delivered.

mod connect;
mod transfer;

use std::sync::Arc;

use http::header::LOCATION;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use plannt_gate::NotReached;

use self::connect::{ConnectTimeout, Connector};
use self::transfer::{Upload, Uploading};
use crate::body::{self, Body, Paced};
use crate::config::Timeouts;
use crate::problem::Problem;
use crate::{GatewayError, hygiene};

/// Connections to upstreams.
#[derive(Clone)]
pub(crate) struct Upstream {
    client: Client<Connector, Body>,
    timeouts: Timeouts,
}

impl Upstream {
    pub(crate) fn new(timeouts: Timeouts) -> Result<Self, GatewayError> {
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(timeouts.pool_idle)
            .pool_timer(TokioTimer::new())
            .build(connect::connector(timeouts.connect)?);
        Ok(Self { client, timeouts })
    }

    /// Sends `request` to `uri`, whose path and query stand as they are.
    pub(crate) async fn send(&self, uri: &Uri, request: Request<Body>) -> Response<Body> {
        let (mut parts, request_body) = request.into_parts();
        parts.uri = uri.clone();
        parts.version = Version::HTTP_11;
        parts.extensions.clear();
        let upload = Arc::new(Upload::new());
        let request_body = body::boxed(Uploading::new(request_body, Arc::clone(&upload)));
        let answer = self.client.request(Request::from_parts(parts, request_body));
        match transfer::unless_idle(answer, &upload, self.timeouts.response).await {
            Some(Ok(response)) => self.receive(response.map(body::boxed)),
            Some(Err(error)) => not_answered(&error, &upload),
            None => Problem::upstream_silent().into_response(),
        }
    }

    fn receive(&self, response: Response<Body>) -> Response<Body> {
        let (mut parts, response_body) = response.into_parts();
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            // Nobody asked for that.
            return Problem::upstream_failed().into_response();
        }
        // The library's notes about the connection are not the client's.
        parts.extensions.clear();
        parts.version = Version::HTTP_11;
        hygiene::clean_response(&mut parts.headers);
        let response_body = Paced::new(response_body, self.timeouts.response);
        Response::from_parts(parts, body::boxed(response_body))
    }
}

/// The URI of a request at the upstream with this base: its path and query after the base's path.
pub(crate) fn join(base: &Uri, request: &Uri) -> Option<Uri> {
    let target = request.path_and_query()?.as_str();
    let prefix = base.path().trim_end_matches('/');
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{prefix}{target}")).ok()?);
    Uri::from_parts(parts).ok()
}

/// What to say where no answer came.
fn not_answered(error: &hyper_util::client::legacy::Error, upload: &Upload) -> Response<Body> {
    if error.is_connect() {
        let timed_out = body::sources(error).any(|source| source.is::<ConnectTimeout>());
        tracing::warn!(timed_out, "the upstream can't be connected to");
        let problem =
            if timed_out { Problem::unreachable_in_time() } else { Problem::unreachable() };
        let mut response = problem.into_response();
        response.extensions_mut().insert(NotReached);
        return response;
    }
    let problem = upload.failure().unwrap_or_else(|| {
        tracing::warn!("the upstream broke off before its answer");
        Problem::upstream_failed()
    });
    problem.into_response()
}

/// A redirect that stays below the upstream's base becomes one to the gateway, which puts the base before the path.
pub(crate) fn keep_redirect_here(base: &Uri, headers: &mut HeaderMap) {
    let prefix = base.path().trim_end_matches('/');
    let here = headers.get(LOCATION).and_then(|location| {
        let location = location.to_str().ok()?;
        // The URI type has no fragments.
        let (location, fragment) = location.split_at(location.find('#').unwrap_or(location.len()));
        let location: Uri = location.parse().ok()?;
        // Without a host it is the one that was asked.
        let is_upstream = location.authority().is_none()
            || (location.authority() == base.authority() && location.scheme() == base.scheme());
        let rest = location.path_and_query()?.as_str().strip_prefix(prefix)?;
        let rest = if rest.is_empty() { "/" } else { rest };
        let here = HeaderValue::try_from(format!("{rest}{fragment}")).ok()?;
        (is_upstream && rest.starts_with('/')).then_some(here)
    });
    if let Some(here) = here {
        headers.insert(LOCATION, here);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_follows_the_base() {
        for (base, request, joined) in [
            ("http://h:1", "/a/b?c=d", "http://h:1/a/b?c=d"),
            ("http://h:1/", "/", "http://h:1/"),
            ("https://h/base/", "/a?", "https://h/base/a?"),
            ("https://h/base", "/a%2A", "https://h/base/a%2A"),
        ] {
            let uri = join(&base.parse().expect("a base"), &request.parse().expect("a target"));
            assert_eq!(uri.expect("joins").to_string(), joined);
        }
    }

    #[test]
    fn redirects_stay_here_only_where_they_were_to_the_upstream() {
        for (base, location, kept) in [
            ("http://h:1", "http://h:1/b?c", "/b?c"),
            ("http://h:1", "https://h:1/b", "https://h:1/b"),
            ("http://h:1", "http://h:2/b", "http://h:2/b"),
            ("http://h:1", "http://h:1/b#f", "/b#f"),
            ("http://h:1/", "/b#f", "/b#f"),
            ("http://h/base", "http://h/base/b?c", "/b?c"),
            ("http://h/base/", "/base/b", "/b"),
            ("http://h/base", "/base", "/"),
            // Outside of what is offered here, it is the client's to follow or not.
            ("http://h/base", "http://h/other", "http://h/other"),
            ("http://h/base", "/baseball", "/baseball"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LOCATION, HeaderValue::from_static(location));
            keep_redirect_here(&base.parse().expect("a URL"), &mut headers);
            assert_eq!(headers[LOCATION], kept, "{base} {location}");
        }
    }
}
