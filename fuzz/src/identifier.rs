//! The identifier, and the other values of a fixed length: hashes, digests, networks, origins.

use plannt_core::flow::Origin;
use plannt_core::{
    Identifier, Network, PaymentHash, Preimage, RootKey, content_digest_text, parse_content_digest,
};

/// Input: bytes, or the text of one of these values.
pub fn run(data: &[u8]) {
    match Identifier::parse(data) {
        Ok(identifier) => {
            assert_eq!(identifier.to_bytes(), data);
            assert_eq!(identifier.payment_hash.as_bytes(), &data[2..34]);
            assert_eq!(identifier.token_id, data[34..]);
        }
        Err(_) => assert!(data.len() != Identifier::LEN || data[..2] != [0, 0]),
    }

    let Ok(text) = core::str::from_utf8(data) else { return };
    let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.parse::<PaymentHash>() {
        Ok(hash) => assert!(digits && hash.to_string() == text.to_ascii_lowercase()),
        Err(_) => assert!(!digits),
    }
    let preimage = Preimage::from_hex(text);
    assert_eq!(preimage.is_ok(), digits);
    assert_eq!(RootKey::from_hex(text).is_ok(), digits);
    if let Ok(preimage) = preimage {
        assert_eq!(*preimage.expose_hex(), text.to_ascii_lowercase());
        assert!(preimage.proves(&preimage.payment_hash()));
    }
    if let Some(digest) = parse_content_digest(text) {
        assert_eq!(content_digest_text(&digest), text, "a digest has one spelling");
    }
    if let Ok(network) = text.parse::<Network>() {
        let names = [network.name(), network.currency(), "mainnet"];
        assert!(names.contains(&text));
    }
    if let Ok(origin) = Origin::parse(text) {
        assert_eq!(Origin::parse(&origin.to_string()).as_ref(), Ok(&origin), "{text:?}");
    }
}
