//! The server side: a gate over a keyring, its store and a node, for the middlewares.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use napi::Result;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;
use plannt_core::Code;
use plannt_gate::{
    ClientAddr, Clock, Entry, Gate as CoreGate, Grant, KeyringStore, Passage, Pricing, SystemClock,
    Terms,
};
use plannt_lightning::invoicer_from_url;
use serde_json::{Value, json};

use crate::credential::latin1;
use crate::error::{raise, type_error};
use crate::plain::{
    amount, flag, member, network, number, optional, optional_amount, optional_text, owned, parse,
    seconds, text,
};

/// Headers as a middleware has them: names and values, in their order, one after the other.
type Pairs = Vec<String>;

#[napi]
pub struct Gate {
    gate: CoreGate,
}

/// Opens a gate; `settings` as JSON.
#[napi]
pub async fn open_gate(settings: String) -> Result<Gate> {
    let settings = parse(&settings)?;
    let time = |name: &str| {
        let time = member(&settings, name)?.as_f64();
        seconds(time.ok_or_else(|| type_error(format!("{name} is no number")))?)
    };
    let limit = optional(&settings, "challengesPerMinute")
        .map(|_| small::<u32>(&settings, "challengesPerMinute"));
    let limit = limit.transpose()?.map(NonZeroU32::new);
    let invoicer = invoicer_from_url(text(&settings, "node")?).map_err(raise)?;
    let (store, network) = (owned(&settings, "store")?, network(&settings)?);
    let opened = tokio::task::spawn_blocking(move || {
        KeyringStore::open_url(&store, network, SystemClock.now())
    });
    let opened = opened.await.map_err(type_error)?.map_err(raise)?;
    let pool = small::<usize>(&settings, "invoicePool")?;
    let pool = (pool > 0).then(|| opened.pool_options(pool));
    let mut builder = CoreGate::builder(opened.keyring.keyring(), invoicer, opened.store)
        .invoice_expiry_seconds(small(&settings, "invoiceExpirySeconds")?)
        .invoice_deadline(time("invoiceDeadline")?)
        .store_deadline(time("storeDeadline")?)
        .strict(flag(&settings, "strict")?)
        .require_settled(flag(&settings, "requireSettled")?);
    if let Some(pool) = pool {
        builder = builder.invoice_pool(pool);
    }
    if let Some(limit) = limit {
        let wrong = || type_error("challengesPerMinute is at least 1, or null");
        builder = builder.challenges_per_minute(limit.ok_or_else(wrong)?);
    }
    Ok(Gate { gate: builder.build().map_err(raise)? })
}

fn small<T: TryFrom<u64>>(value: &Value, name: &str) -> Result<T> {
    T::try_from(number(value, name)?).map_err(|_| type_error(format!("{name} is out of range")))
}

#[napi]
impl Gate {
    #[napi(catch_unwind)]
    pub fn pending_releases(&self) -> u32 {
        self.gate.pending_releases() as u32
    }

    /// Takes a request. `terms` as JSON: an object, `"free"` or `"not_found"`.
    #[napi]
    pub async fn enter(
        &self,
        method: String,
        target: String,
        headers: Pairs,
        terms: String,
        body: Option<Uint8Array>,
        client: Option<String>,
    ) -> Result<Entered> {
        let pricing = read_pricing(&parse(&terms)?)?;
        let body = body.map(|body| Bytes::copy_from_slice(&body)).unwrap_or_default();
        let refused = |answer| Entered { answer: Some(answer), admitted: None };
        let request = match read_request(&method, &target, headers, body, client.as_deref()) {
            Ok(request) => request,
            // What no `http` type can hold is no request to sell anything for.
            Err(detail) => {
                let answer =
                    plannt_gate::error_response(Code::BadRequest, Some(detail), &HeaderMap::new());
                return Ok(refused(answer));
            }
        };
        let pricer = move |_: &http::request::Parts| pricing.clone();
        Ok(match self.gate.enter(request, &pricer).await {
            Err(answer) => refused(answer),
            Ok(Entry { request, passage, .. }) => {
                let (parts, _) = request.into_parts();
                Entered {
                    answer: None,
                    admitted: Some(Admitted {
                        target: parts.uri.to_string(),
                        headers: parts.headers,
                        passage: Arc::new(Mutex::new(Some(passage))),
                    }),
                }
            }
        })
    }
}

fn read_pricing(terms: &Value) -> Result<Pricing> {
    match terms.as_str() {
        Some("free") => return Ok(Pricing::Free),
        Some("not_found") => return Ok(Pricing::NotFound),
        Some(_) => return Err(type_error("terms are an object, \"free\" or \"not_found\"")),
        None => {}
    }
    let positive = |name: &str| type_error(format!("{name} is at least 1"));
    let price = NonZeroU64::new(amount(terms, "priceMsat")?);
    let price = price.ok_or_else(|| positive("priceMsat"))?;
    let mut read = Terms::new(text(terms, "service")?, price);
    read.tier = small(terms, "tier")?;
    if let Some(lowest) = optional_amount(terms, "lowestPriceMsat")? {
        read.lowest_price_msat = lowest;
    }
    read.uses = NonZeroU32::new(small(terms, "uses")?).ok_or_else(|| positive("uses"))?;
    read.binds_query = flag(terms, "bindsQuery")?;
    read.binds_body =
        optional(terms, "bindsBody").map(|_| small(terms, "bindsBody")).transpose()?;
    read.capability = optional_text(terms, "capability")?;
    read.validity_seconds = number(terms, "validitySeconds")?;
    if let Some(memo) = optional_text(terms, "memo")? {
        read.memo = memo;
    }
    Ok(Pricing::Paid(Arc::new(read)))
}

fn read_request(
    method: &str,
    target: &str,
    headers: Pairs,
    body: Bytes,
    client: Option<&str>,
) -> std::result::Result<Request<Full<Bytes>>, &'static str> {
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| "the method is no method")?;
    let uri: Uri = target.parse().map_err(|_| "the target is no target")?;
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = read_headers(headers)?;
    if let Some(address) = client.and_then(|client| client.parse::<IpAddr>().ok()) {
        request.extensions_mut().insert(ClientAddr(address));
    }
    Ok(request)
}

fn read_headers(pairs: Pairs) -> std::result::Result<HeaderMap, &'static str> {
    let mut headers = HeaderMap::with_capacity(pairs.len() / 2);
    let mut parts = pairs.into_iter();
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| "a header's name is no name")?;
        let value = latin1(value).map_err(|_| "a header's value is no value")?;
        let value = HeaderValue::from_bytes(&value).map_err(|_| "a header's value is no value")?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// `spelled` is how the challenge's name stands on the wire: some clients look for that spelling.
fn write_headers(headers: &HeaderMap, spelled: bool) -> Pairs {
    let name = |name: &HeaderName| match name.as_str() {
        "www-authenticate" if spelled => "WWW-Authenticate".to_owned(),
        name => name.to_owned(),
    };
    let value = |value: &HeaderValue| value.as_bytes().iter().copied().map(char::from).collect();
    headers.iter().flat_map(|(n, v)| [name(n), value(v)]).collect()
}

/// What became of a request: the finished answer, or its admission.
#[napi]
pub struct Entered {
    answer: Option<Response<Bytes>>,
    admitted: Option<Admitted>,
}

#[napi]
impl Entered {
    /// Status, headers and code of the answer, as JSON; null for what may go on.
    #[napi(catch_unwind)]
    pub fn refused(&self) -> Option<String> {
        let answer = self.answer.as_ref()?;
        let told = json!({
            "status": answer.status().as_u16(),
            "headers": write_headers(answer.headers(), true),
            "code": answer.extensions().get::<Code>().map(|code| code.as_str()),
        });
        Some(told.to_string())
    }

    #[napi(catch_unwind)]
    pub fn body(&self) -> Buffer {
        self.answer.as_ref().map(|answer| answer.body().to_vec()).unwrap_or_default().into()
    }

    #[napi(catch_unwind)]
    pub fn admitted(&mut self) -> Option<Admitted> {
        self.admitted.take()
    }
}

#[napi]
pub struct Admitted {
    target: String,
    headers: HeaderMap,
    passage: Arc<Mutex<Option<Passage>>>,
}

impl Admitted {
    fn take(&self) -> Result<Passage> {
        let passage = self.passage.lock().unwrap_or_else(PoisonError::into_inner).take();
        passage.ok_or_else(|| raise(plannt_core::flow::UnexpectedEventError))
    }
}

#[napi]
impl Admitted {
    /// The normalized path, and the query.
    #[napi(catch_unwind)]
    pub fn target(&self) -> String {
        self.target.clone()
    }

    #[napi(catch_unwind)]
    pub fn headers(&self) -> Pairs {
        write_headers(&self.headers, false)
    }

    /// Payment hash and remaining uses, as JSON; null for a free request.
    #[napi(catch_unwind)]
    pub fn grant(&self) -> Option<String> {
        let passage = self.passage.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |grant: &Grant| json!({ "paymentHash": grant.payment_hash().to_string(), "remaining": grant.remaining() });
        passage.as_ref()?.grant().map(|grant| told(grant).to_string())
    }

    #[napi(catch_unwind)]
    pub fn forward(&self) {
        if let Some(passage) = &mut *self.passage.lock().unwrap_or_else(PoisonError::into_inner) {
            passage.forward();
        }
    }

    #[napi(catch_unwind)]
    pub fn answer(&self, headers: Pairs) -> Result<Pairs> {
        let mut headers = read_headers(headers).map_err(type_error)?;
        self.take()?.answer(&mut headers);
        Ok(write_headers(&headers, true))
    }

    /// Gives the use back: no byte of the request was written to any upstream.
    #[napi]
    pub async fn not_reached(&self) -> Result<()> {
        let returned = self.take()?.give_back().await;
        *self.passage.lock().unwrap_or_else(PoisonError::into_inner) = Some(returned);
        Ok(())
    }
}
