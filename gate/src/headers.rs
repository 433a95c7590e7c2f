//! What is removed and rewritten on the way through (docs/PROTOCOL.md §3, "Around the credential").

use http::HeaderMap;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};

/// Removes `x-l402` and everything that begins with `x-l402-`, or so: the names are ours.
pub(crate) fn remove_x_l402(headers: &mut HeaderMap) {
    let ours: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-l402")).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
}

/// Headers by which a client could have a framework serve another method or path than the one that was priced, and their
/// beginnings.
const OVERRIDES: [&str; 4] =
    ["x-http-method", "x-http-method-override", "x-http-path-override", "x-method-override"];
const OVERRIDE_PREFIXES: [&str; 2] = ["x-original-", "x-rewrite-"];

/// Removes method-override and URL-rewrite headers. Servers that take headers from their environment can't tell `_` from
/// `-`, so neither does this.
pub(crate) fn remove_overrides(headers: &mut HeaderMap) {
    let overrides = |name: &str| {
        let name = name.replace('_', "-");
        OVERRIDES.contains(&name.as_str())
            || OVERRIDE_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    };
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| overrides(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
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
    fn overrides_are_removed() {
        let mut headers = HeaderMap::new();
        for name in ["x-http-method", "x_http_method_override", "x-original-url", "x-rewrite-url"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        // An application behind a proxy needs these.
        for name in ["x-forwarded-for", "x-http-methods", "x-original"] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        }
        remove_overrides(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["x-forwarded-for", "x-http-methods", "x-original"]);
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
