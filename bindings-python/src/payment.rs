//! Receipts, intents, credentials and quotes: plain objects of Python, both ways.

use plannt_core::flow::{
    BodyFacts, CredentialState, Intent, IntentState, Outcome, Pending, Quote, Receipt,
    RequestFacts, RequestKey, StoredCredential, StoredToken,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::convert::{
    Amount, Exactly, Hash, Msat, NetworkName, OriginArg, Proof, SchemeName, Seconds, get, object,
    origin,
};
use crate::error::raise;

type Made<'py> = PyResult<Bound<'py, PyAny>>;

pub(crate) fn receipt<'py>(py: Python<'py>, receipt: &Receipt) -> Made<'py> {
    object!(py, "Receipt",
        payment_hash: Hash(receipt.payment_hash),
        network: receipt.network.name(),
        payee: payee(py, receipt.payee.as_ref()),
        amount_msat: Msat(receipt.amount_msat),
        fee_msat: receipt.fee_msat.map(Msat),
        charged_msat: Msat(receipt.charged_msat),
        method: &receipt.method,
        origin: origin(py, &receipt.origin)?,
        target: &receipt.target,
        wallet: &receipt.wallet,
        created_at: receipt.created_at,
        settled_at: receipt.settled_at,
        state: receipt.state.name(),
        credential: receipt.credential.map(CredentialState::name),
        failure: receipt.failure.as_deref(),
    )
}

pub(crate) fn read_receipt(object: &Bound<'_, PyAny>) -> PyResult<Receipt> {
    let credential: Option<String> = get(object, "credential")?;
    Ok(Receipt {
        payment_hash: get::<Hash>(object, "payment_hash")?.0,
        network: get::<NetworkName>(object, "network")?.0,
        payee: get::<Option<Exactly<33>>>(object, "payee")?.map(|payee| payee.0),
        amount_msat: get::<Amount>(object, "amount_msat")?.0,
        fee_msat: get::<Option<Amount>>(object, "fee_msat")?.map(|fee| fee.0),
        charged_msat: get::<Amount>(object, "charged_msat")?.0,
        method: get(object, "method")?,
        origin: get::<OriginArg>(object, "origin")?.0,
        target: get(object, "target")?,
        wallet: get(object, "wallet")?,
        created_at: get::<Seconds>(object, "created_at")?.0,
        settled_at: get::<Option<Seconds>>(object, "settled_at")?.map(|at| at.0),
        state: intent_state(object)?,
        credential: credential.map(|s| s.parse()).transpose().map_err(raise)?,
        failure: get(object, "failure")?,
    })
}

fn intent_state(object: &Bound<'_, PyAny>) -> PyResult<IntentState> {
    get::<String>(object, "state")?.parse().map_err(raise)
}

fn payee<'py>(py: Python<'py>, payee: Option<&[u8; 33]>) -> Option<Bound<'py, PyBytes>> {
    payee.map(|payee| PyBytes::new(py, payee))
}

pub(crate) fn intent<'py>(py: Python<'py>, intent: &Intent) -> Made<'py> {
    object!(py, "Intent",
        payment_hash: Hash(intent.payment_hash),
        request: request_key(py, &intent.request)?,
        scheme: intent.scheme.as_str(),
        token: &intent.token,
        invoice: &intent.invoice,
        network: intent.network.name(),
        payee: payee(py, intent.payee.as_ref()),
        amount_msat: Msat(intent.amount_msat),
        max_fee_msat: Msat(intent.max_fee_msat),
        invoice_expires_at: intent.invoice_expires_at,
        created_at: intent.created_at,
    )
}

pub(crate) fn read_intent(object: &Bound<'_, PyAny>) -> PyResult<Intent> {
    Ok(Intent {
        payment_hash: get::<Hash>(object, "payment_hash")?.0,
        request: read_request_key(&object.getattr("request")?)?,
        scheme: get::<SchemeName>(object, "scheme")?.0,
        token: get(object, "token")?,
        invoice: get(object, "invoice")?,
        network: get::<NetworkName>(object, "network")?.0,
        payee: get::<Option<Exactly<33>>>(object, "payee")?.map(|payee| payee.0),
        amount_msat: get::<Amount>(object, "amount_msat")?.0,
        max_fee_msat: get::<Amount>(object, "max_fee_msat")?.0,
        invoice_expires_at: get::<Seconds>(object, "invoice_expires_at")?.0,
        created_at: get::<Seconds>(object, "created_at")?.0,
    })
}

pub(crate) fn request_key<'py>(py: Python<'py>, key: &RequestKey) -> Made<'py> {
    object!(py, "RequestKey",
        method: &key.method,
        origin: origin(py, &key.origin)?,
        target: &key.target,
        body_sha256: PyBytes::new(py, &key.body_sha256),
        wallet: &key.wallet,
    )
}

pub(crate) fn read_request_key(object: &Bound<'_, PyAny>) -> PyResult<RequestKey> {
    Ok(RequestKey {
        method: get(object, "method")?,
        origin: get::<OriginArg>(object, "origin")?.0,
        target: get(object, "target")?,
        body_sha256: get::<Exactly<32>>(object, "body_sha256")?.0,
        wallet: get(object, "wallet")?,
    })
}

pub(crate) fn request_facts<'py>(py: Python<'py>, request: &RequestFacts) -> Made<'py> {
    let body = match &request.body {
        BodyFacts::Once => None,
        BodyFacts::Replayable { sha256 } => Some(PyBytes::new(py, sha256)),
    };
    object!(py, "RequestFacts",
        method: &request.method,
        origin: origin(py, &request.origin)?,
        target: &request.target,
        body_sha256: body,
    )
}

pub(crate) fn read_request_facts(object: &Bound<'_, PyAny>) -> PyResult<RequestFacts> {
    let body = get::<Option<Exactly<32>>>(object, "body_sha256")?;
    Ok(RequestFacts {
        method: get(object, "method")?,
        origin: get::<OriginArg>(object, "origin")?.0,
        target: get(object, "target")?,
        body: body.map_or(BodyFacts::Once, |sha256| BodyFacts::Replayable { sha256: sha256.0 }),
    })
}

pub(crate) fn read_credential(object: &Bound<'_, PyAny>) -> PyResult<StoredCredential> {
    Ok(StoredCredential {
        scheme: get::<SchemeName>(object, "scheme")?.0,
        token: StoredToken::new(get(object, "token")?),
        preimage: get::<Proof>(object, "preimage")?.0,
        receipt: read_receipt(&object.getattr("receipt")?)?,
    })
}

pub(crate) fn quote<'py>(py: Python<'py>, quote: &Quote) -> Made<'py> {
    let pending = match &quote.pending {
        Some(Pending::Delivered(of)) => {
            Some(object!(py, "Pending.Delivered", receipt: receipt(py, of)?)?)
        }
        Some(Pending::Undelivered(of)) => {
            Some(object!(py, "Pending.Undelivered", receipt: receipt(py, of)?)?)
        }
        Some(Pending::Unresolved(of)) => {
            Some(object!(py, "Pending.Unresolved", payment_hash: Hash(*of))?)
        }
        _ => None,
    };
    object!(py, "Quote",
        payment_hash: Hash(quote.payment_hash),
        network: quote.network.name(),
        payee: payee(py, quote.payee.as_ref()),
        description: quote.description.as_deref(),
        amount_msat: Msat(quote.amount_msat),
        max_fee_msat: Msat(quote.max_fee_msat),
        origin: origin(py, &quote.origin)?,
        invoice_expires_at: quote.invoice_expires_at,
        valid_until: quote.valid_until,
        budget_left_msat: quote.budget_left_msat.map(Msat),
        pending: pending,
        refusal: quote.refusal.as_ref().map(|refusal| refusal.code()),
    )
}

pub(crate) fn outcome<'py>(py: Python<'py>, outcome: &Outcome) -> Made<'py> {
    let paid = outcome.receipt.as_ref().map(|paid| receipt(py, paid)).transpose()?;
    object!(py, "Outcome",
        credential: outcome.credential.name(),
        receipt: paid,
        journal_failed: outcome.journal_failed,
    )
}

#[pyfunction]
fn receipt_paid_msat(receipt: &Bound<'_, PyAny>) -> PyResult<Msat> {
    Ok(Msat(read_receipt(receipt)?.paid_msat()))
}

#[pyfunction]
fn intent_reservation_msat(intent: &Bound<'_, PyAny>) -> PyResult<Msat> {
    Ok(Msat(read_intent(intent)?.reservation_msat()))
}

#[pyfunction]
fn request_key_digest<'py>(
    py: Python<'py>,
    key: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(py, &read_request_key(key)?.digest()))
}

/// Whether a state of an intent may still become paid.
#[pyfunction]
fn intent_state_is_unresolved(state: &str) -> PyResult<bool> {
    let state: IntentState = state.parse().map_err(raise)?;
    Ok(state.is_unresolved())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("INTENT_STATES", IntentState::ALL.map(IntentState::name).to_vec())?;
    module.add("CREDENTIAL_STATES", CredentialState::ALL.map(CredentialState::name).to_vec())?;
    module.add_function(wrap_pyfunction!(receipt_paid_msat, module)?)?;
    module.add_function(wrap_pyfunction!(intent_reservation_msat, module)?)?;
    module.add_function(wrap_pyfunction!(request_key_digest, module)?)?;
    module.add_function(wrap_pyfunction!(intent_state_is_unresolved, module)?)
}
