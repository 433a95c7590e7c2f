//! What a caller is willing to pay, for what, to whom: checked before each payment, in one place.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::token::TokenFacts;
use super::{BodyFacts, Origin, Quote, Refusal, RequestFacts};
use crate::{Challenge, InvoiceFacts, Network};

/// The least time that an invoice must still be valid for, seconds (docs/PROTOCOL.md §5.3).
pub const MIN_INVOICE_SECONDS: u64 = 30;

/// The longest token text that is paid for: it has to fit an `Authorization` header of 16 KiB with the preimage.
pub const MAX_TOKEN_TEXT_BYTES: usize = 16_000;

/// The most that a payment may cost beyond the invoice's amount: `base_msat`, plus a part of the amount.
///
/// ```
/// use plannt_core::flow::FeeLimit;
/// let limit = FeeLimit { base_msat: 5_000, parts_per_million: 10_000 };
/// assert_eq!(limit.for_amount(21_000), 5_210);
/// assert_eq!(FeeLimit::NONE.for_amount(21_000), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FeeLimit {
    /// In msat, whatever the amount.
    pub base_msat: u64,
    /// Millionths of the amount on top of it.
    pub parts_per_million: u32,
}

impl FeeLimit {
    /// No fee at all.
    pub const NONE: Self = Self::fixed(0);

    /// The same limit for each amount, msat.
    pub const fn fixed(base_msat: u64) -> Self {
        Self { base_msat, parts_per_million: 0 }
    }

    /// The limit for an amount, both msat; a fraction of a msat rounds up.
    pub fn for_amount(&self, amount_msat: u64) -> u64 {
        let part =
            (u128::from(amount_msat) * u128::from(self.parts_per_million)).div_ceil(1_000_000);
        u64::try_from(u128::from(self.base_msat) + part).unwrap_or(u64::MAX)
    }
}

impl Default for FeeLimit {
    /// 5 sat and 1% of the amount.
    fn default() -> Self {
        Self { base_msat: 5_000, parts_per_million: 10_000 }
    }
}

/// A set of hosts: any, or those listed, as `name`, `name:port`, or `*.name` for everything below a name.
///
/// ```
/// use plannt_core::flow::{Hosts, Origin};
/// let hosts = Hosts::listed(["api.example:8443", "*.shop.example"]);
/// let has = |url: &str| Origin::parse(url).is_ok_and(|origin| hosts.contain(&origin));
/// assert!(has("https://api.example:8443") && has("https://a.shop.example"));
/// assert!(!has("https://api.example") && !has("https://shop.example") && !has("https://evilshop.example"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hosts {
    /// Every host.
    Any,
    /// These patterns, none at all where it is empty.
    Listed(Vec<String>),
}

impl Hosts {
    /// No host.
    pub const fn none() -> Self {
        Self::Listed(Vec::new())
    }

    /// The patterns given.
    pub fn listed<S: ToString>(patterns: impl IntoIterator<Item = S>) -> Self {
        Self::Listed(patterns.into_iter().map(|p| p.to_string().to_ascii_lowercase()).collect())
    }

    /// Whether an origin's host (and port, where the pattern names one) is among them.
    pub fn contain(&self, origin: &Origin) -> bool {
        let Self::Listed(patterns) = self else { return true };
        patterns.iter().any(|pattern| {
            // A colon inside an IPv6 address's brackets is no port.
            let after_address = pattern.rfind(']').map_or(0, |i| i + 1);
            let (host, port) = match pattern[after_address..].rfind(':') {
                Some(i) => (&pattern[..after_address + i], Some(&pattern[after_address + i + 1..])),
                None => (pattern.as_str(), None),
            };
            let host_fits = match host.strip_prefix("*.") {
                Some(parent) => origin
                    .host()
                    .strip_suffix(parent)
                    .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
                None => origin.host().eq_ignore_ascii_case(host),
            };
            host_fits && port.is_none_or(|p| p.parse() == Ok(origin.port()))
        })
    }
}

/// What a call may do. Every limit counts the invoice's amount plus the maximum fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Hosts that may be paid.
    pub allowed_hosts: Hosts,
    /// Whether the maximum fee gives way to the limit of a call, where the wallet takes a limit: a price just below that
    /// limit is then paid if that can be done with the fee that is left, and not refused for one that need not arise.
    pub fit_fee: bool,
    /// The most that one call may cost, msat, fee included.
    pub max_payment_msat: u64,
    /// The most that the fee may be.
    pub max_fee: FeeLimit,
    /// The wallet's network.
    pub network: Network,
    /// Whether a call that lost a paid credential may pay again at once; otherwise it ends in
    /// [`Refusal::PaymentLost`].
    pub pay_after_loss: bool,
    /// Hosts that may be paid over plain `http`, besides this machine and `.onion`.
    pub plain_http_hosts: Hosts,
    /// Whether the wallet takes a fee limit. If not, [`Policy::worst_case_fee`] is reserved, and any excess is charged.
    pub wallet_limits_fee: bool,
    /// What to reserve for the fee of a wallet that takes no limit.
    pub worst_case_fee: FeeLimit,
}

impl Policy {
    /// A cautious policy: the amount given as the limit of a call, any host over `https`, 5 sat and 1% of fee.
    pub fn new(network: Network, max_payment_msat: u64) -> Self {
        Self {
            allowed_hosts: Hosts::Any,
            fit_fee: false,
            max_payment_msat,
            max_fee: FeeLimit::default(),
            network,
            pay_after_loss: false,
            plain_http_hosts: Hosts::none(),
            wallet_limits_fee: true,
            worst_case_fee: FeeLimit { base_msat: 10_000, parts_per_million: 30_000 },
        }
    }

    /// The fee that is reserved for an amount, both msat.
    ///
    /// ```
    /// use plannt_core::{Network, flow::Policy};
    /// let mut policy = Policy::new(Network::Regtest, 25_000);
    /// assert_eq!(policy.max_fee_msat(21_000), 5_210);
    /// policy.fit_fee = true;
    /// assert_eq!(policy.max_fee_msat(21_000), 4_000);
    /// ```
    pub fn max_fee_msat(&self, amount_msat: u64) -> u64 {
        if !self.wallet_limits_fee {
            return self.worst_case_fee.for_amount(amount_msat);
        }
        let fee = self.max_fee.for_amount(amount_msat);
        match self.fit_fee {
            true => fee.min(self.max_payment_msat.saturating_sub(amount_msat)),
            false => fee,
        }
    }

    /// What a challenge would cost.
    ///
    /// # Errors
    /// [`Refusal::NoAmount`], without which there is no price to show.
    pub(super) fn quote(
        &self,
        request: &RequestFacts,
        challenge: &Challenge,
        invoice: &InvoiceFacts,
    ) -> Result<Quote, Refusal> {
        let amount_msat =
            invoice.amount_msat.filter(|amount| *amount > 0).ok_or(Refusal::NoAmount)?;
        Ok(Quote {
            payment_hash: invoice.payment_hash,
            network: invoice.network,
            payee: invoice.payee,
            description: invoice.description.clone(),
            amount_msat,
            max_fee_msat: self.max_fee_msat(amount_msat),
            origin: request.origin.clone(),
            invoice_expires_at: invoice.expires_at,
            valid_until: TokenFacts::read(&challenge.token).and_then(|t| t.valid_until()),
            budget_left_msat: None,
            pending: None,
            refusal: None,
        })
    }

    /// Every reason of docs/PROTOCOL.md §5 step 3 not to pay, that a parsed invoice leaves.
    pub(super) fn check(
        &self,
        request: &RequestFacts,
        challenge: &Challenge,
        quote: &Quote,
        budget_left_msat: Option<u64>,
        redirected: bool,
        now: u64,
    ) -> Result<(), Refusal> {
        self.check_request(request, redirected)?;
        check_token_text(&challenge.token)?;
        if quote.network != self.network {
            return Err(Refusal::WrongNetwork { invoice: quote.network, wallet: self.network });
        }
        match quote.invoice_expires_at.saturating_sub(now) {
            0 => return Err(Refusal::InvoiceExpired),
            seconds_left if seconds_left < MIN_INVOICE_SECONDS => {
                return Err(Refusal::InvoiceExpiring { seconds_left });
            }
            _ => {}
        }
        if let Some(token) = TokenFacts::read(&challenge.token) {
            if token.payment_hash != quote.payment_hash {
                return Err(Refusal::PaymentHashMismatch);
            }
            if let Some(valid_until) = token.valid_until().filter(|t| *t <= now) {
                return Err(Refusal::TokenExpired { valid_until });
            }
        }
        let needed_msat = quote.total_msat().unwrap_or(u64::MAX);
        if quote.total_msat().is_none() || needed_msat > self.max_payment_msat {
            return Err(Refusal::AboveLimit {
                amount_msat: quote.amount_msat,
                max_fee_msat: quote.max_fee_msat,
                limit_msat: self.max_payment_msat,
            });
        }
        match budget_left_msat.filter(|left| *left < needed_msat) {
            Some(left_msat) => Err(Refusal::BudgetExceeded { needed_msat, left_msat }),
            None => Ok(()),
        }
    }

    /// The reasons that lie in the request, whatever its price.
    fn check_request(&self, request: &RequestFacts, redirected: bool) -> Result<(), Refusal> {
        if redirected {
            return Err(Refusal::Redirected);
        }
        if !self.allowed_hosts.contain(&request.origin) {
            return Err(Refusal::HostNotAllowed { host: request.origin.host().into() });
        }
        let origin = &request.origin;
        if !origin.is_https() && !origin.is_private() && !self.plain_http_hosts.contain(origin) {
            return Err(Refusal::PlainHttp { host: origin.host().into() });
        }
        match request.body {
            BodyFacts::Once => Err(Refusal::BodyNotReplayable),
            BodyFacts::Replayable { .. } => Ok(()),
        }
    }
}

/// A token that no header can carry would be paid for and never presented.
fn check_token_text(token: &str) -> Result<(), Refusal> {
    let fits = !token.is_empty()
        && token.len() <= MAX_TOKEN_TEXT_BYTES
        && token.bytes().all(|b| matches!(b, b'\t' | 0x20..=0x7e));
    if fits { Ok(()) } else { Err(Refusal::TokenUnusable) }
}
