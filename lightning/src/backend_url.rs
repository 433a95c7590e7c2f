//! From a URL to a backend.

use std::sync::Arc;

use crate::{Invoicer, LightningError, Payer};

/// Opens the node behind `url` for issuing invoices. Nothing is sent to it yet.
///
/// The scheme names the kind of node; docs/BACKENDS.md lists them with their parameters, and each
/// backend's documentation in this crate says how it reads its URL.
///
/// ```
/// # #[cfg(feature = "phoenixd")] {
/// let url = "phoenixd://127.0.0.1:9740?password=0123456789abcdef&network=bitcoin";
/// let node = plannt_lightning::invoicer_from_url(url)?;
/// assert_eq!(node.unit_msat(), 1_000);
/// # }
/// # Ok::<(), plannt_lightning::LightningError>(())
/// ```
///
/// # Errors
/// [`LightningError::Config`]: an unknown scheme or parameter, or a file that cannot be read.
/// The message never repeats the URL, which may hold a secret.
pub fn invoicer_from_url(url: &str) -> Result<Arc<dyn Invoicer>, LightningError> {
    #[cfg(feature = "lnurl")]
    if crate::lnurl::is_lnurl(url) {
        return Ok(Arc::new(crate::lnurl::Lnurl::from_url(url)?));
    }
    match scheme(url) {
        #[cfg(feature = "cln")]
        Some("cln") => Ok(Arc::new(crate::cln::Cln::from_url(url)?)),
        #[cfg(feature = "devnet")]
        Some("devnet") => Ok(Arc::new(crate::lnd::Lnd::from_url(&devnet_file(url)?.invoicer_url)?)),
        #[cfg(feature = "lnbits")]
        Some("lnbits") => Ok(Arc::new(crate::lnbits::Lnbits::from_url(url)?)),
        #[cfg(feature = "lnd")]
        Some("lnd") => Ok(Arc::new(crate::lnd::Lnd::from_url(url)?)),
        #[cfg(feature = "lnd-grpc")]
        Some("lnd+grpc") => Ok(Arc::new(crate::lnd::LndGrpc::from_url(url)?)),
        #[cfg(feature = "nwc")]
        Some("nostr+walletconnect") => Ok(Arc::new(crate::nwc::Nwc::from_url(url)?)),
        #[cfg(feature = "phoenixd")]
        Some("phoenixd") => Ok(Arc::new(crate::phoenixd::Phoenixd::from_url(url)?)),
        _ => Err(unknown_scheme()),
    }
}

/// Opens the wallet behind `url` for paying; takes what [`invoicer_from_url`] takes, except a Lightning
/// address or LNURL, which can only be paid to.
///
/// # Errors
/// As [`invoicer_from_url`].
pub fn payer_from_url(url: &str) -> Result<Arc<dyn Payer>, LightningError> {
    #[cfg(feature = "lnurl")]
    if crate::lnurl::is_lnurl(url) {
        let message = "a Lightning address can be paid to, and nothing can be paid from it";
        return Err(LightningError::Config { message: message.into() });
    }
    match scheme(url) {
        #[cfg(feature = "cln")]
        Some("cln") => Ok(Arc::new(crate::cln::Cln::from_url(url)?)),
        #[cfg(feature = "devnet")]
        Some("devnet") => Ok(Arc::new(crate::lnd::Lnd::from_url(&devnet_file(url)?.payer_url)?)),
        #[cfg(feature = "lnbits")]
        Some("lnbits") => Ok(Arc::new(crate::lnbits::Lnbits::from_url(url)?)),
        #[cfg(feature = "lnd")]
        Some("lnd") => Ok(Arc::new(crate::lnd::Lnd::from_url(url)?)),
        #[cfg(feature = "lnd-grpc")]
        Some("lnd+grpc") => Ok(Arc::new(crate::lnd::LndGrpc::from_url(url)?)),
        #[cfg(feature = "nwc")]
        Some("nostr+walletconnect") => Ok(Arc::new(crate::nwc::Nwc::from_url(url)?)),
        #[cfg(feature = "phoenixd")]
        Some("phoenixd") => Ok(Arc::new(crate::phoenixd::Phoenixd::from_url(url)?)),
        _ => Err(unknown_scheme()),
    }
}

/// `devnet:///<folder>`: the devnet that runs on this folder.
#[cfg(feature = "devnet")]
fn devnet_file(url: &str) -> Result<crate::devnet::DevnetFile, LightningError> {
    use crate::settings::config;
    let path = url.strip_prefix("devnet://").unwrap_or_default();
    // The rules for a path in a URL are those of `file:`.
    let folder = url::Url::parse(&format!("file://{path}")).ok();
    let folder = folder.filter(|url| url.query().is_none() && url.fragment().is_none());
    let folder = folder.and_then(|url| url.to_file_path().ok()).filter(|_| path.starts_with('/'));
    let folder = folder.ok_or_else(|| config("the URL is not devnet:///folder"))?;
    crate::devnet::DevnetFile::read(&folder).ok_or_else(|| config("no devnet runs on that folder"))
}

fn scheme(url: &str) -> Option<&str> {
    url.split_once(':').map(|(scheme, _)| scheme)
}

/// Names what is built in, and not what the URL begins with.
fn unknown_scheme() -> LightningError {
    let known: &[&str] = &[
        #[cfg(feature = "cln")]
        "cln://",
        #[cfg(feature = "devnet")]
        "devnet://",
        #[cfg(feature = "lnbits")]
        "lnbits://",
        #[cfg(feature = "lnd")]
        "lnd://",
        #[cfg(feature = "lnd-grpc")]
        "lnd+grpc://",
        #[cfg(feature = "lnurl")]
        "lnurl:",
        #[cfg(feature = "nwc")]
        "nostr+walletconnect://",
        #[cfg(feature = "phoenixd")]
        "phoenixd://",
    ];
    let known = known.join(", ");
    let message = format!("the URL's scheme names no backend: expected one of {known}");
    LightningError::Config { message }
}
