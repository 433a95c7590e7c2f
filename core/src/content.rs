//! Digests of a query and of a body, and their text in caveats (docs/PROTOCOL.md §2, RFC 9530).

use alloc::format;
use alloc::string::String;

use sha2::{Digest, Sha256};

use crate::base64;

const PREFIX: &str = "sha-256=:";

/// Base64 characters of 32 bytes, padding included: RFC 8941 byte sequences are padded.
const DIGEST_TEXT: usize = 44;

/// The part of a request target after the first `?`; empty when there is none.
///
/// ```
/// use plannt_core::query_of;
/// assert_eq!((query_of("/a?b?c"), query_of("/a?"), query_of("/a")), ("b?c", "", ""));
/// ```
pub fn query_of(target: &str) -> &str {
    target.split_once('?').map_or("", |(_, query)| query)
}

/// SHA-256 of a query: the bytes after the first `?`, empty when absent.
pub fn query_digest(query: &[u8]) -> [u8; 32] {
    Sha256::digest(query).into()
}

/// SHA-256 of a body after transfer decoding.
pub fn content_digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// RFC 9530's text of a SHA-256 digest, as `Content-Digest` and the `digest` caveat have it.
///
/// ```
/// use plannt_core::{content_digest, content_digest_text};
/// assert_eq!(
///     content_digest_text(&content_digest(br#"{"hello": "world"}"#)),
///     "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
/// );
/// ```
pub fn content_digest_text(digest: &[u8; 32]) -> String {
    format!("{PREFIX}{}:", base64::encode(digest))
}

/// Reads [`content_digest_text`]'s form and nothing else; allocates nothing.
pub fn parse_content_digest(text: &str) -> Option<[u8; 32]> {
    let base64 = text.strip_prefix(PREFIX)?.strip_suffix(':')?;
    if base64.len() != DIGEST_TEXT || base64.contains(['-', '_']) {
        return None;
    }
    let mut digest = [0; 32];
    let len = base64::decode_to_slice(base64.as_bytes(), &mut digest).ok()?;
    (len == digest.len()).then_some(digest)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_one_form_only() {
        let text = content_digest_text(&[0xff; 32]);
        assert_eq!(text, format!("sha-256=:{}8=:", "/".repeat(42)));
        assert_eq!(parse_content_digest(&text), Some([0xff; 32]));
        for wrong in [
            text.replace('/', "_"),
            text.replace('=', ""),
            text.replace("8=:", "8:"),
            text.replace("8=:", "9=:"),
            text.replace("8=:", "8=::"),
            text.replace("sha-256", "SHA-256"),
            text.trim_end_matches(':').to_string(),
            format!(" {text}"),
            format!("{text}, {text}"),
            String::new(),
        ] {
            assert_eq!(parse_content_digest(&wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn digests_round_trip(digest in any::<[u8; 32]>()) {
            prop_assert_eq!(parse_content_digest(&content_digest_text(&digest)), Some(digest));
        }
    }
}
