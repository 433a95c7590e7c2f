//! Paths: one spelling for each, and none that means another place to some server.

use plannt_core::{PathRules, normalize_path};

use crate::support::first;

/// Input: a byte of rules, then a path.
pub fn run(data: &[u8]) {
    let (bits, path) = first(data);
    let Ok(path) = core::str::from_utf8(path) else { return };
    let mut rules = PathRules::default();
    rules.backslash = bits & 1 != 0;
    rules.control = bits & 2 != 0;
    rules.empty_segments = bits & 4 != 0;
    rules.encoded_slash = bits & 8 != 0;
    rules.semicolon = bits & 16 != 0;

    let Ok(normal) = normalize_path(path, &rules) else {
        // What strict rules take, lax ones take.
        assert!(normalize_path(path, &PathRules::default()).is_err());
        return;
    };
    assert_eq!(normalize_path(&normal, &rules).as_deref(), Ok(&*normal), "normal already");
    assert_eq!(decode(&normal), decode(path), "another path than was asked for");
    assert!(normal.starts_with('/') && normal.is_ascii());
    assert!(!normal.bytes().any(|b| b.is_ascii_control() || b" \\*?#\"<>[]{}|^`".contains(&b)));
    if let Ok(strict) = normalize_path(path, &PathRules::default()) {
        assert_eq!(strict, normal, "rules only let more through");
    }

    // Whatever a server takes for a separator, and where it cuts parameters off: no part leads up.
    for part in normal.replace("%2F", "/").replace("%5C", "/").split('/') {
        let name = decode(part.split(';').next().unwrap_or_default());
        assert!(name != b"." && name != b"..", "{normal}");
    }
    let decoded = decode(&normal);
    let has = |byte: u8| decoded.contains(&byte);
    assert!(rules.backslash || !has(b'\\'));
    assert!(rules.control || !decoded.iter().any(u8::is_ascii_control));
    assert!(rules.empty_segments || !normal.contains("//"));
    assert!(rules.encoded_slash || !normal.contains("%2F"));
    assert!(rules.semicolon || !normal.contains(';'));
}

/// All escapes undone, once.
fn decode(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let escape = bytes.get(at..at + 3).filter(|escape| escape[0] == b'%');
        let byte = escape.and_then(|escape| core::str::from_utf8(&escape[1..]).ok());
        match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}
