//! From a URL to a backend.

use std::sync::Arc;

use crate::{Invoicer, LightningError, Payer};

/// Opens the node behind `url` for issuing invoices. Nothing is sent to it yet.
///
/// `lnd://host:port?cert=<path>&macaroon=<path or hex>[&network=regtest]`; see [`crate::lnd::LndConfig`].
///
/// # Errors
/// [`LightningError::Config`]: an unknown scheme or parameter, or a file that cannot be read.
/// The message never repeats the URL, which may hold a macaroon.
pub fn invoicer_from_url(url: &str) -> Result<Arc<dyn Invoicer>, LightningError> {
    match scheme(url) {
        #[cfg(feature = "lnd")]
        Some("lnd") => Ok(Arc::new(crate::lnd::Lnd::from_url(url)?)),
        _ => Err(unknown_scheme()),
    }
}

/// Opens the wallet behind `url` for paying; takes what [`invoicer_from_url`] takes.
///
/// # Errors
/// As [`invoicer_from_url`].
pub fn payer_from_url(url: &str) -> Result<Arc<dyn Payer>, LightningError> {
    match scheme(url) {
        #[cfg(feature = "lnd")]
        Some("lnd") => Ok(Arc::new(crate::lnd::Lnd::from_url(url)?)),
        _ => Err(unknown_scheme()),
    }
}

fn scheme(url: &str) -> Option<&str> {
    url.split_once("://").map(|(scheme, _)| scheme)
}

fn unknown_scheme() -> LightningError {
    LightningError::Config { message: "the URL's scheme names no backend: expected lnd://".into() }
}
