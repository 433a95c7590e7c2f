package io.github.plannt

import kotlinx.coroutines.ensureActive
import java.util.concurrent.CompletionException
import java.util.concurrent.ExecutionException
import kotlin.coroutines.coroutineContext

/** Every wallet of the app's own crosses the border in this: whatever it throws or gives back becomes an answer. */
internal fun guarded(wallet: Wallet): Wallet = GuardedWallet(wallet)

/** The same for a checker. */
internal fun guarded(checker: CaveatChecker): CaveatChecker = GuardedChecker(checker)

private class GuardedWallet(private val inner: Wallet) : Wallet by inner {
    override suspend fun payInvoice(request: PayRequest): Payment =
        guard({ PaymentException.Unknown("node_error", it) }) { inner.payInvoice(request).also(::check) }

    override suspend fun lookupPayment(paymentHash: PaymentHash): PaymentState = guard(::nodeError) {
        inner.lookupPayment(paymentHash).also { if (it is PaymentState.Paid) check(it.payment) }
    }

    override suspend fun balanceMsat(): Long = guard(::nodeError) { inner.balanceMsat().also(::unsigned) }

    /** Throws for what can't cross. */
    private fun check(payment: Payment) {
        payment.feeMsat?.let(::unsigned)
        payment.preimage.paymentHash()
    }

    private suspend fun <T> guard(wrapped: (String) -> PlanntException, work: suspend () -> T): T = try {
        work()
    } catch (error: PaymentException) {
        throw error
    } catch (error: LightningException) {
        throw error
    } catch (error: Throwable) {
        // Nobody waits any more; else a cancellation is the wallet's own, such as its time-out.
        coroutineContext.ensureActive()
        // What a future says that Java waited for; coroutines may have wrapped that once more.
        val cause = generateSequence(error) { if (it is CompletionException || it is ExecutionException) it.cause else null }.last()
        if (cause is PaymentException || cause is LightningException) throw cause
        throw wrapped(error.toString())
    }
}

private class GuardedChecker(private val inner: CaveatChecker) : CaveatChecker {
    override fun isSatisfied(caveat: ByteArray): Boolean = try {
        inner.isSatisfied(caveat)
    } catch (error: CallbackException) {
        throw error
    } catch (error: Throwable) {
        throw CallbackException.Failed(ErrorText("callback", error.toString()))
    }
}

/** The error of a wallet that can't answer. */
internal fun nodeError(message: String): LightningException = LightningException.NodeException(ErrorText("node_error", message))

/** The error of something that was set up in a way that can't be used. */
internal fun unusable(message: String): ClientException = ClientException.Config(ErrorText("config", "the client can't be set up: $message"))
