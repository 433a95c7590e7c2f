//! Tokens whose text one deployed client would cut to pieces: another invoice is taken.
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use http::{HeaderMap, Method};
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
use plannt_core::{Keyring, MintError, MintRequest, Network, PaymentHash, RootKey};
use plannt_gate::{
    Admission, AttemptId, Clock, Gate, RequestFacts, SpendOutcome, SpendStore, StoreError,
    SystemClock, Terms,
};
use plannt_lightning::{InvoiceRequest, InvoiceState, Invoicer, LightningError};

/// Makes invoices with these payment hashes.
struct Maker(Mutex<VecDeque<PaymentHash>>);

#[async_trait]
impl Invoicer for Maker {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        let hash = self.0.lock().unwrap().pop_front().unwrap();
        let key = SecretKey::from_slice(&[7; 32]).unwrap();
        let invoice = InvoiceBuilder::new(Currency::Regtest)
            .description(request.memo.clone())
            .payment_hash(sha256::Hash::from_byte_array(*hash.as_bytes()))
            .payment_secret(PaymentSecret([8; 32]))
            .duration_since_epoch(Duration::from_secs(SystemClock.now()))
            .min_final_cltv_expiry_delta(80)
            .expiry_time(Duration::from_secs(request.expiry_seconds.into()))
            .amount_milli_satoshis(request.amount_msat)
            .build_signed(|message| Secp256k1::signing_only().sign_ecdsa_recoverable(message, &key))
            .unwrap();
        Ok(invoice.to_string())
    }

    async fn look_up_invoice(&self, _: &PaymentHash) -> Result<InvoiceState, LightningError> {
        Ok(InvoiceState::Open)
    }
}

/// Nothing is spent here.
struct Unused;

#[async_trait]
impl SpendStore for Unused {
    async fn spend(
        &self,
        _: &PaymentHash,
        _: &AttemptId,
        _: u32,
        _: u64,
    ) -> Result<SpendOutcome, StoreError> {
        Err(StoreError::Closed)
    }

    async fn release(&self, _: &PaymentHash, _: &AttemptId) -> Result<bool, StoreError> {
        Err(StoreError::Closed)
    }
}

fn keyring() -> Keyring {
    Keyring::new(Network::Regtest, RootKey::from_bytes([3; 32]))
}

/// A hash whose bytes are `LSAT` in the token's base64.
fn colliding(n: u8) -> PaymentHash {
    let collides = |hash: &PaymentHash| {
        let request = MintRequest::new(*hash, "demo", "GET", "/v1/demo", 2_000_000_000, 21_000);
        keyring().mint(&request) == Err(MintError::TokenTextCollision)
    };
    let at = |offset: usize| {
        let mut hash = [n; 32];
        hash[offset..offset + 3].copy_from_slice(&[0x2d, 0x20, 0x13]);
        PaymentHash::from_bytes(hash)
    };
    (0..3).map(at).find(collides).unwrap()
}

async fn challenge(hashes: Vec<PaymentHash>) -> http::Response<bytes::Bytes> {
    let maker = Maker(Mutex::new(hashes.into()));
    let gate = Gate::builder(keyring(), Arc::new(maker), Arc::new(Unused)).build().unwrap();
    let facts = RequestFacts {
        method: &Method::GET,
        path: "/v1/demo",
        query: "",
        headers: &HeaderMap::new(),
        body_digest: None,
        client: None,
    };
    match gate.admit(&facts, &Terms::new("demo", 21_000.try_into().unwrap())).await {
        Admission::Refused(answer) => answer,
        Admission::Granted(_) => panic!("let in"),
    }
}

#[tokio::test]
async fn another_invoice_is_taken() {
    let good = PaymentHash::from_bytes([9; 32]);
    let answer = challenge(vec![colliding(1), colliding(2), good]).await;
    assert_eq!(answer.status(), 402);
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(body["payment_hash"], good.to_string());
    assert!(!body["macaroon"].as_str().unwrap().contains("LSAT"));
}

#[tokio::test]
async fn there_is_an_end_to_it() {
    let answer = challenge((1..20).map(colliding).collect()).await;
    assert_eq!(answer.status(), 503);
}
