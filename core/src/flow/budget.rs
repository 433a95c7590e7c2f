//! Budgets: what may be spent in a window of time, or in total. Amounts are msat and include fees.

use alloc::vec::Vec;

/// One limit over everything that a user's calls spend.
///
/// ```
/// use plannt_core::flow::BudgetRule;
/// let rule = BudgetRule::per_day(100_000);
/// assert_eq!(rule.left_msat(79_000), 21_000);
/// assert_eq!(rule.left_msat(200_000), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BudgetRule {
    /// The most that may be spent, msat, fees included.
    pub limit_msat: u64,
    /// Over how many seconds up to now; `None` is for ever.
    pub window_seconds: Option<u64>,
}

impl BudgetRule {
    /// A limit over the last 24 hours.
    pub const fn per_day(limit_msat: u64) -> Self {
        Self { limit_msat, window_seconds: Some(86_400) }
    }

    /// A limit over all time.
    pub const fn in_total(limit_msat: u64) -> Self {
        Self { limit_msat, window_seconds: None }
    }

    /// The first second that still counts at `now`.
    pub const fn since(&self, now: u64) -> u64 {
        match self.window_seconds {
            Some(seconds) => now.saturating_sub(seconds),
            None => 0,
        }
    }

    /// What is left of it, msat, when `spent_msat` is spent or reserved.
    pub const fn left_msat(&self, spent_msat: u64) -> u64 {
        self.limit_msat.saturating_sub(spent_msat)
    }
}

/// Several rules; a payment has to fit each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    rules: Vec<BudgetRule>,
}

impl Budget {
    /// No limit.
    pub const fn unlimited() -> Self {
        Self { rules: Vec::new() }
    }

    /// The rules given; of two with the same window the smaller limit counts.
    pub fn new(rules: impl IntoIterator<Item = BudgetRule>) -> Self {
        let mut budget = Self::unlimited();
        rules.into_iter().for_each(|rule| budget.add(rule));
        budget
    }

    /// Adds a rule.
    pub fn add(&mut self, rule: BudgetRule) {
        match self.rules.iter_mut().find(|r| r.window_seconds == rule.window_seconds) {
            Some(same) => same.limit_msat = same.limit_msat.min(rule.limit_msat),
            None => self.rules.push(rule),
        }
    }

    /// Its rules.
    pub fn rules(&self) -> &[BudgetRule] {
        &self.rules
    }

    /// What is left under every rule, msat, where `spent_msat` tells what a rule's window holds; `None` without rules.
    pub fn left_msat(&self, mut spent_msat: impl FnMut(&BudgetRule) -> u64) -> Option<u64> {
        self.rules.iter().map(|rule| rule.left_msat(spent_msat(rule))).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_rule_decides() {
        let mut budget = Budget::new([BudgetRule::per_day(100), BudgetRule::in_total(1_000)]);
        let spent = |rule: &BudgetRule| if rule.window_seconds.is_some() { 30 } else { 950 };
        assert_eq!(budget.left_msat(spent), Some(50));
        budget.add(BudgetRule::in_total(960));
        budget.add(BudgetRule::in_total(5_000));
        assert_eq!(budget.left_msat(spent), Some(10));
        assert_eq!(budget.rules().len(), 2);
        assert_eq!(Budget::unlimited().left_msat(|_| u64::MAX), None);
    }

    #[test]
    fn a_window_never_begins_before_time() {
        assert_eq!(BudgetRule::per_day(1).since(10), 0);
        assert_eq!(BudgetRule::per_day(1).since(86_500), 100);
        assert_eq!(BudgetRule::in_total(1).since(86_500), 0);
    }
}
