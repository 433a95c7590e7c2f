//! Whom a request is for, said in one way (docs/PROTOCOL.md §3).

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;

/// A request's authority, where its target or its `Host` tells one (docs/PROTOCOL.md §3, RFC 9112 §3.2).
///
/// # Errors
/// What is wrong with it, for a 400: `Host` is repeated, no authority, or unlike the target's.
pub fn authority(parts: &Parts) -> Result<Option<Authority>, &'static str> {
    let mut lines = parts.headers.get_all(HOST).iter();
    let line = match lines.next() {
        None => None,
        Some(line) => {
            let line = Authority::try_from(line.as_bytes());
            Some(line.map_err(|_| "the Host header is not a host")?)
        }
    };
    if lines.next().is_some() {
        return Err("more than one Host header");
    }
    let authority = match (parts.uri.authority(), line) {
        (Some(target), Some(line)) if !same(target, &line) => {
            return Err("the Host header is not the target's host");
        }
        (Some(target), _) => target.clone(),
        (None, Some(line)) => line,
        (None, None) => return Ok(None),
    };
    if authority.as_str().contains('@') || authority.host().is_empty() {
        return Err("the Host header is not a host");
    }
    if authority.as_str().ends_with(':') || authority.port().is_some() != has_port(&authority) {
        return Err("the port in the Host header is not one");
    }
    Ok(Some(authority))
}

/// Whether two authorities are the same; the default port of plain HTTP may be left out of either.
fn same(one: &Authority, other: &Authority) -> bool {
    let port = |authority: &Authority| authority.port_u16().unwrap_or(80);
    one.host().eq_ignore_ascii_case(other.host()) && port(one) == port(other)
}

/// Whether the text has a port, good or not.
fn has_port(authority: &Authority) -> bool {
    authority.as_str().len() > authority.host().len()
}
