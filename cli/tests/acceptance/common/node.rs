//! A devnet in the test's own process, with its failure switches at hand.

use std::path::Path;
use std::time::Duration;

use plannt_core::{Preimage, authorization_value, read_invoice};
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetHandle, PaymentRecord};
use plannt_lightning::{PayOutcome, PayRequest, payer_from_url};
use tokio::runtime::Runtime;

use super::{Answer, Service, plannt_at};

pub(crate) struct Node {
    runtime: Runtime,
    pub(crate) devnet: DevnetHandle,
}

impl Node {
    pub(crate) fn start(folder: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let devnet = runtime.block_on(Devnet::start(DevnetConfig::new(folder))).unwrap();
        Self { runtime, devnet }
    }

    /// `plannt serve …` on this node, with its state under `home`.
    pub(crate) fn serve(&self, home: &Path, args: &[&str]) -> Service {
        let mut command = plannt_at(home);
        command.args(["serve", "--listen", "127.0.0.1:0", "--network", "regtest"]);
        command.args(["--node", &self.devnet.invoicer_url()]).args(args);
        Service::spawn(command)
    }

    pub(crate) fn payments(&self) -> Vec<PaymentRecord> {
        self.runtime.block_on(self.devnet.payments()).unwrap()
    }

    /// The texts of all invoices that it made.
    pub(crate) fn invoices(&self) -> Vec<String> {
        let invoices = self.runtime.block_on(self.devnet.invoices()).unwrap();
        invoices.into_iter().map(|invoice| invoice.payment_request).collect()
    }

    /// Payments that moved money.
    pub(crate) fn paid_msat(&self) -> Vec<u64> {
        let succeeded = self.payments().into_iter().filter(|p| p.status == "SUCCEEDED");
        succeeded.map(|p| p.amount_msat).collect()
    }

    /// Settles the payment that is stuck in flight.
    pub(crate) fn settle_stuck(&self) {
        for payment in self.payments().into_iter().filter(|p| p.status == "IN_FLIGHT") {
            let hash = payment.payment_hash.parse().unwrap();
            self.runtime.block_on(self.devnet.settle(&hash)).unwrap();
        }
    }

    /// Pays a challenge by hand and returns the Authorization value.
    pub(crate) fn buy(&self, challenge: &Answer) -> String {
        let (token, invoice) = challenge.challenge();
        authorization_value(&token, &self.pay(&invoice)).to_string()
    }

    pub(crate) fn pay(&self, invoice: &str) -> Preimage {
        self.runtime.block_on(pay(&self.devnet.payer_url(), invoice))
    }
}

/// Pays from the wallet behind `url`.
pub(crate) async fn pay(url: &str, invoice: &str) -> Preimage {
    let facts = read_invoice(invoice).unwrap();
    let request = PayRequest {
        bolt11: invoice.to_owned(),
        payment_hash: facts.payment_hash,
        amount_msat: facts.amount_msat.unwrap(),
        max_fee_msat: 10_000,
        timeout: Duration::from_secs(30),
    };
    match payer_from_url(url).unwrap().pay(&request).await {
        PayOutcome::Paid(payment) => payment.preimage,
        other => panic!("{other:?}"),
    }
}
