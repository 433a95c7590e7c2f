//! A fresh invoice and the token that goes with it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plannt_core::{
    Code, InvoiceFacts, Keyring, MintError, MintRequest, PaymentHash, Token, read_invoice,
};
use plannt_lightning::{InvoiceRequest, Invoicer};

use crate::{Clock, RequestFacts, Terms};

/// How long an invoice is payable when it is handed out, at least (docs/PROTOCOL.md §3).
const MIN_PAYABLE_SECONDS: u64 = 300;
/// How long a credential is valid after its invoice expires, at least (docs/PROTOCOL.md §3).
const VALID_AFTER_EXPIRY_SECONDS: u64 = 600;
/// How far the node's clock may be ahead of ours, in what it makes of an expiry.
const NODE_CLOCK_SLACK_SECONDS: u64 = 120;
/// A token's text collides about once in 100,000 invoices: this many in a row is no accident.
const MAX_INVOICES: u32 = 4;
/// How many invoices are remembered, so that a node which repeats one is noticed.
const REMEMBERED_INVOICES: usize = 4_096;

/// What a challenge is made of.
pub(crate) struct Issued {
    pub(crate) token: Token,
    pub(crate) bolt11: String,
    pub(crate) facts: InvoiceFacts,
    pub(crate) amount_msat: u64,
}

/// Why there is no challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssueError {
    /// The request can't be bound to a token.
    Request(Code),
    /// The node, or what it made, can't be used.
    Unavailable,
}

impl IssueError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Request(code) => *code,
            Self::Unavailable => Code::Unavailable,
        }
    }
}

pub(crate) struct Issuer {
    invoicer: Arc<dyn Invoicer>,
    expiry_seconds: u32,
    deadline: Duration,
    seen: Mutex<Seen>,
}

impl Issuer {
    pub(crate) fn new(
        invoicer: Arc<dyn Invoicer>,
        expiry_seconds: u32,
        deadline: Duration,
    ) -> Self {
        Self { invoicer, expiry_seconds, deadline, seen: Mutex::default() }
    }

    /// The price as an invoice asks it: rounded up to the node's unit, msat.
    pub(crate) fn price_msat(&self, terms: &Terms) -> u64 {
        let unit = self.invoicer.unit_msat().max(1);
        terms.price_msat.get().div_ceil(unit).saturating_mul(unit)
    }

    /// Whether a token for this request could be minted at all, before there is an invoice.
    pub(crate) fn check(
        &self,
        keyring: &Keyring,
        request: &RequestFacts<'_>,
        terms: &Terms,
        now: u64,
    ) -> Result<(), IssueError> {
        // Nobody knows a preimage of this hash, and the token goes nowhere.
        let hash = PaymentHash::from_bytes([0; 32]);
        let valid_until = now.saturating_add(terms.validity_seconds);
        match mint(keyring, hash, request, terms, valid_until, self.price_msat(terms)) {
            Ok(_) | Err(MintError::TokenTextCollision) => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    /// Has an invoice made, checks it, and mints its token.
    pub(crate) async fn issue(
        &self,
        keyring: &Keyring,
        request: &RequestFacts<'_>,
        terms: &Terms,
        clock: &dyn Clock,
    ) -> Result<Issued, IssueError> {
        let tries = async {
            for _ in 0..MAX_INVOICES {
                let (bolt11, facts) = self.invoice(keyring, terms, clock).await?;
                let amount_msat = self.price_msat(terms);
                let valid_until = clock
                    .now()
                    .saturating_add(terms.validity_seconds)
                    .max(facts.expires_at.saturating_add(VALID_AFTER_EXPIRY_SECONDS));
                let hash = facts.payment_hash;
                match mint(keyring, hash, request, terms, valid_until, amount_msat) {
                    Ok(token) => return Ok(Issued { token, bolt11, facts, amount_msat }),
                    Err(MintError::TokenTextCollision) => {}
                    Err(error) => return Err(refused(error)),
                }
            }
            tracing::error!("every token's text collides with a scheme's name");
            Err(IssueError::Unavailable)
        };
        tokio::time::timeout(self.deadline, tries).await.unwrap_or_else(|_| {
            tracing::warn!("the lightning node made no invoice in time");
            Err(IssueError::Unavailable)
        })
    }

    async fn invoice(
        &self,
        keyring: &Keyring,
        terms: &Terms,
        clock: &dyn Clock,
    ) -> Result<(String, InvoiceFacts), IssueError> {
        let asked = InvoiceRequest {
            amount_msat: self.price_msat(terms),
            memo: terms.memo.clone(),
            expiry_seconds: self.expiry_seconds,
        };
        let bolt11 = self.invoicer.issue(&asked).await.map_err(|error| {
            tracing::warn!(code = error.code(), %error, "the lightning node made no invoice");
            IssueError::Unavailable
        })?;
        let unlike = |what: &str| {
            tracing::error!(what, "the lightning node's invoice is not what was asked for");
            IssueError::Unavailable
        };
        let facts = read_invoice(&bolt11).map_err(|error| unlike(error.code()))?;
        let now = clock.now();
        let latest = now
            .saturating_add(u64::from(self.expiry_seconds))
            .saturating_add(NODE_CLOCK_SLACK_SECONDS);
        if facts.amount_msat != Some(asked.amount_msat) {
            return Err(unlike("amount"));
        }
        if facts.network != keyring.network() {
            return Err(unlike("network"));
        }
        if facts.expires_at < now.saturating_add(MIN_PAYABLE_SECONDS) || facts.expires_at > latest {
            return Err(unlike("expiry"));
        }
        if !self.seen.lock().unwrap_or_else(PoisonError::into_inner).add(facts.payment_hash) {
            return Err(unlike("payment hash of an earlier challenge"));
        }
        Ok((bolt11, facts))
    }
}

/// What can't be minted is the request's fault, or the configuration's.
fn refused(error: MintError) -> IssueError {
    match error {
        MintError::InvalidMethod => IssueError::Request(Code::MethodNotAllowed),
        MintError::InvalidPath => IssueError::Request(Code::BadPath),
        MintError::TooLong => IssueError::Request(Code::UriTooLong),
        error => {
            tracing::error!(code = error.code(), "the route's terms can't be minted");
            IssueError::Unavailable
        }
    }
}

fn mint(
    keyring: &Keyring,
    hash: PaymentHash,
    request: &RequestFacts<'_>,
    terms: &Terms,
    valid_until: u64,
    paid_msat: u64,
) -> Result<Token, MintError> {
    let capabilities = terms.capability.as_deref();
    let mut minted = MintRequest::new(
        hash,
        &terms.service,
        request.method.as_str(),
        request.path,
        valid_until,
        paid_msat,
    );
    minted.tier = terms.tier;
    minted.uses = terms.uses;
    minted.query = terms.binds_query.then(|| plannt_core::query_digest(request.query.as_bytes()));
    minted.digest = terms.binds_body.and(request.body_digest);
    minted.capabilities = capabilities.as_slice();
    keyring.mint(&minted)
}

/// The latest invoices' hashes: an invoice is in one challenge, ever.
#[derive(Default)]
struct Seen {
    hashes: HashSet<PaymentHash>,
    order: VecDeque<PaymentHash>,
}

impl Seen {
    /// `false` when it is there already.
    fn add(&mut self, hash: PaymentHash) -> bool {
        if !self.hashes.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED_INVOICES
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        true
    }
}
