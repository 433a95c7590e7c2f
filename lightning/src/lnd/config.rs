//! How to reach a node: where it is, which certificate it has, and our macaroon.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use plannt_core::Network;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;
use zeroize::Zeroizing;

use crate::LightningError;

/// The port of lnd's REST listener when the URL names none.
const DEFAULT_PORT: u16 = 8080;
/// Macaroon files and certificates are a few hundred bytes; more is the wrong file.
const MAX_FILE_BYTES: u64 = 65_536;

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
        self.certificates = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| config("the certificate file is not PEM"))?;
        if self.certificates.is_empty() {
            return Err(config("the certificate file holds no certificate"));
        }
        Ok(self)
    }

    /// Reads `lnd://host:port?macaroon=<path or hex>[&cert=<path>][&network=<name>][&wallet=<name>]`.
    ///
    /// `macaroon` is hex when it is at least 64 hex digits, else the path of a file with the
    /// macaroon (binary as lnd writes it, or hex). Without `cert` the platform's roots decide, as
    /// for a node behind a public name. Values are percent-encoded; a plus sign stands for itself.
    ///
    /// # Errors
    /// [`LightningError::Config`], never with a value of the URL in it.
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        let mut url = Url::parse(url).map_err(|e| config(&format!("not a URL: {e}")))?;
        if url.scheme() != "lnd" {
            return Err(config("the URL's scheme is not lnd"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(config("an lnd URL takes no user or password: use macaroon="));
        }
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(config("an lnd URL takes no path or fragment"));
        }
        let host = url.host_str().filter(|h| !h.is_empty());
        let host = host.ok_or_else(|| config("the URL names no host"))?;
        let authority = format!("{host}:{}", url.port().unwrap_or(DEFAULT_PORT));
        // `query_pairs` reads a form's plus as a space; in a path it is a plus.
        let query = url.query().map(|q| Zeroizing::new(q.replace('+', "%2B")));
        url.set_query(query.as_ref().map(|q| q.as_str()));

        let (mut cert, mut macaroon, mut network, mut wallet) = (None, None, None, None);
        for (name, value) in url.query_pairs() {
            let slot = match name.as_ref() {
                "cert" => &mut cert,
                "macaroon" => &mut macaroon,
                "network" => &mut network,
                "wallet" => &mut wallet,
                _ => {
                    return Err(config(
                        "unknown parameter: cert, macaroon, network and wallet are known",
                    ));
                }
            };
            if value.is_empty() || slot.replace(Zeroizing::new(value.into_owned())).is_some() {
                return Err(config("a parameter is empty or repeated"));
            }
        }
        let macaroon = macaroon.ok_or_else(|| config("the URL has no macaroon= parameter"))?;
        let mut this = Self::new(authority, &read_macaroon(&macaroon)?)?;
        if let Some(path) = cert {
            this = this.with_certificates(&read_file(Path::new(path.as_str()), "certificate")?)?;
        }
        if let Some(name) = network {
            this.network = Some(name.parse().map_err(|e| config(&format!("{e}")))?);
        }
        this.wallet = wallet.map(|name| name.to_string());
        Ok(this)
    }

    /// `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
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
    if value.len() >= 64
        && let Some(bytes) = unhex(value.as_bytes())
    {
        return Ok(bytes);
    }
    let bytes = read_file(Path::new(value), "macaroon")?;
    Ok(unhex(bytes.trim_ascii()).unwrap_or(bytes))
}

/// Names neither the path nor its contents: a mistyped hex macaroon lands here too.
fn read_file(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, LightningError> {
    let read = || -> std::io::Result<Vec<u8>> {
        if std::fs::metadata(path)?.len() > MAX_FILE_BYTES {
            return Err(std::io::Error::other("it is too large"));
        }
        std::fs::read(path)
    };
    read().map(Zeroizing::new).map_err(|e| match e.kind() {
        std::io::ErrorKind::Other => config(&format!("the {what} file cannot be read: {e}")),
        kind => config(&format!("the {what} file cannot be read: {kind}")),
    })
}

fn config(message: &str) -> LightningError {
    LightningError::Config { message: message.into() }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    let bytes = text.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?));
    bytes.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
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
