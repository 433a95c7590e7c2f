//! Macaroons as a format, whatever they are used for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use plannt_core::macaroon::{CaveatRef, Format, Macaroon, MacaroonError};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::convert::{Bytes, Exactly, object};
use crate::error::raise;

/// A macaroon, in whichever of the three encodings it came (docs/PROTOCOL.md §1). Reading is strict: any bytes give a
/// value or a `MacaroonError`.
///
/// >>> import plannt
/// >>> macaroon = plannt.Macaroon.create(b"key", b"id")
/// >>> macaroon.attenuate(b"account = 3735928559")
/// >>> macaroon.verify_signature(b"key"), macaroon.verify_signature(b"another")
/// (True, False)
/// >>> plannt.Macaroon.parse(macaroon.to_v2()) == macaroon
/// True
#[pyclass(frozen, name = "Macaroon", module = "plannt")]
pub(crate) struct PyMacaroon(Mutex<Macaroon>);

impl PyMacaroon {
    pub(crate) fn of(macaroon: Macaroon) -> Self {
        Self(Mutex::new(macaroon))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Macaroon> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(result: Result<Macaroon, MacaroonError>) -> PyResult<PyMacaroon> {
    result.map(PyMacaroon::of).map_err(raise)
}

#[pymethods]
impl PyMacaroon {
    /// Makes a macaroon under `root_key`, which goes through `macaroons-key-generator` first, as in every library.
    #[staticmethod]
    #[pyo3(signature = (root_key, identifier, location=None))]
    fn create(root_key: Bytes, identifier: Bytes, location: Option<&str>) -> PyResult<Self> {
        read(Macaroon::create(&root_key.0, &identifier.0, location))
    }

    /// Reads a macaroon of any format; its first byte tells which. At most 64 KiB and 4,096 caveats.
    #[staticmethod]
    fn parse(data: Bytes) -> PyResult<Self> {
        read(Macaroon::parse(&data.0))
    }

    /// Reads v1: packets with a length of four hex digits.
    #[staticmethod]
    fn from_v1(data: Bytes) -> PyResult<Self> {
        read(Macaroon::from_v1(&data.0))
    }

    /// Reads v2 binary.
    #[staticmethod]
    fn from_v2(data: Bytes) -> PyResult<Self> {
        read(Macaroon::from_v2(&data.0))
    }

    /// Reads v2 JSON.
    #[staticmethod]
    fn from_json(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        match data.extract::<String>() {
            Ok(text) => read(Macaroon::from_json(text.as_bytes())),
            Err(_) => read(Macaroon::from_json(&data.extract::<Bytes>()?.0)),
        }
    }

    /// Writes v1.
    fn to_v1<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.lock().to_v1().map(|bytes| PyBytes::new(py, &bytes)).map_err(raise)
    }

    /// Writes v2 binary.
    fn to_v2<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.lock().to_v2())
    }

    /// Writes v2 JSON.
    fn to_json(&self) -> PyResult<String> {
        self.lock().to_json().map_err(raise)
    }

    /// Writes it in `format`: `v1`, `v2` or `v2_json`.
    fn to_format<'py>(&self, py: Python<'py>, format: &str) -> PyResult<Bound<'py, PyBytes>> {
        let format = match format {
            "v1" => Format::V1,
            "v2" => Format::V2,
            "v2_json" => Format::V2Json,
            _ => return Err(PyValueError::new_err("a format is v1, v2 or v2_json")),
        };
        self.lock().to_format(format).map(|bytes| PyBytes::new(py, &bytes)).map_err(raise)
    }

    /// Adds a first-party caveat; anyone who holds the macaroon can. When it would outgrow a limit, it stays as it was.
    fn attenuate(&self, caveat: Bytes) -> PyResult<()> {
        self.lock().attenuate(&caveat.0).map_err(raise)
    }

    /// Adds a caveat that the holder of `key` (32 bytes) discharges; `nonce` (24 bytes) never comes again under one
    /// signature.
    #[pyo3(signature = (key, id, nonce, location=None))]
    fn attenuate_third_party(
        &self,
        key: Bytes,
        id: Bytes,
        nonce: Exactly<24>,
        location: Option<&str>,
    ) -> PyResult<()> {
        let mut macaroon = self.lock();
        macaroon.attenuate_third_party(&key.0, &id.0, location, &nonce.0).map_err(raise)
    }

    /// The discharge as it is presented with this macaroon, whose caveats are all added by then.
    fn bind(&self, discharge: &Self) -> Self {
        let discharge = discharge.lock().clone();
        Self::of(self.lock().bind(&discharge))
    }

    /// Whether the signature is that of `root_key`; in constant time. It says nothing of whether the caveats hold.
    fn verify_signature(&self, py: Python<'_>, root_key: Bytes) -> bool {
        py.detach(|| self.lock().verify_signature(&root_key.0))
    }

    /// Whether the macaroon holds under `root_key`: its signature, each third-party caveat by one of the bound
    /// `discharges`, and each first-party caveat by `satisfied`, a function of its bytes that is asked only once all
    /// signatures are right. Raises `DischargeError` where it does not.
    fn verify_discharged(
        &self,
        root_key: Bytes,
        discharges: Vec<Bound<'_, Self>>,
        satisfied: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        // A copy: the predicate may be anything, and use this object.
        let macaroon = self.lock().clone();
        let discharges: Vec<_> = discharges.iter().map(|d| d.get().lock().clone()).collect();
        let mut raised = None;
        let verified = macaroon.verify_discharged(&root_key.0, &discharges, |caveat| {
            let caveat = PyBytes::new(satisfied.py(), caveat);
            let holds = satisfied.call1((caveat,)).and_then(|answer| answer.is_truthy());
            holds.unwrap_or_else(|error| {
                raised = Some(error);
                false
            })
        });
        raised.map_or(Ok(()), Err)?;
        verified.map_err(raise)
    }

    /// Where it says that it is for; never authenticated.
    #[getter]
    fn location(&self) -> Option<String> {
        self.lock().location().map(str::to_owned)
    }

    /// The identifier's bytes.
    #[getter]
    fn identifier<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.lock().identifier())
    }

    /// The caveats in order.
    #[getter]
    fn caveats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let macaroon = self.lock().clone();
        let list = PyList::empty(py);
        for caveat in macaroon.caveats() {
            list.append(python_caveat(py, &caveat)?)?;
        }
        Ok(list)
    }

    /// The signature, a MAC of 32 bytes over all before.
    #[getter]
    fn signature<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.lock().signature())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let Ok(other) = other.cast::<Self>() else { return false };
        // One after the other: the same object would be locked twice.
        let other = other.get().lock().clone();
        *self.lock() == other
    }

    fn __copy__(&self) -> Self {
        Self::of(self.lock().clone())
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> Self {
        self.__copy__()
    }

    fn __repr__(&self) -> String {
        let macaroon = self.lock();
        format!(
            "Macaroon(location={:?}, caveats={})",
            macaroon.location(),
            macaroon.caveats().len()
        )
    }
}

fn python_caveat<'py>(py: Python<'py>, caveat: &CaveatRef<'_>) -> PyResult<Bound<'py, PyAny>> {
    let verification_id = caveat.verification_id.map(|id| PyBytes::new(py, id));
    object!(py, "Caveat",
        id: PyBytes::new(py, caveat.id),
        verification_id: verification_id,
        location: caveat.location,
    )
}

/// The format that bytes of this kind begin with: `v1`, `v2` or `v2_json`, or None.
#[pyfunction]
fn sniff_format(data: Bytes) -> Option<&'static str> {
    Format::sniff(&data.0).and_then(|format| match format {
        Format::V1 => Some("v1"),
        Format::V2 => Some("v2"),
        Format::V2Json => Some("v2_json"),
        _ => None,
    })
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("MAX_BYTES", plannt_core::macaroon::MAX_BYTES)?;
    module.add("MAX_CAVEATS", plannt_core::macaroon::MAX_CAVEATS)?;
    module.add_function(wrap_pyfunction!(sniff_format, module)?)?;
    module.add_class::<PyMacaroon>()
}
