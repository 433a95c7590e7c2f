//! Between Python's values and Rust's: what each argument may be, and what is given back.

use plannt_core::flow::Origin;
use plannt_core::{Network, PaymentHash, Preimage, RootKey, Scheme};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyInt, PyMemoryView, PyString};

use crate::error::{raise, raise_as};
use crate::secrets::{PyPaymentHash, PyPreimage, PyRootKey};

/// Makes an object of one of the package's own plain classes.
macro_rules! object {
    ($py:expr, $class:expr $(, $name:ident: $value:expr)* $(,)?) => {{
        #[allow(unused_mut, reason = "some have no fields")]
        let mut fields = pyo3::types::PyDict::new($py);
        $(fields.set_item(stringify!($name), $value)?;)*
        $crate::convert::class($py, $class)?.call((), Some(&fields))
    }};
}
pub(crate) use object;

/// A class of `plannt._types` or, with a dot in its name, of `plannt._flow`.
pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    match name.split_once('.') {
        None => py.import("plannt._types")?.getattr(name),
        Some(("CallStep", name)) => py.import("plannt._call")?.getattr("CallStep")?.getattr(name),
        Some(("Pending", name)) => py.import("plannt._types")?.getattr("Pending")?.getattr(name),
        Some((outer, inner)) => py.import("plannt._flow")?.getattr(outer)?.getattr(inner),
    }
}

/// A member of a plain object.
pub(crate) fn get<'py, T>(object: &Bound<'py, PyAny>, name: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py, Error: Into<PyErr>>,
{
    object.getattr(name)?.extract::<T>().map_err(|error| {
        let error: PyErr = error.into();
        match error.is_instance_of::<PyTypeError>(object.py()) {
            true => PyTypeError::new_err(format!("{name}: {}", error.value(object.py()))),
            false => error,
        }
    })
}

/// Any bytes-like object.
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl<'py> FromPyObject<'_, 'py> for Bytes {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self(bytes.as_bytes().to_vec()));
        }
        if let Ok(bytes) = object.cast::<PyByteArray>() {
            return Ok(Self(bytes.to_vec()));
        }
        if object.cast::<PyMemoryView>().is_ok() {
            return object.call_method0("tobytes")?.extract::<Vec<u8>>().map(Self);
        }
        Err(PyTypeError::new_err(format!("bytes are wanted, not {}", type_name(&object))))
    }
}

/// Exactly `N` bytes.
pub(crate) struct Exactly<const N: usize>(pub(crate) [u8; N]);

impl<'py, const N: usize> FromPyObject<'_, 'py> for Exactly<N> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Bytes(bytes) = object.extract()?;
        let length = bytes.len();
        bytes.try_into().map(Self).map_err(|_| {
            let message = format!("{N} bytes are wanted, not {length}");
            raise_as("LengthError", "wrong_length", &message)
        })
    }
}

/// A header's value: text, one character for each byte, or bytes.
pub(crate) struct HeaderValue(pub(crate) Vec<u8>);

impl<'py> FromPyObject<'_, 'py> for HeaderValue {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let Ok(text) = object.cast::<PyString>() else {
            return object.extract::<Bytes>().map(|bytes| Self(bytes.0));
        };
        let text = text.to_cow()?;
        if text.is_ascii() {
            return Ok(Self(text.as_bytes().to_vec()));
        }
        let byte = |c: char| u8::try_from(u32::from(c));
        text.chars().map(byte).collect::<Result<_, _>>().map(Self).map_err(|_| {
            PyValueError::new_err("a header's value has a character that is no byte (latin-1)")
        })
    }
}

/// Unix seconds: an int, or an aware `datetime`.
pub(crate) struct Seconds(pub(crate) u64);

impl<'py> FromPyObject<'_, 'py> for Seconds {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.cast::<PyInt>().is_ok() && object.cast::<PyBool>().is_err() {
            return unsigned(&object).map(Self);
        }
        let datetime = object.py().import("datetime")?.getattr("datetime")?;
        if !object.is_instance(&datetime)? {
            let message = format!("seconds or a datetime are wanted, not {}", type_name(&object));
            return Err(PyTypeError::new_err(message));
        }
        if object.call_method0("utcoffset")?.is_none() {
            return Err(PyValueError::new_err(
                "a datetime without a time zone could mean any time",
            ));
        }
        let seconds = object.call_method0("timestamp")?.call_method0("__floor__")?;
        unsigned(&seconds.as_borrowed()).map(Self)
    }
}

/// An amount in msat, or another count: an int from 0 to 2^64 - 1, and no bool.
#[derive(Clone, Copy)]
pub(crate) struct Amount(pub(crate) u64);

impl<'py> FromPyObject<'_, 'py> for Amount {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.cast::<PyInt>().is_err() || object.cast::<PyBool>().is_ok() {
            let message = format!("an int is wanted, not {}", type_name(&object));
            return Err(PyTypeError::new_err(message));
        }
        unsigned(&object).map(Self)
    }
}

fn unsigned(object: &Borrowed<'_, '_, PyAny>) -> PyResult<u64> {
    object.extract().map_err(|_| PyValueError::new_err("a number from 0 to 2**64 - 1 is wanted"))
}

fn type_name(object: &Borrowed<'_, '_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "that".into(), |name| name.to_string())
}

/// Given back as `plannt.Msat`.
pub(crate) struct Msat(pub(crate) u64);

impl<'py> IntoPyObject<'py> for Msat {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("plannt._msat")?.getattr("Msat")?.call1((self.0,))
    }
}

/// A network by its name.
#[derive(Clone, Copy)]
pub(crate) struct NetworkName(pub(crate) Network);

impl<'py> FromPyObject<'_, 'py> for NetworkName {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        text(object)?.parse().map(Self).map_err(raise)
    }
}

/// `L402` or `LSAT`.
pub(crate) struct SchemeName(pub(crate) Scheme);

impl<'py> FromPyObject<'_, 'py> for SchemeName {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let scheme = Scheme::from_name(&text(object)?);
        scheme.map(Self).ok_or_else(|| PyValueError::new_err("a scheme is L402 or LSAT"))
    }
}

fn text(object: Borrowed<'_, '_, PyAny>) -> PyResult<String> {
    object
        .extract()
        .map_err(|_| PyTypeError::new_err(format!("a str is wanted, not {}", type_name(&object))))
}

/// A payment hash: the class, 32 bytes, or 64 hex digits.
pub(crate) struct Hash(pub(crate) PaymentHash);

impl<'py> FromPyObject<'_, 'py> for Hash {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(hash) = object.cast::<PyPaymentHash>() {
            return Ok(Self(hash.get().0));
        }
        if let Ok(text) = object.cast::<PyString>() {
            return text.to_cow()?.parse().map(Self).map_err(raise);
        }
        object.extract::<Exactly<32>>().map(|bytes| Self(PaymentHash::from_bytes(bytes.0)))
    }
}

impl<'py> IntoPyObject<'py> for Hash {
    type Target = PyPaymentHash;
    type Output = Bound<'py, PyPaymentHash>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        Bound::new(py, PyPaymentHash(self.0))
    }
}

macro_rules! secret {
    ($argument:ident, $class:ident, $secret:ident) => {
        /// The class, 32 bytes, or 64 hex digits.
        pub(crate) struct $argument(pub(crate) $secret);

        impl<'py> FromPyObject<'_, 'py> for $argument {
            type Error = PyErr;

            fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
                if let Ok(secret) = object.cast::<$class>() {
                    return Ok(Self(secret.get().0.clone()));
                }
                if let Ok(text) = object.cast::<PyString>() {
                    return $secret::from_hex(&text.to_cow()?).map(Self).map_err(raise);
                }
                object.extract::<Exactly<32>>().map(|bytes| Self($secret::from_bytes(bytes.0)))
            }
        }
    };
}

secret!(Proof, PyPreimage, Preimage);
secret!(Key, PyRootKey, RootKey);

/// An origin: the class, whose text is read, or the text.
pub(crate) struct OriginArg(pub(crate) Origin);

impl<'py> FromPyObject<'_, 'py> for OriginArg {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text = match object.cast::<PyString>() {
            Ok(text) => text.to_cow()?.into_owned(),
            Err(_) if object.is_instance(&class(object.py(), "Origin")?)? => {
                object.str()?.to_cow()?.into_owned()
            }
            Err(_) => {
                let message = format!("an Origin is wanted, not {}", type_name(&object));
                return Err(PyTypeError::new_err(message));
            }
        };
        Origin::parse(&text).map(Self).map_err(raise)
    }
}

/// Given back as `plannt.Origin`.
pub(crate) fn origin<'py>(py: Python<'py>, origin: &Origin) -> PyResult<Bound<'py, PyAny>> {
    class(py, "Origin")?.call1(origin_parts(origin))
}

/// Scheme, host and port.
pub(crate) fn origin_parts(origin: &Origin) -> (&'static str, &str, u16) {
    (if origin.is_https() { "https" } else { "http" }, origin.host(), origin.port())
}
