//! Values as JSON for a model: amounts in sats, times as RFC 3339, nothing that is secret.

use std::time::{Duration, UNIX_EPOCH};

use plannt_client::Receipt;
use serde_json::{Number, Value, json};

/// An amount in msat as sats: whole where it is whole.
pub(crate) fn sats(msat: u64) -> Value {
    match msat % 1_000 {
        0 => json!(msat / 1_000),
        // Three decimals are exact up to 9 trillion sats.
        _ => Number::from_f64(msat as f64 / 1_000.0).map_or(Value::Null, Value::Number),
    }
}

/// The same for a sentence: `21 sats`.
pub(crate) fn sats_text(msat: u64) -> String {
    format!("{} sats", sats(msat))
}

/// Unix seconds as RFC 3339.
pub(crate) fn time(seconds: u64) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
        // Beyond the year 9999 there is no RFC 3339.
        Some(at) if seconds < 253_402_300_800 => humantime::format_rfc3339_seconds(at).to_string(),
        _ => format!("{seconds} seconds after 1970"),
    }
}

/// What was paid: to whom, when, how much.
pub(crate) fn receipt(receipt: &Receipt) -> Value {
    json!({
        "sats": sats(receipt.amount_msat),
        "fee_sats": sats(receipt.fee_msat.unwrap_or(0)),
        "payment_hash": receipt.payment_hash.to_string(),
        "host": host(&receipt.origin),
        "time": time(receipt.settled_at.unwrap_or(receipt.created_at)),
    })
}

/// A host, with its port where that is not the scheme's own.
pub(crate) fn host(origin: &plannt_client::Origin) -> String {
    let text = origin.to_string();
    text.split_once("://").map_or(text.clone(), |(_, authority)| authority.to_owned())
}

/// Somebody else's words, without what a terminal or a reader would act on.
pub(crate) fn printable(text: &str) -> String {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if is_odd(c) { '\u{fffd}' } else { c }).collect()
}

/// The first `max` bytes, cut between two characters.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_where_they_are() {
        assert_eq!(sats(21_000).to_string(), "21");
        assert_eq!(sats(21_007).to_string(), "21.007");
        assert_eq!(sats_text(0), "0 sats");
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 3), "");
    }
}
