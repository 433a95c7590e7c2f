//! Has invoices made, and takes none that is not what was asked for.

use std::sync::{Arc, Mutex, PoisonError};

use plannt_core::{InvoiceFacts, Network, read_invoice};
use plannt_lightning::{InvoiceRequest, Invoicer};

use crate::recent::Recent;

/// How long an invoice is payable when it is handed out, at least (docs/PROTOCOL.md §3).
pub(crate) const MIN_PAYABLE_SECONDS: u64 = 300;
/// How far the node's clock may be ahead of ours, in what it makes of an expiry.
const NODE_CLOCK_SLACK_SECONDS: u64 = 120;
/// How many invoices are remembered, so that a node which repeats one is noticed.
const REMEMBERED_INVOICES: usize = 16_384;

/// What an invoice says, besides when it expires.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InvoiceKey {
    pub(crate) amount_msat: u64,
    pub(crate) memo: String,
}

/// An invoice that is in no challenge yet.
#[derive(Clone, Debug)]
pub(crate) struct Invoice {
    pub(crate) bolt11: String,
    pub(crate) facts: InvoiceFacts,
}

/// There is no invoice; the log says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotMade;

pub(crate) struct Maker {
    invoicer: Arc<dyn Invoicer>,
    network: Network,
    expiry_seconds: u32,
    seen: Mutex<Recent>,
}

impl Maker {
    pub(crate) fn new(invoicer: Arc<dyn Invoicer>, network: Network, expiry_seconds: u32) -> Self {
        let seen = Mutex::new(Recent::new(REMEMBERED_INVOICES));
        Self { invoicer, network, expiry_seconds, seen }
    }

    pub(crate) fn invoicer(&self) -> &Arc<dyn Invoicer> {
        &self.invoicer
    }

    /// A fresh invoice, which can be paid for `longer` seconds more than one that is handed out at once.
    pub(crate) async fn make(
        &self,
        key: &InvoiceKey,
        longer: u32,
        now: u64,
    ) -> Result<Invoice, NotMade> {
        let asked = InvoiceRequest {
            amount_msat: key.amount_msat,
            memo: key.memo.clone(),
            expiry_seconds: self.expiry_seconds.saturating_add(longer),
        };
        let bolt11 = self.invoicer.issue(&asked).await.map_err(|error| {
            tracing::warn!(code = error.code(), %error, "the lightning node made no invoice");
            NotMade
        })?;
        self.check(bolt11, key, longer, now).map_err(|what| {
            tracing::error!(what, "the lightning node's invoice is not what was asked for");
            NotMade
        })
    }

    /// Takes an invoice that is what was asked for, once.
    pub(crate) fn check(
        &self,
        bolt11: String,
        key: &InvoiceKey,
        longer: u32,
        now: u64,
    ) -> Result<Invoice, &'static str> {
        let facts = read_invoice(&bolt11).map_err(|error| error.code())?;
        let latest = now
            .saturating_add(u64::from(self.expiry_seconds))
            .saturating_add(u64::from(longer))
            .saturating_add(NODE_CLOCK_SLACK_SECONDS);
        if facts.amount_msat != Some(key.amount_msat) {
            return Err("amount");
        }
        if facts.network != self.network {
            return Err("network");
        }
        if facts.expires_at < now.saturating_add(MIN_PAYABLE_SECONDS) || facts.expires_at > latest {
            return Err("expiry");
        }
        if !self.seen.lock().unwrap_or_else(PoisonError::into_inner).add(facts.payment_hash) {
            return Err("payment hash of an earlier challenge");
        }
        Ok(Invoice { bolt11, facts })
    }
}
