//! The paying call, step by step, and the journal that it goes through.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plannt_client::{
    Budget, Call, CallStep, ClientError, Clock, DriverOptions, Journal, RecoveredState,
    ResponseFacts, SystemClock, TransportError, Unfinished,
};
use plannt_lightning::{LightningError, PayFailure, PayOutcome, Payment, PaymentState};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Amount, Bytes, Hash, HeaderValue, Msat, NetworkName, Proof, Seconds, object};
use crate::error::{raise, raise_as};
use crate::payment::{outcome, quote, read_request_facts, receipt};
use crate::policy::{read_budget, read_policy, rule};
use crate::process::{PerProcess, generation};
use crate::secrets::PyPaymentHash;
use crate::wallet::seconds;

/// The journal of payments, in one SQLite file that all of a user's processes share. Keyed by payment hash: a hash is paid
/// at most once, ever; every write is on the disk before the call returns. It is opened on first use, in each process.
#[pyclass(frozen, name = "Journal", module = "plannt")]
pub(crate) struct PyJournal {
    path: std::path::PathBuf,
    journal: PerProcess<Arc<Journal>>,
}

impl PyJournal {
    fn open(&self) -> Result<Arc<Journal>, plannt_client::JournalError> {
        self.journal.get_or_try(|| Journal::open(&self.path).map(Arc::new)).map(Clone::clone)
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Journal) -> Result<T, plannt_client::JournalError> + Send,
    ) -> PyResult<T> {
        py.detach(|| self.open().and_then(|journal| work(&journal))).map_err(raise)
    }
}

#[pymethods]
impl PyJournal {
    #[new]
    fn new(path: std::path::PathBuf) -> Self {
        Self { path, journal: PerProcess::new() }
    }

    /// The file.
    #[getter]
    fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// The newest receipts first, at most `limit`.
    #[pyo3(signature = (limit=100))]
    fn receipts<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for paid in self.with(py, |journal| journal.receipts(limit))? {
            list.append(receipt(py, &paid)?)?;
        }
        Ok(list)
    }

    /// The receipt of one payment, or None.
    fn receipt<'py>(
        &self,
        py: Python<'py>,
        payment_hash: Hash,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = self.with(py, |journal| journal.receipt(&payment_hash.0))?;
        found.map(|paid| receipt(py, &paid)).transpose()
    }

    /// Replaces the budget that all of the user's processes share.
    fn set_budget(&self, py: Python<'_>, budget: &Bound<'_, PyAny>) -> PyResult<()> {
        let budget = read_budget(&budget.getattr("rules")?)?;
        self.with(py, |journal| journal.set_budget(&budget))
    }

    /// How much of each rule is used on a network: the journal's own rules, and those of `budget`.
    #[pyo3(signature = (network, budget=None, now=None))]
    fn budget_status<'py>(
        &self,
        py: Python<'py>,
        network: NetworkName,
        budget: Option<&Bound<'py, PyAny>>,
        now: Option<Seconds>,
    ) -> PyResult<Bound<'py, PyList>> {
        let budget = match budget {
            None => Budget::unlimited(),
            Some(budget) => read_budget(&budget.getattr("rules")?)?,
        };
        let now = now.map_or_else(|| SystemClock.now(), |now| now.0);
        let list = PyList::empty(py);
        for status in self.with(py, |journal| journal.budget_status(network.0, &budget, now))? {
            list.append(object!(py, "BudgetStatus",
                rule: rule(py, &status.rule)?,
                spent_msat: Msat(status.spent_msat),
                reserved_msat: Msat(status.reserved_msat),
                left_msat: Msat(status.left_msat),
            )?)?;
        }
        Ok(list)
    }

    /// The hashes of a wallet's payments that are not resolved, oldest first.
    fn unresolved(&self, py: Python<'_>, wallet: String) -> PyResult<Vec<PyPaymentHash>> {
        let intents = self.with(py, |journal| journal.unresolved(&wallet))?;
        Ok(intents.into_iter().map(|intent| PyPaymentHash(intent.payment_hash)).collect())
    }

    /// Takes hold of an unresolved payment; None where another call is working on it, or it is resolved.
    fn unfinished(
        &self,
        py: Python<'_>,
        wallet: String,
        payment_hash: Hash,
    ) -> PyResult<Option<PyUnfinished>> {
        let begun = py.detach(|| {
            let journal = self.open()?;
            let intents = journal.unresolved(&wallet)?;
            let intent = intents.into_iter().find(|i| i.payment_hash == payment_hash.0);
            let begun =
                intent.map_or(Ok(None), |intent| Unfinished::begin(journal.clone(), intent))?;
            Ok::<_, plannt_client::JournalError>(begun.map(|unfinished| (unfinished, journal)))
        });
        let begun = begun.map_err(raise)?;
        Ok(begun.map(|(unfinished, journal)| PyUnfinished {
            generation: generation(),
            journal,
            held: Mutex::new(Some(unfinished)),
        }))
    }

    fn __repr__(&self) -> String {
        format!("Journal('{}')", self.path.display())
    }
}

/// An unfinished payment, held against every other call while the wallet is asked about it.
#[pyclass(frozen, name = "Unfinished", module = "plannt")]
pub(crate) struct PyUnfinished {
    generation: u64,
    journal: Arc<Journal>,
    held: Mutex<Option<Unfinished>>,
}

impl Drop for PyUnfinished {
    fn drop(&mut self) {
        if self.generation != generation() {
            // The lock and the journal are the parent's.
            let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner).take();
            std::mem::forget((held, self.journal.clone()));
        }
    }
}

#[pymethods]
impl PyUnfinished {
    /// Journals what the wallet knows of it, and says what became of it: `failed`, `paid` or `unresolved`.
    fn resolve(&self, py: Python<'_>, answer: Answer) -> PyResult<&'static str> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        let held = held.ok_or_else(|| unexpected("it was resolved before"))?;
        let answer = answer.read(py, &self.journal)?;
        let state = py.detach(|| held.resolve(answer, SystemClock.now())).map_err(raise)?;
        Ok(match state {
            RecoveredState::Busy => "busy",
            RecoveredState::Failed => "failed",
            RecoveredState::Paid => "paid",
            _ => "unresolved",
        })
    }
}

/// What a wallet knows of a payment, as the package's own loops put it: the name of a state, and what belongs to it.
#[derive(FromPyObject)]
struct Answer(String, String, Option<Proof>, Option<Amount>);

impl Answer {
    fn read(
        self,
        py: Python<'_>,
        journal: &Journal,
    ) -> PyResult<Result<PaymentState, LightningError>> {
        let Self(state, message, preimage, fee_msat) = self;
        Ok(match (state.as_str(), preimage) {
            ("failed", _) => {
                Ok(PaymentState::Failed(PayFailure::from_code(&message, message.as_str())))
            }
            ("in_flight", _) => Ok(PaymentState::InFlight),
            ("not_found", _) => Ok(PaymentState::NotFound),
            ("paid", Some(preimage)) => {
                payment(py, journal, preimage, fee_msat).map(|paid| Ok(PaymentState::Paid(paid)))?
            }
            _ => Err(LightningError::NodeError { message }),
        })
    }
}

/// A payment as a wallet tells it. Where it tells no fee, all that is reserved for it is charged.
fn payment(
    py: Python<'_>,
    journal: &Journal,
    Proof(preimage): Proof,
    fee_msat: Option<Amount>,
) -> PyResult<Payment> {
    let fee_msat = match fee_msat {
        Some(fee) => fee.0,
        None => {
            let hash = preimage.payment_hash();
            py.detach(|| journal.reserved_fee_msat(&hash)).map_err(raise)?
        }
    };
    Ok(Payment { preimage, fee_msat })
}

/// One paying call, step by step: it does the journal's work by itself, and asks its driver for HTTP and for the wallet.
/// Dropping it, or `close()`, gives the request's key back to other calls; what is paid or under way stays in the journal.
#[pyclass(frozen, name = "Call", module = "plannt")]
pub(crate) struct PyCall {
    generation: u64,
    call: Mutex<Option<Call>>,
    journal: Arc<Journal>,
}

impl PyCall {
    fn lock(&self) -> PyResult<MutexGuard<'_, Option<Call>>> {
        if self.generation != generation() {
            let message = "this call was begun before a fork: begin one in the child";
            return Err(raise_as("ConfigError", "forked", message));
        }
        Ok(self.call.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(
        &self,
        work: impl FnOnce(&mut Call) -> Result<(), plannt_core::flow::UnexpectedEventError>,
    ) -> PyResult<()> {
        let mut call = self.lock()?;
        work(call.as_mut().ok_or_else(closed)?).map_err(raise)
    }
}

impl Drop for PyCall {
    fn drop(&mut self) {
        if self.generation != generation() {
            // Its journal is the parent's.
            let call = self.call.get_mut().unwrap_or_else(PoisonError::into_inner).take();
            std::mem::forget((call, self.journal.clone()));
        }
    }
}

fn closed() -> PyErr {
    unexpected("the call is closed")
}

fn unexpected(message: &str) -> PyErr {
    raise_as("UnexpectedEventError", "unexpected_event", message)
}

#[pymethods]
impl PyCall {
    /// Begins a call that pays from the wallet with this stable id, or with `dry_run` one that only asks for the price.
    #[new]
    #[pyo3(signature = (journal, wallet_id, policy, budget, request, *, payment_timeout=60.0, lock_wait=90.0, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "what a driver is set up with")]
    fn new(
        py: Python<'_>,
        journal: &Bound<'_, PyJournal>,
        wallet_id: String,
        policy: &Bound<'_, PyAny>,
        budget: &Bound<'_, PyAny>,
        request: &Bound<'_, PyAny>,
        payment_timeout: f64,
        lock_wait: f64,
        dry_run: bool,
    ) -> PyResult<Self> {
        let options = DriverOptions {
            policy: read_policy(policy)?,
            budget: read_budget(&budget.getattr("rules")?)?,
            payment_timeout: seconds(payment_timeout)?,
            lock_wait: seconds(lock_wait)?,
            clock: Arc::new(SystemClock),
        };
        let request = read_request_facts(request)?;
        let journal = journal.get();
        let begun = py.detach(|| {
            let path_is_there = journal.path.exists();
            // Asking for a price writes nothing, not even an empty journal.
            let journal = match dry_run && !path_is_there {
                true => Journal::empty().map(Arc::new),
                false => journal.open(),
            }?;
            let call = match dry_run {
                true => Call::dry_run(journal.clone(), wallet_id, options, request),
                false => Call::new(journal.clone(), wallet_id, options, request),
            };
            Ok::<_, plannt_client::JournalError>((call, journal))
        });
        let (call, journal) = begun.map_err(|error| raise(ClientError::Journal(error)))?;
        Ok(Self { generation: generation(), call: Mutex::new(Some(call)), journal })
    }

    /// Does the journal's steps, which block on the disk, up to the next one that is the driver's: one of the classes in
    /// `CallStep`. Raises `ClientError`, and then the call is over.
    fn advance<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        // Taken before the thread is detached, so that a fork is noticed.
        drop(self.lock()?);
        let step = py.detach(|| {
            let mut call = self.call.lock().unwrap_or_else(PoisonError::into_inner);
            call.as_mut().map(Call::advance)
        });
        match step.ok_or_else(closed)?.map_err(raise)? {
            CallStep::Done(driven) => object!(py, "CallStep.Done",
                outcome: outcome(py, &driven.outcome)?,
                payment_took: driven.payment_took.map(|took| took.as_secs_f64()),
            ),
            CallStep::LookUpPayment { payment_hash } => {
                object!(py, "CallStep.LookUpPayment", payment_hash: Hash(payment_hash))
            }
            CallStep::Pay(request) => object!(py, "CallStep.Pay",
                bolt11: request.bolt11,
                payment_hash: Hash(request.payment_hash),
                amount_msat: Msat(request.amount_msat),
                max_fee_msat: Msat(request.max_fee_msat),
                timeout: request.timeout.as_secs_f64(),
            ),
            CallStep::Quoted(of) => object!(py, "CallStep.Quoted", quote: quote(py, &of)?),
            CallStep::ReadBody { max_bytes } => {
                object!(py, "CallStep.ReadBody", max_bytes: max_bytes)
            }
            CallStep::SendRequest { authorization } => object!(py, "CallStep.SendRequest",
                authorization: authorization.as_ref().map(|value| value.expose()),
            ),
            CallStep::Wait(pause) => object!(py, "CallStep.Wait", seconds: pause.as_secs_f64()),
            _ => Err(raise_as("InternalError", "internal", "a step that is not known")),
        }
    }

    /// The head of the response came: its status, all `WWW-Authenticate` lines, the value of `x-l402`, and whether a
    /// redirect was followed on the way to it.
    #[pyo3(signature = (status, www_authenticate, x_l402=None, redirected=false))]
    fn responded(
        &self,
        status: u16,
        www_authenticate: Vec<HeaderValue>,
        x_l402: Option<HeaderValue>,
        redirected: bool,
    ) -> PyResult<()> {
        let facts = ResponseFacts {
            status,
            www_authenticate: www_authenticate.into_iter().map(|line| line.0).collect(),
            x_l402: x_l402.map(|value| value.0),
            redirected,
        };
        self.answer(|call| call.responded(facts))
    }

    /// No response came. The message has no secrets in it.
    fn send_failed(&self, message: String) -> PyResult<()> {
        self.answer(|call| call.send_failed(TransportError::new("transport", message)))
    }

    /// The last response's body; None where it is longer than was asked for or breaks off.
    fn body_read(&self, body: Option<Bytes>) -> PyResult<()> {
        self.answer(|call| call.body_read(body.map(|body| body.0)))
    }

    /// The wallet paid. Where it tells no fee, the maximum is charged.
    #[pyo3(signature = (preimage, fee_msat=None))]
    fn paid(&self, py: Python<'_>, preimage: Proof, fee_msat: Option<Amount>) -> PyResult<()> {
        let payment = payment(py, &self.journal, preimage, fee_msat)?;
        self.answer(|call| call.paid(PayOutcome::Paid(payment)))
    }

    /// The payment certainly failed, and nothing is in flight.
    #[pyo3(signature = (message, code="rejected"))]
    fn payment_failed(&self, message: &str, code: &str) -> PyResult<()> {
        self.answer(|call| call.paid(PayOutcome::Failed(PayFailure::from_code(code, message))))
    }

    /// It is not known whether the wallet paid.
    fn payment_unknown(&self, message: String) -> PyResult<()> {
        self.answer(|call| call.paid(PayOutcome::Unknown(LightningError::NodeError { message })))
    }

    /// What the wallet knows of the payment.
    fn looked_up(&self, py: Python<'_>, answer: Answer) -> PyResult<()> {
        let answer = answer.read(py, &self.journal)?;
        self.answer(|call| call.looked_up(answer))
    }

    /// Gives the request's key back to other calls.
    fn close(&self) -> PyResult<()> {
        *self.lock()? = None;
        Ok(())
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCall>()?;
    module.add_class::<PyJournal>()?;
    module.add_class::<PyUnfinished>()
}
