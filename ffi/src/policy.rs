//! What may be paid: limits, hosts, budgets.

use plannt_core::flow;
use plannt_core::flow::Origin;

use crate::convert::{Convert, record};
use crate::{Count, Msat, Network, Seconds, UnixSeconds};

record! {
    /// The most that a payment may cost beyond the invoice's amount: `base_msat`, plus a part of the amount.
    #[derive(Copy, PartialEq, Eq)]
    FeeLimit both flow::FeeLimit {
        /// In msat, whatever the amount.
        base_msat: Msat,
        /// Millionths of the amount on top of it.
        parts_per_million: Count,
    }
}

#[uniffi::export]
impl FeeLimit {
    /// The limit for an amount, both msat; a fraction of a msat rounds up.
    pub fn for_amount(&self, amount_msat: Msat) -> Msat {
        let limit: flow::FeeLimit = (*self).convert();
        Msat(limit.for_amount(amount_msat.0))
    }
}

/// A set of hosts: any, or those listed, as `name`, `name:port`, or `*.name` for everything below a name.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Hosts {
    /// Every host.
    Any,
    /// These patterns, none at all where it is empty.
    Listed {
        /// The patterns.
        patterns: Vec<String>,
    },
}

#[uniffi::export]
impl Hosts {
    /// Whether an origin's host (and port, where the pattern names one) is among them.
    pub fn contain(&self, origin: Origin) -> bool {
        let hosts: flow::Hosts = self.clone().convert();
        hosts.contain(&origin)
    }
}

impl Convert<flow::Hosts> for Hosts {
    fn convert(self) -> flow::Hosts {
        match self {
            Self::Any => flow::Hosts::Any,
            Self::Listed { patterns } => flow::Hosts::listed(patterns),
        }
    }
}

impl Convert<Hosts> for flow::Hosts {
    fn convert(self) -> Hosts {
        match self {
            Self::Any => Hosts::Any,
            Self::Listed(patterns) => Hosts::Listed { patterns },
            _ => unreachable!("every variant is listed"),
        }
    }
}

record! {
    /// What a call may do. Every limit counts the invoice's amount plus the maximum fee.
    #[derive(PartialEq, Eq)]
    Policy both flow::Policy {
        /// The wallet's network.
        network: Network,
        /// The most that one call may cost, msat, fee included.
        max_payment_msat: Msat,
        /// Hosts that may be paid.
        allowed_hosts: Hosts,
        /// Whether the maximum fee gives way to the limit of a call, where the wallet takes a limit: a price just below
        /// that limit is then paid if that can be done with the fee that is left, and not refused for one that need not
        /// arise.
        fit_fee: bool,
        /// The most that the fee may be.
        max_fee: FeeLimit,
        /// Whether a call that lost a paid credential may pay again at once; otherwise it ends in `PaymentLost`.
        pay_after_loss: bool,
        /// Hosts that may be paid over plain `http`, besides this machine and `.onion`.
        plain_http_hosts: Hosts,
        /// Whether the wallet takes a fee limit. If not, `worst_case_fee` is reserved, and any excess is charged.
        wallet_limits_fee: bool,
        /// What to reserve for the fee of a wallet that takes no limit.
        worst_case_fee: FeeLimit,
    }
}

#[uniffi::export]
impl Policy {
    /// The fee that is reserved for an amount, both msat.
    pub fn max_fee_msat(&self, amount_msat: Msat) -> Msat {
        let policy: flow::Policy = self.clone().convert();
        Msat(policy.max_fee_msat(amount_msat.0))
    }
}

/// A cautious policy: the amount given as the limit of a call, any host over `https`, 5 sat and 1% of fee.
#[uniffi::export]
pub fn policy_of(network: Network, max_payment_msat: Msat) -> Policy {
    flow::Policy::new(network.convert(), max_payment_msat.0).convert()
}

/// The policy of a driver where nothing else is said, the same in every language: as `policy_of`, with 10 sat and 1% of fee,
/// which give way to the limit of a call.
#[uniffi::export]
pub fn driver_policy(network: Network, max_payment_msat: Msat, wallet_limits_fee: bool) -> Policy {
    Policy {
        fit_fee: true,
        max_fee: FeeLimit { base_msat: Msat(10_000), parts_per_million: Count(10_000) },
        wallet_limits_fee,
        ..policy_of(network, max_payment_msat)
    }
}

record! {
    /// One limit over everything that a user's calls spend.
    #[derive(Copy, PartialEq, Eq)]
    BudgetRule both flow::BudgetRule {
        /// The most that may be spent, msat, fees included.
        limit_msat: Msat,
        /// Over how many seconds up to now; none is for ever.
        #[uniffi(default = None)]
        window_seconds: Option<Seconds>,
    }
}

#[uniffi::export]
impl BudgetRule {
    /// The first second that still counts at `now`.
    pub fn since(&self, now: UnixSeconds) -> UnixSeconds {
        let rule: flow::BudgetRule = (*self).convert();
        UnixSeconds(rule.since(now.0))
    }

    /// What is left of it, msat, when `spent_msat` is spent or reserved.
    pub fn left_msat(&self, spent_msat: Msat) -> Msat {
        let rule: flow::BudgetRule = (*self).convert();
        Msat(rule.left_msat(spent_msat.0))
    }
}

/// A limit over the last 24 hours.
#[uniffi::export]
pub fn budget_rule_per_day(limit_msat: Msat) -> BudgetRule {
    flow::BudgetRule::per_day(limit_msat.0).convert()
}

/// A limit over all time.
#[uniffi::export]
pub fn budget_rule_in_total(limit_msat: Msat) -> BudgetRule {
    flow::BudgetRule::in_total(limit_msat.0).convert()
}

/// Several rules; a payment has to fit each. Without any there is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct Budget {
    /// Its rules.
    #[uniffi(default = [])]
    pub rules: Vec<BudgetRule>,
}

impl Convert<flow::Budget> for Budget {
    fn convert(self) -> flow::Budget {
        flow::Budget::new(self.rules.into_iter().map(Convert::convert))
    }
}

/// The rules given; of two with the same window the smaller limit counts.
#[uniffi::export]
pub fn budget_of(rules: Vec<BudgetRule>) -> Budget {
    let budget: flow::Budget = Budget { rules }.convert();
    Budget { rules: budget.rules().to_vec().convert() }
}

#[uniffi::export]
impl Budget {
    /// The budget with one more rule.
    pub fn add(&self, rule: BudgetRule) -> Budget {
        let mut rules = self.rules.clone();
        rules.push(rule);
        budget_of(rules)
    }
}
