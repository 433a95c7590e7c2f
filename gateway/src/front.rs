//! Every request's way through the gateway: judged, cleaned, priced and paid for, answered.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, ORIGIN};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, Uri, Version};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use plannt_core::{Network, PathRules, normalize_path};
use plannt_gate::{ClientAddr, Gate, GateBody, GateLayer, GateService};
use tower::{Layer, Service};

use crate::body::{self, Body};
use crate::config::{Cors, Limits, Offer, Timeouts};
use crate::generate::Prompt;
use crate::problem::Problem;
use crate::routes::{Routes, Target};
use crate::upstream::{self, Upstream};
use crate::wire::Spelling;
use crate::{demo, discovery, hygiene};

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a client may use at all.
const ALLOWED: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The outermost service: what no gate has to know.
pub(crate) struct Front {
    pub(crate) cors: Cors,
    pub(crate) hosts: BTreeSet<String>,
    pub(crate) limits: Limits,
    pub(crate) routes: Routes,
    pub(crate) spelling: Spelling,
    pub(crate) timeouts: Timeouts,
    gated: GateService<Offered>,
}

/// The innermost service: what is offered, to those who may have it.
#[derive(Clone)]
pub(crate) struct Offered(Arc<Inner>);

struct Inner {
    network: Network,
    offer: Offer,
    routes: Routes,
    service: String,
    upstream: Upstream,
}

impl Front {
    /// Puts `gate` before `offered`.
    pub(crate) fn new(
        gate: Gate,
        offered: Offered,
        cors: Cors,
        hosts: BTreeSet<String>,
        (limits, timeouts): (Limits, Timeouts),
        spelling: Spelling,
    ) -> Self {
        let routes = offered.0.routes.clone();
        let gated = GateLayer::new(gate, routes.clone()).layer(offered);
        Self { cors, hosts, limits, routes, spelling, timeouts, gated }
    }

    /// Answers one request. `problem` is what was wrong with it on the wire, if anything was.
    pub(crate) async fn answer(
        &self,
        request: Request<Body>,
        peer: SocketAddr,
        problem: Option<Problem>,
    ) -> Response<Body> {
        let is_head = *request.method() == Method::HEAD;
        let is_http1 = request.version() < Version::HTTP_2;
        let origin = request.headers().get(ORIGIN).cloned();
        let unreadable = problem.is_some();
        let result = match problem {
            Some(problem) => Err(problem),
            None => self.route(request, peer).await,
        };
        let mut response = result.unwrap_or_else(Problem::into_response);
        if unreadable {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        self.cors.decorate(origin.as_ref(), response.headers_mut());
        if is_http1 {
            self.spelling.apply(&mut response);
        }
        if is_head { without_body(response) } else { response }
    }

    async fn route(
        &self,
        request: Request<Body>,
        peer: SocketAddr,
    ) -> Result<Response<Body>, Problem> {
        let (mut parts, mut request_body) = request.into_parts();
        if [Method::TRACE, Method::CONNECT].contains(&parts.method) {
            let mut response = Problem::method().into_response();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(ALLOWED));
            return Ok(response);
        }
        let authority = crate::authority::authority(&parts, &self.hosts)?;
        if let Some(answer) = self.cors.preflight(&parts.method, &parts.headers) {
            return Ok(answer);
        }
        self.take_target(&mut parts)?;
        hygiene::clean_request(&mut parts.headers);
        hygiene::add_forwarded(&mut parts.headers, peer, &authority);
        parts.extensions.insert(ClientAddr(peer.ip()));

        let target = self
            .routes
            .find(&parts.method, parts.uri.path())
            .map(|route| route.target)
            .ok_or_else(Problem::not_found)?;
        parts.extensions.insert(target);
        if target == Target::Generate && parts.method == Method::POST {
            let whole = read_whole(request_body, self.limits.body);
            let whole = tokio::time::timeout(self.timeouts.bound_body, whole).await;
            let whole = whole.unwrap_or_else(|_| Err(Problem::slow_body()))?;
            let prompt = Prompt::find(&whole).map_err(Problem::request)?;
            parts.extensions.insert(prompt);
            request_body = body::full(whole);
        }
        let request = Request::from_parts(parts, request_body);
        let Ok(response) = self.gated(request).await;
        Ok(response.map(body::boxed))
    }

    fn gated(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<Result<Response<GateBody<Body>>, Infallible>> {
        // The gate is ready whenever what it guards is, and that always is.
        self.gated.clone().call(request)
    }

    /// Puts the normalized path in the place of the one that came, with the query as it came.
    fn take_target(&self, parts: &mut Parts) -> Result<(), Problem> {
        let target = parts.uri.path_and_query().map_or("", PathAndQuery::as_str);
        if target.len() > self.limits.target {
            return Err(Problem::uri_too_long(self.limits.target));
        }
        let path = normalize_path(parts.uri.path(), &PathRules::default())
            .map_err(|error| Problem::path(error.to_string()))?;
        let target = match parts.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.into_owned(),
        };
        parts.uri = Uri::try_from(target).map_err(|_| Problem::path("the path is not a URI's"))?;
        Ok(())
    }
}

fn read_whole(body: Body, limit: usize) -> BoxFuture<Result<Bytes, Problem>> {
    let whole = Limited::new(body, limit).collect().map(move |whole| match whole {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::body_too_large(limit)),
        Err(error) => Err(Problem::broken_body(error.as_ref())),
    });
    Box::pin(whole)
}

/// The same head, for a client that asked for no more; the length is that of the body it would have had.
fn without_body(response: Response<Body>) -> Response<Body> {
    let length = http_body::Body::size_hint(response.body()).exact();
    let mut response = response.map(|_| body::empty());
    if let Some(length) = length.filter(|length| *length > 0) {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    response
}

impl Offered {
    pub(crate) fn new(
        offer: Offer,
        routes: Routes,
        network: Network,
        service: String,
        upstream: Upstream,
    ) -> Self {
        Self(Arc::new(Inner { network, offer, routes, service, upstream }))
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let Inner { network, offer, routes, service, upstream } = &*self.0;
        let extensions = request.extensions();
        let Some(target) = extensions.get::<Target>().copied() else {
            return Problem::not_found().into_response();
        };
        let prompt = extensions.get::<Prompt>().copied();
        match (target, offer) {
            (Target::Data, _) => demo::data(),
            (Target::Demo, _) => demo::demo(),
            (Target::Discovery, _) => discovery::answer(routes, *network, service),
            (Target::Status, _) => demo::status(routes, *network, service),
            (Target::Generate, Offer::Demo { generate: Some(url) }) => {
                let prompt = prompt.unwrap_or(Prompt::Chat);
                upstream.send(url.endpoint(prompt), request).await
            }
            (Target::Upstream, Offer::Upstream { url, .. }) => {
                match upstream::join(url, request.uri()) {
                    Some(uri) => {
                        let mut response = upstream.send(&uri, request).await;
                        upstream::keep_redirect_here(url, response.headers_mut());
                        response
                    }
                    None => Problem::path("the path is not a URI's").into_response(),
                }
            }
            _ => Problem::not_found().into_response(),
        }
    }
}

impl Service<Request<GateBody<Body>>> for Offered {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<GateBody<Body>>) -> Self::Future {
        let offered = self.clone();
        Box::pin(async move { Ok(offered.answer(request.map(body::boxed)).await) })
    }
}
