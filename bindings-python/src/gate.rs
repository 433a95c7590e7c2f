//! The server side: a gate over a keyring, its store and a node, for the middlewares.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes as Body;
use http::header::{HeaderMap, HeaderName, HeaderValue as Value};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use plannt_core::Network;
use plannt_gate::{
    ClientAddr, Clock, Entry, Gate, KeyringStore, Passage, Pricing, SystemClock, Terms,
};
use plannt_lightning::invoicer_from_url;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{Amount, Bytes, HeaderValue, NetworkName, get};
use crate::error::{raise, raise_as};
use crate::process::{PerProcess, block_on, enter, generation};
use crate::secrets::PyPaymentHash;

/// Headers as a middleware has them: names and values, in their order.
type Pairs = Vec<(HeaderValue, HeaderValue)>;
type Given<'py> = Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>;

/// Price → challenge → verify → spend, for one keyring and its store: what the middlewares ask (docs/PROTOCOL.md §3).
///
/// It is opened on first use in each process, so that it may be made before workers are forked; several processes share
/// one store. `store` is a folder, or a URL such as `sqlite:/var/lib/reports`, in which keyring and spent set are made
/// at the first start; `node` is the URL of the node that issues invoices. Up to `invoice_pool` of them are kept ahead of demand
/// for each price, twice as many as were asked for, also in that folder, so that a challenge does not wait for the node; none
/// unless set. With `require_settled` the node is asked, besides the preimage, that the invoice is settled: what is not yet is
/// answered with 503.
#[pyclass(frozen, name = "Gate", module = "plannt")]
pub(crate) struct PyGate {
    settings: Settings,
    gate: PerProcess<Gate>,
}

#[derive(Clone)]
struct Settings {
    store: String,
    node: String,
    network: Network,
    challenges_per_minute: Option<NonZeroU32>,
    invoice_expiry_seconds: u32,
    invoice_deadline: Duration,
    store_deadline: Duration,
    strict: bool,
    invoice_pool: usize,
    require_settled: bool,
}

impl Settings {
    fn open(&self) -> Result<Gate, PyErr> {
        let invoicer = invoicer_from_url(&self.node).map_err(raise)?;
        let opened = KeyringStore::open_url(&self.store, self.network, SystemClock.now());
        let opened = opened.map_err(raise)?;
        let pool = (self.invoice_pool > 0).then(|| opened.pool_options(self.invoice_pool));
        let mut builder = Gate::builder(opened.keyring.keyring(), invoicer, opened.store)
            .invoice_expiry_seconds(self.invoice_expiry_seconds)
            .invoice_deadline(self.invoice_deadline)
            .store_deadline(self.store_deadline)
            .strict(self.strict)
            .require_settled(self.require_settled);
        if let Some(pool) = pool {
            builder = builder.invoice_pool(pool);
        }
        if let Some(limit) = self.challenges_per_minute {
            builder = builder.challenges_per_minute(limit);
        }
        builder.build().map_err(raise)
    }
}

impl PyGate {
    fn open_here(&self, py: Python<'_>) -> PyResult<&Gate> {
        enter(py, || self.gate.get_or_try(|| self.settings.open()))?
    }
}

#[pymethods]
impl PyGate {
    /// Raises `GateError` and `LightningError` at once where it can't be opened.
    #[new]
    #[pyo3(signature = (store, *, node, network, challenges_per_minute=None, invoice_expiry_seconds=600, invoice_deadline=5.0, store_deadline=5.0, strict=false, invoice_pool=0, require_settled=false))]
    #[expect(clippy::too_many_arguments, reason = "all but one are by name")]
    fn new(
        py: Python<'_>,
        store: &Bound<'_, PyAny>,
        node: String,
        network: NetworkName,
        challenges_per_minute: Option<u32>,
        invoice_expiry_seconds: u32,
        invoice_deadline: f64,
        store_deadline: f64,
        strict: bool,
        invoice_pool: usize,
        require_settled: bool,
    ) -> PyResult<Self> {
        let limit = challenges_per_minute.map(NonZeroU32::new);
        let none = || PyValueError::new_err("challenges_per_minute is at least 1, or None");
        let gate = Self {
            settings: Settings {
                store: py.import("os")?.call_method1("fspath", (store,))?.extract()?,
                node,
                network: network.0,
                challenges_per_minute: limit.map(|limit| limit.ok_or_else(none)).transpose()?,
                invoice_expiry_seconds,
                invoice_deadline: crate::wallet::seconds(invoice_deadline)?,
                store_deadline: crate::wallet::seconds(store_deadline)?,
                strict,
                invoice_pool,
                require_settled,
            },
            gate: PerProcess::new(),
        };
        gate.open_here(py)?;
        Ok(gate)
    }

    /// How many uses are still to be given back in the background.
    fn pending_releases(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.open_here(py)?.pending_releases())
    }

    /// Takes a request: `terms` is a `Terms`, `"free"` or `"not_found"`, decided by the normalized path; `body` is the
    /// whole body where the terms bind it. Gives an `Admitted`, or the finished answer as a `Refused`.
    #[pyo3(signature = (method, target, headers, terms, *, body=None, client=None))]
    #[expect(clippy::too_many_arguments, reason = "what a request has")]
    fn enter<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: &str,
        headers: Pairs,
        terms: &Bound<'py, PyAny>,
        body: Option<Bytes>,
        client: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pricing = read_pricing(terms)?;
        let request = match read_request(method, target, headers, body, client) {
            Ok(request) => request,
            // What no `http` type can hold is no request to sell anything for.
            Err(detail) => {
                let code = plannt_core::Code::BadRequest;
                let answer = plannt_gate::error_response(code, Some(detail), &HeaderMap::new());
                return Ok(Bound::new(py, PyRefused(answer))?.into_any());
            }
        };
        let gate = self.open_here(py)?.clone();
        let pricer = move |_: &http::request::Parts| pricing.clone();
        match block_on(py, async move { gate.enter(request, &pricer).await })? {
            Err(answer) => Ok(Bound::new(py, PyRefused(answer))?.into_any()),
            Ok(Entry { request, passage, .. }) => {
                let (parts, _) = request.into_parts();
                let admitted = PyAdmitted {
                    generation: generation(),
                    path: parts.uri.path().into(),
                    query: parts.uri.query().map(str::to_owned),
                    headers: parts.headers,
                    passage: Mutex::new(Some(passage)),
                };
                Ok(Bound::new(py, admitted)?.into_any())
            }
        }
    }

    fn __repr__(&self) -> String {
        format!("Gate(network='{}')", self.settings.network)
    }
}

fn read_pricing(terms: &Bound<'_, PyAny>) -> PyResult<Pricing> {
    if let Ok(name) = terms.extract::<String>() {
        return match name.as_str() {
            "free" => Ok(Pricing::Free),
            "not_found" => Ok(Pricing::NotFound),
            _ => Err(PyValueError::new_err("terms are a Terms, \"free\" or \"not_found\"")),
        };
    }
    let positive = |name: &str| PyValueError::new_err(format!("{name} is at least 1"));
    let price = NonZeroU64::new(get::<Amount>(terms, "price_msat")?.0);
    let service: String = get(terms, "service")?;
    let mut read = Terms::new(service, price.ok_or_else(|| positive("price_msat"))?);
    read.tier = get(terms, "tier")?;
    if let Some(lowest) = get::<Option<Amount>>(terms, "lowest_price_msat")? {
        read.lowest_price_msat = lowest.0;
    }
    read.uses = NonZeroU32::new(get(terms, "uses")?).ok_or_else(|| positive("uses"))?;
    read.binds_query = get(terms, "binds_query")?;
    read.binds_body = get(terms, "binds_body")?;
    read.capability = get(terms, "capability")?;
    read.validity_seconds = get(terms, "validity_seconds")?;
    if let Some(memo) = get(terms, "memo")? {
        read.memo = memo;
    }
    Ok(Pricing::Paid(Arc::new(read)))
}

fn read_request(
    method: &str,
    target: &str,
    headers: Pairs,
    body: Option<Bytes>,
    client: Option<&str>,
) -> Result<Request<Full<Body>>, &'static str> {
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| "the method is no method")?;
    let uri: Uri = target.parse().map_err(|_| "the target is no target")?;
    let mut request = Request::new(Full::new(Body::from(body.map(|b| b.0).unwrap_or_default())));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = read_headers(headers)?;
    if let Some(address) = client.and_then(|client| client.parse::<IpAddr>().ok()) {
        request.extensions_mut().insert(ClientAddr(address));
    }
    Ok(request)
}

fn read_headers(pairs: Pairs) -> Result<HeaderMap, &'static str> {
    let mut headers = HeaderMap::with_capacity(pairs.len());
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(&name.0).map_err(|_| "a header's name is no name")?;
        let value = Value::from_bytes(&value.0).map_err(|_| "a header's value is no value")?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// `spelled` is how the challenge's name stands on the wire: some clients look for that spelling.
fn write_headers<'py>(py: Python<'py>, headers: &HeaderMap, spelled: bool) -> Given<'py> {
    let name = |name: &HeaderName| match name.as_str() {
        "www-authenticate" if spelled => PyBytes::new(py, b"WWW-Authenticate"),
        name => PyBytes::new(py, name.as_bytes()),
    };
    headers.iter().map(|(n, v)| (name(n), PyBytes::new(py, v.as_bytes()))).collect()
}

/// The finished answer to a request that may not go on.
#[pyclass(frozen, name = "Refused", module = "plannt")]
pub(crate) struct PyRefused(Response<Body>);

#[pymethods]
impl PyRefused {
    /// The HTTP status.
    #[getter]
    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// Names and values, the challenge first.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> Given<'py> {
        write_headers(py, self.0.headers(), true)
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.body())
    }

    /// Why, as docs/PROTOCOL.md §3 has it.
    #[getter]
    fn code(&self) -> Option<&'static str> {
        self.0.extensions().get::<plannt_core::Code>().map(|code| code.as_str())
    }
}

/// A request that may go on: with a normalized path, and without our credential. Until `forward`, dropping it gives the
/// use back.
#[pyclass(frozen, name = "Admitted", module = "plannt")]
pub(crate) struct PyAdmitted {
    generation: u64,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    passage: Mutex<Option<Passage>>,
}

impl PyAdmitted {
    fn take(&self) -> PyResult<Passage> {
        let passage = self.passage.lock().unwrap_or_else(PoisonError::into_inner).take();
        passage.ok_or_else(|| {
            raise_as("UnexpectedEventError", "unexpected_event", "its answer was written before")
        })
    }
}

impl Drop for PyAdmitted {
    fn drop(&mut self) {
        if self.generation != generation() {
            std::mem::forget(self.passage.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

#[pymethods]
impl PyAdmitted {
    /// The normalized path.
    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    /// What follows the first `?`, or None.
    #[getter]
    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The request's headers without our credential, names in lower case.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> Given<'py> {
        write_headers(py, &self.headers, false)
    }

    /// The payment that it is a use of; None for a free request.
    #[getter]
    fn payment_hash(&self) -> Option<PyPaymentHash> {
        let passage = self.passage.lock().unwrap_or_else(PoisonError::into_inner);
        passage.as_ref()?.grant().map(|grant| PyPaymentHash(*grant.payment_hash()))
    }

    /// Uses that are left after it; None for a free request.
    #[getter]
    fn remaining(&self) -> Option<u32> {
        let passage = self.passage.lock().unwrap_or_else(PoisonError::into_inner);
        passage.as_ref()?.grant().map(plannt_gate::Grant::remaining)
    }

    /// The request goes on now: from here the use is spent.
    fn forward(&self) {
        if let Some(passage) = &mut *self.passage.lock().unwrap_or_else(PoisonError::into_inner) {
            passage.forward();
        }
    }

    /// The answer's headers as docs/PROTOCOL.md §3 wants them.
    fn answer<'py>(&self, py: Python<'py>, headers: Pairs) -> PyResult<Given<'py>> {
        let mut headers = read_headers(headers).map_err(PyValueError::new_err)?;
        self.take()?.answer(&mut headers);
        Ok(write_headers(py, &headers, true))
    }

    /// The same where no byte of the request was written to any upstream: the use is given back, and `x-l402` says
    /// `unspent` once that is confirmed.
    fn not_reached<'py>(&self, py: Python<'py>, headers: Pairs) -> PyResult<Given<'py>> {
        let mut headers = read_headers(headers).map_err(PyValueError::new_err)?;
        let passage = self.take()?;
        let headers = block_on(py, async move {
            passage.not_reached(&mut headers).await;
            headers
        })?;
        Ok(write_headers(py, &headers, true))
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyAdmitted>()?;
    module.add_class::<PyGate>()?;
    module.add_class::<PyRefused>()
}
