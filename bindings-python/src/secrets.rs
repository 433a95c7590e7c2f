//! Payment hashes, preimages and root keys.

use plannt_core::{PaymentHash, Preimage, RootKey};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use subtle::ConstantTimeEq;

use crate::convert::{Hash, Key, Proof};

/// A payment hash: SHA-256 of the preimage, 32 bytes (BOLT 11, field `p`).
///
/// It is made from 32 bytes or 64 hex digits; `str()` gives hex, `bytes()` the bytes.
///
/// >>> import plannt
/// >>> str(plannt.Preimage(bytes(32)).payment_hash())[:8]
/// '66687aad'
#[pyclass(frozen, eq, hash, ord, name = "PaymentHash", module = "plannt")]
#[derive(PartialEq, Eq, PartialOrd, Hash)]
pub(crate) struct PyPaymentHash(pub(crate) PaymentHash);

#[pymethods]
impl PyPaymentHash {
    #[new]
    fn new(data: Hash) -> Self {
        Self(data.0)
    }

    /// Wraps 32 bytes.
    #[staticmethod]
    fn from_bytes(data: crate::convert::Exactly<32>) -> Self {
        Self(PaymentHash::from_bytes(data.0))
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.as_bytes())
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    /// 64 lower-case hex digits.
    fn hex(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("PaymentHash('{}')", self.0)
    }

    fn __getnewargs__(&self) -> (String,) {
        (self.0.to_string(),)
    }
}

/// A payment's preimage, 32 bytes: whoever has it has paid. Erased when it is freed, never printed.
///
/// It is made from 32 bytes or 64 hex digits.
///
/// >>> import plannt
/// >>> preimage = plannt.Preimage("ab" * 32)
/// >>> preimage
/// Preimage([redacted])
/// >>> preimage.expose_hex() == "ab" * 32
/// True
#[pyclass(frozen, name = "Preimage", module = "plannt")]
pub(crate) struct PyPreimage(pub(crate) Preimage);

#[pymethods]
impl PyPreimage {
    #[new]
    fn new(data: Proof) -> Self {
        Self(data.0)
    }

    /// Wraps 32 bytes.
    #[staticmethod]
    fn from_bytes(data: crate::convert::Exactly<32>) -> Self {
        Self(Preimage::from_bytes(data.0))
    }

    /// Reads 64 hex digits of either case; raises `HexError`, which does not repeat the text.
    #[staticmethod]
    fn from_hex(text: &str) -> PyResult<Self> {
        Preimage::from_hex(text).map(Self).map_err(crate::error::raise)
    }

    /// Its bytes, in the clear.
    fn expose_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.expose_bytes())
    }

    /// 64 lower-case hex digits, in the clear.
    fn expose_hex(&self) -> String {
        self.0.expose_hex().to_string()
    }

    /// SHA-256 of it.
    fn payment_hash(&self) -> PyPaymentHash {
        PyPaymentHash(self.0.payment_hash())
    }

    /// Whether SHA-256 of it is `payment_hash`; in constant time.
    fn proves(&self, payment_hash: Hash) -> bool {
        self.0.proves(&payment_hash.0)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| self.0.ct_eq(&other.get().0).into())
    }

    fn __repr__(&self) -> &'static str {
        "Preimage([redacted])"
    }
}

/// A server's root key, 32 bytes of a cryptographic random source. Erased when it is freed, never printed.
///
/// One root key serves one network and one spend store, and nothing else. It is made from 32 bytes or 64 hex digits.
///
/// >>> import secrets, plannt
/// >>> plannt.RootKey(secrets.token_bytes(32))
/// RootKey([redacted])
#[pyclass(frozen, name = "RootKey", module = "plannt")]
pub(crate) struct PyRootKey(pub(crate) RootKey);

#[pymethods]
impl PyRootKey {
    #[new]
    fn new(data: Key) -> Self {
        Self(data.0)
    }

    /// Wraps 32 bytes.
    #[staticmethod]
    fn from_bytes(data: crate::convert::Exactly<32>) -> Self {
        Self(RootKey::from_bytes(data.0))
    }

    /// Reads 64 hex digits of either case; raises `HexError`, which does not repeat the text.
    #[staticmethod]
    fn from_hex(text: &str) -> PyResult<Self> {
        RootKey::from_hex(text).map(Self).map_err(crate::error::raise)
    }

    /// Its bytes, in the clear.
    fn expose_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.expose_bytes())
    }

    fn __repr__(&self) -> &'static str {
        "RootKey([redacted])"
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPaymentHash>()?;
    module.add_class::<PyPreimage>()?;
    module.add_class::<PyRootKey>()
}
