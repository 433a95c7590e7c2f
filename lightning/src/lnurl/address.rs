//! The ways to write an address.

use std::fmt;
use std::time::Duration;

use bech32::Bech32;
use bech32::primitives::decode::CheckedHrpstring;
use plannt_core::Network;
use url::Url;

use super::{CONNECT_TIMEOUT, REQUEST_TIMEOUT};
use crate::LightningError;
use crate::settings::{config, is_loopback};

/// Which address to have invoices made for.
#[derive(Clone)]
#[non_exhaustive]
pub struct LnurlConfig {
    /// How long connecting may take, TLS included. 10 s unless set.
    pub connect_timeout: Duration,
    /// The network that invoices have to be for, when known.
    pub network: Option<Network>,
    /// How long a call may take. 30 s unless set.
    pub request_timeout: Duration,
    pub(super) url: Url,
}

/// Whether `text` is written as an address or LNURL, and not as another backend's URL.
pub(crate) fn is_lnurl(text: &str) -> bool {
    strip(text, "lnurl:").is_some()
        || strip(text, "lnurlp:").is_some()
        || strip(text, "lightning:").is_some()
        || (text.contains('@') && !text.contains("://"))
}

impl LnurlConfig {
    /// Reads `name@host`, `lnurl:name@host`, `lnurl:LNURL1…`, `lnurl:https://…` or `lnurlp://host/path`
    /// (LUD-01, LUD-16, LUD-17); `lightning:` stands for `lnurl:`. The first and the third
    /// may end in `?network=<name>`.
    ///
    /// ```
    /// use plannt_lightning::lnurl::LnurlConfig;
    /// let config = LnurlConfig::from_url("shop@pay.example?network=bitcoin")?;
    /// assert!(format!("{config:?}").contains("https://pay.example/.well-known/lnurlp/shop"));
    /// # Ok::<(), plannt_lightning::LightningError>(())
    /// ```
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(text: &str) -> Result<Self, LightningError> {
        let not_one = || config("no Lightning address, and no LNURL");
        if let Some(rest) = strip(text, "lnurlp://") {
            return Self::at(secure(rest).ok_or_else(not_one)?, None);
        }
        let rest = strip(text, "lnurl:").or_else(|| strip(text, "lightning:")).unwrap_or(text);
        if rest.contains("://") {
            return Self::at(web_url(rest).ok_or_else(not_one)?, None);
        }
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        let network = match query.split_once('=') {
            None if query.is_empty() => None,
            Some(("network", name)) => Some(name.parse().map_err(|e| config(&format!("{e}")))?),
            _ => return Err(config("unknown parameter: only network is known")),
        };
        let url = match name.split_once('@') {
            Some((user, host)) if is_user(user) && !host.is_empty() && !host.contains('/') => {
                secure(&format!("{host}/.well-known/lnurlp/{}", user.to_ascii_lowercase()))
            }
            Some(_) => None,
            None => decode(name).and_then(|url| web_url(&url)),
        };
        Self::at(url.ok_or_else(not_one)?, network)
    }

    fn at(url: Url, network: Option<Network>) -> Result<Self, LightningError> {
        Ok(Self {
            connect_timeout: CONNECT_TIMEOUT,
            network,
            request_timeout: REQUEST_TIMEOUT,
            url,
        })
    }
}

impl fmt::Debug for LnurlConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LnurlConfig")
            .field("url", &self.url.as_str())
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

/// A URL that may be asked: HTTPS, or HTTP on this machine and in Tor, whose names are keys.
pub(super) fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => is_loopback(host) || host.ends_with(".onion"),
        _ => false,
    };
    (is_safe && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// A URL of `host[:port]/path`, by HTTPS unless that makes no sense there.
fn secure(rest: &str) -> Option<Url> {
    web_url(&format!("http://{rest}")).or_else(|| web_url(&format!("https://{rest}")))
}

/// LUD-16.
fn is_user(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+'))
}

/// LUD-01.
fn decode(text: &str) -> Option<String> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok()?;
    if checked.hrp() != bech32::Hrp::parse_unchecked("lnurl") {
        return None;
    }
    String::from_utf8(checked.byte_iter().collect()).ok()
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Option<String> {
        LnurlConfig::from_url(text).ok().map(|config| config.url.to_string())
    }

    #[test]
    fn reads_every_way_to_write_one() {
        // The example of LUD-01.
        let bech32 = "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS";
        let told = "https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df";
        for text in [bech32.to_owned(), bech32.to_lowercase()] {
            for scheme in ["", "lnurl:", "lightning:", "LIGHTNING:"] {
                assert_eq!(url(&format!("{scheme}{text}")).as_deref(), Some(told));
            }
        }
        let address = Some("https://pay.example/.well-known/lnurlp/a.b-c_d+1");
        for text in
            ["a.b-c_d+1@pay.example", "A.b-c_d+1@pay.example", "lnurl:a.b-c_d+1@pay.example"]
        {
            assert_eq!(url(text).as_deref(), address);
        }
        assert_eq!(url("lnurlp://pay.example/x?y=1").as_deref(), Some("https://pay.example/x?y=1"));
        assert_eq!(url("lnurl:https://pay.example/x").as_deref(), Some("https://pay.example/x"));
        assert_eq!(url("a@127.0.0.1:80").as_deref(), Some("http://127.0.0.1/.well-known/lnurlp/a"));
        assert_eq!(url("a@x.onion").as_deref(), Some("http://x.onion/.well-known/lnurlp/a"));
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "a",
            "@host",
            "a@",
            "a b@host",
            "a@b@c",
            "a/b@host",
            "lnurl:http://pay.example/x",
            "lnurl:ftp://pay.example",
            "lnurl1dp68gurn8ghj7um9wfmxjcm99e3k7mf0",
            "a@host?cert=x",
            "a@host?network=moon",
            "lnurl:https://u:p@pay.example",
        ] {
            assert_eq!(url(text), None, "{text}");
        }
        for other in ["lnd://user@host", "phoenixd://h", "nostr+walletconnect://x@y"] {
            assert!(!is_lnurl(other), "{other}");
        }
    }
}
