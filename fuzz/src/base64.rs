//! Base64: exactly four spellings of any bytes are read.

use plannt_core::base64::{decode, decode_to_slice, decoded_len, encode};

/// Input: a text, or bytes to be written as one.
pub fn run(data: &[u8]) {
    let written = encode(data);
    assert_eq!(written, reference(data, true));
    for spelling in spellings(data) {
        assert_eq!(decode(&spelling).as_deref(), Ok(data));
        assert!(decoded_len(spelling.len()) >= data.len());
    }

    let Ok(text) = core::str::from_utf8(data) else { return };
    let mut room = [0; 64];
    let in_room = decode_to_slice(data, &mut room);
    match decode(text) {
        Ok(bytes) => {
            assert!(spellings(&bytes).iter().any(|spelling| spelling == text), "a fifth spelling");
            match in_room {
                Ok(len) => assert_eq!(room[..len], bytes),
                Err(_) => assert!(bytes.len() > room.len()),
            }
        }
        Err(_) => assert!(in_room.is_err()),
    }
}

fn spellings(bytes: &[u8]) -> [String; 4] {
    let url_safe = |text: &str| text.replace('+', "-").replace('/', "_");
    let (padded, plain) = (reference(bytes, true), reference(bytes, false));
    [url_safe(&padded), url_safe(&plain), padded, plain]
}

/// RFC 4648 §4, as slow as it is plain.
fn reference(bytes: &[u8], padded: bool) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).map(move |i| byte >> (7 - i) & 1)).collect();
    let digit = |bits: &[u8]| (0..6).fold(0, |n, i| n << 1 | bits.get(i).copied().unwrap_or(0));
    let mut text: String =
        bits.chunks(6).map(|six| char::from(ALPHABET[usize::from(digit(six))])).collect();
    while padded && !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}
