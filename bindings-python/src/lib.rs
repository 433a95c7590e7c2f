//! The native part of Python's package `plannt` (docs/BINDINGS.md): the core's types and functions, and the client's and
//! the gate's, for the plain classes and adapters in `python/plannt/`.

mod call;
mod convert;
mod credential;
mod error;
mod flow;
mod gate;
mod macaroon;
mod payment;
mod policy;
mod process;
mod secrets;
mod wallet;
mod wire;

use pyo3::prelude::*;

#[pymodule]
fn _plannt(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    secrets::register(module)?;
    macaroon::register(module)?;
    credential::register(module)?;
    wire::register(module)?;
    payment::register(module)?;
    policy::register(module)?;
    flow::register(module)?;
    process::register(module)?;
    wallet::register(module)?;
    call::register(module)?;
    gate::register(module)?;
    // The package says what is public.
    module.delattr("__all__")
}
