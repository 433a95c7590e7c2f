//! The text that a person pastes: always an answer, and never one that repeats a preimage.

use plannt_core::decode::{DecodedToken, Reading};
use plannt_core::{Credential, Decoded, MAX_TOKEN_BYTES, decode_any, read_invoice};

use crate::support::{contains, hex};

/// Input: a text.
pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let decoded = decode_any(text);
    assert_eq!(decode_any(&format!(" {text}\n")), decoded, "space around it");
    let Ok(decoded) = decoded else { return };
    let json = serde_json::to_string(&decoded).unwrap();
    assert!(!json.chars().any(char::is_control));
    match &decoded {
        Decoded::Challenge(challenge) => {
            if let Reading::Value(token) = &challenge.token {
                redacted(token);
            }
        }
        Decoded::Credential(_) => no_preimage(text, &json),
        Decoded::Token(token) => redacted(token),
        Decoded::Invoice(invoice) => {
            let text = text.trim().lines().next().unwrap();
            let uri = text.to_ascii_lowercase();
            let start = uri.find("ln").unwrap();
            // After `lightning:`, or a header's name.
            let facts = (start..text.len())
                .filter(|at| text.is_char_boundary(*at))
                .find_map(|at| read_invoice(text[at..].trim()).ok());
            assert_eq!(facts.unwrap().payment_hash.to_string(), invoice.payment_hash);
        }
        _ => {}
    }
}

/// A caveat's preimage is in no answer.
fn redacted(token: &DecodedToken) {
    for caveat in &token.caveats {
        let secret = caveat.condition.as_ref().is_some_and(|c| c.eq_ignore_ascii_case("preimage"));
        if secret {
            assert_eq!((caveat.value.as_deref(), &caveat.hex), (Some("[redacted]"), &None));
        }
    }
}

fn no_preimage(text: &str, json: &str) {
    let lines = text.trim().lines().map(|line| {
        let line = line.trim().trim_start_matches(['<', '>']).trim_start();
        let name = "authorization:";
        let named = line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
        if named { line[name.len()..].trim_start() } else { line }.as_bytes()
    });
    let Ok(Some(credential)) = Credential::from_authorization(lines) else { return };
    let preimage = credential.preimage().unwrap();
    // A token may hold the same bytes, as identifier or signature: those are shown.
    let shown = credential.tokens().any(|token| {
        let mut room = [0; MAX_TOKEN_BYTES];
        let bytes = token.decode_to(&mut room).unwrap_or_default();
        contains(bytes, preimage.expose_bytes())
            || contains(bytes, preimage.expose_hex().as_bytes())
            || contains(hex(bytes).as_bytes(), preimage.expose_hex().as_bytes())
    });
    assert!(shown || !json.to_ascii_lowercase().contains(preimage.expose_hex().as_str()));
}
