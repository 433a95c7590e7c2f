//! What is removed and rewritten on the way through (docs/PROTOCOL.md §3, "Around the credential").

use http::HeaderMap;
use http::header::{AUTHORIZATION, CACHE_CONTROL, Entry, HeaderName, HeaderValue};
use plannt_core::{Credential, Scheme};

use crate::answer::{GRPC_METADATA, is_grpc};

/// Removes `x-l402` and everything that begins with `x-l402-`, or so: the names are ours.
pub(crate) fn remove_x_l402(headers: &mut HeaderMap) {
    let ours: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-l402")).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
}

/// Removes our credential, in whatever state it is; other schemes pass.
pub(crate) fn remove_credential(headers: &mut HeaderMap) {
    if let Entry::Occupied(lines) = headers.entry(AUTHORIZATION) {
        let (ours, others): (Vec<_>, Vec<_>) =
            lines.iter().cloned().partition(|line| is_ours(line.as_bytes()));
        if !ours.is_empty() {
            lines.remove_entry_mult();
            for line in others {
                headers.append(AUTHORIZATION, line);
            }
            return;
        }
    }
    if is_grpc(headers) {
        // Where these are the credential of something else, they pass.
        for name in GRPC_METADATA {
            let ours =
                |value: &HeaderValue| Credential::from_grpc_metadata(value.as_bytes()).is_ok();
            if headers.get_all(name).iter().any(ours) {
                headers.remove(name);
            }
        }
    }
}

fn is_ours(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let end = line.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(line.len());
    std::str::from_utf8(&line[..end]).is_ok_and(|scheme| Scheme::from_name(scheme).is_some())
}

/// Makes a paid answer private: no shared cache may give it to someone who has not paid.
///
/// `public` and `s-maxage` become `private`. So does `must-revalidate`, which also lets a shared
/// cache keep the answer to a request with `Authorization` (RFC 9111 §3.5), but it stays beside it.
pub(crate) fn make_private(headers: &mut HeaderMap) {
    let lines: Vec<String> = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
        .collect();
    let directives: Vec<&str> = lines.iter().flat_map(|line| directives(line)).collect();
    let shared = |name: &str| matches!(name, "public" | "s-maxage");
    if !directives.iter().any(|d| shared(&name(d)) || name(d) == "must-revalidate") {
        return;
    }
    let mut kept: Vec<&str> = directives
        .into_iter()
        // A `private="field"` covers that field alone; the whole answer is meant here.
        .filter(|d| !shared(&name(d)) && name(d) != "private")
        .collect();
    kept.insert(0, "private");
    let value = HeaderValue::from_str(&kept.join(", "))
        .unwrap_or_else(|_| HeaderValue::from_static("private"));
    headers.insert(CACHE_CONTROL, value);
}

fn name(directive: &str) -> String {
    directive.split('=').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The directives of a line, split at commas outside of quoted strings.
fn directives(line: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    line.split(move |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    })
    .map(str::trim)
    .filter(|directive| !directive.is_empty())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn private(lines: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(CACHE_CONTROL, HeaderValue::from_static(line));
        }
        make_private(&mut headers);
        let text = |v: &HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
        headers.get_all(CACHE_CONTROL).iter().map(text).collect()
    }

    #[test]
    fn shared_caches_are_kept_out() {
        assert_eq!(private(&["public, max-age=60"]), ["private, max-age=60"]);
        assert_eq!(private(&["max-age=60, S-MaxAge=100"]), ["private, max-age=60"]);
        assert_eq!(private(&["max-age=60", "PUBLIC"]), ["private, max-age=60"]);
        assert_eq!(private(&["s-maxage = 5, private=\"set-cookie\""]), ["private"]);
        assert_eq!(private(&["must-revalidate"]), ["private, must-revalidate"]);
        // Nothing to do.
        assert_eq!(private(&["no-store"]), ["no-store"]);
        assert_eq!(private(&["private, max-age=5"]), ["private, max-age=5"]);
        assert_eq!(private(&["no-cache=\"a, public\""]), ["no-cache=\"a, public\""]);
        assert!(private(&[]).is_empty());
        // A quoted comma does not end a directive, and an escaped quote does not end the string.
        assert_eq!(private(&["no-cache=\"a\\\", b\", public"]), ["private, no-cache=\"a\\\", b\""]);
    }

    #[test]
    fn only_our_credential_is_removed() {
        let mut headers = HeaderMap::new();
        for line in ["Bearer abc", "L402 x:y", "lsat", "Basic L402", "L4021 z", " LSAT\tq"] {
            headers.append(AUTHORIZATION, HeaderValue::from_static(line));
        }
        remove_credential(&mut headers);
        let left: Vec<_> = headers.get_all(AUTHORIZATION).iter().collect();
        assert_eq!(left, ["Bearer abc", "Basic L402", "L4021 z"]);
    }

    #[test]
    fn our_names_are_removed() {
        let mut headers = HeaderMap::new();
        for name in ["x-l402", "x-l402-price-msat", "x-l4021", "x-l40"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        remove_x_l402(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-l40"]);
    }
}
