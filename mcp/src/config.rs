//! What the person who starts the server decides.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plannt_client::{Budget, FeeLimit, Hosts};
use plannt_core::Network;
use plannt_lightning::Payer;

/// Everything that a [`PlanntMcp`](crate::PlanntMcp) needs to start. Amounts are msat and include fees.
#[derive(Clone)]
#[non_exhaustive]
pub struct McpConfig {
    /// The paying wallet. Without one, prices can be asked and what is free fetched.
    pub payer: Option<Arc<dyn Payer>>,
    /// The wallet's network.
    pub network: Network,
    /// The payments journal, which all of a user's processes share.
    pub journal_path: PathBuf,
    /// The most that one call may cost; 1,000 sat unless set.
    pub max_payment_msat: u64,
    /// The most that the fee may be; 10 sat and 1% unless set.
    pub max_fee: FeeLimit,
    /// Whether the fee gives way to the limit of a call ([`Policy::fit_fee`](plannt_core::flow::Policy::fit_fee)); yes
    /// unless set.
    pub fit_fee: bool,
    /// The most that this run of the server may spend, all of its connections together. None unless set.
    pub session_limit_msat: Option<u64>,
    /// Rules over everything that the user's processes spend, besides those in the journal.
    pub budget: Budget,
    /// Above this, a person is asked by MCP elicitation; where the client can't ask, it is refused. None: never ask.
    pub confirm_above_msat: Option<u64>,
    /// The hosts that may be paid; any unless set.
    pub allowed_hosts: Hosts,
    /// The hosts that may be paid over plain `http`, besides this machine and `.onion`; none unless set.
    pub plain_http_hosts: Hosts,
    /// The hosts that may be at loopback, private or link-local addresses; none unless set.
    pub private_hosts: Hosts,
    /// How long the wallet may try to pay; 60 s unless set.
    pub payment_timeout: Duration,
    /// How long a person may take to answer; 5 min unless set.
    pub confirm_timeout: Duration,
    /// Sizes of what is handed on.
    pub sizes: SizeLimits,
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SizeLimits {
    /// The longest text, JSON or binary body that is part of a result; a longer one becomes a resource.
    pub inline: usize,
    /// The same for images and sounds.
    pub inline_media: usize,
    /// The longest body that is kept; more of it is dropped, and the result says so.
    pub body: usize,
    /// All bodies that are kept as resources, together; the oldest give way.
    pub kept: usize,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self { inline: 64 << 10, inline_media: 1 << 20, body: 64 << 20, kept: 256 << 20 }
    }
}

impl McpConfig {
    /// A cautious configuration: 1,000 sat a call, no private addresses, no plain `http` beyond this machine.
    pub fn new(
        payer: Option<Arc<dyn Payer>>,
        network: Network,
        journal_path: impl Into<PathBuf>,
    ) -> Self {
        Self {
            payer,
            network,
            journal_path: journal_path.into(),
            max_payment_msat: 1_000_000,
            max_fee: FeeLimit { base_msat: 10_000, parts_per_million: 10_000 },
            fit_fee: true,
            session_limit_msat: None,
            budget: Budget::unlimited(),
            confirm_above_msat: None,
            allowed_hosts: Hosts::Any,
            plain_http_hosts: Hosts::none(),
            private_hosts: Hosts::none(),
            payment_timeout: Duration::from_secs(60),
            confirm_timeout: Duration::from_secs(300),
            sizes: SizeLimits::default(),
        }
    }
}
