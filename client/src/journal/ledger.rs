//! What is spent and reserved, and what the budget's rules leave of it.
//!
//! A payment counts with its reservation while it is not resolved, however long that takes, then with its true cost
//! from the moment it was paid. Each network's money is counted on its own: regtest's is none.

use plannt_core::flow::{Budget, BudgetRule};
use plannt_core::{Network, PaymentHash};
use rusqlite::{Connection, Error, Row, named_params};

use super::row::signed;
use super::{BudgetStatus, Journal, JournalError, SessionBudget};

impl Journal {
    /// Replaces the budget that all of the user's processes share.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn set_budget(&self, budget: &Budget) -> Result<(), JournalError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM budget_rules", [])?;
            let mut insert = transaction.prepare_cached(
                "INSERT INTO budget_rules (window_seconds, limit_msat) VALUES (?1, ?2)",
            )?;
            for rule in budget.rules() {
                // A window of no time would never hold anything; the shortest that counts is one second.
                let window = rule.window_seconds.map_or(0, |seconds| signed(seconds.max(1)));
                insert.execute([window, signed(rule.limit_msat)])?;
            }
            Ok(())
        })
    }

    /// What is reserved for the fee of a payment that is not resolved, msat: what a wallet that tells no fee is charged.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn reserved_fee_msat(&self, payment_hash: &PaymentHash) -> Result<u64, JournalError> {
        let receipt = self.receipt(payment_hash)?.filter(|r| r.state.is_unresolved());
        Ok(receipt.map_or(0, |r| r.charged_msat.saturating_sub(r.amount_msat)))
    }

    /// How much of each rule is used on a network: the journal's own rules, and those in `budget`.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn budget_status(
        &self,
        network: Network,
        budget: &Budget,
        now: u64,
    ) -> Result<Vec<BudgetStatus>, JournalError> {
        let status = |connection: &Connection| {
            all_rules(connection, budget)?
                .rules()
                .iter()
                .map(|rule| Ok(status(rule, used(connection, network, rule, now)?)))
                .collect::<Result<Vec<_>, Error>>()
        };
        status(&self.connection()).map_err(|error| self.blame.sql(error))
    }

    /// How much of the session's budget is used on a network; none without [`Journal::with_session`].
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn session_status(&self, network: Network) -> Result<Option<BudgetStatus>, JournalError> {
        let Some(session) = &self.session else { return Ok(None) };
        let used = used_in_session(&self.connection(), network, session);
        let used = used.map_err(|error| self.blame.sql(error))?;
        Ok(Some(status(&BudgetRule::in_total(session.limit_msat), used)))
    }
}

fn status(rule: &BudgetRule, used: Used) -> BudgetStatus {
    BudgetStatus {
        rule: *rule,
        spent_msat: used.spent_msat,
        reserved_msat: used.reserved_msat,
        left_msat: rule.left_msat(used.total_msat()),
    }
}

/// What the tightest rule leaves, the session's included, msat; none without rules.
pub(super) fn left(
    connection: &Connection,
    network: Network,
    budget: &Budget,
    session: Option<&SessionBudget>,
    now: u64,
) -> Result<Option<u64>, Error> {
    let mut tightest = session
        .map(|session| {
            let used = used_in_session(connection, network, session)?.total_msat();
            Ok::<_, Error>(session.limit_msat.saturating_sub(used))
        })
        .transpose()?;
    for rule in all_rules(connection, budget)?.rules() {
        let left = rule.left_msat(used(connection, network, rule, now)?.total_msat());
        tightest = Some(tightest.map_or(left, |other: u64| other.min(left)));
    }
    Ok(tightest)
}

fn all_rules(connection: &Connection, budget: &Budget) -> Result<Budget, Error> {
    let mut all = budget.clone();
    let mut statement =
        connection.prepare_cached("SELECT window_seconds, limit_msat FROM budget_rules")?;
    let rules = statement.query_map([], |row| {
        let window = super::row::unsigned(row, "window_seconds")?;
        Ok(BudgetRule {
            limit_msat: super::row::unsigned(row, "limit_msat")?,
            window_seconds: (window > 0).then_some(window),
        })
    })?;
    for rule in rules {
        all.add(rule?);
    }
    Ok(all)
}

struct Used {
    spent_msat: u64,
    reserved_msat: u64,
}

impl Used {
    fn total_msat(&self) -> u64 {
        self.spent_msat.saturating_add(self.reserved_msat)
    }
}

fn used(
    connection: &Connection,
    network: Network,
    rule: &BudgetRule,
    now: u64,
) -> Result<Used, Error> {
    let sql = format!(
        "{USED} network = :network AND charged_msat > 0 AND (settled_at IS NULL OR settled_at >= :since)"
    );
    connection.prepare_cached(&sql)?.query_row(
        named_params! { ":network": network.name(), ":since": signed(rule.since(now)) },
        read_used,
    )
}

fn used_in_session(
    connection: &Connection,
    network: Network,
    session: &SessionBudget,
) -> Result<Used, Error> {
    let sql = format!("{USED} network = :network AND session = :session");
    connection
        .prepare_cached(&sql)?
        .query_row(named_params! { ":network": network.name(), ":session": session.id }, read_used)
}

/// A sum that overflows is an error of SQLite's, and then nothing is paid.
const USED: &str = "SELECT COALESCE(SUM(charged_msat) FILTER (WHERE settled_at IS NOT NULL), 0) AS spent, \
     COALESCE(SUM(charged_msat) FILTER (WHERE settled_at IS NULL), 0) AS reserved FROM payments WHERE";

fn read_used(row: &Row<'_>) -> Result<Used, Error> {
    Ok(Used {
        spent_msat: super::row::unsigned(row, "spent")?,
        reserved_msat: super::row::unsigned(row, "reserved")?,
    })
}
