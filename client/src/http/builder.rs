//! Puts a client together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use plannt_core::Network;
use plannt_core::flow::{Budget, FeeLimit, Hosts, Policy};
use plannt_lightning::Payer;

use super::Client;
use crate::{ClientError, Clock, Journal, SystemClock};

/// What a call may cost where nothing else is said: 1,000 sat, in msat.
const DEFAULT_MAX_PAYMENT_MSAT: u64 = 1_000_000;

/// Puts a [`Client`] together; from [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    pub(super) payer: Arc<dyn Payer>,
    pub(super) policy: Policy,
    pub(super) budget: Budget,
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) journal_path: Option<PathBuf>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) payment_timeout: Duration,
    pub(super) lock_wait: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) response_timeout: Option<Duration>,
    pub(super) follow_redirects: bool,
    pub(super) private_hosts: Hosts,
    pub(super) user_agent: String,
    pub(super) extra_roots: Vec<Vec<u8>>,
}

impl ClientBuilder {
    pub(super) fn new(payer: Arc<dyn Payer>, network: Network) -> Self {
        let mut policy = Policy::new(network, DEFAULT_MAX_PAYMENT_MSAT);
        policy.wallet_limits_fee = payer.limits_fee();
        Self {
            payer,
            policy,
            budget: Budget::unlimited(),
            journal: None,
            journal_path: None,
            clock: Arc::new(SystemClock),
            payment_timeout: Duration::from_secs(60),
            lock_wait: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(15),
            response_timeout: Some(Duration::from_secs(300)),
            follow_redirects: false,
            private_hosts: Hosts::Any,
            user_agent: concat!("plannt/", env!("CARGO_PKG_VERSION")).into(),
            extra_roots: Vec::new(),
        }
    }

    /// The journal's file, which all of a user's processes share; made where it is missing.
    pub fn journal_path(mut self, path: impl AsRef<Path>) -> Self {
        self.journal_path = Some(path.as_ref().into());
        self
    }

    /// A journal that is open already; comes before [`ClientBuilder::journal_path`].
    pub fn journal(mut self, journal: Arc<Journal>) -> Self {
        self.journal = Some(journal);
        self
    }

    /// The most that one call may cost, msat, fee included. 1,000 sat where nothing is said.
    pub fn max_payment_msat(mut self, limit_msat: u64) -> Self {
        self.policy.max_payment_msat = limit_msat;
        self
    }

    /// The most that the fee may be: 5 sat and 1% where nothing is said. Every limit counts amount plus maximum fee.
    pub fn max_fee(mut self, limit: FeeLimit) -> Self {
        self.policy.max_fee = limit;
        self
    }

    /// Whether the maximum fee gives way to the limit of a call ([`Policy::fit_fee`]). No where nothing is said.
    pub fn fit_fee(mut self, fit: bool) -> Self {
        self.policy.fit_fee = fit;
        self
    }

    /// What to reserve for the fee of a wallet that takes no limit: 10 sat and 3% where nothing is said.
    pub fn worst_case_fee(mut self, fee: FeeLimit) -> Self {
        self.policy.worst_case_fee = fee;
        self
    }

    /// The hosts that may be paid; any where nothing is said. Others are asked, and refused when they ask for money.
    pub fn allowed_hosts(mut self, hosts: Hosts) -> Self {
        self.policy.allowed_hosts = hosts;
        self
    }

    /// The hosts that may be paid over plain `http`, besides this machine and `.onion`; none where nothing is said.
    pub fn plain_http_hosts(mut self, hosts: Hosts) -> Self {
        self.policy.plain_http_hosts = hosts;
        self
    }

    /// Whether a call that lost a paid credential may pay again at once. No where nothing is said.
    pub fn pay_after_loss(mut self, pay: bool) -> Self {
        self.policy.pay_after_loss = pay;
        self
    }

    /// Rules for this client, besides those that the journal keeps for all ([`Journal::set_budget`]).
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// How long the wallet may try to pay; 60 s where nothing is said.
    pub fn payment_timeout(mut self, timeout: Duration) -> Self {
        self.payment_timeout = timeout;
        self
    }

    /// How long to wait for another call with the same request; 120 s where nothing is said.
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// How long a connection may take; 15 s where nothing is said.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the head of a response may take, not its body; 300 s where nothing is said, `None` for any time.
    pub fn response_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Whether redirects are followed, without the credential. Where not, a 3xx is handed back as any other answer.
    pub fn follow_redirects(mut self, follow: bool) -> Self {
        self.follow_redirects = follow;
        self
    }

    /// The hosts that may be at an address of this machine or its network (loopback, private, link-local and the like);
    /// any where nothing is said. Where the caller's URLs come from somebody else, name those that are meant: for all
    /// others such an address is refused before anything is sent, also when a public name resolves to it, and at each
    /// redirect. The error's code is `address_not_allowed`.
    pub fn private_hosts(mut self, hosts: Hosts) -> Self {
        self.private_hosts = hosts;
        self
    }

    /// The `User-Agent` of requests that have none.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// A certificate authority besides the system's, DER.
    pub fn extra_root_certificate(mut self, der: impl Into<Vec<u8>>) -> Self {
        self.extra_roots.push(der.into());
        self
    }

    /// Where the time of day comes from; the system where nothing is said.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Opens the journal and builds the client.
    ///
    /// # Errors
    /// [`ClientError::Journal`], and [`ClientError::Config`] without a journal or with certificates that don't parse.
    pub fn build(self) -> Result<Client, ClientError> {
        Client::from_builder(self)
    }
}
