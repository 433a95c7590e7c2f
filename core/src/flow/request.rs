//! What the flow knows of a request: enough to recognize it again, never its headers or body.

use alloc::string::String;
use core::fmt;

use sha2::{Digest, Sha256};

/// A request's scheme, host and port.
///
/// ```
/// use plannt_core::flow::Origin;
/// let origin = Origin::new("HTTPS", "API.example", None)?;
/// assert_eq!(origin, Origin::new("https", "api.example", Some(443))?);
/// assert_eq!(origin.to_string(), "https://api.example");
/// # Ok::<(), plannt_core::flow::OriginError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Puts an origin together: `scheme` is `http` or `https`, `host` a name, an IPv4 address, or an
    /// IPv6 address in brackets; without a port it is the scheme's.
    ///
    /// # Errors
    /// [`OriginError`]: another scheme, or no host.
    pub fn new(scheme: &str, host: &str, port: Option<u16>) -> Result<Self, OriginError> {
        let https = if scheme.eq_ignore_ascii_case("https") {
            true
        } else if scheme.eq_ignore_ascii_case("http") {
            false
        } else {
            return Err(OriginError::Scheme);
        };
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return Err(OriginError::Host);
        }
        Ok(Self { https, host, port: port.unwrap_or(if https { 443 } else { 80 }) })
    }

    /// Reads an origin as [`Display`](fmt::Display) writes it.
    ///
    /// # Errors
    /// [`OriginError`].
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::Scheme)?;
        // The port's colon is the one after an IPv6 address's bracket.
        let after_address = rest.rfind(']').map_or(0, |i| i + 1);
        match rest[after_address..].rfind(':') {
            Some(i) => {
                let (host, port) = rest.split_at(after_address + i);
                // A sign is no digit, though a number may have one.
                let digits = port[1..].bytes().all(|b| b.is_ascii_digit());
                let port = port[1..].parse().ok().filter(|_| digits);
                Self::new(scheme, host, Some(port.ok_or(OriginError::Port)?))
            }
            None => Self::new(scheme, rest, None),
        }
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; the scheme's own when none was named.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether plain `http` to it stays on this machine or inside Tor: a loopback address, `localhost`, or `.onion`.
    pub fn is_private(&self) -> bool {
        let host = self.host.strip_suffix('.').unwrap_or(&self.host);
        if host == "localhost" || host.ends_with(".localhost") || host.ends_with(".onion") {
            return true;
        }
        if let Some(v6) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
            return v6.parse::<core::net::Ipv6Addr>().is_ok_and(|ip| {
                ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            });
        }
        host.parse::<core::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Display for Origin {
    /// `https://host`, with the port only where it is not the scheme's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.https { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

/// A name, an IPv4 address, or an IPv6 address in brackets: an origin's text is read as it was written.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(address) => {
            let address = address.strip_suffix(']').unwrap_or_default();
            address.parse::<core::net::Ipv6Addr>().is_ok()
        }
        None => {
            let other = |b: u8| b <= b' ' || b == 0x7f || b"#/:?@[\\]".contains(&b);
            !host.is_empty() && !host.bytes().any(other)
        }
    }
}

/// Why a text is no origin that can be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// No host, or characters that no host has.
    #[error("the URL has no usable host")]
    Host,
    /// The port is not a number up to 65535.
    #[error("the URL's port is not a number up to 65535")]
    Port,
    /// Neither http nor https.
    #[error("the URL is neither http nor https")]
    Scheme,
}

impl OriginError {
    /// A stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Host => "origin_host",
            Self::Port => "origin_port",
            Self::Scheme => "origin_scheme",
        }
    }
}

/// What the flow needs to know of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyFacts {
    /// A stream that is gone once sent: such a request is never paid for, since it could not be repeated.
    Once,
    /// It can be sent again, and this is its SHA-256 (of nothing where there is no body).
    Replayable {
        /// SHA-256 of the bytes.
        sha256: [u8; 32],
    },
}

impl BodyFacts {
    /// The facts of a body held in memory.
    pub fn of(body: &[u8]) -> Self {
        Self::Replayable { sha256: Sha256::digest(body).into() }
    }
}

/// One request, as the flow sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestFacts {
    /// The method, as sent.
    pub method: String,
    /// Where it goes.
    pub origin: Origin,
    /// Path and query, as sent.
    pub target: String,
    /// Its body.
    pub body: BodyFacts,
}

impl RequestFacts {
    /// What the journal knows this request by (docs/PROTOCOL.md §5), or none where its body can't be repeated.
    pub fn key(&self, wallet: &str) -> Option<RequestKey> {
        let BodyFacts::Replayable { sha256 } = self.body else { return None };
        Some(RequestKey {
            method: self.method.clone(),
            origin: self.origin.clone(),
            target: self.target.clone(),
            body_sha256: sha256,
            wallet: wallet.into(),
        })
    }

    /// The target's path, without its query.
    pub fn path(&self) -> &str {
        path_of(&self.target)
    }

    /// The bytes after the first `?`; empty when there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// The part of a target before the first `?`.
pub(crate) fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// What the journal knows a request by: the same method, origin, path, query, body and wallet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// The method.
    pub method: String,
    /// Scheme, host and port.
    pub origin: Origin,
    /// Path and query, as sent.
    pub target: String,
    /// SHA-256 of the body.
    pub body_sha256: [u8; 32],
    /// The wallet that pays, by its stable id.
    pub wallet: String,
}

impl RequestKey {
    /// One hash over all of it, for an index: each part is preceded by its length, so that no two keys share a text.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut origin = String::new();
        // Writing to a string can't fail.
        let _ = fmt::Write::write_fmt(&mut origin, format_args!("{}", self.origin));
        for part in [self.method.as_bytes(), origin.as_bytes(), self.target.as_bytes()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        hasher.update(self.body_sha256);
        hasher.update(self.wallet.as_bytes());
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn origins_are_compared_by_meaning() {
        let text = |t: &str| Origin::parse(t).map(|o| o.to_string());
        assert_eq!(text("HTTP://Example.COM:80"), Ok("http://example.com".into()));
        assert_eq!(text("https://example.com:8443"), Ok("https://example.com:8443".into()));
        assert_eq!(text("http://[::1]:8402"), Ok("http://[::1]:8402".into()));
        assert_eq!(text("http://[::1]"), Ok("http://[::1]".into()));
        assert_eq!(text("ftp://example.com"), Err(OriginError::Scheme));
        assert_eq!(text("example.com"), Err(OriginError::Scheme));
        assert_eq!(text("https://"), Err(OriginError::Host));
        assert_eq!(text("https://user@example.com"), Err(OriginError::Host));
        assert_eq!(text("https://example.com:99999"), Err(OriginError::Port));
        assert_eq!(text("https://example.com:+80"), Err(OriginError::Port));
        assert_eq!(text("https://example.com:"), Err(OriginError::Port));
    }

    #[test]
    fn a_host_is_a_name_or_an_address() {
        // Found by fuzzing: what these were written as could not be read again.
        for host in
            ["[::1$", "[::1", "::1]", "::1", "a:b", "[]", "[a]", "[::1]x", "a\\b", "a\u{7f}"]
        {
            assert_eq!(Origin::new("http", host, Some(8402)), Err(OriginError::Host), "{host}");
        }
    }

    #[test]
    fn private_hosts_are_this_machine_and_onions() {
        for host in [
            "localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "abc.onion",
            "a.localhost",
            "localhost.",
        ] {
            assert!(Origin::new("http", host, None).is_ok_and(|o| o.is_private()), "{host}");
        }
        for host in [
            "localhost.example",
            "127.0.0.1.example",
            "10.0.0.1",
            "[::2]",
            "onion",
            "notlocalhost",
            "2130706433",
        ] {
            assert!(Origin::new("http", host, None).is_ok_and(|o| !o.is_private()), "{host}");
        }
    }

    #[test]
    fn each_part_of_the_key_counts() {
        let base = RequestFacts {
            method: "GET".into(),
            origin: Origin::new("https", "a.example", None).expect("origin"),
            target: "/v1?x=1".into(),
            body: BodyFacts::of(b""),
        };
        let key = |f: &RequestFacts, wallet: &str| f.key(wallet).map(|k| k.digest());
        let mut seen = alloc::vec![key(&base, "w")];
        let mut differs = |facts: RequestFacts, wallet: &str| {
            let digest = key(&facts, wallet);
            assert!(digest.is_some() && !seen.contains(&digest), "{facts:?}");
            seen.push(digest);
        };
        differs(RequestFacts { method: "POST".into(), ..base.clone() }, "w");
        differs(
            RequestFacts { method: "GE".into(), target: "T/v1?x=1".into(), ..base.clone() },
            "w",
        );
        differs(RequestFacts { target: "/v1?x=2".into(), ..base.clone() }, "w");
        differs(
            RequestFacts {
                origin: Origin::new("http", "a.example", None).expect("origin"),
                ..base.clone()
            },
            "w",
        );
        differs(RequestFacts { body: BodyFacts::of(b"x"), ..base.clone() }, "w");
        differs(base.clone(), "w2");
        assert_eq!(key(&RequestFacts { body: BodyFacts::Once, ..base }, "w"), None);
    }
}
