//! Nostr Wallet Connect: a relay in this process, and at it a wallet service on the node.

use std::sync::Arc;
use std::time::Duration;

use nostr::RelayUrl;
use nostr_relay_builder::MockRelay;
use plannt_core::{PaymentHash, read_invoice};
use plannt_e2e::Lnd;
use plannt_lightning::{
    InvoiceRequest, InvoiceState, Invoicer, PayFailure, PayOutcome, PayRequest, Payer,
    PaymentState, lnd,
};
use serde_json::{Value, json};

use super::Way;
use crate::wallet_service::WalletService;

pub(crate) async fn nwc(node: &Lnd) -> Way {
    let lnd = Arc::new(lnd::Lnd::from_url(&node.url()).unwrap());
    let service = WalletService::new(move |method, ask| {
        let lnd = Arc::clone(&lnd);
        Box::pin(async move {
            let mut answer = match answer(&lnd, &method, &ask).await {
                Ok(result) => json!({"error": null, "result": result}),
                Err(code) => json!({"error": {"code": code, "message": ""}, "result": null}),
            };
            answer["result_type"] = method.into();
            Some(answer)
        })
    });
    let relay = MockRelay::run().await.unwrap();
    let url: RelayUrl = relay.url().await;
    service.listen(&url, Some("nip44_v2 nip04")).await;
    Way { url: service.uri([&url]) + "&network=regtest", _through: Box::new(relay) }
}

/// The result of a request to the wallet, or NIP-47's code of an error.
async fn answer(lnd: &lnd::Lnd, method: &str, ask: &Value) -> Result<Value, &'static str> {
    match method {
        "get_balance" => Ok(json!({"balance": lnd.balance_msat().await.unwrap()})),
        "make_invoice" => {
            let request = InvoiceRequest {
                amount_msat: ask["amount"].as_u64().unwrap(),
                memo: ask["description"].as_str().unwrap_or_default().into(),
                expiry_seconds: ask["expiry"].as_u64().unwrap().try_into().unwrap(),
            };
            let invoice = lnd.issue(&request).await.map_err(|_| "INTERNAL")?;
            let hash = read_invoice(&invoice).unwrap().payment_hash;
            Ok(incoming(&hash, json!({"invoice": invoice, "amount": request.amount_msat})))
        }
        "pay_invoice" => pay(lnd, ask["invoice"].as_str().unwrap()).await,
        "lookup_invoice" => {
            look_up(lnd, &ask["payment_hash"].as_str().unwrap().parse().unwrap()).await
        }
        _ => Err("NOT_IMPLEMENTED"),
    }
}

async fn pay(lnd: &lnd::Lnd, invoice: &str) -> Result<Value, &'static str> {
    let facts = read_invoice(invoice).map_err(|_| "OTHER")?;
    let request = PayRequest {
        bolt11: invoice.into(),
        payment_hash: facts.payment_hash,
        amount_msat: facts.amount_msat.ok_or("OTHER")?,
        max_fee_msat: 10_000,
        timeout: Duration::from_secs(30),
    };
    match lnd.pay(&request).await {
        PayOutcome::Paid(payment) => Ok(json!({
            "preimage": payment.preimage.expose_hex().as_str(), "fees_paid": payment.fee_msat,
        })),
        PayOutcome::Failed(PayFailure::InsufficientBalance) => Err("INSUFFICIENT_BALANCE"),
        PayOutcome::Failed(_) => Err("PAYMENT_FAILED"),
        PayOutcome::Unknown(_) => Err("INTERNAL"),
    }
}

async fn look_up(lnd: &lnd::Lnd, hash: &PaymentHash) -> Result<Value, &'static str> {
    let outgoing = |facts: Value| transaction("outgoing", hash, facts);
    match lnd.look_up_payment(hash).await.map_err(|_| "INTERNAL")? {
        PaymentState::Paid(payment) => {
            return Ok(outgoing(json!({
                "state": "settled", "settled_at": 1,
                "preimage": payment.preimage.expose_hex().as_str(), "fees_paid": payment.fee_msat,
            })));
        }
        PaymentState::InFlight => return Ok(outgoing(json!({"state": "pending"}))),
        PaymentState::Failed(_) => return Ok(outgoing(json!({"state": "failed"}))),
        PaymentState::NotFound => {}
    }
    match lnd.look_up_invoice(hash).await.map_err(|_| "INTERNAL")? {
        InvoiceState::Settled { amount_msat } => {
            Ok(incoming(hash, json!({"state": "settled", "settled_at": 1, "amount": amount_msat})))
        }
        InvoiceState::Open => Ok(incoming(hash, json!({"state": "pending"}))),
        InvoiceState::Canceled => Ok(incoming(hash, json!({"state": "expired"}))),
        _ => Err("NOT_FOUND"),
    }
}

fn incoming(hash: &PaymentHash, facts: Value) -> Value {
    transaction("incoming", hash, facts)
}

fn transaction(kind: &str, hash: &PaymentHash, mut facts: Value) -> Value {
    facts["type"] = kind.into();
    facts["payment_hash"] = hash.to_string().into();
    facts["created_at"] = 1.into();
    facts
}
