//! `quote`: what a request would cost, with nothing paid and nothing done.

use plannt_client::{Origin, Pending, Quote, Quoted, Request};
use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::arguments::{RequestArguments, invalid, read};
use crate::failure::Failure;
use crate::handler::Inner;
use crate::text;

pub(crate) async fn call(server: &Inner, arguments: Option<JsonObject>) -> Result<Value, Failure> {
    let arguments: RequestArguments = read(arguments)?;
    let request = arguments.request()?;
    if !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
        return of_unsafe_method(server, &arguments).await;
    }
    let origin = origin(&request)?;
    let limit = arguments.max_msat().min(server.config.max_payment_msat);
    match server.client.with_max_payment_msat(limit).quote(request).await? {
        Quoted::Charged(quote) => Ok(describe(server, &quote)),
        Quoted::Free(response) => Ok(json!({
            "free": true,
            "host": text::host(&origin),
            "status": response.status.as_u16(),
        })),
        _ => Err(Failure::new("internal", "this answer is of a kind that is not known here")),
    }
}

/// Where the request is free it would be carried out, and a question must not do that: only the price is asked, by HEAD.
async fn of_unsafe_method(server: &Inner, arguments: &RequestArguments) -> Result<Value, Failure> {
    let head = Request::new("HEAD", &arguments.url).map_err(|error| invalid(error.to_string()))?;
    let origin = origin(&head)?;
    let response = server.client.send_unpaid(head).await?;
    let price = response.headers.get("x-l402-price-msat").filter(|_| response.status == 402);
    let price = price.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let Some(price_msat) = price else {
        let method = arguments.method();
        return Err(Failure::new(
            "price_unknown",
            format!(
                "this server tells the price of {method} only when asked for it, and might carry it out then: look with \
                 discover, or use fetch with max_sats"
            ),
        ));
    };
    let max_fee_msat = server.config.max_fee.for_amount(price_msat);
    Ok(json!({
        "free": false,
        "host": text::host(&origin),
        "price_sats": text::sats(price_msat),
        "max_fee_sats": text::sats(max_fee_msat),
    }))
}

fn origin(request: &Request) -> Result<Origin, Failure> {
    let host = request.url.host_str().unwrap_or_default();
    Origin::new(request.url.scheme(), host, request.url.port())
        .map_err(|error| invalid(error.to_string()))
}

fn describe(server: &Inner, quote: &Quote) -> Value {
    let mut told = json!({
        "free": false,
        "host": text::host(&quote.origin),
        "price_sats": text::sats(quote.amount_msat),
        "max_fee_sats": text::sats(quote.max_fee_msat),
        "network": quote.network.name(),
        "payment_hash": quote.payment_hash.to_string(),
        "pay_by": text::time(quote.invoice_expires_at),
        "would_pay": quote.refusal.is_none() && server.config.payer.is_some(),
    });
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told[name] = value;
        }
    };
    let description = quote.description.as_deref().filter(|words| !words.is_empty());
    add("description", description.map(|words| json!(text::printable(words))));
    add("payee", quote.payee_hex().map(Value::from));
    add("valid_until", quote.valid_until.map(|until| json!(text::time(until))));
    add("budget_left_sats", quote.budget_left_msat.map(text::sats));
    add(
        "refusal",
        quote.refusal.as_ref().map(|r| json!({"code": r.code(), "message": r.to_string()})),
    );
    let above = server.config.confirm_above_msat;
    let asks = above.is_some_and(|above| quote.total_msat().is_none_or(|total| total > above));
    add("needs_confirmation", asks.then_some(json!(true)));
    let earlier = quote.pending.as_ref().map(|pending| match pending {
        Pending::Unresolved(hash) => json!({"unresolved_payment": hash.to_string()}),
        Pending::Delivered(receipt) | Pending::Undelivered(receipt) => {
            json!({"credential_of": text::receipt(receipt)})
        }
        _ => Value::Null,
    });
    add("earlier", earlier);
    told
}
