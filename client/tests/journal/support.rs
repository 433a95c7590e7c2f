//! Intents, and a journal in a folder of its own.

use std::path::PathBuf;

use plannt_client::{Budget, Journal};
use plannt_core::flow::{BodyFacts, Found, Intent, Origin, Receipt, RequestFacts, Reservation};
use plannt_core::{Network, PaymentHash, Preimage, Scheme};

pub(crate) const NOW: u64 = 1_764_000_000;
pub(crate) const AMOUNT_MSAT: u64 = 21_000;
pub(crate) const FEE_MSAT: u64 = 1_000;

pub(crate) fn preimage(seed: u32) -> Preimage {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_be_bytes());
    Preimage::from_bytes(bytes)
}

pub(crate) fn hash(seed: u32) -> PaymentHash {
    preimage(seed).payment_hash()
}

pub(crate) fn request(target: &str) -> RequestFacts {
    RequestFacts {
        method: "GET".into(),
        origin: Origin::parse("https://api.example").unwrap(),
        target: target.into(),
        body: BodyFacts::of(b""),
    }
}

pub(crate) fn intent(seed: u32, target: &str) -> Intent {
    Intent {
        payment_hash: hash(seed),
        request: request(target).key("wallet").unwrap(),
        scheme: Scheme::Lsat,
        token: format!("token-{seed}"),
        invoice: format!("invoice-{seed}"),
        network: Network::Regtest,
        payee: Some([2; 33]),
        amount_msat: AMOUNT_MSAT,
        max_fee_msat: FEE_MSAT,
        invoice_expires_at: NOW + 600,
        created_at: NOW + u64::from(seed),
    }
}

pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("home/journal.db")
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::open(self.path()).unwrap()
    }
}

pub(crate) fn reserve(journal: &Journal, intent: &Intent) -> Reservation {
    journal.reserve(intent, &Budget::unlimited(), NOW).unwrap()
}

/// A payment that is journaled as paid, with a fee of 7 msat.
pub(crate) fn pay(journal: &Journal, seed: u32, target: &str) {
    assert_eq!(reserve(journal, &intent(seed, target)), Reservation::Granted);
    journal.commit(&hash(seed), &preimage(seed), 7, NOW).unwrap();
}

pub(crate) fn load(journal: &Journal, target: &str) -> Found {
    let request = request(target);
    let key = request.key("wallet");
    let budget = Budget::unlimited();
    journal.load(&request, key.as_ref(), Network::Regtest, &budget, NOW).unwrap().found
}

pub(crate) fn receipt(journal: &Journal, seed: u32) -> Receipt {
    journal.receipt(&hash(seed)).unwrap().unwrap()
}
