package io.github.plannt

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.future.future
import java.util.concurrent.CompletableFuture

/**
 * Where work goes on that nobody may wait for any more, such as a payment that was begun. These are threads of its own: a caller that fills the
 * common ones, and waits on them, waits for this.
 */
internal val detached = CoroutineScope(SupervisorJob() + Dispatchers.IO.limitedParallelism(4))

/** For work that blocks, on threads of its own for the same reason. */
internal val blocking: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(64)

/** Where wallets of the app's own are asked, which may block although they should not. */
internal val answering = CoroutineScope(SupervisorJob() + Dispatchers.IO.limitedParallelism(64))

/** What is `suspend` in Kotlin, as futures for Java. They fail with the exceptions of the functions that they stand for. */
object Futures {
    /** [Driver.receipts]: the newest receipts first, at most [limit]. */
    @JvmStatic
    fun receipts(driver: Driver, limit: Long): CompletableFuture<List<Receipt>> = detached.future { driver.receipts(limit) }

    /** [Driver.budgetStatus]: how much of each rule is used, msat. */
    @JvmStatic
    fun budgetStatus(driver: Driver): CompletableFuture<List<BudgetStatus>> = detached.future { driver.budgetStatus() }

    /** [Driver.recover]: asks the wallet about every payment that was left unfinished. */
    @JvmStatic
    fun recover(driver: Driver): CompletableFuture<List<Recovered>> = detached.future { driver.recover() }

    /** [Driver.nextStep], for an HTTP stack of the caller's own. */
    @JvmStatic
    fun nextStep(driver: Driver, call: Call): CompletableFuture<HttpStep> = detached.future { driver.nextStep(call) }

    /** [Journal.receipts]: the newest receipts first, at most [limit]. */
    @JvmStatic
    fun receipts(journal: Journal, limit: Long): CompletableFuture<List<Receipt>> = detached.future { journal.receipts(limit) }

    /** [Journal.receipt]: the receipt of one payment, or null. */
    @JvmStatic
    fun receipt(journal: Journal, paymentHash: PaymentHash): CompletableFuture<Receipt?> = detached.future { journal.receipt(paymentHash) }

    /** [Journal.setBudget]: rules that hold for all of the user's processes. */
    @JvmStatic
    fun setBudget(journal: Journal, budget: Budget): CompletableFuture<Void?> = detached.future {
        journal.setBudget(budget)
        null
    }

    /** [Journal.budgetStatus]: how much of each rule is used now, msat: of the journal's own, and of [budget]. */
    @JvmStatic
    fun budgetStatus(journal: Journal, network: Network, budget: Budget): CompletableFuture<List<BudgetStatus>> =
        detached.future { journal.budgetStatus(network, budget) }

    /** [Journal.unresolved]: the hashes of a wallet's payments that are not resolved, oldest first. */
    @JvmStatic
    fun unresolved(journal: Journal, wallet: String): CompletableFuture<List<PaymentHash>> = detached.future { journal.unresolved(wallet) }

    /** [Journal.unfinished]: takes hold of an unresolved payment; null where another call is working on it, or it is resolved. */
    @JvmStatic
    fun unfinished(journal: Journal, wallet: String, paymentHash: PaymentHash): CompletableFuture<Unfinished?> =
        detached.future { journal.unfinished(wallet, paymentHash) }

    /** [Unfinished.resolve]: journals what the wallet knows of a payment, and says what became of it. */
    @JvmStatic
    fun resolve(payment: Unfinished, answer: PaymentState): CompletableFuture<RecoveredState?> = detached.future { payment.resolve(answer) }

    /** [Call.advance], for a driver of the caller's own. */
    @JvmStatic
    fun advance(call: Call): CompletableFuture<CallStep> = detached.future { call.advance() }

    /** [Call.lookedUp]: what the wallet knows of the payment. */
    @JvmStatic
    fun lookedUp(call: Call, answer: PaymentState): CompletableFuture<Void?> = detached.future {
        call.lookedUp(answer)
        null
    }

    /** [Wallet.payInvoice]: pays an invoice, at most once for a payment hash however often it is called. */
    @JvmStatic
    fun payInvoice(wallet: Wallet, request: PayRequest): CompletableFuture<Payment> = detached.future { wallet.payInvoice(request) }

    /** [Wallet.lookupPayment]: what became of a payment. */
    @JvmStatic
    fun lookupPayment(wallet: Wallet, paymentHash: PaymentHash): CompletableFuture<PaymentState> =
        detached.future { wallet.lookupPayment(paymentHash) }

    /** [Wallet.balanceMsat]: what the wallet can spend over its channels, msat. */
    @JvmStatic
    fun balanceMsat(wallet: Wallet): CompletableFuture<Long> = detached.future { wallet.balanceMsat() }
}
