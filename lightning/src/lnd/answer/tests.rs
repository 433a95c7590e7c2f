use proptest::prelude::*;
use serde_json::json;

use super::*;

fn preimage() -> Preimage {
    Preimage::from_bytes([7; 32])
}

fn state(update: &serde_json::Value) -> Result<PaymentState, LightningError> {
    let line = update.to_string();
    match read_update(200, line.as_bytes(), &preimage().payment_hash())? {
        Update::Payment(state) => Ok(state),
        Update::Refused(refusal) => Err(refusal.into_error()),
    }
}

fn succeeded(preimage: &str, fee: serde_json::Value) -> serde_json::Value {
    json!({"result": {"status": "SUCCEEDED", "payment_preimage": preimage, "fee_msat": fee,
        "failure_reason": "FAILURE_REASON_NONE", "htlcs": [{"status": "FAILED"}]}})
}

#[test]
fn paid_only_with_proof_and_fee() {
    let proof = preimage().expose_hex();
    let Ok(PaymentState::Paid(payment)) = state(&succeeded(&proof, json!("12"))) else {
        panic!("paid")
    };
    assert!(payment.preimage.proves(&preimage().payment_hash()));
    assert_eq!(payment.fee_msat, 12);
    for wrong in ["", "00", &"00".repeat(32), &"zz".repeat(32)] {
        let error = state(&succeeded(wrong, json!("0"))).expect_err("no proof");
        assert_eq!(error, LightningError::PreimageMismatch);
    }
    for fee in [json!(null), json!("-1"), json!("x"), json!(1.5), json!(u64::MAX.to_string() + "0")]
    {
        let error = state(&succeeded(&proof, fee)).expect_err("no fee");
        assert_eq!(error.code(), "invalid_response");
        assert!(!error.to_string().contains("0707"), "{error}");
    }
}

#[test]
fn each_failure_reason() {
    for (reason, code) in [
        ("FAILURE_REASON_TIMEOUT", "payment_timeout"),
        ("FAILURE_REASON_NO_ROUTE", "no_route"),
        ("FAILURE_REASON_ERROR", "rejected"),
        ("FAILURE_REASON_CANCELED", "rejected"),
        ("FAILURE_REASON_INCORRECT_PAYMENT_DETAILS", "incorrect_payment_details"),
        ("FAILURE_REASON_INSUFFICIENT_BALANCE", "insufficient_balance"),
    ] {
        let update = json!({"result": {"status": "FAILED", "failure_reason": reason}});
        let Ok(PaymentState::Failed(failure)) = state(&update) else { panic!("failed") };
        assert_eq!(failure.code(), code);
    }
}

#[test]
fn what_is_not_final_is_in_flight_or_unknown() {
    for status in ["IN_FLIGHT", "INITIATED"] {
        let update = json!({"result": {"status": status, "failure_reason": "FAILURE_REASON_NONE"}});
        assert!(matches!(state(&update), Ok(PaymentState::InFlight)));
    }
    for update in [
        json!({"result": {"status": "UNKNOWN"}}),
        json!({"result": {"status": "failed"}}),
        json!({"result": {}}),
        json!({"result": {"status": "FAILED", "payment_hash": "00".repeat(32)}}),
        json!({"result": null}),
        json!({}),
        json!([]),
        json!({"result": {"status": "FAILED"}, "error": {"code": 2, "message": "x"}}),
    ] {
        assert_eq!(state(&update).expect_err("unknown").code(), "invalid_response", "{update}");
    }
}

fn refusal(http_status: u16, code: i32, message: &str) -> Refusal {
    let status = json!({"code": code, "message": message, "details": []});
    let bare = Refusal::read(http_status, status.to_string().as_bytes());
    let wrapped = json!({"error": status}).to_string();
    assert_eq!(bare, Refusal::read(http_status, wrapped.as_bytes()));
    bare.expect("a refusal")
}

#[test]
fn refusals_that_prove_no_payment() {
    for (http, code, message, expected) in [
        (500, 2, "invoice expired. Valid until 2024-01-01 00:00:00 +0000 UTC", "invoice_expired"),
        (500, 2, "invoice not for current active network 'regtest'", "wrong_network"),
        (500, 2, "permission denied", "node_auth"),
        (500, 2, "verification failed: signature mismatch after caveat verification", "node_auth"),
        (500, 2, "expected 1 macaroon, got 0", "node_auth"),
        (401, 2, "unauthorized", "node_auth"),
        (500, 2, "wallet locked, unlock it to enable full RPC access", "node_error"),
        (404, 5, "Not Found", "node_error"),
        (501, 12, "unknown service", "node_error"),
        (400, 3, "proto: syntax error", "rejected"),
        (500, 2, "self-payments not allowed", "rejected"),
    ] {
        let failure = refusal(http, code, message).into_failure();
        assert_eq!(failure.expect("certain").code(), expected, "{message}");
    }
}

#[test]
fn refusals_that_prove_nothing() {
    for (http, code, message, expected) in [
        (500, 2, "context canceled", "node_error"),
        (500, 2, "payment lifecycle exiting", "node_error"),
        (503, 14, "transport is closing", "node_error"),
        (409, 6, "payment is in transition", "payment_in_flight"),
        (409, 6, "invoice is already paid", "node_error"),
        (409, 6, "payment already exists", "payment_in_flight"),
        (404, 5, "payment isn't initiated", "node_error"),
    ] {
        let error = refusal(http, code, message).into_failure().expect_err("uncertain");
        assert_eq!(error.code(), expected, "{message}");
    }
    for body in ["", "<html>502</html>", "{}", "[]", "{\"error\":\"x\"}", "{\"code\":2}"] {
        let error = Refusal::read(502, body.as_bytes()).expect_err("unreadable");
        assert_eq!(error.code(), "invalid_response", "{body}");
    }
}

#[test]
fn a_message_is_one_short_line() {
    let refusal = refusal(500, 2, &"a\nb".repeat(400));
    assert_eq!(refusal.message.len(), 200);
    assert!(!refusal.message.contains('\n'));
}

#[test]
fn invoices_and_balances() {
    let read = |value: serde_json::Value| read_invoice(value.to_string().as_bytes());
    assert_eq!(
        read(json!({"state": "SETTLED", "amt_paid_msat": "21000"})),
        Ok(InvoiceState::Settled { amount_msat: 21_000 })
    );
    for (state, expected) in [
        ("OPEN", InvoiceState::Open),
        ("CANCELED", InvoiceState::Canceled),
        ("ACCEPTED", InvoiceState::Accepted),
    ] {
        assert_eq!(read(json!({"state": state, "amt_paid_msat": "0"})), Ok(expected));
    }
    assert!(read(json!({"state": "settled", "amt_paid_msat": "0"})).is_err());
    assert!(read(json!({"state": "SETTLED"})).is_err());

    let balance = json!({"balance": "1", "local_balance": {"sat": "1", "msat": "1234"}});
    assert_eq!(read_balance(balance.to_string().as_bytes()), Ok(1_234));
    assert!(read_balance(b"{}").is_err());

    assert_eq!(read_issued(b"{\"payment_request\":\"lnbcrt1\"}"), Ok("lnbcrt1".into()));
    for bad in ["", "ln bc", "ln\\nbc", "ln\\\"bc"] {
        assert!(read_issued(format!("{{\"payment_request\":\"{bad}\"}}").as_bytes()).is_err());
    }
}

proptest! {
    /// Any bytes give a value or a typed error, and never "paid".
    #[test]
    fn readers_are_total(bytes in proptest::collection::vec(any::<u8>(), 0..200), status in 100..600u16) {
        let hash = preimage().payment_hash();
        prop_assert!(!matches!(
            read_update(status, &bytes, &hash), Ok(Update::Payment(PaymentState::Paid(_)))));
        let _ = (Refusal::read(status, &bytes), read_issued(&bytes), read_invoice(&bytes), read_balance(&bytes));
    }
}
