//! The challenge in a JSON body: read from anyone's, and our own in any content.

use plannt_core::{Challenge, ChallengeBody, ChallengeSource, Code, error_body, read_challenge};
use serde_json::Value;

use crate::support::payment_hash;

/// Input: a body; or the texts of one, a line each.
pub fn run(data: &[u8]) {
    if let Ok(Some(found)) = read_challenge([], Some(data)) {
        assert_eq!(found.source, ChallengeSource::Body);
        for text in [&found.token, &found.invoice] {
            assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        // Members that do not matter are skipped, and may hold texts that are none.
        if let Ok(value) = serde_json::from_slice::<Value>(data) {
            is_from(&value, &found);
        }
        written(&found.token, &found.invoice, "", "");
    }
    let Ok(text) = core::str::from_utf8(data) else { return };
    let mut texts = text.split('\n');
    let mut next = || texts.next().unwrap_or_default();
    written(next(), next(), next(), next());
}

fn is_from(value: &Value, found: &Challenge) {
    assert!(value.is_object());
    assert_eq!(value["invoice"].as_str(), Some(&*found.invoice));
    let named = ["macaroon", "format", "authorization_format"];
    let holds = |name: &&str| value[*name].as_str().is_some_and(|t| t.contains(&*found.token));
    assert!(named.iter().any(holds), "a token from nowhere");
}

fn written(token: &str, invoice: &str, service: &str, detail: &str) {
    let body = ChallengeBody {
        token,
        invoice,
        payment_hash: payment_hash(),
        price_msat: 1_001,
        expires_at: "2026-01-01T00:00:00Z",
        service,
        code: Code::PaymentRequired,
        detail: Some(detail),
    };
    let json = body.to_json();
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["service"], service);
    assert_eq!(value["detail"], detail);
    assert_eq!(value["price_sats"], 2);
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if json.len() > 65_536 || !plain(token) || !plain(invoice) {
        return;
    }
    let usual = |b: u8| b.is_ascii_alphanumeric() || b"+/-_=".contains(&b);
    match read_challenge([], Some(json.as_bytes())) {
        Ok(found) => {
            let found = found.expect("a complete one");
            assert_eq!((&*found.token, &*found.invoice), (token, invoice));
        }
        // A token with a colon is cut at it in `format`: then the members disagree.
        Err(_) => assert!(!token.bytes().all(usual)),
    }
    let value: Value = serde_json::from_str(&error_body(Code::BadPath, Some(detail))).unwrap();
    assert_eq!((&value["code"], &value["detail"]), (&"bad_path".into(), &detail.into()));
}
