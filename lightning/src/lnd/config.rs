//! How to reach a node: where it is, which certificate it has, and our macaroon.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use plannt_core::Network;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::LightningError;
use crate::http::Endpoint;
use crate::settings::{
    Settings, config, from_environment, hex, read_certificates, read_file, unhex,
};

/// The port of lnd's REST listener when the URL names none.
const DEFAULT_PORT: u16 = 8080;

/// Where a node is, and how it and we prove who we are. Prints no secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct LndConfig {
    /// How much longer than a payment's own time limit to wait for its answer. 15 s unless set:
    /// lnd ends its tries at the limit, but not an attempt that is already in flight.
    pub answer_margin: Duration,
    /// How long connecting may take, TLS included. 10 s unless set.
    pub connect_timeout: Duration,
    /// The network that invoices have to be for, when known.
    pub network: Option<Network>,
    /// How long any other call than a payment may take. 30 s unless set.
    pub request_timeout: Duration,
    /// The name in [`Payer::wallet_id`](crate::Payer::wallet_id), instead of one derived from the
    /// macaroon: for who bakes macaroons anew and wants the wallet to stay the same one.
    pub wallet: Option<String>,
    authority: String,
    certificates: Vec<CertificateDer<'static>>,
    macaroon_hex: Zeroizing<String>,
}

impl LndConfig {
    /// A node at `authority` (`host:port`), with the platform's certificate roots.
    ///
    /// # Errors
    /// [`LightningError::Config`] when `macaroon` is empty or no bytes could fit a header.
    pub fn new(authority: impl Into<String>, macaroon: &[u8]) -> Result<Self, LightningError> {
        if macaroon.is_empty() || macaroon.len() > 8_192 {
            return Err(config("the macaroon is empty or too long"));
        }
        Ok(Self {
            answer_margin: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(10),
            network: None,
            request_timeout: Duration::from_secs(30),
            wallet: None,
            authority: authority.into(),
            certificates: Vec::new(),
            macaroon_hex: Zeroizing::new(hex(macaroon)),
        })
    }

    /// Pins the node to the certificates in `pem`, exactly: no name, issuer or date is looked at.
    /// lnd signs its certificate itself, so nothing else could vouch for it.
    ///
    /// # Errors
    /// [`LightningError::Config`] when there is none in it.
    pub fn with_certificates(mut self, pem: &[u8]) -> Result<Self, LightningError> {
        self.certificates = read_certificates(pem)?;
        Ok(self)
    }

    /// Reads `lnd://host:port?macaroon=<path or hex>[&cert=<path>][&network=<name>][&wallet=<name>]`.
    ///
    /// `macaroon` is hex when it is at least 64 hex digits, `env:NAME` for hex in an environment
    /// variable, else the path of a file with the macaroon (binary as lnd writes it, or hex). Without `cert` the platform's roots decide, as
    /// for a node behind a public name. Values are percent-encoded; a plus sign stands for itself.
    ///
    /// # Errors
    /// [`LightningError::Config`], never with a value of the URL in it.
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        Self::read(url, "lnd", DEFAULT_PORT)
    }

    pub(super) fn read(url: &str, scheme: &str, port: u16) -> Result<Self, LightningError> {
        let known = ["cert", "macaroon", "network", "wallet"];
        let mut url = Settings::parse(url, scheme, &known)?;
        url.refuse_path()?;
        let macaroon = read_macaroon(&url.need("macaroon")?)?;
        let mut this = Self::new(url.authority(port), &macaroon)?;
        this.certificates = url.certificates()?.unwrap_or_default();
        this.network = url.network()?;
        this.wallet = url.take("wallet").map(|name| name.to_string());
        Ok(this)
    }

    /// `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    #[cfg(feature = "lnd-grpc")]
    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    pub(super) fn endpoint(&self) -> Result<Endpoint<'_>, LightningError> {
        let mut macaroon = HeaderValue::from_str(&self.macaroon_hex)
            .map_err(|_| config("the macaroon is not hex"))?;
        macaroon.set_sensitive(true);
        let name = HeaderName::from_static("grpc-metadata-macaroon");
        Ok(Endpoint {
            base: format!("https://{}", self.authority),
            headers: HeaderMap::from_iter([(name, macaroon)]),
            certificates: &self.certificates,
            connect_timeout: self.connect_timeout,
        })
    }

    pub(super) fn macaroon_hex(&self) -> &str {
        &self.macaroon_hex
    }
}

impl fmt::Debug for LndConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LndConfig")
            .field("authority", &self.authority)
            .field("pinned_certificates", &self.certificates.len())
            .field("macaroon", &"[redacted]")
            .field("network", &self.network)
            .field("wallet", &self.wallet)
            .finish_non_exhaustive()
    }
}

fn read_macaroon(value: &str) -> Result<Zeroizing<Vec<u8>>, LightningError> {
    if let Some(name) = value.strip_prefix("env:") {
        let text = from_environment(name, "macaroon")?;
        let bytes = unhex(text.as_bytes());
        return bytes.ok_or_else(|| config("the macaroon in the environment is not hex"));
    }
    if value.len() >= 64
        && let Some(bytes) = unhex(value.as_bytes())
    {
        return Ok(bytes);
    }
    let path = value.strip_prefix("file:").unwrap_or(value);
    let bytes = read_file(Path::new(path), "macaroon")?;
    Ok(unhex(bytes.trim_ascii()).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        LndConfig::from_url(url).expect_err("refused").to_string()
    }

    #[test]
    fn takes_hex_or_a_file_and_prints_neither() {
        let secret = "5e".repeat(40);
        let config = LndConfig::from_url(&format!(
            "lnd://node.example:10009?macaroon={secret}&network=regtest&wallet=till"
        ))
        .expect("config");
        assert_eq!(config.authority(), "node.example:10009");
        assert_eq!(config.macaroon_hex(), secret);
        assert_eq!(config.network, Some(Network::Regtest));
        assert!(!format!("{config:?}").contains("5e5e"));

        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a +b.macaroon");
        for contents in [vec![2, 1, 3], b"020103\n".to_vec()] {
            std::fs::write(&path, contents).expect("write");
            let url = format!(
                "lnd://[::1]?macaroon={}",
                path.to_str().expect("utf-8").replace(' ', "%20")
            );
            let config = LndConfig::from_url(&url).expect("config");
            assert_eq!((config.authority(), config.macaroon_hex()), ("[::1]:8080", "020103"));
        }
    }

    #[test]
    fn refuses_without_repeating_the_url() {
        let odd = "5e".repeat(40) + "5";
        for url in [
            format!("lnd://h:1?macaroon={odd}"),
            "lnd://h:1".into(),
            format!("lnd://h:1?macaroon={odd}0&macaroon={odd}0"),
            format!("lnd://h:1?macaroon={odd}0&sslmode={odd}"),
            format!("lnd://{odd}@h:1?macaroon={odd}0"),
            format!("lnd://h:1/{odd}?macaroon={odd}0"),
            format!("lnd://h:1?macaroon={odd}0&network={odd}"),
            format!("lnd://h:1?macaroon={odd}0&cert={odd}"),
            format!("lnd://?macaroon={odd}0"),
            format!("lnds://h:1?macaroon={odd}0"),
            format!("lnd:h:{odd}"),
        ] {
            let message = refusal(&url);
            assert!(!message.contains("5e5e"), "{message}");
        }
    }

    #[test]
    fn a_certificate_file_has_to_hold_one() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("tls.cert");
        std::fs::write(&path, "not a certificate").expect("write");
        let url = format!("lnd://h:1?macaroon={}&cert={}", "5e".repeat(32), path.display());
        assert!(refusal(&url).contains("holds no certificate"));
    }
}
