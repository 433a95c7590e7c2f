//! A fresh invoice and the token that goes with it.

use std::sync::Arc;
use std::time::Duration;

use plannt_core::{Code, InvoiceFacts, Keyring, MintError, MintRequest, PaymentHash, Token};
use plannt_lightning::Invoicer;

use crate::maker::{Invoice, InvoiceKey, Maker};
use crate::pool::Pool;
use crate::{Clock, RequestFacts, Terms};

/// How long a credential is valid after its invoice expires, at least (docs/PROTOCOL.md §3).
const VALID_AFTER_EXPIRY_SECONDS: u64 = 600;
/// A token's text collides about once in 100,000 invoices: this many in a row is no accident.
const MAX_INVOICES: u32 = 4;

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
    maker: Arc<Maker>,
    deadline: Duration,
    pool: Option<Arc<Pool>>,
}

impl Issuer {
    pub(crate) fn new(maker: Arc<Maker>, deadline: Duration, pool: Option<Arc<Pool>>) -> Self {
        Self { maker, deadline, pool }
    }

    pub(crate) fn invoicer(&self) -> &Arc<dyn Invoicer> {
        self.maker.invoicer()
    }

    pub(crate) fn pool(&self) -> Option<&Arc<Pool>> {
        self.pool.as_ref()
    }

    /// What an invoice for these terms says.
    pub(crate) fn key(&self, terms: &Terms) -> InvoiceKey {
        InvoiceKey { amount_msat: self.price_msat(terms), memo: terms.memo.clone() }
    }

    /// The price as an invoice asks it: rounded up to the node's unit, msat.
    pub(crate) fn price_msat(&self, terms: &Terms) -> u64 {
        let unit = self.invoicer().unit_msat().max(1);
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
                let key = self.key(terms);
                let Invoice { bolt11, facts } = self.invoice(&key, clock).await?;
                if facts.network != keyring.network() {
                    tracing::error!("the lightning node is on another network than the keyring");
                    return Err(IssueError::Unavailable);
                }
                let amount_msat = key.amount_msat;
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

    /// One from the pool if there is one, else a fresh one from the node.
    async fn invoice(&self, key: &InvoiceKey, clock: &dyn Clock) -> Result<Invoice, IssueError> {
        if let Some(pool) = &self.pool
            && let Some(invoice) = pool.take(key).await
        {
            return Ok(invoice);
        }
        self.maker.make(key, 0, clock.now()).await.map_err(|_| IssueError::Unavailable)
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
