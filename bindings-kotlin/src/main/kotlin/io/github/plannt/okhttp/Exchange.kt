package io.github.plannt.okhttp

import io.github.plannt.Bytes32
import io.github.plannt.ClientException
import io.github.plannt.Driver
import io.github.plannt.HttpStep
import io.github.plannt.MAX_DRAINED_BYTES
import io.github.plannt.Origin
import io.github.plannt.Outcome
import io.github.plannt.Paying
import io.github.plannt.RequestFacts
import io.github.plannt.SecretText
import io.github.plannt.asksForPayment
import io.github.plannt.bought
import io.github.plannt.contentDigest
import io.github.plannt.nameOf
import io.github.plannt.redirectFailedError
import io.github.plannt.redirectedError
import io.github.plannt.unusable
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull
import okhttp3.Interceptor
import okhttp3.Request
import okhttp3.Response
import okio.HashingSink
import okio.blackholeSink
import okio.buffer
import java.io.IOException
import java.io.InterruptedIOException

/** How often OkHttp is asked whether a call was cancelled, milliseconds: it tells an interceptor in no other way. */
private const val CANCEL_POLL_MILLIS = 50L

/** One request and its last response: the loop over a call's steps that are HTTP's. */
internal class Exchange(
    private val chain: Interceptor.Chain,
    private val driver: Driver,
    private val request: Request,
    private val dryRun: Boolean,
) {
    private var last: Response? = null
    private var sending: Sending? = null

    /** What OkHttp threw in place of the last response. */
    private var failure: IOException? = null

    fun run(): Response {
        val facts = RequestFacts(request.method, origin(), target(), digest())
        var ended = false
        try {
            Paying(driver, facts, dryRun).use { paying ->
                while (true) {
                    when (val step = nextStep(paying)) {
                        is HttpStep.ReadBody -> paying.call.bodyRead(text(step.maxBytes))
                        is HttpStep.SendRequest -> send(paying, step.authorization)
                        is HttpStep.Done -> return end(step.outcome).tagged(step).also { ended = true }
                        is HttpStep.Quoted -> return (last ?: missing()).tagged(step).also { ended = true }
                    }
                }
            }
        } finally {
            if (!ended) last?.close()
        }
    }

    /** The last response; what a redirect of the credential led to may be none, or ask for more. */
    private fun end(outcome: Outcome): Response {
        val error = failure
        if (error != null) throw outcome.bought()?.let { redirectFailedError(it, nameOf(error)).apply { initCause(error) } } ?: error
        val response = last ?: missing()
        val redirected = sending?.carried == true && response.priorResponse != null
        if (redirected && response.code == 402 && asksForPayment(facts(response, false).wwwAuthenticate, text(MAX_DRAINED_BYTES.toLong()))) {
            throw redirectedError(outcome.bought())
        }
        return response
    }

    private fun send(paying: Paying, authorization: SecretText?) {
        last?.let(::discard)
        last = null
        failure = null
        val sending = Sending(authorization, request.url)
        this.sending = sending
        val response = try {
            chain.proceed(sending.tagged(request))
        } catch (error: IOException) {
            lost(paying, sending, error)
            return
        }
        last = response
        val answer = sending.answer
        // What was sent without a credential may come out of the cache, and what is no 402 needs no second half.
        if (authorization != null && answer == null) throw bypassed()
        val known = sending.seen || wasRedirected(response) || (response.cacheResponse != null && response.networkResponse == null)
        if (response.code == 402 && !known) throw bypassed()
        paying.call.responded(answer ?: facts(response, wasRedirected(response)))
    }

    private fun lost(paying: Paying, sending: Sending, error: IOException) {
        // Who cancels is told so; whether the credential arrived is for the next call to find out.
        if (chain.call().isCanceled()) throw error
        failure = error
        val answer = sending.answer
        // It went on to where a redirect leads: that was the answer to the credential.
        if (answer != null) paying.call.responded(answer) else paying.call.sendFailed(nameOf(error))
    }

    private fun nextStep(paying: Paying): HttpStep = try {
        wait(paying.nextStep())
    } catch (error: ClientException) {
        val thrown = failure
        // Where nothing was paid, OkHttp's own error says more.
        if (error is ClientException.Transport && thrown != null) throw thrown
        if (thrown != null && error.cause == null) error.initCause(thrown)
        throw error
    }

    /** Waits for a step, but for no longer than the caller does. */
    private fun wait(step: Deferred<HttpStep>): HttpStep = try {
        runBlocking {
            while (withTimeoutOrNull(CANCEL_POLL_MILLIS) { step.join() } == null) {
                if (chain.call().isCanceled()) throw IOException("Canceled")
            }
            step.await()
        }
    } catch (_: InterruptedException) {
        Thread.currentThread().interrupt()
        throw InterruptedIOException("interrupted")
    }

    /** The body as far as [maxBytes], or null where it is longer or breaks off; the caller still gets all of it. */
    private fun text(maxBytes: Long): ByteArray? = try {
        last?.peekBody(maxBytes + 1)?.bytes()?.takeIf { it.size <= maxBytes }
    } catch (_: IOException) {
        null
    }

    /** Before the next one: a short body is read, so that its connection is good for more; a long one is given up. */
    private fun discard(response: Response) {
        text(MAX_DRAINED_BYTES.toLong())
        response.close()
    }

    private fun origin(): Origin {
        val host = request.url.host
        // IPv6 has lost its brackets.
        return Origin.of(request.url.scheme, if (host.contains(':')) "[$host]" else host, request.url.port)
    }

    private fun target(): String = request.url.encodedPath + (request.url.encodedQuery?.let { "?$it" } ?: "")

    /** SHA-256 of the body; null where it can't be sent twice. */
    private fun digest(): Bytes32? {
        val body = request.body ?: return contentDigest(ByteArray(0))
        if (body.isOneShot() || body.isDuplex()) return null
        val hashing = HashingSink.sha256(blackholeSink())
        hashing.buffer().use { body.writeTo(it) }
        return Bytes32(hashing.hash.toByteArray())
    }

    private fun missing(): Nothing = throw unusable("a call ended without a response")

    private fun bypassed() =
        unusable("something answers in place of the network, or sends requests elsewhere, or the interceptor was not added by l402()")
}
