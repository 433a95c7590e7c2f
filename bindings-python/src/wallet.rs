//! Wallets of the Rust backends.

use std::sync::Arc;
use std::time::Duration;

use plannt_core::{Network, read_invoice};
use plannt_lightning::{
    LightningError, PayFailure, PayOutcome, PayRequest, Payer, Payment, PaymentState,
    payer_from_url,
};
use pyo3::prelude::*;

use crate::convert::{Amount, Hash, Msat, NetworkName, object};
use crate::error::{Raise, raise, raise_as};
use crate::process::{PerProcess, block_on, enter};
use crate::secrets::PyPreimage;

/// How long a wallet may take beyond the time that it was told, and for a look-up.
const GRACE: Duration = Duration::from_secs(30);

/// A Lightning wallet behind a URL, such as `lnd://host:8080?cert=FILE&macaroon=FILE`. Made by `plannt.wallet`; safe to
/// share between threads, and usable after a fork. Its methods wait for the node.
#[pyclass(frozen, name = "Wallet", module = "plannt")]
pub(crate) struct PyWallet {
    url: String,
    network: Option<Network>,
    id: String,
    limits_fee: bool,
    payer: PerProcess<Arc<dyn Payer>>,
}

impl PyWallet {
    fn payer(&self, py: Python<'_>) -> PyResult<Arc<dyn Payer>> {
        let opened =
            enter(py, || self.payer.get_or_try(|| payer_from_url(&self.url)).map(Clone::clone))?;
        opened.map_err(raise)
    }
}

#[pymethods]
impl PyWallet {
    #[new]
    #[pyo3(signature = (url, *, network=None))]
    fn new(py: Python<'_>, url: String, network: Option<NetworkName>) -> PyResult<Self> {
        let payer = enter(py, || payer_from_url(&url))?.map_err(raise)?;
        let named = network.map(|network| network.0);
        let (id, own, limits_fee) = (payer.wallet_id(), payer.network(), payer.limits_fee());
        if let (Some(own), Some(named)) = (own, named)
            && own != named
        {
            let message = format!("the wallet's URL says {own}, not {named}");
            return Err(raise_as("ConfigError", "config", &message));
        }
        Ok(Self { url, network: named.or(own), id, limits_fee, payer: PerProcess::new() })
    }

    /// A name for this wallet, the same at each start, without secrets.
    #[getter]
    fn wallet_id(&self) -> &str {
        &self.id
    }

    /// The network that it is on, if that was said.
    #[getter]
    fn network(&self) -> Option<&'static str> {
        self.network.map(Network::name)
    }

    /// Whether a maximum fee holds at this wallet.
    #[getter]
    fn limits_fee(&self) -> bool {
        self.limits_fee
    }

    /// Pays an invoice, at most once for a payment hash however often it is called, and gives a `PaymentResult.Paid` with
    /// the preimage and the fee in msat. `timeout` bounds the node's tries, in seconds.
    ///
    /// Raises `PaymentFailedError` where it was certainly not paid, and `PaymentUnknownError` where that is not known:
    /// then look it up, and pay nothing else for the same thing before.
    #[pyo3(signature = (bolt11, max_fee_msat, timeout=60.0))]
    fn pay_invoice<'py>(
        &self,
        py: Python<'py>,
        bolt11: String,
        max_fee_msat: Amount,
        timeout: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timeout = seconds(timeout)?;
        let facts = py.detach(|| read_invoice(&bolt11)).map_err(raise)?;
        let failed = |message: &str| raise_as("PaymentFailedError", "rejected", message);
        let amount_msat =
            facts.amount_msat.ok_or_else(|| failed("the invoice has no amount to limit"))?;
        let request = PayRequest {
            bolt11,
            payment_hash: facts.payment_hash,
            amount_msat,
            max_fee_msat: max_fee_msat.0,
            timeout,
        };
        let payer = self.payer(py)?;
        let paid = block_on(py, async {
            let limit = timeout.saturating_add(GRACE);
            tokio::time::timeout(limit, payer.pay(&request)).await
        })?;
        match paid.unwrap_or(PayOutcome::Unknown(LightningError::TimeoutUnknown)) {
            PayOutcome::Failed(failure) => Err(raise(failure)),
            PayOutcome::Paid(payment) => object!(py, "PaymentResult.Paid",
                preimage: PyPreimage(payment.preimage),
                fee_msat: Msat(payment.fee_msat),
            ),
            PayOutcome::Unknown(error) => {
                Err(raise_as("PaymentUnknownError", &Raise::code(&error), &error.to_string()))
            }
        }
    }

    /// What became of a payment, as one of the classes in `LookUp`. Answers at once, also for one in flight. Raises
    /// `LightningError`: nothing is known, ask again.
    fn lookup_payment<'py>(
        &self,
        py: Python<'py>,
        payment_hash: Hash,
    ) -> PyResult<Bound<'py, PyAny>> {
        let payer = self.payer(py)?;
        let state = block_on(py, async {
            tokio::time::timeout(GRACE, payer.look_up_payment(&payment_hash.0)).await
        })?;
        match state.unwrap_or(Err(LightningError::TimeoutUnknown)).map_err(raise)? {
            PaymentState::Failed(failure) => {
                object!(py, "LookUp.Failed", failure: PayFailure::code(&failure))
            }
            PaymentState::InFlight => object!(py, "LookUp.InFlight"),
            PaymentState::NotFound => object!(py, "LookUp.NotFound"),
            PaymentState::Paid(Payment { preimage, fee_msat }) => object!(py, "LookUp.Paid",
                preimage: PyPreimage(preimage),
                fee_msat: Msat(fee_msat),
            ),
        }
    }

    /// What the wallet can spend over its channels; routing fees and channel reserves come out of it.
    fn balance_msat(&self, py: Python<'_>) -> PyResult<Msat> {
        let payer = self.payer(py)?;
        let balance =
            block_on(py, async { tokio::time::timeout(GRACE, payer.balance_msat()).await })?;
        balance.unwrap_or(Err(LightningError::TimeoutUnknown)).map(Msat).map_err(raise)
    }

    fn __repr__(&self) -> String {
        format!("Wallet('{}')", self.id)
    }
}

/// Seconds as Python has them.
pub(crate) fn seconds(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        pyo3::exceptions::PyValueError::new_err(
            "seconds are a number from 0 on, and no day of doom",
        )
    })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyWallet>()
}
