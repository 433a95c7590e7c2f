//! A backend's URL: its address, its parameters, and the secrets that they name.
#![cfg_attr(not(feature = "all"), allow(dead_code))]

use std::collections::BTreeMap;
use std::path::Path;

use plannt_core::Network;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};
use url::Url;
use zeroize::Zeroizing;

use crate::LightningError;

/// Macaroon files and certificates are a few hundred bytes; more is the wrong file.
const MAX_FILE_BYTES: u64 = 65_536;
/// More than any credential has, and less than a header may.
const MAX_SECRET_BYTES: usize = 8_192;

/// A backend's URL, taken apart. Every parameter has to be taken.
pub(crate) struct Settings {
    pub(crate) host: String,
    port: Option<u16>,
    /// Without a slash at the end.
    pub(crate) path: String,
    parameters: BTreeMap<String, Zeroizing<String>>,
}

impl Settings {
    /// Parses `<scheme>://host[:port][/path]?name=value&…` with those parameters alone that are in
    /// `known`, each at most once. Values are percent-encoded; a plus sign stands for itself.
    pub(crate) fn parse(url: &str, scheme: &str, known: &[&str]) -> Result<Self, LightningError> {
        let mut url = Url::parse(url).map_err(|e| config(&format!("not a URL: {e}")))?;
        if url.scheme() != scheme {
            return Err(config(&format!("the URL's scheme is not {scheme}")));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(config("the URL takes no user or password: use its parameters"));
        }
        if url.fragment().is_some() {
            return Err(config("the URL takes no fragment"));
        }
        let host = url.host_str().filter(|h| !h.is_empty());
        let host = host.ok_or_else(|| config("the URL names no host"))?.to_owned();
        // `query_pairs` reads a form's plus as a space; in a path it is a plus.
        let query = url.query().map(|q| Zeroizing::new(q.replace('+', "%2B")));
        url.set_query(query.as_ref().map(|q| q.as_str()));
        let mut parameters = BTreeMap::new();
        for (name, value) in url.query_pairs() {
            if !known.contains(&name.as_ref()) {
                return Err(config(&format!("unknown parameter: known are {}", known.join(", "))));
            }
            let value = Zeroizing::new(value.into_owned());
            if value.is_empty() || parameters.insert(name.into_owned(), value).is_some() {
                return Err(config("a parameter is empty or repeated"));
            }
        }
        Ok(Self {
            host,
            port: url.port(),
            path: url.path().trim_end_matches('/').to_owned(),
            parameters,
        })
    }

    /// `host:port`.
    pub(crate) fn authority(&self, default_port: u16) -> String {
        format!("{}:{}", self.host, self.port.unwrap_or(default_port))
    }

    /// For services that have none.
    pub(crate) fn refuse_path(&self) -> Result<(), LightningError> {
        if self.path.is_empty() { Ok(()) } else { Err(config("the URL takes no path")) }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Zeroizing<String>> {
        self.parameters.remove(name)
    }

    pub(crate) fn need(&mut self, name: &str) -> Result<Zeroizing<String>, LightningError> {
        self.take(name).ok_or_else(|| config(&format!("the URL has no {name}= parameter")))
    }

    /// `network=<name>`.
    pub(crate) fn network(&mut self) -> Result<Option<Network>, LightningError> {
        let name = self.take("network");
        name.map(|name| name.parse().map_err(|e| config(&format!("{e}")))).transpose()
    }

    /// `cert=<path>`: the certificates to pin.
    pub(crate) fn certificates(
        &mut self,
    ) -> Result<Option<Vec<CertificateDer<'static>>>, LightningError> {
        let Some(path) = self.take("cert") else { return Ok(None) };
        read_certificates(&read_file(Path::new(path.as_str()), "certificate")?).map(Some)
    }
}

/// The secret that a parameter's value is or names: `env:NAME` is that environment variable,
/// `file:PATH` that file, and so is what begins with `/` or `.`; all else is the secret itself.
/// `what` names it in errors.
pub(crate) fn secret(value: &str, what: &str) -> Result<Zeroizing<String>, LightningError> {
    let path = value.strip_prefix("file:");
    let path = path.or_else(|| value.starts_with(['/', '.']).then_some(value));
    let secret = if let Some(path) = path {
        let bytes = read_file(Path::new(path), what)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| not_text(what))?;
        Zeroizing::new(text.trim().to_owned())
    } else if let Some(name) = value.strip_prefix("env:") {
        from_environment(name, what)?
    } else {
        Zeroizing::new(value.to_owned())
    };
    if secret.is_empty() || secret.len() > MAX_SECRET_BYTES {
        return Err(config(&format!("the {what} is empty or too long")));
    }
    if !secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(not_text(what));
    }
    Ok(secret)
}

pub(crate) fn from_environment(
    name: &str,
    what: &str,
) -> Result<Zeroizing<String>, LightningError> {
    // A name that is no name may be a secret that was mistyped, so it is not repeated.
    let value = std::env::var(name);
    let value = value.map_err(|_| config(&format!("the {what} is not in the environment")))?;
    Ok(Zeroizing::new(value.trim().to_owned()))
}

/// Names neither the path nor its contents: a mistyped secret lands here too.
pub(crate) fn read_file(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>, LightningError> {
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

pub(crate) fn read_certificates(
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, LightningError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| config("the certificate file is not PEM"))?;
    if certificates.is_empty() {
        return Err(config("the certificate file holds no certificate"));
    }
    Ok(certificates)
}

/// A wallet's name: `scheme:` and the configured name, or 16 hex digits of a hash of its secret.
/// `what` is the secret's kind, so that no two kinds share a hash.
pub(crate) fn wallet_id(scheme: &str, name: Option<&str>, what: &str, secret: &str) -> String {
    if let Some(name) = name {
        return format!("{scheme}:{name}");
    }
    let mut hash = Sha256::new_with_prefix(format!("plannt wallet of {what} "));
    hash.update(secret);
    format!("{scheme}:{}", hex(&hash.finalize()[..8]))
}

pub(crate) fn config(message: &str) -> LightningError {
    LightningError::Config { message: message.into() }
}

fn not_text(what: &str) -> LightningError {
    config(&format!("the {what} is not one word of ASCII text"))
}

/// A name that resolves to this machine alone, or one of its addresses.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn unhex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
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

    #[test]
    fn a_secret_is_itself_or_a_file_or_a_variable() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        std::fs::write(&path, "from-a-file\n").expect("written");
        let path = path.to_str().expect("utf-8");
        for (value, expected) in [
            ("itself=", "itself="),
            (path, "from-a-file"),
            (&format!("file:{path}"), "from-a-file"),
            // The tests of one process share its environment: one that is always there.
            ("env:CARGO_PKG_NAME", "plannt-lightning"),
        ] {
            assert_eq!(secret(value, "key").expect("a secret").as_str(), expected);
        }
    }

    #[test]
    fn a_secret_that_is_none_is_refused_without_repeating_it() {
        let long = "x5e".repeat(3_000);
        for value in ["env:NO_SUCH_5e5e", "file:5e5e", "/no/such/5e5e", "5e5e 5e", "", &long] {
            let message = secret(value, "key").expect_err("refused").to_string();
            assert!(!message.contains("5e"), "{message}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "127.0.0.1", "127.8.9.1", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "128.0.0.1", "[::2]", "0.0.0.0", "example"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
