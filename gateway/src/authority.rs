//! Which service a request is for: exactly one authority, said in one way (docs/PROTOCOL.md §3).

use std::collections::BTreeSet;

use http::Version;
use http::header::HOST;
use http::request::Parts;

use crate::problem::Problem;

/// The request's authority, in lower case.
///
/// # Errors
/// 400 where `Host` is repeated, missing, no authority, or unlike the target's; 421 where `hosts` are named and it is
/// none of them.
pub(crate) fn authority(parts: &Parts, hosts: &BTreeSet<String>) -> Result<String, Problem> {
    // Only in HTTP/2 the target stands in for it (RFC 9112 §3.2).
    if parts.version < Version::HTTP_2 && !parts.headers.contains_key(HOST) {
        return Err(Problem::request("no Host header"));
    }
    let authority = plannt_gate::authority(parts).map_err(Problem::request)?;
    let authority = authority.ok_or_else(|| Problem::request("no Host header"))?;
    let name = authority.as_str().to_ascii_lowercase();
    let host = authority.host().to_ascii_lowercase();
    if !hosts.is_empty() && !hosts.contains(&name) && !hosts.contains(&host) {
        return Err(Problem::misdirected());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn check(uri: &str, lines: &[&str], hosts: &[&str]) -> Result<String, u16> {
        check_version(Version::HTTP_11, uri, lines, hosts)
    }

    fn check_version(
        version: Version,
        uri: &str,
        lines: &[&str],
        hosts: &[&str],
    ) -> Result<String, u16> {
        let mut request = Request::builder().uri(uri).version(version);
        for line in lines {
            request = request.header(HOST, *line);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        authority(&parts, &hosts).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn one_authority_in_one_way() {
        let named = |name: &str| Ok(name.to_owned());
        assert_eq!(check("/", &["Api.Example:8402"], &[]), named("api.example:8402"));
        assert_eq!(check("/", &["[::1]:8402"], &[]), named("[::1]:8402"));
        assert_eq!(check("http://a.example/", &["A.example"], &[]), named("a.example"));
        assert_eq!(check("http://a.example:80/", &["a.example"], &[]), named("a.example:80"));
        let http2 = |lines| check_version(Version::HTTP_2, "http://a.example/", lines, &[]);
        assert_eq!(http2(&[]), named("a.example"));
        assert_eq!(http2(&["b.example"]), Err(400));
    }

    #[test]
    fn anything_else_is_400() {
        for (uri, lines) in [
            ("/", &[][..]),
            ("/", &[""]),
            ("/", &["a.example", "a.example"]),
            ("/", &["a.example, b.example"]),
            ("/", &["a.example/path"]),
            ("/", &["user@a.example"]),
            ("/", &["a.example:"]),
            ("/", &["a.example:port"]),
            ("/", &["a.example:99999"]),
            ("/", &[":80"]),
            ("http://a.example/", &[]),
            ("http://a.example/", &["b.example"]),
            ("http://a.example/", &["a.example:81"]),
        ] {
            assert_eq!(check(uri, lines, &[]), Err(400), "{uri} {lines:?}");
        }
    }

    #[test]
    fn named_hosts_are_the_only_ones() {
        let hosts = ["a.example", "b.example:1", "[::1]"];
        for good in ["a.example", "A.example:7", "b.example:1", "[::1]", "[::1]:8402"] {
            assert!(check("/", &[good], &hosts).is_ok(), "{good}");
        }
        for unknown in ["b.example", "b.example:2", "a.example.", "c.example"] {
            assert_eq!(check("/", &[unknown], &hosts), Err(421), "{unknown}");
        }
    }
}
