//! Digests of a query and of a body, and their text in caveats (docs/PROTOCOL.md §2, RFC 9530).

use alloc::string::String;

use sha2::{Digest, Sha256};

/// The part of a request target after the first `?`; empty when there is none.
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

/// RFC 9530's text of a SHA-256 digest: `sha-256=:<base64>:`.
pub fn content_digest_text(digest: &[u8; 32]) -> String {
    let _ = digest;
    todo!()
}

/// Reads [`content_digest_text`]'s form and nothing else.
pub fn parse_content_digest(text: &str) -> Option<[u8; 32]> {
    let _ = text;
    todo!()
}
