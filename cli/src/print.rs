//! What people read on standard error, and what `decode` and `receipts` print.

use std::fmt::Write;
use std::io::{self, Write as _};
use std::time::{Duration, UNIX_EPOCH};

use plannt_client::{CredentialState, CredentialUse, Pending, Quote, Receipt, Response};
use serde_json::{Value, json};

use crate::error::CliError;

/// Writes lines to standard output. That nobody reads on (`plannt receipts | head -1`) is no error.
pub(crate) fn out(text: &str) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    let done = stdout
        .write_all(text.as_bytes())
        .and_then(|()| if text.ends_with('\n') { Ok(()) } else { stdout.write_all(b"\n") });
    done.and_then(|()| stdout.flush())
        .or_else(ignore_closed)
        .map_err(CliError::io("write to standard output"))
}

/// Writes to standard error. Where that can't be written to, the work goes on all the same: the response may be paid
/// for already.
pub(crate) fn err(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// What ended a command, and the receipt where money was spent.
pub(crate) fn error(error: &CliError) -> String {
    let mut text = format!("plannt: {}", printable(&error.to_string()));
    if let Some(code) = error.code() {
        let _ = write!(text, " [{code}]");
    }
    text.push('\n');
    if let Some(advice) = error.advice() {
        let _ = writeln!(text, "plannt: what to do: {advice}");
    }
    if let CliError::Client(client) = error
        && let Some(paid) = client.receipt()
    {
        let _ = writeln!(text, "plannt: receipt: {}", receipt(paid));
    }
    text
}

/// A reader that has gone away has what it wanted.
pub(crate) fn ignore_closed(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

/// An amount in msat as satoshis: `21 sat`, `21.5 sat`.
pub(crate) fn sats(msat: u64) -> String {
    match msat % 1_000 {
        0 => format!("{} sat", msat / 1_000),
        part => {
            let part = format!("{part:03}");
            format!("{}.{} sat", msat / 1_000, part.trim_end_matches('0'))
        }
    }
}

/// Unix seconds as RFC 3339.
pub(crate) fn time(seconds: u64) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
        // Beyond the year 9999 there is no RFC 3339.
        Some(at) if seconds < 253_402_300_800 => humantime::format_rfc3339_seconds(at).to_string(),
        _ => format!("{seconds} seconds after 1970"),
    }
}

/// What a request would cost.
pub(crate) fn quote(quote: &Quote) -> String {
    let mut text = String::new();
    line(&mut text, "price", &sats(quote.amount_msat));
    line(&mut text, "fee", &format!("up to {}", sats(quote.max_fee_msat)));
    line(&mut text, "for", &quote.origin.to_string());
    if let Some(payee) = quote.payee_hex() {
        line(&mut text, "payee", &payee);
    }
    if let Some(description) = &quote.description {
        line(&mut text, "says", &printable(description));
    }
    line(&mut text, "network", quote.network.name());
    line(&mut text, "hash", &quote.payment_hash.to_string());
    line(&mut text, "pay by", &time(quote.invoice_expires_at));
    if let Some(until) = quote.valid_until {
        line(&mut text, "valid to", &time(until));
    }
    if let Some(left) = quote.budget_left_msat {
        line(&mut text, "budget", &format!("{} left", sats(left)));
    }
    match &quote.pending {
        Some(Pending::Undelivered(receipt)) => {
            let paid = sats(receipt.paid_msat());
            line(&mut text, "note", &format!("{paid} was paid for this already and will be used"));
        }
        Some(Pending::Delivered(_)) => {
            line(&mut text, "note", "a kept credential will be tried first");
        }
        Some(Pending::Unresolved(hash)) => {
            line(&mut text, "note", &format!("payment {hash} is not resolved yet and comes first"));
        }
        _ => {}
    }
    if let Some(refusal) = &quote.refusal {
        line(&mut text, "refused", &format!("{refusal} ({})", refusal.code()));
    }
    text
}

/// What was paid, to whom, with which fee, and how long it took.
pub(crate) fn payment(response: &Response) -> String {
    let mut text = String::new();
    if let Some(payment) = &response.payment {
        let receipt = &payment.receipt;
        let _ = writeln!(
            text,
            "plannt: paid {}, fee {}, to {}, in {} ms, hash {}",
            sats(receipt.amount_msat),
            sats(receipt.fee_msat.unwrap_or_default()),
            receipt.payee_hex().map_or_else(
                || receipt.origin.to_string(),
                |payee| format!("{} (node {payee})", receipt.origin),
            ),
            payment.took.as_millis(),
            receipt.payment_hash,
        );
    } else if let (CredentialUse::Kept | CredentialUse::Recovered, Some(receipt)) =
        (response.credential, &response.receipt)
    {
        let _ = writeln!(
            text,
            "plannt: paid nothing; used the credential bought for {} at {}, hash {}",
            sats(receipt.paid_msat()),
            time(receipt.settled_at.unwrap_or(receipt.created_at)),
            receipt.payment_hash,
        );
    }
    let is_kept = |receipt: &Receipt| receipt.credential == Some(CredentialState::Undelivered);
    if response.receipt.as_ref().is_some_and(is_kept) {
        let _ = writeln!(
            text,
            "plannt: the answer is {}, so the credential is kept: run the same command again, nothing more is paid",
            response.status.as_u16(),
        );
    }
    if response.journal_failed {
        text.push_str("plannt: the journal could not note what became of the credential\n");
    }
    text
}

/// A receipt in one line.
pub(crate) fn receipt(receipt: &Receipt) -> String {
    let state = match receipt.credential {
        Some(credential) => format!("{}, {}", receipt.state, credential.name()),
        None => receipt.state.to_string(),
    };
    format!(
        "{}  {:>10}  fee {:>7}  {} {}{}  {state}  {}",
        time(receipt.settled_at.unwrap_or(receipt.created_at)),
        sats(receipt.amount_msat),
        sats(receipt.fee_msat.unwrap_or_default()),
        receipt.method,
        receipt.origin,
        printable(receipt.path()),
        receipt.payment_hash,
    )
}

/// The same for programs.
pub(crate) fn receipt_json(receipt: &Receipt) -> Value {
    json!({
        "payment_hash": receipt.payment_hash.to_string(),
        "network": receipt.network.name(),
        "amount_msat": receipt.amount_msat,
        "fee_msat": receipt.fee_msat,
        "charged_msat": receipt.charged_msat,
        "payee": receipt.payee_hex(),
        "method": receipt.method,
        "origin": receipt.origin.to_string(),
        "path": receipt.path(),
        "created_at": time(receipt.created_at),
        "settled_at": receipt.settled_at.map(time),
        "state": receipt.state.name(),
        "credential": receipt.credential.map(|c| c.name()),
        "failure": receipt.failure,
    })
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "{name:<9} {value}");
}

/// A server's words, with nothing in them that a terminal would act on.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_unseen(c) { '\u{fffd}' } else { c }).collect()
}

/// What turns the text around it, or hides in it.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (msat, text) in [
            (21_000, "21 sat"),
            (0, "0 sat"),
            (1, "0.001 sat"),
            (21_500, "21.5 sat"),
            (u64::MAX, "18446744073709551.615 sat"),
        ] {
            assert_eq!(sats(msat), text);
        }
    }

    #[test]
    fn no_time_is_out_of_range() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(253_402_300_799), "9999-12-31T23:59:59Z");
        assert_eq!(time(u64::MAX), format!("{} seconds after 1970", u64::MAX));
    }

    #[test]
    fn a_terminal_acts_on_nothing() {
        assert_eq!(printable("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(printable("\u{9b}1m \u{202e}tas"), "\u{fffd}1m \u{fffd}tas");
    }
}
