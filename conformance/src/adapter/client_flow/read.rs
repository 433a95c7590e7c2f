//! What a script tells the flow.

use plannt_core::flow::{
    BodyFacts, Event, FeeLimit, Found, Hosts, Intent, Loaded, LookUp, Origin, OriginError,
    PaymentResult, Policy, Receipt, RequestFacts, RequestKey, Reservation, ResponseFacts,
    StoredCredential, StoredToken,
};
use plannt_core::{Network, PaymentHash, Preimage, Scheme};
use serde_json::Value;

use crate::adapter::input::{array, list, number, text};

pub(super) fn policy(value: &Value) -> Policy {
    let mut policy = Policy::new(network(value), number(value, "max_payment_msat"));
    policy.allowed_hosts = hosts(&value["allowed_hosts"]);
    policy.fit_fee = flag(value, "fit_fee");
    policy.max_fee = fee_limit(&value["max_fee"]);
    policy.pay_after_loss = flag(value, "pay_after_loss");
    policy.plain_http_hosts = hosts(&value["plain_http_hosts"]);
    policy.wallet_limits_fee = flag(value, "wallet_limits_fee");
    policy.worst_case_fee = fee_limit(&value["worst_case_fee"]);
    policy
}

/// The request, whose origin is any text.
pub(super) fn request(value: &Value) -> Result<RequestFacts, OriginError> {
    Ok(RequestFacts {
        method: text(value, "method").into(),
        origin: Origin::parse(text(value, "origin"))?,
        target: text(value, "target").into(),
        body: match value["body_sha256"].is_null() {
            true => BodyFacts::Once,
            false => BodyFacts::Replayable { sha256: array(value, "body_sha256") },
        },
    })
}

pub(super) fn event(value: &Value) -> Event {
    match text(value, "event") {
        "body" => Event::Body(value["body"].as_str().map(|body| body.as_bytes().to_vec())),
        "busy" => Event::Busy,
        "journal_failed" => Event::JournalFailed,
        "loaded" => Event::Loaded(Loaded {
            found: found(&value["found"]),
            budget_left_msat: value["budget_left_msat"].as_u64(),
        }),
        "looked_up" => Event::LookedUp(look_up(value)),
        "payment" => Event::Payment(payment(value)),
        "reserved" => Event::Reserved(reservation(value)),
        "responded" => Event::Responded(response(value)),
        "send_failed" => Event::SendFailed,
        "stored" => Event::Stored,
        other => panic!("unknown event {other}"),
    }
}

fn found(value: &Value) -> Found {
    match text(value, "found") {
        "delivered" => Found::Delivered(credential(&value["credential"])),
        "nothing" => Found::Nothing,
        "undelivered" => Found::Undelivered(credential(&value["credential"])),
        "unresolved" => Found::Unresolved(intent(&value["intent"])),
        other => panic!("unknown find {other}"),
    }
}

fn look_up(value: &Value) -> LookUp {
    match text(value, "result") {
        "failed" => LookUp::Failed { failure: text(value, "failure").into() },
        "in_flight" => LookUp::InFlight,
        "not_found" => LookUp::NotFound,
        "paid" => LookUp::Paid { preimage: preimage(value), fee_msat: number(value, "fee_msat") },
        "unknown" => LookUp::Unknown,
        other => panic!("unknown result {other}"),
    }
}

fn payment(value: &Value) -> PaymentResult {
    match text(value, "result") {
        "failed" => PaymentResult::Failed { failure: text(value, "failure").into() },
        "paid" => {
            PaymentResult::Paid { preimage: preimage(value), fee_msat: number(value, "fee_msat") }
        }
        "unknown" => PaymentResult::Unknown,
        other => panic!("unknown result {other}"),
    }
}

fn reservation(value: &Value) -> Reservation {
    match text(value, "reservation") {
        "granted" => Reservation::Granted,
        "hash_known" => Reservation::HashKnown,
        "key_busy" => Reservation::KeyBusy,
        "over_budget" => Reservation::OverBudget { left_msat: number(value, "left_msat") },
        other => panic!("unknown reservation {other}"),
    }
}

/// The head of a response: only the lines that the flow wants, in their order.
fn response(value: &Value) -> ResponseFacts {
    let named = |wanted: &str| -> Vec<Vec<u8>> {
        let lines = list(value, "headers").iter();
        let part = |line: &Value, i: usize| line[i].as_str().expect("a header is text").to_owned();
        lines
            .filter(|line| part(line, 0).eq_ignore_ascii_case(wanted))
            .map(|line| part(line, 1).into_bytes())
            .collect()
    };
    ResponseFacts {
        status: u16::try_from(number(value, "status")).expect("a status has three digits"),
        www_authenticate: named("www-authenticate"),
        x_l402: named("x-l402").into_iter().next(),
        redirected: flag(value, "redirected"),
    }
}

fn credential(value: &Value) -> StoredCredential {
    StoredCredential {
        scheme: scheme(value),
        token: StoredToken::new(text(value, "token").into()),
        preimage: preimage(value),
        receipt: receipt(&value["receipt"]),
    }
}

fn receipt(value: &Value) -> Receipt {
    Receipt {
        payment_hash: payment_hash(value),
        network: network(value),
        payee: payee(value),
        amount_msat: number(value, "amount_msat"),
        fee_msat: value["fee_msat"].as_u64(),
        charged_msat: number(value, "charged_msat"),
        method: text(value, "method").into(),
        origin: origin(value),
        target: text(value, "target").into(),
        wallet: text(value, "wallet").into(),
        created_at: number(value, "created_at"),
        settled_at: value["settled_at"].as_u64(),
        state: text(value, "state").parse().expect("a state of an intent"),
        credential: value["credential"].as_str().map(|s| s.parse().expect("a credential's state")),
        failure: value["failure"].as_str().map(str::to_owned),
    }
}

fn intent(value: &Value) -> Intent {
    let key = &value["request"];
    Intent {
        payment_hash: payment_hash(value),
        request: RequestKey {
            method: text(key, "method").into(),
            origin: origin(key),
            target: text(key, "target").into(),
            body_sha256: array(key, "body_sha256"),
            wallet: text(key, "wallet").into(),
        },
        scheme: scheme(value),
        token: text(value, "token").into(),
        invoice: text(value, "invoice").into(),
        network: network(value),
        payee: payee(value),
        amount_msat: number(value, "amount_msat"),
        max_fee_msat: number(value, "max_fee_msat"),
        invoice_expires_at: number(value, "invoice_expires_at"),
        created_at: number(value, "created_at"),
    }
}

/// Every host where there is no list.
fn hosts(value: &Value) -> Hosts {
    match value.as_array() {
        None => Hosts::Any,
        Some(patterns) => Hosts::listed(patterns.iter().map(|p| p.as_str().expect("a pattern"))),
    }
}

fn fee_limit(value: &Value) -> FeeLimit {
    FeeLimit {
        base_msat: number(value, "base_msat"),
        parts_per_million: u32::try_from(number(value, "parts_per_million")).expect("32 bits"),
    }
}

fn flag(value: &Value, member: &str) -> bool {
    value[member].as_bool().unwrap_or_else(|| panic!("{member} is no bool in {value}"))
}

fn network(value: &Value) -> Network {
    text(value, "network").parse().expect("a network")
}

/// An origin that the journal wrote.
fn origin(value: &Value) -> Origin {
    Origin::parse(text(value, "origin")).expect("an origin")
}

fn payee(value: &Value) -> Option<[u8; 33]> {
    value["payee"].is_string().then(|| array(value, "payee"))
}

fn payment_hash(value: &Value) -> PaymentHash {
    PaymentHash::from_bytes(array(value, "payment_hash"))
}

fn preimage(value: &Value) -> Preimage {
    Preimage::from_bytes(array(value, "preimage"))
}

fn scheme(value: &Value) -> Scheme {
    match text(value, "scheme") {
        "LSAT" => Scheme::Lsat,
        _ => Scheme::L402,
    }
}
