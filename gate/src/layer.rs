//! The gate before a tower service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};

use crate::{Entry, Gate, GateBody, Passage, Pricer};

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
            match layer.gate.enter(request, &*layer.pricer).await {
                Ok(Entry { request, passage }) => pass(inner, request, passage).await,
                Err(answer) => Ok(answer.map(GateBody::whole)),
            }
        })
    }
}

async fn pass<S, B, R>(
    mut inner: S,
    request: Request<GateBody<B>>,
    mut passage: Passage,
) -> Result<Response<GateBody<R>>, S::Error>
where
    S: Service<Request<GateBody<B>>, Response = Response<R>>,
{
    passage.forward();
    let mut response = inner.call(request).await?;
    match response.extensions_mut().remove::<NotReached>() {
        None => passage.answer(response.headers_mut()),
        Some(NotReached) => passage.not_reached(response.headers_mut()).await,
    }
    Ok(response.map(GateBody::passing))
}
