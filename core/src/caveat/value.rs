//! The values of caveats. Every one is read strictly: a number is decimal digits without sign or
//! leading zero, and nothing is ever compared as text that is not text.

use core::str::FromStr;

/// The most items of one list. Lists are compared item by item, so that their length is work.
pub(crate) const MAX_LIST_ITEMS: usize = 64;

/// Whether a path matches the pattern of a `path` caveat, where only a final `*` is special.
///
/// ```
/// use plannt_core::caveat::path_matches;
/// assert!(path_matches("/v1/*", "/v1/demo"));
/// assert!(path_matches("/v1/demo", "/v1/demo"));
/// assert!(!path_matches("/v1/demo", "/v1/demo/more"));
/// ```
pub fn path_matches(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => pattern == path,
    }
}

/// Whether `next` allows no path that `pattern` does not.
pub(super) fn path_narrows(pattern: &str, next: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => next.starts_with(prefix),
        None => pattern == next,
    }
}

/// A decimal number: digits alone, without a leading zero, within `T`.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let plain = digits && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// One `name:tier` of `services`.
pub(super) fn pair(text: &str) -> Option<(&str, u8)> {
    let (name, tier) = text.split_once(':')?;
    if !is_service(name) {
        return None;
    }
    Some((name, number(tier)?))
}

/// 64 hex digits, of either case.
pub(super) fn hash(text: &str) -> Option<[u8; 32]> {
    crate::hex::decode(text.as_bytes()).ok()
}

/// RFC 9530's `sha-256=:<base64>:`, in its one canonical spelling.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    let base64 = text.strip_prefix("sha-256=:")?.strip_suffix(':')?;
    // 32 bytes with padding; the standard alphabet is the only one that RFC 8941 has.
    if base64.len() != 44 || base64.contains(['-', '_']) {
        return None;
    }
    let mut bytes = [0; 32];
    let len = crate::base64::decode_to_slice(base64.as_bytes(), &mut bytes).ok()?;
    (len == bytes.len()).then_some(bytes)
}

/// The items of `cap[,cap…]`, when the list is well-formed.
pub(super) fn capabilities(text: &str) -> Option<impl Iterator<Item = &str> + Clone> {
    let items = text.split(',');
    let sound = items.clone().take(MAX_LIST_ITEMS + 1).count() <= MAX_LIST_ITEMS
        && items.clone().all(is_capability);
    sound.then_some(items)
}

/// `[a-z0-9-]+`
pub(crate) fn is_service(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// An HTTP method (RFC 9110 §9.1) in upper case.
pub(crate) fn is_method(method: &str) -> bool {
    !method.is_empty()
        && method.bytes().all(|b| {
            b.is_ascii_uppercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b)
        })
}

/// A capability's name: printable ASCII without comma.
pub(crate) fn is_capability(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b',')
}

/// What a minted path may be: absolute, of the characters that a normalized path has, and with a
/// `*` only at its end.
pub(crate) fn is_minted_path(path: &str) -> bool {
    let plain = path.strip_suffix('*').unwrap_or(path);
    plain.starts_with('/')
        && plain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()+,;=:@/%".contains(&b))
}
