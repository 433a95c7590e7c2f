//! Nodes and wallets for the tests.
#![allow(dead_code, reason = "each test crate uses its part")]

use std::time::Duration;

use lightning_invoice::Bolt11Invoice;
use plannt_core::PaymentHash;
use plannt_lightning::devnet::{Account, Devnet, DevnetConfig, DevnetHandle};
use plannt_lightning::lnd::{Lnd, LndConfig};
use plannt_lightning::{
    InvoiceRequest, Invoicer, LightningError, PayFailure, PayOutcome, PayRequest, Payer, Payment,
    PaymentState,
};

/// A devnet with its folder, and the clients of its two accounts.
pub(crate) struct Net {
    pub(crate) devnet: DevnetHandle,
    pub(crate) payer: Lnd,
    pub(crate) merchant: Lnd,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn net() -> Net {
    let folder = tempfile::tempdir().expect("a folder");
    let devnet = start(&folder).await;
    let (payer, merchant) = (client(&devnet.payer_url()), client(&devnet.invoicer_url()));
    Net { devnet, payer, merchant, folder }
}

pub(crate) async fn start(folder: &tempfile::TempDir) -> DevnetHandle {
    let config = DevnetConfig::new(folder.path()).fee_msat(7).account(Account::new("other", 0));
    Devnet::start(config).await.expect("a devnet")
}

/// A client that gives up right after the payment's own limit.
pub(crate) fn client(url: &str) -> Lnd {
    let mut config = LndConfig::from_url(url).expect("a configuration");
    config.answer_margin = Duration::ZERO;
    Lnd::new(config).expect("a client")
}

impl Net {
    pub(crate) async fn invoice(&self, amount_msat: u64) -> PayRequest {
        invoice(&self.merchant, amount_msat).await
    }

    pub(crate) async fn balance(&self) -> u64 {
        self.payer.balance_msat().await.expect("a balance")
    }
}

/// Issues an invoice and asks to pay it within one second.
pub(crate) async fn invoice(merchant: &impl Invoicer, amount_msat: u64) -> PayRequest {
    let request = InvoiceRequest { amount_msat, memo: "a test".into(), expiry_seconds: 600 };
    pay_request(&merchant.issue(&request).await.expect("an invoice"))
}

pub(crate) fn pay_request(bolt11: &str) -> PayRequest {
    let invoice: Bolt11Invoice = bolt11.parse().expect("BOLT 11");
    let hash: &[u8] = invoice.payment_hash().as_ref();
    PayRequest {
        bolt11: bolt11.into(),
        payment_hash: PaymentHash::from_bytes(hash.try_into().expect("32 bytes")),
        amount_msat: invoice.amount_milli_satoshis().expect("an amount"),
        max_fee_msat: 1_000,
        timeout: Duration::from_secs(1),
    }
}

pub(crate) fn paid(outcome: PayOutcome) -> Payment {
    match outcome {
        PayOutcome::Paid(payment) => payment,
        other => panic!("not paid: {other:?}"),
    }
}

pub(crate) fn failed(outcome: PayOutcome) -> PayFailure {
    match outcome {
        PayOutcome::Failed(failure) => failure,
        other => panic!("not failed: {other:?}"),
    }
}

pub(crate) fn unknown(outcome: PayOutcome) -> LightningError {
    match outcome {
        PayOutcome::Unknown(error) => error,
        other => panic!("not unknown: {other:?}"),
    }
}

pub(crate) fn is_paid(state: Result<PaymentState, LightningError>) -> bool {
    matches!(state, Ok(PaymentState::Paid(_)))
}
