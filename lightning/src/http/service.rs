//! Where an HTTP service is, and the secret that it knows us by.

use std::fmt;
use std::time::Duration;

use plannt_core::Network;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use super::transport::{Endpoint, Transport};
use crate::LightningError;
use crate::settings::{self, Settings, config, is_loopback};

/// Where a service behind HTTP is ([`cln`](crate::cln), [`lnbits`](crate::lnbits),
/// [`phoenixd`](crate::phoenixd)), and the secret that it knows us by. Prints no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServiceConfig {
    /// How much longer than a payment's own time limit to wait for its answer. 15 s unless set.
    pub answer_margin: Duration,
    /// How long connecting may take, TLS included. 10 s unless set.
    pub connect_timeout: Duration,
    /// The network that invoices have to be for, when known.
    pub network: Option<Network>,
    /// How long any other call than a payment may take. 30 s unless set.
    pub request_timeout: Duration,
    /// The name in [`Payer::wallet_id`](crate::Payer::wallet_id), instead of one derived from the
    /// secret.
    pub wallet: Option<String>,
    base: String,
    certificates: Vec<CertificateDer<'static>>,
    secret: Zeroizing<String>,
}

/// What a kind of service is by default.
pub(crate) struct Defaults {
    pub(crate) scheme: &'static str,
    pub(crate) port: u16,
    /// The port with TLS.
    pub(crate) tls_port: u16,
    pub(crate) tls: Tls,
    /// The URL's parameter with the secret, which is also what errors call it.
    pub(crate) secret: &'static str,
    /// Whether it may live below a path.
    pub(crate) path: bool,
}

/// Whether a service speaks TLS when its URL does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    Always,
    /// Not on this machine, where these services listen without it.
    UnlessLocal,
}

impl ServiceConfig {
    pub(crate) fn from_url(url: &str, defaults: &Defaults) -> Result<Self, LightningError> {
        let known = ["cert", "network", "tls", "wallet", defaults.secret];
        let mut url = Settings::parse(url, defaults.scheme, &known)?;
        if !defaults.path {
            url.refuse_path()?;
        }
        let secret = settings::secret(&url.need(defaults.secret)?, defaults.secret)?;
        let certificates = url.certificates()?;
        let encrypted = match (url.take("tls").as_ref().map(|tls| tls.as_str()), &certificates) {
            (Some("on"), _) | (None, Some(_)) => true,
            (Some("off"), None) => false,
            (Some("off"), Some(_)) => {
                return Err(config("cert= needs TLS, and tls=off refuses it"));
            }
            (Some(_), _) => return Err(config("tls= is on or off")),
            (None, None) => match defaults.tls {
                Tls::Always => true,
                Tls::UnlessLocal => !is_loopback(&url.host),
            },
        };
        let (scheme, port) =
            if encrypted { ("https", defaults.tls_port) } else { ("http", defaults.port) };
        let authority = url.authority(port);
        Ok(Self {
            answer_margin: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(10),
            network: url.network()?,
            request_timeout: Duration::from_secs(30),
            wallet: url.take("wallet").map(|name| name.to_string()),
            base: format!("{scheme}://{authority}{}", url.path),
            certificates: certificates.unwrap_or_default(),
            secret,
        })
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// A transport that sends `value` as the header `name`.
    pub(crate) fn transport(
        &self,
        name: &'static str,
        value: &str,
    ) -> Result<Transport, LightningError> {
        let mut value =
            HeaderValue::from_str(value).map_err(|_| config("the secret does not fit a header"))?;
        value.set_sensitive(true);
        Transport::new(Endpoint {
            base: self.base.clone(),
            headers: HeaderMap::from_iter([(HeaderName::from_static(name), value)]),
            certificates: &self.certificates,
            connect_timeout: self.connect_timeout,
        })
    }

    /// How long to wait for a payment's answer.
    pub(crate) fn payment_limit(&self, timeout: Duration) -> Duration {
        timeout.saturating_add(self.answer_margin)
    }
}

impl fmt::Debug for ServiceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceConfig")
            .field("base", &self.base)
            .field("pinned_certificates", &self.certificates.len())
            .field("secret", &"[redacted]")
            .field("network", &self.network)
            .field("wallet", &self.wallet)
            .finish_non_exhaustive()
    }
}
