//! The decision about one request: challenge it, refuse it, or let it in.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use plannt_core::{
    Code, Credential, CredentialError, Keyring, RequestContext, Verified, VerifyError,
};
use plannt_lightning::Invoicer;

use crate::answer;
use crate::issue::{IssueError, Issuer};
use crate::limiter::ChallengeLimiter;
use crate::maker::Maker;
use crate::pool::Pool;
use crate::presented;
use crate::settlement::{Settled, Settlement};
use crate::spending::{Grant, Spender, SpendingError};
use crate::{Clock, PoolOptions, PoolStatus, SpendStore, SystemClock, Terms};

/// What the gate has to know of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestFacts<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as [`normalize_path`](plannt_core::normalize_path) made it.
    pub path: &'a str,
    /// The bytes after the target's first `?`; empty when there is none.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// SHA-256 of the whole body; needed where [`Terms::binds_body`].
    pub body_digest: Option<[u8; 32]>,
    /// Who asks, for the limit of challenges. All requests without one share a limit.
    pub client: Option<IpAddr>,
}

/// The address that limits count a request for; whoever accepts the connection puts it into the
/// request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);

/// What the gate decided.
#[derive(Debug)]
pub enum Admission {
    /// Let in: one use is spent, durably. The request may go on.
    Granted(Grant),
    /// The finished answer. Its extensions hold the [`Code`], and an [`IssuedChallenge`] if there
    /// is one.
    Refused(Response<Bytes>),
}

/// The challenge of an answer, in the extensions of its response: for a page that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuedChallenge {
    /// The token.
    pub token: String,
    /// The BOLT 11 invoice.
    pub invoice: String,
    /// The invoice's amount in msat.
    pub price_msat: u64,
    /// When the invoice expires, in unix seconds.
    pub expires_at: u64,
    /// The service's name.
    pub service: String,
}

/// Price → challenge → verify → spend, for one keyring and its store. Cloning shares it.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    keyring: RwLock<Arc<Keyring>>,
    issuer: Issuer,
    settlement: Option<Settlement>,
    limiter: Option<ChallengeLimiter>,
    spender: Spender,
    clock: Arc<dyn Clock>,
    strict: bool,
}

impl Gate {
    /// Starts building a gate. The keyring belongs to this store and no other
    /// (docs/PROTOCOL.md §4; [`KeyringStore`](crate::KeyringStore) sees to it).
    pub fn builder(
        keyring: Keyring,
        invoicer: Arc<dyn Invoicer>,
        store: Arc<dyn SpendStore>,
    ) -> GateBuilder {
        GateBuilder {
            keyring,
            invoicer,
            store,
            clock: Arc::new(SystemClock),
            challenges_per_minute: None,
            invoice_expiry_seconds: 600,
            invoice_deadline: Duration::from_secs(5),
            store_deadline: Duration::from_secs(5),
            strict: false,
            pool: None,
            require_settled: false,
        }
    }

    /// Takes another keyring from now on: after a rotation.
    pub fn set_keyring(&self, keyring: Keyring) {
        *self.inner.keyring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
    }

    /// Decides about a request (docs/PROTOCOL.md §3, "The answers"). It is let in only after a use
    /// has been spent.
    ///
    /// The caller has taken care of what comes before: the path is normalized, a bound body was
    /// read within its limit. [`GateLayer`](crate::GateLayer) does all of it.
    ///
    /// Dropping the future spends nothing: a use that may have been taken is given back.
    ///
    /// # Panics
    /// Outside of a tokio runtime with its timer on.
    pub async fn admit(&self, request: &RequestFacts<'_>, terms: &Terms) -> Admission {
        match self.decide(request, terms).await {
            Ok(grant) => Admission::Granted(grant),
            Err(refusal) => Admission::Refused(self.refuse(refusal, request, terms).await),
        }
    }

    /// Lets the pool fill for these terms before anyone asks. Without a pool it does nothing.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn prepare(&self, terms: &Terms) {
        if let Some(pool) = self.inner.issuer.pool() {
            pool.prepare(self.inner.issuer.key(terms));
        }
    }

    /// What the pool did and has; `None` without one.
    pub fn pool_status(&self) -> Option<PoolStatus> {
        self.inner.issuer.pool().map(|pool| pool.status(self.inner.clock.now()))
    }

    /// How many uses are still to be given back in the background.
    pub fn pending_releases(&self) -> usize {
        self.inner.spender.pending_releases()
    }

    async fn decide(&self, request: &RequestFacts<'_>, terms: &Terms) -> Result<Grant, Refusal> {
        if request.method == Method::HEAD {
            return Err(Refusal::Quote);
        }
        if terms.binds_body.is_some() && request.body_digest.is_none() {
            tracing::error!(service = terms.service, "a bound body was not given to the gate");
            return Err(Refusal::plain(Code::Unavailable, None));
        }
        let credential = presented::read(request.headers)
            .map_err(Refusal::malformed)?
            .ok_or(Refusal::Challenge(Code::PaymentRequired, None))?;
        let verified = self.verify(&credential, request, terms)?;
        // From here on the preimage is not needed, and spending may wait: erase it now.
        drop(credential);
        if let Some(settlement) = &self.inner.settlement {
            let least_msat = terms.lowest_price_msat.min(terms.price_msat.get());
            match settlement.check(&verified.payment_hash, least_msat).await {
                Settled::Yes => {}
                Settled::No => return Err(Refusal::Challenge(Code::InvalidCredential, None)),
                Settled::Unknown => return Err(Refusal::plain(Code::Unavailable, None)),
            }
        }
        self.inner.spender.spend(&verified).await.map_err(|error| match error {
            SpendingError::Spent => Refusal::Challenge(Code::Spent, None),
            SpendingError::Unavailable => Refusal::plain(Code::Unavailable, None),
        })
    }

    fn verify(
        &self,
        credential: &Credential<'_>,
        request: &RequestFacts<'_>,
        terms: &Terms,
    ) -> Result<Verified, Refusal> {
        let context = RequestContext {
            now: self.inner.clock.now(),
            service: &terms.service,
            tier: terms.tier,
            method: request.method.as_str(),
            path: request.path,
            query: plannt_core::query_digest(request.query.as_bytes()),
            requires_query: terms.binds_query,
            digest: request.body_digest,
            requires_digest: terms.binds_body.is_some(),
            lowest_price_msat: terms.lowest_price_msat.min(terms.price_msat.get()),
            capability: terms.capability.as_deref(),
            strict: self.inner.strict,
        };
        self.keyring().verify(credential, &context).map_err(|error| match error {
            VerifyError::Expired => Refusal::Challenge(Code::Expired, None),
            VerifyError::Malformed(error) => Refusal::malformed(error),
            VerifyError::OutOfScope { condition } => {
                Refusal::Challenge(Code::OutOfScope, Some(condition))
            }
            // And whatever is added: the least is told.
            _ => Refusal::Challenge(Code::InvalidCredential, None),
        })
    }

    async fn refuse(
        &self,
        refusal: Refusal,
        request: &RequestFacts<'_>,
        terms: &Terms,
    ) -> Response<Bytes> {
        let grpc = answer::is_grpc(request.headers);
        match refusal {
            Refusal::Challenge(code, detail) => {
                self.challenge(code, detail.as_deref(), request, terms).await
            }
            Refusal::Plain(code, detail) => {
                log(code, terms);
                answer::error(code, detail.as_deref(), grpc, None)
            }
            Refusal::Quote => answer::quote(self.inner.issuer.price_msat(terms)),
        }
    }

    async fn challenge(
        &self,
        code: Code,
        detail: Option<&str>,
        request: &RequestFacts<'_>,
        terms: &Terms,
    ) -> Response<Bytes> {
        let grpc = answer::is_grpc(request.headers);
        let (keyring, now) = (self.keyring(), self.inner.clock.now());
        let refused = |code, retry| {
            log(code, terms);
            answer::error(code, None, grpc, retry)
        };
        if let Err(error) = self.inner.issuer.check(&keyring, request, terms, now) {
            return refused(error.code(), None);
        }
        if let Some(limiter) = &self.inner.limiter
            && let Err(wait) = limiter.check(request.client)
        {
            return refused(Code::TooManyChallenges, Some(wait));
        }
        match self.inner.issuer.issue(&keyring, request, terms, &*self.inner.clock).await {
            Ok(issued) => {
                log(code, terms);
                answer::challenge(code, detail, &issued, &terms.service, grpc)
            }
            Err(error) => refused(IssueError::code(&error), None),
        }
    }

    fn keyring(&self) -> Arc<Keyring> {
        self.inner.keyring.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").finish_non_exhaustive()
    }
}

/// The code and the service, and nothing of what was presented.
fn log(code: Code, terms: &Terms) {
    tracing::info!(code = code.as_str(), service = terms.service, "request not let in");
}

/// Why a request is not let in.
enum Refusal {
    /// A 402 with a fresh challenge is due.
    Challenge(Code, Option<String>),
    /// An answer without a challenge.
    Plain(Code, Option<String>),
    /// A HEAD: the price, and no invoice.
    Quote,
}

impl Refusal {
    fn plain(code: Code, detail: Option<String>) -> Self {
        Self::Plain(code, detail)
    }

    fn malformed(error: CredentialError) -> Self {
        match error {
            CredentialError::HeaderTooLarge { .. } => {
                Self::plain(Code::HeaderTooLarge, Some(error.to_string()))
            }
            _ => Self::Challenge(Code::MalformedCredential, Some(error.to_string())),
        }
    }
}

/// Builds a [`Gate`].
pub struct GateBuilder {
    keyring: Keyring,
    invoicer: Arc<dyn Invoicer>,
    store: Arc<dyn SpendStore>,
    clock: Arc<dyn Clock>,
    challenges_per_minute: Option<NonZeroU32>,
    invoice_expiry_seconds: u32,
    invoice_deadline: Duration,
    store_deadline: Duration,
    strict: bool,
    pool: Option<PoolOptions>,
    require_settled: bool,
}

impl GateBuilder {
    /// Where the time comes from; the machine's clock by default.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How many challenges one client gets a minute, after a first burst of as many (at least 3).
    /// No limit by default.
    #[must_use]
    pub fn challenges_per_minute(mut self, limit: NonZeroU32) -> Self {
        self.challenges_per_minute = Some(limit);
        self
    }

    /// How long invoices can be paid, in seconds; 600 by default. [`build`](Self::build) refuses
    /// less than [`MIN_INVOICE_EXPIRY_SECONDS`](Self::MIN_INVOICE_EXPIRY_SECONDS).
    #[must_use]
    pub fn invoice_expiry_seconds(mut self, seconds: u32) -> Self {
        self.invoice_expiry_seconds = seconds;
        self
    }

    /// How long a challenge may wait for the node; 5 seconds by default, then 503.
    #[must_use]
    pub fn invoice_deadline(mut self, deadline: Duration) -> Self {
        self.invoice_deadline = deadline;
        self
    }

    /// How long a request may wait for the spend store; 5 seconds by default, then 503.
    #[must_use]
    pub fn store_deadline(mut self, deadline: Duration) -> Self {
        self.store_deadline = deadline;
        self
    }

    /// Refuses caveats with conditions that are not known, instead of skipping them.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Keeps invoices ahead of demand, so that a challenge does not wait for the node. None by default.
    #[must_use]
    pub fn invoice_pool(mut self, options: PoolOptions) -> Self {
        self.pool = Some(options);
        self
    }

    /// Besides the preimage, asks the node whether the invoice is settled, before a use is spent: a
    /// look-up for each payment that the node has not told of by itself. An invoice that was canceled,
    /// or settled for less than the price, is `invalid_credential`. While the node can't tell, does
    /// not know the invoice or says that it is not settled yet, the answer is 503: a payer who has
    /// paid keeps the credential. Nothing is spent in either case. The node is asked again for 1.5
    /// seconds, and for no longer than [`invoice_deadline`](Self::invoice_deadline) in all. Off by
    /// default: a preimage is known to the payer only once a payment has reached the node, but not
    /// yet that the node has taken it for good.
    #[must_use]
    pub fn require_settled(mut self, require: bool) -> Self {
        self.require_settled = require;
        self
    }

    /// The least that [`invoice_expiry_seconds`](Self::invoice_expiry_seconds) takes: an invoice is
    /// payable for 5 minutes when it is handed out, and the node's clock may be a minute behind.
    pub const MIN_INVOICE_EXPIRY_SECONDS: u32 = 360;

    /// The gate.
    ///
    /// # Errors
    /// [`GateConfigError`] for values that could not keep the protocol's promises.
    pub fn build(self) -> Result<Gate, GateConfigError> {
        if self.invoice_expiry_seconds < Self::MIN_INVOICE_EXPIRY_SECONDS {
            return Err(GateConfigError::InvoiceExpiry { seconds: self.invoice_expiry_seconds });
        }
        if let Some(node) = self.invoicer.network()
            && node != self.keyring.network()
        {
            return Err(GateConfigError::Network);
        }
        let network = self.keyring.network();
        let settlement = self
            .require_settled
            .then(|| Settlement::new(self.invoicer.clone(), self.invoice_deadline));
        let maker = Arc::new(Maker::new(self.invoicer, network, self.invoice_expiry_seconds));
        let pool = self.pool.map(|options| {
            Pool::new(options, maker.clone(), self.clock.clone(), self.invoice_deadline)
        });
        let inner = Inner {
            keyring: RwLock::new(Arc::new(self.keyring)),
            issuer: Issuer::new(maker, self.invoice_deadline, pool),
            settlement,
            limiter: self.challenges_per_minute.map(ChallengeLimiter::new),
            spender: Spender::new(self.store, self.clock.clone(), self.store_deadline),
            clock: self.clock,
            strict: self.strict,
        };
        Ok(Gate { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for GateBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateBuilder").field("keyring", &self.keyring).finish_non_exhaustive()
    }
}

/// Why a gate can't be built so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GateConfigError {
    /// Invoices would expire too soon.
    #[error("invoices must be payable for at least 360 seconds, not {seconds}")]
    InvoiceExpiry {
        /// What was asked for.
        seconds: u32,
    },
    /// The node is on another network than the keyring.
    #[error("the lightning node is on another network than the keyring")]
    Network,
}

impl GateConfigError {
    /// A stable snake_case name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvoiceExpiry { .. } => "invoice_expiry_too_short",
            Self::Network => "network_mismatch",
        }
    }
}
