//! The gate before a tower service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, Uri};
use http_body::Body;
use plannt_core::{Code, content_digest, normalize_path};
use tower::{Layer, Service};

use crate::answer::{self, X_L402};
use crate::body::{GateBody, ReadError, read_whole};
use crate::{
    Admission, ClientAddr, Gate, Grant, Pricer, Pricing, RequestFacts, Terms, headers, presented,
};

/// Puts a [`Gate`] before a service.
///
/// The inner service gets requests of free routes and paid ones, with a normalized path and without
/// our credential. When it answers without having written a byte of the request to any upstream, it
/// puts [`NotReached`] into the response's extensions, and the use is given back.
#[derive(Clone)]
pub struct GateLayer {
    gate: Gate,
    pricer: Arc<dyn Pricer>,
}

impl GateLayer {
    /// A layer with the prices of `pricer`.
    pub fn new(gate: Gate, pricer: impl Pricer + 'static) -> Self {
        Self { gate, pricer: Arc::new(pricer) }
    }
}

impl fmt::Debug for GateLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = GateService<S>;

    fn layer(&self, inner: S) -> GateService<S> {
        GateService { layer: self.clone(), inner }
    }
}

/// In the extensions of a response: no byte of the request was written to any upstream connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotReached;

/// The service that [`GateLayer`] makes.
#[derive(Clone, Debug)]
pub struct GateService<S> {
    layer: GateLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for GateService<S>
where
    S: Service<Request<GateBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    R: Send,
    B: Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<GateBody<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready goes along; its clone takes the next request.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        let layer = self.layer.clone();
        Box::pin(async move {
            match layer.admit(request).await {
                Ok(Passage { request, grant }) => pass(inner, request, grant).await,
                Err(answer) => Ok(answer.map(GateBody::whole)),
            }
        })
    }
}

/// A request that may go on, and the use that it spent if it is not free.
struct Passage<B> {
    request: Request<GateBody<B>>,
    grant: Option<Grant>,
}

async fn pass<S, B, R>(
    mut inner: S,
    request: Request<GateBody<B>>,
    grant: Option<Grant>,
) -> Result<Response<GateBody<R>>, S::Error>
where
    S: Service<Request<GateBody<B>>, Response = Response<R>>,
{
    let Some(mut grant) = grant else {
        let mut response = inner.call(request).await?;
        response.extensions_mut().remove::<NotReached>();
        headers::remove_x_l402(response.headers_mut());
        return Ok(response.map(GateBody::passing));
    };
    grant.forward();
    let mut response = inner.call(request).await?;
    let state = match response.extensions_mut().remove::<NotReached>() {
        None => Some(grant.x_l402()),
        Some(NotReached) => {
            grant.release().await.then(|| http::HeaderValue::from_static("unspent"))
        }
    };
    let headers = response.headers_mut();
    headers::remove_x_l402(headers);
    headers::make_private(headers);
    if let Some(state) = state {
        headers.insert(X_L402, state);
    }
    Ok(response.map(GateBody::passing))
}

impl GateLayer {
    async fn admit<B>(&self, request: Request<B>) -> Result<Passage<B>, Response<Bytes>>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let (mut parts, body) = request.into_parts();
        let grpc = answer::is_grpc(&parts.headers);
        let refuse = |code: Code, detail: Option<&str>| answer::error(code, detail, grpc, None);
        normalize(&mut parts, &*self.pricer)
            .map_err(|detail| refuse(Code::BadPath, Some(&detail)))?;
        let (body, grant) = match self.pricer.terms(&parts) {
            Pricing::Free => (GateBody::passing(body), None),
            Pricing::NotFound => return Err(refuse(Code::NotFound, None)),
            Pricing::Paid(terms) => {
                let (body, grant) = self.admit_paid(&parts, body, &terms).await?;
                (body, Some(grant))
            }
        };
        presented::remove(&mut parts.headers);
        headers::remove_x_l402(&mut parts.headers);
        Ok(Passage { request: Request::from_parts(parts, body), grant })
    }

    async fn admit_paid<B>(
        &self,
        parts: &Parts,
        body: B,
        terms: &Terms,
    ) -> Result<(GateBody<B>, Grant), Response<Bytes>>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let refuse = |code: Code, detail: &str| {
            answer::error(code, Some(detail), answer::is_grpc(&parts.headers), None)
        };
        let mut body_digest = None;
        let body = match terms.binds_body {
            Some(limit) if parts.method != Method::HEAD => {
                let whole = read_whole(body, limit).await.map_err(|error| match error {
                    ReadError::Broken => refuse(Code::BadRequest, "the body broke off"),
                    ReadError::TooLarge => {
                        refuse(Code::BodyTooLarge, &format!("at most {limit} bytes"))
                    }
                })?;
                body_digest = Some(content_digest(&whole));
                GateBody::whole(whole)
            }
            _ => GateBody::passing(body),
        };
        let facts = RequestFacts {
            method: &parts.method,
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &parts.headers,
            body_digest,
            client: parts.extensions.get::<ClientAddr>().map(|client| client.0),
        };
        match self.gate.admit(&facts, terms).await {
            Admission::Granted(grant) => Ok((body, grant)),
            Admission::Refused(answer) => Err(answer),
        }
    }
}

/// Writes the request's path in the one form that routing, price and caveat share; exactly it is
/// forwarded.
fn normalize(parts: &mut Parts, pricer: &dyn Pricer) -> Result<(), String> {
    let rules = pricer.path_rules(parts);
    let path = parts.uri.path();
    let normalized = normalize_path(path, &rules).map_err(|error| error.to_string())?;
    if normalized == path {
        return Ok(());
    }
    let target = match parts.uri.query() {
        Some(query) => format!("{normalized}?{query}"),
        None => normalized.into_owned(),
    };
    let target: PathAndQuery = target.parse().map_err(|_| "the path is no path".to_owned())?;
    let mut uri = std::mem::take(&mut parts.uri).into_parts();
    uri.path_and_query = Some(target);
    parts.uri = Uri::from_parts(uri).map_err(|_| "the target is no target".to_owned())?;
    Ok(())
}
