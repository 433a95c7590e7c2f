//! A step of the flow as the scripts write it.

use plannt_core::flow::{Intent, Outcome, Pending, Quote, Receipt, Refusal, RequestKey, Step};
use plannt_core::{PaymentHash, Scheme};
use serde_json::{Value, json};

use crate::adapter::input::hex;

pub(super) fn step(step: &Step) -> Value {
    match step {
        Step::Commit { payment_hash, preimage, fee_msat } => json!({
            "step": "commit",
            "payment_hash": hash(payment_hash),
            "preimage": preimage.expose_hex().as_str(),
            "fee_msat": fee_msat,
        }),
        Step::Done(end) => json!({ "step": "done", "outcome": outcome(end) }),
        Step::Hold { payment_hash, state } => {
            json!({ "step": "hold", "payment_hash": hash(payment_hash), "state": state.name() })
        }
        Step::JournalIntent(i) => json!({ "step": "journal_intent", "intent": intent(i) }),
        Step::LoadCredential { key: k, exclusive, .. } => {
            json!({ "step": "load_credential", "keyed": k.is_some(), "exclusive": exclusive })
        }
        Step::LookUpPayment { payment_hash } => {
            json!({ "step": "look_up_payment", "payment_hash": hash(payment_hash) })
        }
        Step::Pay(i) => json!({
            "step": "pay",
            "payment_hash": hash(&i.payment_hash),
            "invoice": i.invoice,
            "amount_msat": i.amount_msat,
            "max_fee_msat": i.max_fee_msat,
        }),
        Step::Quoted(q) => json!({ "step": "quoted", "quote": quote(q) }),
        Step::ReadBody { .. } => json!({ "step": "read_body" }),
        Step::Refused(r) => refused(r),
        Step::Release { payment_hash, failure } => {
            json!({ "step": "release", "payment_hash": hash(payment_hash), "failure": failure })
        }
        Step::SendRequest { authorization } => json!({
            "step": "send_request",
            "authorization": authorization.as_ref().map(|value| value.expose()),
        }),
        Step::StoreCredential { payment_hash, state } => json!({
            "step": "store_credential",
            "payment_hash": hash(payment_hash),
            "state": state.name(),
        }),
        Step::Unanswered(end) => json!({ "step": "unanswered", "outcome": outcome(end) }),
        other => panic!("a step that the scripts do not know: {other:?}"),
    }
}

fn refused(refusal: &Refusal) -> Value {
    let code = refusal.code();
    match refusal {
        Refusal::PaymentLost(lost) => {
            json!({ "step": "refused", "code": code, "receipt": receipt(lost) })
        }
        Refusal::JournalAfterPayment { payment_hash }
        | Refusal::PaymentHashKnown { payment_hash }
        | Refusal::PaymentUnresolved { payment_hash, .. }
        | Refusal::PreimageMismatch { payment_hash } => {
            json!({ "step": "refused", "code": code, "payment_hash": hash(payment_hash) })
        }
        _ => json!({ "step": "refused", "code": code }),
    }
}

fn outcome(outcome: &Outcome) -> Value {
    json!({
        "credential": outcome.credential.name(),
        "receipt": outcome.receipt.as_ref().map(receipt),
        "journal_failed": outcome.journal_failed,
    })
}

fn intent(intent: &Intent) -> Value {
    json!({
        "payment_hash": hash(&intent.payment_hash),
        "request": key(&intent.request),
        "scheme": match intent.scheme { Scheme::L402 => "L402", Scheme::Lsat => "LSAT" },
        "token": intent.token,
        "invoice": intent.invoice,
        "network": intent.network.name(),
        "payee": intent.payee.map(|payee| hex(&payee)),
        "amount_msat": intent.amount_msat,
        "max_fee_msat": intent.max_fee_msat,
        "invoice_expires_at": intent.invoice_expires_at,
        "created_at": intent.created_at,
    })
}

fn receipt(receipt: &Receipt) -> Value {
    json!({
        "payment_hash": hash(&receipt.payment_hash),
        "network": receipt.network.name(),
        "payee": receipt.payee_hex(),
        "amount_msat": receipt.amount_msat,
        "fee_msat": receipt.fee_msat,
        "charged_msat": receipt.charged_msat,
        "method": receipt.method,
        "origin": receipt.origin.to_string(),
        "target": receipt.target,
        "wallet": receipt.wallet,
        "created_at": receipt.created_at,
        "settled_at": receipt.settled_at,
        "state": receipt.state.name(),
        "credential": receipt.credential.map(|state| state.name()),
        "failure": receipt.failure,
    })
}

fn quote(quote: &Quote) -> Value {
    json!({
        "payment_hash": hash(&quote.payment_hash),
        "network": quote.network.name(),
        "payee": quote.payee_hex(),
        "description": quote.description,
        "amount_msat": quote.amount_msat,
        "max_fee_msat": quote.max_fee_msat,
        "origin": quote.origin.to_string(),
        "invoice_expires_at": quote.invoice_expires_at,
        "valid_until": quote.valid_until,
        "budget_left_msat": quote.budget_left_msat,
        "pending": quote.pending.as_ref().map(pending),
        "refusal": quote.refusal.as_ref().map(|refusal| refusal.code()),
    })
}

fn pending(pending: &Pending) -> Value {
    match pending {
        Pending::Delivered(of) => json!({ "found": "delivered", "receipt": receipt(of) }),
        Pending::Undelivered(of) => json!({ "found": "undelivered", "receipt": receipt(of) }),
        Pending::Unresolved(of) => json!({ "found": "unresolved", "payment_hash": hash(of) }),
        other => panic!("a find that the scripts do not know: {other:?}"),
    }
}

fn key(key: &RequestKey) -> Value {
    json!({
        "method": key.method,
        "origin": key.origin.to_string(),
        "target": key.target,
        "body_sha256": hex(&key.body_sha256),
        "wallet": key.wallet,
    })
}

fn hash(payment_hash: &PaymentHash) -> String {
    hex(payment_hash.as_bytes())
}
