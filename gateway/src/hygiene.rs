//! Headers that don't go through: those of one hop, those that would change what was priced, and
//! claims about the client that only a proxy may make.

use std::net::{IpAddr, SocketAddr};

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};

/// Headers of one hop (RFC 9110 §7.6.1), whether `Connection` names them or not.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Headers by which a client could have the upstream serve another method or path than the one it paid for, or
/// pass for another client or host.
const OVERRIDES: [&str; 12] = [
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-host",
    "x-http-host-override",
    "x-http-method",
    "x-http-method-override",
    "x-http-path-override",
    "x-method-override",
    "x-real-ip",
];

/// The same, by their beginnings.
const OVERRIDE_PREFIXES: [&str; 4] = ["x-forwarded", "x-original-", "x-rewrite-", "x-l402"];

/// Cleans a client's headers, before anything is priced. `Host` has been read by now.
pub(crate) fn clean_request(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    // The body's own length is written anew; an expectation was met by this hop.
    for name in [HOST, CONTENT_LENGTH, EXPECT, TRAILER] {
        headers.remove(name);
    }
    remove_where(headers, is_override);
}

/// Says to the upstream whom the request came from, and by what name.
pub(crate) fn add_forwarded(headers: &mut HeaderMap, peer: SocketAddr, authority: &str) {
    let client = peer.ip().to_canonical();
    let node = match client {
        IpAddr::V4(client) => client.to_string(),
        // RFC 7239 §6: an IPv6 address is bracketed and quoted.
        IpAddr::V6(client) => format!("\"[{client}]\""),
    };
    let lines = [
        (FORWARDED, format!("for={node};host=\"{authority}\";proto=http")),
        (HeaderName::from_static("x-forwarded-for"), client.to_string()),
        (HeaderName::from_static("x-forwarded-host"), authority.to_owned()),
        (HeaderName::from_static("x-forwarded-proto"), "http".to_owned()),
        (VIA, "1.1 plannt".to_owned()),
    ];
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::try_from(value) {
            // A proxy adds itself to the list of those before it.
            if name == VIA {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
    }
}

/// Cleans an upstream's headers.
pub(crate) fn clean_response(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    // It speaks of other ways to the upstream, past the gateway.
    headers.remove("alt-svc");
    remove_where(headers, |name| name.starts_with("x-l402"));
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

/// Whether a header is one that clients may not send. Servers that take headers from their environment can't tell
/// `_` from `-`, so neither does this.
fn is_override(name: &str) -> bool {
    let name = name.replace('_', "-");
    OVERRIDES.contains(&name.as_str())
        || OVERRIDE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn remove_where(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::try_from(*name).expect("a name"),
                HeaderValue::try_from(*value).expect("a value"),
            );
        }
        headers
    }

    #[test]
    fn nothing_that_changes_the_request_passes() {
        let mut dirty = headers(&[
            ("Connection", "close, X-Secret"),
            ("Connection", "Keep-Alive"),
            ("X-Secret", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "x"),
            ("TE", "trailers"),
            ("Transfer-Encoding", "chunked"),
            ("Proxy-Authorization", "Basic x"),
            ("Expect", "100-continue"),
            ("Host", "a.example"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-HTTP-Method", "DELETE"),
            ("X-Method-Override", "DELETE"),
            ("X_HTTP_Method_Override", "DELETE"),
            ("X-Original-URL", "/v1/data"),
            ("X-Rewrite-URL", "/v1/data"),
            ("X-Forwarded-Host", "evil.example"),
            ("X-Forwarded-Prefix", "/x"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("X_Forwarded_For", "1.2.3.4"),
            ("Forwarded", "for=1.2.3.4"),
            ("X-Real-IP", "1.2.3.4"),
            ("X-L402", "spent"),
            ("X-L402-Price-Msat", "0"),
            ("Authorization", "Bearer x"),
            ("Cookie", "a=b"),
        ]);
        clean_request(&mut dirty);
        assert_eq!(dirty, headers(&[("Authorization", "Bearer x"), ("Cookie", "a=b")]));
    }

    #[test]
    fn the_upstream_hears_who_asked() {
        let mut lines = HeaderMap::new();
        add_forwarded(&mut lines, "[2001:db8::1]:5".parse().expect("an address"), "a.example:1");
        let expected = "for=\"[2001:db8::1]\";host=\"a.example:1\";proto=http";
        assert_eq!(lines[FORWARDED], expected);
        assert_eq!(lines["x-forwarded-for"], "2001:db8::1");
        add_forwarded(&mut lines, "[::ffff:192.0.2.1]:5".parse().expect("an address"), "a");
        assert_eq!(lines["x-forwarded-for"], "192.0.2.1");
    }

    #[test]
    fn an_upstream_cannot_speak_for_the_gateway() {
        let mut dirty = headers(&[
            ("X-L402", "unspent"),
            ("X-L402-Anything", "1"),
            ("Connection", "x-hop"),
            ("X-Hop", "1"),
            ("Alt-Svc", "h3=\":443\""),
            ("Content-Type", "text/plain"),
        ]);
        clean_response(&mut dirty);
        assert_eq!(dirty, headers(&[("Content-Type", "text/plain")]));
    }
}
