//! `budget`, `receipts` and `wallet_status`: what was spent, what may be, and from what.

use std::time::Duration;

use plannt_client::{BudgetStatus, Hosts, Receipt};
use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::arguments::{NoArguments, ReceiptsArguments, read};
use crate::failure::Failure;
use crate::handler::Inner;
use crate::text;

/// How long a wallet may take to tell its balance.
const BALANCE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn budget(
    server: &Inner,
    arguments: Option<JsonObject>,
) -> Result<Value, Failure> {
    let NoArguments {} = read(arguments)?;
    let config = &server.config;
    let rules = server.client.budget().await?;
    let (journal, network) = (server.client.journal().clone(), config.network);
    let session = tokio::task::spawn_blocking(move || journal.session_status(network));
    let session = session.await.map_err(|error| Failure::new("internal", error.to_string()))??;
    let mut told = json!({
        "network": config.network.name(),
        "per_call_sats": text::sats(config.max_payment_msat),
        "rules": rules.iter().map(rule).collect::<Vec<_>>(),
        "payable_hosts": hosts(&config.allowed_hosts),
    });
    if let Some(session) = &session {
        told["session"] = rule(session);
    }
    if let Some(above) = config.confirm_above_msat {
        told["confirm_above_sats"] = text::sats(above);
    }
    Ok(told)
}

fn rule(status: &BudgetStatus) -> Value {
    let mut told = json!({
        "limit_sats": text::sats(status.rule.limit_msat),
        "spent_sats": text::sats(status.spent_msat),
        "reserved_sats": text::sats(status.reserved_msat),
        "left_sats": text::sats(status.left_msat),
    });
    if let Some(seconds) = status.rule.window_seconds {
        told["window_seconds"] = json!(seconds);
    }
    told
}

fn hosts(hosts: &Hosts) -> Value {
    match hosts {
        Hosts::Listed(patterns) => json!(patterns),
        _ => json!(["*"]),
    }
}

pub(crate) async fn receipts(
    server: &Inner,
    arguments: Option<JsonObject>,
) -> Result<Value, Failure> {
    let ReceiptsArguments { limit, host } = read(arguments)?;
    let limit = limit.unwrap_or(20).clamp(1, 100) as usize;
    // A host's receipts may lie behind many of others.
    let looked_at = if host.is_some() { 10_000 } else { limit };
    let wanted = |receipt: &Receipt| {
        let own = text::host(&receipt.origin);
        host.as_deref().is_none_or(|host| host == own || host == receipt.origin.host())
    };
    let all = server.client.receipts(looked_at).await?;
    let told: Vec<_> = all.iter().filter(|receipt| wanted(receipt)).take(limit).map(line).collect();
    Ok(json!({ "receipts": told }))
}

fn line(receipt: &Receipt) -> Value {
    let mut told = text::receipt(receipt);
    told["method"] = json!(receipt.method);
    told["path"] = json!(text::printable(receipt.path()));
    told["state"] = json!(receipt.state.name());
    if let Some(credential) = receipt.credential {
        told["credential"] = json!(credential.name());
    }
    if let Some(failure) = &receipt.failure {
        told["failure"] = json!(failure);
    }
    told
}

pub(crate) async fn wallet_status(
    server: &Inner,
    arguments: Option<JsonObject>,
) -> Result<Value, Failure> {
    let NoArguments {} = read(arguments)?;
    let network = server.config.network.name();
    let Some(payer) = &server.config.payer else {
        return Ok(json!({"configured": false, "network": network}));
    };
    let (journal, wallet) = (server.client.journal().clone(), payer.wallet_id());
    let unresolved = tokio::task::spawn_blocking(move || journal.unresolved(&wallet));
    let unresolved = unresolved.await.map_err(|e| Failure::new("internal", e.to_string()))??;
    let mut told =
        json!({"configured": true, "network": network, "unresolved_payments": unresolved.len()});
    match tokio::time::timeout(BALANCE_TIMEOUT, payer.balance_msat()).await {
        Ok(Ok(balance)) => told["balance_sats"] = text::sats(balance),
        Ok(Err(error)) => {
            told["error"] =
                json!({"code": error.code(), "message": text::printable(&error.to_string())});
        }
        Err(_) => {
            told["error"] =
                json!({"code": "timeout", "message": "the wallet did not answer in time"});
        }
    }
    Ok(told)
}
