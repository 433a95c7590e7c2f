@file:JvmName("Drivers")

package io.github.plannt

import java.io.File

/**
 * A driver that pays from [wallet] within the limits that [limits] sets; they hold together with those that the journal keeps.
 *
 * ```kotlin
 * val driver = driver(wallet("lnd://127.0.0.1:8080?cert=tls.cert&macaroon=payer.macaroon")) { budget(BudgetRule.perDay(100_000)) }
 * ```
 */
@JvmSynthetic
@Throws(ClientException::class)
fun driver(wallet: Wallet, limits: DriverBuilder.() -> Unit = {}): Driver = DriverBuilder(wallet).apply(limits).build()

/** What a [Driver] is made of, step by step; what is not said has the same default in every language. */
class DriverBuilder(private val wallet: Wallet) {
    private var rules = listOf<BudgetRule>()
    private var network: Network? = null
    private var maxPaymentMsat = Constants.DEFAULT_MAX_PAYMENT_MSAT
    private var maxFee: FeeLimit? = null
    private var allowedHosts: Hosts = Hosts.Any
    private var plainHttpHosts: Hosts = Hosts.NONE
    private var payAfterLoss = false
    private var policy: Policy? = null
    private var journal: Journal? = null
    private var paymentTimeout = 60.0
    private var lockWait = 120.0

    /** Rules over everything that is spent through the journal, fees included; of two with the same window the smaller limit counts. */
    fun budget(vararg rules: BudgetRule): DriverBuilder = apply { this.rules = rules.toList() }

    /** The same as a whole. */
    fun budget(budget: Budget): DriverBuilder = apply { rules = budget.rules }

    /** The wallet's network; where nothing is said what the wallet says, or bitcoin. */
    fun network(network: Network): DriverBuilder = apply { this.network = network }

    /** The most that one call may cost, msat, fee included; 1,000 sat where nothing is said. */
    fun maxPaymentMsat(msat: Long): DriverBuilder = apply { maxPaymentMsat = msat }

    /** The most that the fee may be; where nothing is said 10 sat and 1% of the amount, and what the limit of a call leaves. */
    fun maxFee(limit: FeeLimit): DriverBuilder = apply { maxFee = limit }

    /** The only hosts that may be paid: `name`, `name:port`, or `*.name`; any where nothing is said. */
    fun allowedHosts(vararg patterns: String): DriverBuilder = apply { allowedHosts = Hosts.Listed(patterns.toList()) }

    /** Hosts that may be paid over plain `http`, besides this machine and `.onion`. */
    fun plainHttpHosts(vararg patterns: String): DriverBuilder = apply { plainHttpHosts = Hosts.Listed(patterns.toList()) }

    /** Whether a call that lost a paid credential may pay again at once; it may not where nothing is said. */
    fun payAfterLoss(allowed: Boolean): DriverBuilder = apply { payAfterLoss = allowed }

    /** All limits of a call as one, in place of what is said by the methods above it. */
    fun policy(policy: Policy): DriverBuilder = apply { this.policy = policy }

    /**
     * The journal that payments are written to before they are made. Where nothing is said it is the one of all of the user's processes, in
     * every language ([defaultJournalPath]); an Android app has to name a file of its own, such as `File(context.filesDir, "plannt/journal.db")`.
     */
    fun journal(journal: Journal): DriverBuilder = apply { this.journal = journal }

    /** The same by the journal's file, which is made where it is missing. */
    fun journal(file: File): DriverBuilder = journal(Journal(file.path))

    /** How long the wallet may try to pay, seconds; 60 where nothing is said. */
    fun paymentTimeout(seconds: Double): DriverBuilder = apply { paymentTimeout = seconds }

    /** How long to wait for another call with the same request, seconds; 120 where nothing is said. */
    fun lockWait(seconds: Double): DriverBuilder = apply { lockWait = seconds }

    /** The driver; [ClientException.Config] for what can't be used, such as a wallet on another network. Nothing is opened or sent yet. */
    @Throws(ClientException::class)
    fun build(): Driver {
        val options = DriverOptions(policy ?: ownPolicy(), budgetOf(rules), paymentTimeout, lockWait)
        val path by lazy { defaultJournalPath() ?: throw unusable("there is no folder for the journal: name its file") }
        return Driver(wallet, journal ?: Journal(path), options)
    }

    private fun ownPolicy(): Policy {
        val common = driverPolicy(network ?: wallet.network() ?: Network.BITCOIN, maxPaymentMsat, wallet.limitsFee())
        val limited = maxFee?.let { common.copy(maxFee = it, fitFee = false) } ?: common
        return limited.copy(allowedHosts = allowedHosts, plainHttpHosts = plainHttpHosts, payAfterLoss = payAfterLoss)
    }
}
