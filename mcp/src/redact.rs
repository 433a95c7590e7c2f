//! Takes a preimage out of what a server says: some echo the credential, and no result may hold one.

use plannt_core::{PaymentHash, Preimage};
use serde_json::Value;

/// Hex digits of a preimage.
const DIGITS: usize = 64;

/// Overwrites every 64 hex digits that hash to one of `hashes`. Whoever paid needs no secret to find them.
pub(crate) fn preimages(bytes: &mut [u8], hashes: &[PaymentHash]) {
    if hashes.is_empty() {
        return;
    }
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let end = at + run;
        let mut start = at;
        while start + DIGITS <= end {
            if proves(&bytes[start..start + DIGITS], hashes) {
                bytes[start..start + DIGITS].fill(b'*');
                start += DIGITS;
            } else {
                start += 1;
            }
        }
        at = end + 1;
    }
}

/// The same for text.
pub(crate) fn text(text: &str, hashes: &[PaymentHash]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    preimages(&mut bytes, hashes);
    // Only ASCII was overwritten, by ASCII.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The same for every string in a value, and every member's name.
pub(crate) fn value(value: &mut Value, hashes: &[PaymentHash]) {
    if hashes.is_empty() {
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| self::value(item, hashes)),
        Value::Object(members) => {
            let taken = std::mem::take(members);
            members.extend(taken.into_iter().map(|(name, mut member)| {
                self::value(&mut member, hashes);
                (text(&name, hashes), member)
            }));
        }
        Value::String(said) => *said = text(said, hashes),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

fn proves(digits: &[u8], hashes: &[PaymentHash]) -> bool {
    let mut bytes = [0; DIGITS / 2];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |b: u8| char::from(b).to_digit(16).unwrap_or(0) as u8;
        *byte = digit(pair[0]) << 4 | digit(pair[1]);
    }
    let hash = Preimage::from_bytes(bytes).payment_hash();
    hashes.contains(&hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preimage_is_found_wherever_it_stands() {
        let preimage = Preimage::from_bytes([0xab; 32]);
        let hash = preimage.payment_hash();
        let hex = "ab".repeat(32);
        let stars = "*".repeat(64);
        for (said, kept) in [
            (hex.clone(), stars.clone()),
            (hex.to_uppercase(), stars.clone()),
            (format!("L402 AgEE:{hex}\n"), format!("L402 AgEE:{stars}\n")),
            (format!("00{hex}ff é {hex}"), format!("00{stars}ff é {stars}")),
            (format!("0{hex}"), format!("0{stars}")),
            ("ab".repeat(31), "ab".repeat(31)),
            ("cd".repeat(32), "cd".repeat(32)),
            (String::new(), String::new()),
        ] {
            assert_eq!(text(&said, &[hash]), kept);
        }
        assert_eq!(text(&hex, &[]), hex);
        let mut said =
            serde_json::json!({"a": [1, null, {(hex.as_str()): hex.as_str()}], "b": "b"});
        value(&mut said, &[hash]);
        let kept =
            serde_json::json!({"a": [1, null, {(stars.as_str()): stars.as_str()}], "b": "b"});
        assert_eq!(said, kept);
    }
}
