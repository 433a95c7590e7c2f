//! Plain data on their way between Rust and JavaScript, as JSON: amounts are decimal texts, since numbers end at 2^53, bytes
//! are hex. `lib/plain.ts` makes bigints, buffers and classes of them, and back.

use napi::{Error, Result};
use plannt_core::flow::{
    BodyFacts, Budget, BudgetRule, CredentialState, FeeLimit, Hosts, Intent, Origin, Outcome,
    Pending, Policy, Quote, Receipt, RequestFacts, RequestKey, StoredCredential, StoredToken,
};
use plannt_core::{Network, PaymentHash, Preimage, Scheme};
use serde_json::{Value, json};

use crate::error::{raise, type_error};

/// An amount.
pub(crate) fn msat(amount: u64) -> String {
    amount.to_string()
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What JavaScript wrote.
pub(crate) fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(type_error)
}

/// A member of an object.
pub(crate) fn member<'a>(value: &'a Value, name: &str) -> Result<&'a Value> {
    match value.get(name) {
        Some(Value::Null) | None => Err(type_error(format!("{name} is missing"))),
        Some(member) => Ok(member),
    }
}

/// A member that may be absent or null.
pub(crate) fn optional<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|member| !member.is_null())
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    member(value, name)?.as_str().ok_or_else(|| type_error(format!("{name} is no string")))
}

pub(crate) fn owned(value: &Value, name: &str) -> Result<String> {
    text(value, name).map(str::to_owned)
}

pub(crate) fn optional_text(value: &Value, name: &str) -> Result<Option<String>> {
    optional(value, name).map(|_| owned(value, name)).transpose()
}

pub(crate) fn flag(value: &Value, name: &str) -> Result<bool> {
    member(value, name)?.as_bool().ok_or_else(|| type_error(format!("{name} is no boolean")))
}

/// A whole number: a time, or a count.
pub(crate) fn number(value: &Value, name: &str) -> Result<u64> {
    let member = member(value, name)?;
    let whole = || member.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0).map(|n| n as u64);
    member
        .as_u64()
        .or_else(whole)
        .ok_or_else(|| type_error(format!("{name} is no whole number from 0 on")))
}

/// An amount in msat.
pub(crate) fn amount(value: &Value, name: &str) -> Result<u64> {
    text(value, name)
        .and_then(|text| text.parse().map_err(type_error))
        .map_err(|_| type_error(format!("{name} is no bigint from 0 to 2^64 - 1")))
}

pub(crate) fn optional_amount(value: &Value, name: &str) -> Result<Option<u64>> {
    optional(value, name).map(|_| amount(value, name)).transpose()
}

/// Exactly `N` bytes.
pub(crate) fn bytes<const N: usize>(value: &Value, name: &str) -> Result<[u8; N]> {
    let wrong = || type_error(format!("{name} is not {N} bytes"));
    unhex(text(value, name)?).and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong)
}

/// Bytes of hex.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let pair = |pair: &[u8]| Some((digit(pair[0])? << 4 | digit(*pair.get(1)?)?) as u8);
    text.as_bytes().chunks(2).map(pair).collect()
}

pub(crate) fn network(value: &Value) -> Result<Network> {
    text(value, "network")?.parse().map_err(raise)
}

pub(crate) fn hash(value: &Value) -> Result<PaymentHash> {
    text(value, "paymentHash")?.parse().map_err(raise)
}

pub(crate) fn preimage(value: &Value) -> Result<Preimage> {
    Preimage::from_hex(text(value, "preimage")?).map_err(raise)
}

fn scheme(value: &Value) -> Result<Scheme> {
    Scheme::from_name(text(value, "scheme")?).ok_or_else(|| type_error("a scheme is L402 or LSAT"))
}

fn origin(value: &Value) -> Result<Origin> {
    Origin::parse(text(value, "origin")?).map_err(raise)
}

fn payee(value: &Value) -> Result<Option<[u8; 33]>> {
    optional(value, "payee").map(|_| bytes(value, "payee")).transpose()
}

fn state<T: std::str::FromStr<Err: crate::error::Raise>>(text: &str) -> Result<T> {
    text.parse().map_err(raise)
}

pub(crate) fn policy(value: &Value) -> Result<Policy> {
    let mut policy = Policy::new(network(value)?, amount(value, "maxPaymentMsat")?);
    policy.allowed_hosts = hosts(value, "allowedHosts")?;
    policy.fit_fee = flag(value, "fitFee")?;
    policy.max_fee = fee_limit(member(value, "maxFee")?)?;
    policy.pay_after_loss = flag(value, "payAfterLoss")?;
    policy.plain_http_hosts = hosts(value, "plainHttpHosts")?;
    policy.wallet_limits_fee = flag(value, "walletLimitsFee")?;
    policy.worst_case_fee = fee_limit(member(value, "worstCaseFee")?)?;
    Ok(policy)
}

pub(crate) fn fee_limit(value: &Value) -> Result<FeeLimit> {
    let parts = number(value, "partsPerMillion")?;
    Ok(FeeLimit {
        base_msat: amount(value, "baseMsat")?,
        parts_per_million: u32::try_from(parts).map_err(type_error)?,
    })
}

/// Every host where there is no list.
pub(crate) fn hosts(value: &Value, name: &str) -> Result<Hosts> {
    let Some(patterns) = optional(value, name) else { return Ok(Hosts::Any) };
    let wrong = || type_error(format!("{name} is no list of strings"));
    let patterns = patterns.as_array().ok_or_else(wrong)?;
    let patterns = patterns.iter().map(|p| p.as_str().ok_or_else(wrong));
    patterns.collect::<Result<Vec<_>>>().map(Hosts::listed)
}

pub(crate) fn rule(value: &Value) -> Result<BudgetRule> {
    let window = optional(value, "windowSeconds").map(|_| number(value, "windowSeconds"));
    Ok(BudgetRule { limit_msat: amount(value, "limitMsat")?, window_seconds: window.transpose()? })
}

pub(crate) fn write_rule(rule: &BudgetRule) -> Value {
    json!({ "limitMsat": msat(rule.limit_msat), "windowSeconds": rule.window_seconds })
}

pub(crate) fn budget(value: &Value) -> Result<Budget> {
    let rules = value.as_array().ok_or_else(|| type_error("a budget is a list of rules"))?;
    let rules = rules.iter().map(rule).collect::<Result<Vec<_>>>()?;
    Ok(Budget::new(rules))
}

pub(crate) fn request(value: &Value) -> Result<RequestFacts> {
    Ok(RequestFacts {
        method: owned(value, "method")?,
        origin: origin(value)?,
        target: owned(value, "target")?,
        body: match optional(value, "bodySha256") {
            None => BodyFacts::Once,
            Some(_) => BodyFacts::Replayable { sha256: bytes(value, "bodySha256")? },
        },
    })
}

pub(crate) fn write_request(request: &RequestFacts) -> Value {
    let body = match &request.body {
        BodyFacts::Once => None,
        BodyFacts::Replayable { sha256 } => Some(hex(sha256)),
    };
    json!({
        "method": request.method,
        "origin": request.origin.to_string(),
        "target": request.target,
        "bodySha256": body,
    })
}

pub(crate) fn request_key(value: &Value) -> Result<RequestKey> {
    Ok(RequestKey {
        method: owned(value, "method")?,
        origin: origin(value)?,
        target: owned(value, "target")?,
        body_sha256: bytes(value, "bodySha256")?,
        wallet: owned(value, "wallet")?,
    })
}

pub(crate) fn write_request_key(key: &RequestKey) -> Value {
    json!({
        "method": key.method,
        "origin": key.origin.to_string(),
        "target": key.target,
        "bodySha256": hex(&key.body_sha256),
        "wallet": key.wallet,
    })
}

pub(crate) fn receipt(receipt: &Receipt) -> Value {
    json!({
        "paymentHash": receipt.payment_hash.to_string(),
        "network": receipt.network.name(),
        "payee": receipt.payee_hex(),
        "amountMsat": msat(receipt.amount_msat),
        "feeMsat": receipt.fee_msat.map(msat),
        "chargedMsat": msat(receipt.charged_msat),
        "paidMsat": msat(receipt.paid_msat()),
        "method": receipt.method,
        "origin": receipt.origin.to_string(),
        "target": receipt.target,
        "path": receipt.path(),
        "wallet": receipt.wallet,
        "createdAt": receipt.created_at,
        "settledAt": receipt.settled_at,
        "state": receipt.state.name(),
        "credential": receipt.credential.map(CredentialState::name),
        "failure": receipt.failure,
    })
}

fn read_receipt(value: &Value) -> Result<Receipt> {
    Ok(Receipt {
        payment_hash: hash(value)?,
        network: network(value)?,
        payee: payee(value)?,
        amount_msat: amount(value, "amountMsat")?,
        fee_msat: optional_amount(value, "feeMsat")?,
        charged_msat: amount(value, "chargedMsat")?,
        method: owned(value, "method")?,
        origin: origin(value)?,
        target: owned(value, "target")?,
        wallet: owned(value, "wallet")?,
        created_at: number(value, "createdAt")?,
        settled_at: optional(value, "settledAt").map(|_| number(value, "settledAt")).transpose()?,
        state: state(text(value, "state")?)?,
        credential: optional_text(value, "credential")?.map(|s| state(&s)).transpose()?,
        failure: optional_text(value, "failure")?,
    })
}

pub(crate) fn write_intent(intent: &Intent) -> Value {
    json!({
        "paymentHash": intent.payment_hash.to_string(),
        "request": write_request_key(&intent.request),
        "scheme": intent.scheme.as_str(),
        "token": intent.token,
        "invoice": intent.invoice,
        "network": intent.network.name(),
        "payee": intent.payee.map(|payee| hex(&payee)),
        "amountMsat": msat(intent.amount_msat),
        "maxFeeMsat": msat(intent.max_fee_msat),
        "reservationMsat": msat(intent.reservation_msat()),
        "invoiceExpiresAt": intent.invoice_expires_at,
        "createdAt": intent.created_at,
    })
}

pub(crate) fn intent(value: &Value) -> Result<Intent> {
    Ok(Intent {
        payment_hash: hash(value)?,
        request: request_key(member(value, "request")?)?,
        scheme: scheme(value)?,
        token: owned(value, "token")?,
        invoice: owned(value, "invoice")?,
        network: network(value)?,
        payee: payee(value)?,
        amount_msat: amount(value, "amountMsat")?,
        max_fee_msat: amount(value, "maxFeeMsat")?,
        invoice_expires_at: number(value, "invoiceExpiresAt")?,
        created_at: number(value, "createdAt")?,
    })
}

pub(crate) fn credential(value: &Value) -> Result<StoredCredential> {
    Ok(StoredCredential {
        scheme: scheme(value)?,
        token: StoredToken::new(owned(value, "token")?),
        preimage: preimage(value)?,
        receipt: read_receipt(member(value, "receipt")?)?,
    })
}

pub(crate) fn quote(quote: &Quote) -> Value {
    let pending = match &quote.pending {
        Some(Pending::Delivered(of)) => json!({ "type": "delivered", "receipt": receipt(of) }),
        Some(Pending::Undelivered(of)) => json!({ "type": "undelivered", "receipt": receipt(of) }),
        Some(Pending::Unresolved(of)) => {
            json!({ "type": "unresolved", "paymentHash": of.to_string() })
        }
        _ => Value::Null,
    };
    json!({
        "paymentHash": quote.payment_hash.to_string(),
        "network": quote.network.name(),
        "payee": quote.payee_hex(),
        "description": quote.description,
        "amountMsat": msat(quote.amount_msat),
        "maxFeeMsat": msat(quote.max_fee_msat),
        "totalMsat": quote.total_msat().map(msat),
        "origin": quote.origin.to_string(),
        "invoiceExpiresAt": quote.invoice_expires_at,
        "validUntil": quote.valid_until,
        "budgetLeftMsat": quote.budget_left_msat.map(msat),
        "pending": pending,
        "refusal": quote.refusal.as_ref().map(|refusal| refusal.code()),
    })
}

pub(crate) fn outcome(outcome: &Outcome) -> Value {
    json!({
        "credential": outcome.credential.name(),
        "receipt": outcome.receipt.as_ref().map(receipt),
        "journalFailed": outcome.journal_failed,
    })
}

/// A number of seconds from JavaScript, checked there.
pub(crate) fn seconds(seconds: f64) -> Result<std::time::Duration> {
    std::time::Duration::try_from_secs_f64(seconds).map_err(|_| {
        Error::new(napi::Status::InvalidArg, "seconds are a number from 0 on".to_owned())
    })
}
