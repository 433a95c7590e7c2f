package io.github.plannt

import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async

/** How much of a response that nobody wants is read for the sake of its connection, bytes. */
internal const val MAX_DRAINED_BYTES = 65_536

/**
 * One call and its driver. A step goes on to its end also when nobody waits for it any more: what was begun with the wallet is journaled, and
 * the request's key is free only after that.
 */
internal class Paying(private val driver: Driver, facts: RequestFacts, dryRun: Boolean) : AutoCloseable {
    val call: Call = driver.call(facts, dryRun)

    fun nextStep(): Deferred<HttpStep> = detached.async { driver.nextStep(call) }

    /** Frees this side's hold on the call; a step under way has its own. */
    override fun close() = call.close()
}

/** An error's name, without what it may tell of the request. */
internal fun nameOf(error: Throwable): String = error.javaClass.simpleName
