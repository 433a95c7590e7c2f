//! The paying flow: the core's state machine, whose steps and events are plain objects of Python.

use std::sync::{Mutex, MutexGuard, PoisonError};

use plannt_core::flow::{
    self, Event, Flow, Found, Loaded, LookUp, PaymentResult, Reservation, Resolution,
    ResponseFacts, Step,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::convert::{Amount, Bytes, Hash, HeaderValue, Msat, Proof, Seconds, get, object};
use crate::error::{exception, raise};
use crate::payment::{
    intent, outcome, quote, read_credential, read_intent, read_request_facts, request_facts,
    request_key,
};
use crate::policy::read_policy;
use crate::secrets::PyPreimage;

/// One paying call as a state machine without I/O (docs/PROTOCOL.md §5): `next()` says what to do, `handle()` takes what
/// came of it. At most one payment a flow; a payment of unknown outcome keeps its reservation; nothing is stored as paid
/// before its preimage hashes right.
///
/// >>> import plannt
/// >>> request = plannt.RequestFacts.of("GET", plannt.Origin.parse("https://api.example"), "/v1/demo")
/// >>> flow = plannt.Flow(plannt.Policy("regtest", 100_000), request, "my wallet")
/// >>> now = 1_700_000_000
/// >>> flow.next().exclusive
/// False
/// >>> flow.handle(plannt.Event.Loaded(plannt.Loaded(plannt.Found.Nothing())), now)
/// >>> flow.next()
/// Step.SendRequest()
/// >>> flow.handle(plannt.Event.Responded(plannt.ResponseFacts(200)), now)
/// >>> flow.next().outcome.credential
/// 'none'
#[pyclass(frozen, name = "Flow", module = "plannt")]
pub(crate) struct PyFlow(Mutex<Flow>);

impl PyFlow {
    fn lock(&self) -> MutexGuard<'_, Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyFlow {
    /// Starts a call for the wallet with this stable id.
    #[new]
    fn new(
        policy: &Bound<'_, PyAny>,
        request: &Bound<'_, PyAny>,
        wallet: String,
    ) -> PyResult<Self> {
        let flow = Flow::new(read_policy(policy)?, read_request_facts(request)?, wallet);
        Ok(Self(Mutex::new(flow)))
    }

    /// Starts a call that pays nothing, presents nothing and writes nothing: it ends in `Step.Quoted`, or in `Step.Done`
    /// where the server asks for no payment.
    #[staticmethod]
    fn dry_run(
        policy: &Bound<'_, PyAny>,
        request: &Bound<'_, PyAny>,
        wallet: String,
    ) -> PyResult<Self> {
        let flow = Flow::dry_run(read_policy(policy)?, read_request_facts(request)?, wallet);
        Ok(Self(Mutex::new(flow)))
    }

    /// What to do next. The same until `handle` takes the answer.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let next = self.lock().next();
        step(py, next)
    }

    /// Takes what came of the step, at `now`. Raises `UnexpectedEventError` for an event that does not answer the step;
    /// the flow is as it was.
    fn handle(&self, event: &Bound<'_, PyAny>, now: Seconds) -> PyResult<()> {
        let event = read_event(event)?;
        self.lock().handle(event, now.0).map_err(raise)
    }

    fn __repr__(&self) -> &'static str {
        "Flow()"
    }
}

fn step<'py>(py: Python<'py>, step: Step) -> PyResult<Bound<'py, PyAny>> {
    match step {
        Step::Commit { payment_hash, preimage, fee_msat } => object!(py, "Step.Commit",
            payment_hash: Hash(payment_hash),
            preimage: PyPreimage(preimage),
            fee_msat: Msat(fee_msat),
        ),
        Step::Done(end) => object!(py, "Step.Done", outcome: outcome(py, &end)?),
        Step::Hold { payment_hash, state } => object!(py, "Step.Hold",
            payment_hash: Hash(payment_hash),
            state: state.name(),
        ),
        Step::JournalIntent(of) => object!(py, "Step.JournalIntent", intent: intent(py, &of)?),
        Step::LoadCredential { request, key, exclusive } => object!(py, "Step.LoadCredential",
            request: request_facts(py, &request)?,
            key: key.map(|key| request_key(py, &key)).transpose()?,
            exclusive: exclusive,
        ),
        Step::LookUpPayment { payment_hash } => {
            object!(py, "Step.LookUpPayment", payment_hash: Hash(payment_hash))
        }
        Step::Pay(of) => object!(py, "Step.Pay", intent: intent(py, &of)?),
        Step::Quoted(of) => object!(py, "Step.Quoted", quote: quote(py, &of)?),
        Step::ReadBody { max_bytes } => object!(py, "Step.ReadBody", max_bytes: max_bytes),
        Step::Refused(refusal) => {
            object!(py, "Step.Refused", refusal: exception(py, &refusal)?)
        }
        Step::Release { payment_hash, failure } => object!(py, "Step.Release",
            payment_hash: Hash(payment_hash),
            failure: failure,
        ),
        Step::SendRequest { authorization } => {
            let value = authorization.as_ref().map(|value| value.expose());
            object!(py, "Step.SendRequest", authorization: value)
        }
        Step::StoreCredential { payment_hash, state } => object!(py, "Step.StoreCredential",
            payment_hash: Hash(payment_hash),
            state: state.name(),
        ),
        Step::Unanswered(end) => object!(py, "Step.Unanswered", outcome: outcome(py, &end)?),
        // `ReadInvoice`: this core reads invoices itself.
        _ => Err(crate::error::raise_as("InternalError", "internal", "a step that is not known")),
    }
}

/// The name of a plain object's class, with the class that it is in.
fn variant(object: &Bound<'_, PyAny>) -> PyResult<String> {
    object.get_type().qualname().map(|name| name.to_string())
}

fn unknown(wanted: &str, name: &str) -> PyErr {
    PyTypeError::new_err(format!("{wanted} is wanted, not {name}"))
}

fn read_event(object: &Bound<'_, PyAny>) -> PyResult<Event> {
    let name = variant(object)?;
    Ok(match name.as_str() {
        "Event.Body" => Event::Body(get::<Option<Bytes>>(object, "body")?.map(|body| body.0)),
        "Event.Busy" => Event::Busy,
        "Event.JournalFailed" => Event::JournalFailed,
        "Event.Loaded" => {
            let loaded = object.getattr("loaded")?;
            Event::Loaded(Loaded {
                found: read_found(&loaded.getattr("found")?)?,
                budget_left_msat: get::<Option<Amount>>(&loaded, "budget_left_msat")?.map(|a| a.0),
            })
        }
        "Event.LookedUp" => Event::LookedUp(read_look_up(&object.getattr("look_up")?)?),
        "Event.Payment" => Event::Payment(read_result(&object.getattr("result")?)?),
        "Event.Reserved" => Event::Reserved(read_reservation(&object.getattr("reservation")?)?),
        "Event.Responded" => Event::Responded(read_response(&object.getattr("facts")?)?),
        "Event.SendFailed" => Event::SendFailed,
        "Event.Stored" => Event::Stored,
        other => return Err(unknown("an event", other)),
    })
}

fn read_found(object: &Bound<'_, PyAny>) -> PyResult<Found> {
    Ok(match variant(object)?.as_str() {
        "Found.Delivered" => Found::Delivered(read_credential(&object.getattr("credential")?)?),
        "Found.Nothing" => Found::Nothing,
        "Found.Undelivered" => Found::Undelivered(read_credential(&object.getattr("credential")?)?),
        "Found.Unresolved" => Found::Unresolved(read_intent(&object.getattr("intent")?)?),
        other => return Err(unknown("a Found", other)),
    })
}

fn read_look_up(object: &Bound<'_, PyAny>) -> PyResult<LookUp> {
    Ok(match variant(object)?.as_str() {
        "LookUp.Failed" => LookUp::Failed { failure: get(object, "failure")? },
        "LookUp.InFlight" => LookUp::InFlight,
        "LookUp.NotFound" => LookUp::NotFound,
        "LookUp.Paid" => LookUp::Paid {
            preimage: get::<Proof>(object, "preimage")?.0,
            fee_msat: get::<Amount>(object, "fee_msat")?.0,
        },
        "LookUp.Unknown" => LookUp::Unknown,
        other => return Err(unknown("a LookUp", other)),
    })
}

fn read_result(object: &Bound<'_, PyAny>) -> PyResult<PaymentResult> {
    Ok(match variant(object)?.as_str() {
        "PaymentResult.Failed" => PaymentResult::Failed { failure: get(object, "failure")? },
        "PaymentResult.Paid" => PaymentResult::Paid {
            preimage: get::<Proof>(object, "preimage")?.0,
            fee_msat: get::<Amount>(object, "fee_msat")?.0,
        },
        "PaymentResult.Unknown" => PaymentResult::Unknown,
        other => return Err(unknown("a PaymentResult", other)),
    })
}

fn read_reservation(object: &Bound<'_, PyAny>) -> PyResult<Reservation> {
    Ok(match variant(object)?.as_str() {
        "Reservation.Granted" => Reservation::Granted,
        "Reservation.HashKnown" => Reservation::HashKnown,
        "Reservation.KeyBusy" => Reservation::KeyBusy,
        "Reservation.OverBudget" => {
            Reservation::OverBudget { left_msat: get::<Amount>(object, "left_msat")?.0 }
        }
        other => return Err(unknown("a Reservation", other)),
    })
}

fn read_response(object: &Bound<'_, PyAny>) -> PyResult<ResponseFacts> {
    let lines: Vec<HeaderValue> = get(object, "www_authenticate")?;
    Ok(ResponseFacts {
        status: get(object, "status")?,
        www_authenticate: lines.into_iter().map(|line| line.0).collect(),
        x_l402: get::<Option<HeaderValue>>(object, "x_l402")?.map(|value| value.0),
        redirected: get(object, "redirected")?,
    })
}

/// What a wallet's answer means for a payment that was left unfinished (docs/PROTOCOL.md §5.4): "not found" means failed
/// only once the invoice has expired.
#[pyfunction]
fn resolve<'py>(
    py: Python<'py>,
    answer: &Bound<'py, PyAny>,
    payment_hash: Hash,
    invoice_expires_at: Seconds,
    now: Seconds,
) -> PyResult<Bound<'py, PyAny>> {
    let answer = read_look_up(answer)?;
    match flow::resolve(answer, &payment_hash.0, invoice_expires_at.0, now.0) {
        Resolution::Failed { failure } => object!(py, "Resolution.Failed", failure: failure),
        Resolution::Paid { preimage, fee_msat } => object!(py, "Resolution.Paid",
            preimage: PyPreimage(preimage),
            fee_msat: Msat(fee_msat),
        ),
        Resolution::Unresolved(state) => {
            object!(py, "Resolution.Unresolved", state: state.name())
        }
        // And whatever is added: it keeps its reservation.
        _ => object!(py, "Resolution.Unproven"),
    }
}

/// Whether a kept credential's readable caveats allow a request at `now`; what can't be read is no reason to leave it out.
#[pyfunction]
fn token_fits(token: &str, request: &Bound<'_, PyAny>, now: Seconds) -> PyResult<bool> {
    Ok(flow::token_fits(token, &read_request_facts(request)?, now.0))
}

/// Until when a token's caveats let it be used, unix seconds; None where they don't tell.
#[pyfunction]
fn token_valid_until(token: &str) -> Option<u64> {
    flow::token_valid_until(token)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("MAX_TOKEN_TEXT_BYTES", flow::MAX_TOKEN_TEXT_BYTES)?;
    module.add("MIN_INVOICE_SECONDS", flow::MIN_INVOICE_SECONDS)?;
    module.add_function(wrap_pyfunction!(resolve, module)?)?;
    module.add_function(wrap_pyfunction!(token_fits, module)?)?;
    module.add_function(wrap_pyfunction!(token_valid_until, module)?)?;
    module.add_class::<PyFlow>()
}
