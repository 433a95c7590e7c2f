package io.github.plannt.http

import io.github.plannt.ClientException
import io.github.plannt.Driver
import io.github.plannt.HttpStep
import io.github.plannt.MAX_DRAINED_BYTES
import io.github.plannt.Origin
import io.github.plannt.Outcome
import io.github.plannt.Paying
import io.github.plannt.RequestFacts
import io.github.plannt.ResponseFacts
import io.github.plannt.SecretText
import io.github.plannt.asksForPayment
import io.github.plannt.bought
import io.github.plannt.headerBytes
import io.github.plannt.nameOf
import io.github.plannt.of
import io.github.plannt.redirectFailedError
import io.github.plannt.redirectedError
import io.github.plannt.target
import io.github.plannt.unusable
import kotlinx.coroutines.suspendCancellableCoroutine
import java.io.IOException
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandler
import java.util.concurrent.CompletionException
import kotlin.coroutines.resumeWithException

/** One request and its last response: the loop over a call's steps that are HTTP's. */
internal class Sender<T>(
    private val client: HttpClient,
    private val request: HttpRequest,
    private val handler: BodyHandler<T>,
    private val followRedirects: Boolean,
    private val withOwnAuthorization: Boolean = true,
) {
    private var last: HttpResponse<Held<T>>? = null

    /** What the client threw in place of the last response. */
    private var failure: IOException? = null

    /** Goes on to the call's end. */
    suspend fun run(driver: Driver, dryRun: Boolean): HttpStep {
        val origin = Origin.of(request.uri())
        val facts = RequestFacts(request.method(), origin, target(request.uri()), digest(request.bodyPublisher().orElse(null)))
        var ended = false
        try {
            Paying(driver, facts, dryRun).use { paying ->
                while (true) {
                    when (val step = nextStep(paying)) {
                        is HttpStep.ReadBody -> paying.call.bodyRead(waiting()?.text(step.maxBytes.toInt()))

                        is HttpStep.SendRequest -> send(paying, step.authorization)

                        is HttpStep.Done, is HttpStep.Quoted -> {
                            ended = step is HttpStep.Done && !dryRun
                            return step
                        }
                    }
                }
            }
        } finally {
            if (!ended) last?.body()?.close()
        }
    }

    suspend fun sendAsItIs() {
        last = exchange(request)
    }

    /** The response to hand back; where redirects are followed, what it leads to, asked without a credential. */
    suspend fun finish(outcome: Outcome): L402Response<T> {
        var ended = false
        try {
            return follow(outcome).also { ended = true }
        } finally {
            if (!ended) last?.body()?.close()
        }
    }

    private suspend fun follow(outcome: Outcome): L402Response<T> {
        var at = request
        var response = last ?: throw unusable("a call ended without a response")
        var hops = 0
        while (hops++ < MAX_REDIRECTS) {
            val location = response.headers().firstValue("Location").orElse(null)
            val next = (if (followRedirects) redirected(at, response.statusCode(), location) else null) ?: break
            if (response.body() !is Waiting) break
            response.body().discard()
            at = next
            response = try {
                exchange(next)
            } catch (error: IOException) {
                throw outcome.bought()?.let { redirectFailedError(it, nameOf(error)).apply { initCause(error) } } ?: error
            }
            last = response
            refuseToPay(response, outcome)
        }
        val body = try {
            response.body().release(handler)
        } catch (error: IOException) {
            throw if (outcome.bought() == null) error else BrokenOffException(outcome, error)
        }
        return L402Response(response, at, body, outcome)
    }

    /** Nothing is paid after a redirect. */
    private suspend fun refuseToPay(response: HttpResponse<Held<T>>, outcome: Outcome) {
        val body = response.body()
        if (response.statusCode() != 402 || body !is Waiting) return
        if (asksForPayment(challenges(response), body.text(MAX_DRAINED_BYTES))) {
            body.close()
            throw redirectedError(outcome.bought())
        }
    }

    private suspend fun nextStep(paying: Paying): HttpStep = try {
        paying.nextStep().await()
    } catch (error: ClientException) {
        val thrown = failure
        // Where nothing was paid, the client's own error says more.
        if (error is ClientException.Transport && thrown != null) throw thrown
        if (thrown != null && error.cause == null) error.initCause(thrown)
        throw error
    }

    private suspend fun send(paying: Paying, authorization: SecretText?) {
        last?.body()?.discard()
        last = null
        failure = null
        val first = LinkedHashMap<String, String>()
        // Some servers challenge only who says that they understand it.
        if (request.headers().firstValue("Accept-Authenticate").isEmpty) first["Accept-Authenticate"] = "L402"
        if (authorization != null) first["Authorization"] = authorization.expose()
        val outgoing = copy(request, first = first) { withOwnAuthorization || !it.equals("Authorization", ignoreCase = true) }
        try {
            val response = exchange(outgoing)
            last = response
            val spent = response.headers().firstValue("x-l402").map(::headerBytes).orElse(null)
            paying.call.responded(ResponseFacts(response.statusCode(), challenges(response), spent))
        } catch (error: IOException) {
            failure = error
            paying.call.sendFailed(nameOf(error))
        }
    }

    private suspend fun exchange(outgoing: HttpRequest): HttpResponse<Held<T>> = suspendCancellableCoroutine { caller ->
        val holding = Holding(handler) { it.statusCode() == 402 || (followRedirects && isRedirect(it)) }
        val sent = client.sendAsync(outgoing, holding)
        // Java 16 and newer end the exchange by that.
        caller.invokeOnCancellation { sent.cancel(true) }
        sent.whenComplete { response, error ->
            if (error == null) {
                // Nobody waits for it any more.
                caller.resume(response) { _, late, _ -> late.body().close() }
            } else {
                caller.resumeWithException((error as? CompletionException)?.cause ?: error)
            }
        }
    }

    private fun challenges(response: HttpResponse<*>): List<ByteArray> = response.headers().allValues("WWW-Authenticate").map(::headerBytes)

    private fun waiting(): Waiting<T>? = last?.body() as? Waiting<T>
}
