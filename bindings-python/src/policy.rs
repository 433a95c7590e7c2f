//! What may be paid: limits, hosts, budgets. The rules are the core's; Python has their plain data.

use plannt_core::flow::{Budget, BudgetRule, FeeLimit, Hosts, Origin, Policy};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::convert::{Amount, Msat, NetworkName, OriginArg, Seconds, get, object, origin_parts};
use crate::error::raise;

pub(crate) fn read_policy(object: &Bound<'_, PyAny>) -> PyResult<Policy> {
    let network = get::<NetworkName>(object, "network")?.0;
    let mut policy = Policy::new(network, get::<Amount>(object, "max_payment_msat")?.0);
    policy.allowed_hosts = read_hosts(&object.getattr("allowed_hosts")?)?;
    policy.fit_fee = get(object, "fit_fee")?;
    policy.max_fee = read_fee_limit(&object.getattr("max_fee")?)?;
    policy.pay_after_loss = get(object, "pay_after_loss")?;
    policy.plain_http_hosts = read_hosts(&object.getattr("plain_http_hosts")?)?;
    policy.wallet_limits_fee = get(object, "wallet_limits_fee")?;
    policy.worst_case_fee = read_fee_limit(&object.getattr("worst_case_fee")?)?;
    Ok(policy)
}

fn read_fee_limit(object: &Bound<'_, PyAny>) -> PyResult<FeeLimit> {
    Ok(FeeLimit {
        base_msat: get::<Amount>(object, "base_msat")?.0,
        parts_per_million: get(object, "parts_per_million")?,
    })
}

fn read_hosts(object: &Bound<'_, PyAny>) -> PyResult<Hosts> {
    let patterns: Option<Vec<String>> = get(object, "patterns")?;
    Ok(patterns.map_or(Hosts::Any, Hosts::listed))
}

fn read_rule(object: &Bound<'_, PyAny>) -> PyResult<BudgetRule> {
    Ok(BudgetRule {
        limit_msat: get::<Amount>(object, "limit_msat")?.0,
        window_seconds: get::<Option<Amount>>(object, "window_seconds")?.map(|window| window.0),
    })
}

/// A budget's rules as Python has them.
pub(crate) fn read_budget(rules: &Bound<'_, PyAny>) -> PyResult<Budget> {
    let mut budget = Budget::unlimited();
    for rule in rules.try_iter()? {
        budget.add(read_rule(&rule?)?);
    }
    Ok(budget)
}

pub(crate) fn rule<'py>(py: Python<'py>, rule: &BudgetRule) -> PyResult<Bound<'py, PyAny>> {
    object!(py, "BudgetRule", limit_msat: rule.limit_msat, window_seconds: rule.window_seconds)
}

#[pyfunction]
fn budget_rules<'py>(py: Python<'py>, rules: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    let made = PyList::empty(py);
    for each in read_budget(rules)?.rules() {
        made.append(rule(py, each)?)?;
    }
    Ok(made.to_tuple())
}

/// What the tightest rule leaves where each one's window holds the amount beside it; None without rules.
#[pyfunction]
fn budget_left_msat(
    rules: &Bound<'_, PyAny>,
    spent_msat: &Bound<'_, PyAny>,
) -> PyResult<Option<Msat>> {
    let mut left = None;
    for rule in read_budget(rules)?.rules() {
        let spent: Amount = spent_msat.call1((self::rule(rules.py(), rule)?,))?.extract()?;
        let one = rule.left_msat(spent.0);
        left = Some(left.map_or(one, |other: u64| other.min(one)));
    }
    Ok(left.map(Msat))
}

#[pyfunction]
fn budget_rule_since(rule: &Bound<'_, PyAny>, now: Seconds) -> PyResult<u64> {
    Ok(read_rule(rule)?.since(now.0))
}

#[pyfunction]
fn budget_rule_left_msat(rule: &Bound<'_, PyAny>, spent_msat: Amount) -> PyResult<Msat> {
    Ok(Msat(read_rule(rule)?.left_msat(spent_msat.0)))
}

#[pyfunction]
fn fee_limit_for_amount(limit: &Bound<'_, PyAny>, amount_msat: Amount) -> PyResult<Msat> {
    Ok(Msat(read_fee_limit(limit)?.for_amount(amount_msat.0)))
}

#[pyfunction]
fn policy_max_fee_msat(policy: &Bound<'_, PyAny>, amount_msat: Amount) -> PyResult<Msat> {
    Ok(Msat(read_policy(policy)?.max_fee_msat(amount_msat.0)))
}

#[pyfunction]
fn hosts_contain(hosts: &Bound<'_, PyAny>, origin: OriginArg) -> PyResult<bool> {
    Ok(read_hosts(hosts)?.contain(&origin.0))
}

#[pyfunction]
#[pyo3(signature = (scheme, host, port=None))]
fn origin_new(
    scheme: &str,
    host: &str,
    port: Option<u16>,
) -> PyResult<(&'static str, String, u16)> {
    let origin = Origin::new(scheme, host, port).map_err(raise)?;
    let (scheme, host, port) = origin_parts(&origin);
    Ok((scheme, host.into(), port))
}

#[pyfunction]
fn origin_parse(text: OriginArg) -> (&'static str, String, u16) {
    let (scheme, host, port) = origin_parts(&text.0);
    (scheme, host.into(), port)
}

#[pyfunction]
fn origin_is_private(text: OriginArg) -> bool {
    text.0.is_private()
}

#[pyfunction]
fn origin_text(scheme: &str, host: &str, port: u16) -> PyResult<String> {
    Origin::new(scheme, host, Some(port)).map(|origin| origin.to_string()).map_err(raise)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    macro_rules! functions {
        ($($name:ident),+ $(,)?) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)+
        };
    }
    functions!(
        budget_rules,
        budget_left_msat,
        budget_rule_since,
        budget_rule_left_msat,
        fee_limit_for_amount,
        policy_max_fee_msat,
        hosts_contain,
        origin_new,
        origin_parse,
        origin_is_private,
        origin_text,
    );
    Ok(())
}
