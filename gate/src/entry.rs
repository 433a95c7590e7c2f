//! The way through the gate and back, whatever kind of server there is.

use bytes::Bytes;
use http::header::ALLOW;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body::Body;
use plannt_core::{Code, content_digest, normalize_path};

use crate::answer::{self, X_L402};
use crate::body::{GateBody, ReadError, read_whole};
use crate::{
    Admission, ClientAddr, Gate, Grant, Pricer, Pricing, RequestFacts, Terms, headers, presented,
};

/// What may be asked for at all: all methods but CONNECT and TRACE.
const ALLOWED: &str = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH";

/// A request that may go on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Entry<B> {
    /// What goes on: with a normalized path, and without our credential.
    pub request: Request<GateBody<B>>,
    /// What it is let in on, and what its answer has to go through.
    pub passage: Passage,
}

/// The use that a request spends, if it is not free, from its entry to its answer.
///
/// Until [`forward`](Self::forward), dropping it gives the use back in the background.
#[derive(Debug)]
#[must_use = "a request goes on after `forward`, and its answer's headers are rewritten"]
pub struct Passage {
    held: Held,
}

/// What a request goes on with.
#[derive(Debug)]
enum Held {
    /// Nothing: it is free.
    Free,
    /// A use.
    Grant(Grant),
    /// A use that was given back, and whether the store has confirmed it.
    Returned { confirmed: bool },
}

impl Passage {
    /// The use, where the request is not free and the use was not given back.
    pub fn grant(&self) -> Option<&Grant> {
        match &self.held {
            Held::Grant(grant) => Some(grant),
            Held::Free | Held::Returned { .. } => None,
        }
    }

    /// The request goes on now: from here the use is spent, unless it was certainly
    /// [not reached](Self::not_reached).
    pub fn forward(&mut self) {
        if let Held::Grant(grant) = &mut self.held {
            grant.forward();
        }
    }

    /// Gives the use back, since no byte of the request was written to any upstream connection.
    pub async fn give_back(self) -> Self {
        match self.held {
            Held::Grant(grant) => {
                Self { held: Held::Returned { confirmed: grant.release().await } }
            }
            held => Self { held },
        }
    }

    /// Rewrites an answer's headers as docs/PROTOCOL.md §3 wants them: `x-l402` says what became of
    /// the credential, and a paid answer is private.
    pub fn answer(self, headers: &mut HeaderMap) {
        match self.held {
            Held::Free => finish(headers, false, None),
            Held::Grant(grant) => finish(headers, true, Some(grant.x_l402())),
            Held::Returned { confirmed } => {
                let state = confirmed.then(|| HeaderValue::from_static("unspent"));
                finish(headers, true, state);
            }
        }
    }

    /// [Gives the use back](Self::give_back), and rewrites the answer's headers: `x-l402` says
    /// `unspent` once that is confirmed.
    pub async fn not_reached(self, headers: &mut HeaderMap) {
        self.give_back().await.answer(headers);
    }
}

fn finish(headers: &mut HeaderMap, paid: bool, state: Option<HeaderValue>) {
    headers::remove_x_l402(headers);
    if paid {
        headers::make_private(headers);
    }
    if let Some(state) = state {
        headers.insert(X_L402, state);
    }
}

impl Gate {
    /// Takes a whole request: checks its [`authority`](crate::authority()), where it has one,
    /// normalizes its path, asks for its terms, reads a body that is bound, and decides. Headers
    /// that override the method or rewrite the path are removed first. For servers that are no
    /// tower services; [`GateLayer`](crate::GateLayer) does the same. A [`ClientAddr`] in the
    /// request's extensions is whom the limit of challenges counts.
    ///
    /// # Errors
    /// The finished answer, where the request may not go on.
    ///
    /// # Panics
    /// As [`admit`](Self::admit).
    pub async fn enter<B>(
        &self,
        request: Request<B>,
        pricer: &dyn Pricer,
    ) -> Result<Entry<B>, Response<Bytes>>
    where
        B: Body<Data = Bytes> + Send + 'static,
    {
        let (mut parts, body) = request.into_parts();
        let grpc = answer::is_grpc(&parts.headers);
        let refuse = |code: Code, detail: Option<&str>| answer::error(code, detail, grpc, None);
        if [Method::CONNECT, Method::TRACE].contains(&parts.method) {
            let mut refused = refuse(Code::MethodNotAllowed, None);
            refused.headers_mut().insert(ALLOW, HeaderValue::from_static(ALLOWED));
            return Err(refused);
        }
        crate::authority(&parts).map_err(|detail| refuse(Code::BadRequest, Some(detail)))?;
        // Before it is priced: a pricer sees what goes on.
        headers::remove_overrides(&mut parts.headers);
        normalize(&mut parts, pricer).map_err(|detail| refuse(Code::BadPath, Some(&detail)))?;
        let (body, held) = match pricer.terms(&parts) {
            Pricing::Free => (GateBody::passing(body), Held::Free),
            Pricing::NotFound => return Err(refuse(Code::NotFound, None)),
            Pricing::Paid(terms) => {
                let (body, grant) = self.enter_paid(&parts, body, &terms).await?;
                (body, Held::Grant(grant))
            }
        };
        presented::remove(&mut parts.headers);
        headers::remove_x_l402(&mut parts.headers);
        Ok(Entry { request: Request::from_parts(parts, body), passage: Passage { held } })
    }

    async fn enter_paid<B>(
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
        match self.admit(&facts, terms).await {
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
