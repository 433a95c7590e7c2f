package io.github.plannt

/** No fee at all. */
val FeeLimit.Companion.NONE: FeeLimit get() = FeeLimit(0, 0)

/** So many msat of fee, whatever the amount. */
fun FeeLimit.Companion.fixed(baseMsat: Long): FeeLimit = FeeLimit(baseMsat, 0)

/** The hosts that these patterns name: `name`, `name:port`, or `*.name` for everything below a name. Without any, no host. */
fun Hosts.Companion.listed(vararg patterns: String): Hosts = Hosts.Listed(patterns.toList())

/** No host. */
val Hosts.Companion.NONE: Hosts get() = Hosts.Listed(listOf())

/** A cautious policy: [maxPaymentMsat] as the limit of a call, msat, any host over `https`, 5 sat and 1% of fee. */
fun Policy.Companion.of(network: Network, maxPaymentMsat: Long): Policy = policyOf(network, maxPaymentMsat)

/** A limit over the last 24 hours, msat, fees included. */
fun BudgetRule.Companion.perDay(limitMsat: Long): BudgetRule = budgetRulePerDay(limitMsat)

/** A limit over all time, msat, fees included. */
fun BudgetRule.Companion.inTotal(limitMsat: Long): BudgetRule = budgetRuleInTotal(limitMsat)

/** The rules given; of two with the same window the smaller limit counts. Without any there is no limit. */
fun Budget.Companion.of(vararg rules: BudgetRule): Budget = budgetOf(rules.toList())

/** No limit. */
val Budget.Companion.UNLIMITED: Budget get() = Budget(listOf())

/** What is left under every rule, msat, where [spentMsat] tells what a rule's window holds, msat; null without rules. */
fun Budget.leftMsat(spentMsat: (BudgetRule) -> Long): Long? = rules.minOfOrNull { it.leftMsat(spentMsat(it)) }
