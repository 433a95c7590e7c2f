package io.github.plannt.http

import io.github.plannt.ClientException
import io.github.plannt.Driver
import io.github.plannt.HttpStep
import io.github.plannt.PlanntException
import io.github.plannt.Quote
import io.github.plannt.detached
import io.github.plannt.isL402
import io.github.plannt.nothingPaid
import io.github.plannt.unusable
import kotlinx.coroutines.future.future
import kotlinx.coroutines.runBlocking
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandler
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.CompletableFuture

/**
 * A `java.net.http` client that pays where the server asks and the [driver]'s policy allows.
 *
 * ```kotlin
 * val response = L402HttpClient(driver).get("https://api.example/v1/demo")
 * println("${response.body()} for ${response.outcome.receipt?.paidMsat()} msat")
 * ```
 *
 * The payment is in the journal before it is made. A credential follows no redirect; with [followRedirects] what it leads to is asked without it,
 * up to ten times, and a 402 there is not paid. A request with an L402 credential of its own is sent as it is. A body is sent twice; one whose
 * length is not known, such as an input stream, is never paid for. A body with a content coding is not looked into for a challenge.
 *
 * A call that is cancelled or interrupted ends at once, and with it, from Java 16 on, the exchange. What the wallet had begun is journaled all the same, and the same call again presents it,
 * and pays nothing.
 *
 * All of it throws [ClientException], above all `Refused` with the reason and `NotDelivered` with the receipt, [BrokenOffException] with the
 * receipt where the body of a response broke off that was paid for, and any other [IOException] where this call paid nothing. Android has no `java.net.http`: there, and elsewhere, OkHttp does the same.
 *
 * @param client sends; it has to leave redirects and `Authorization` to this class, so [ClientException.Config] is thrown for one that follows
 *   redirects or has an authenticator
 */
class L402HttpClient
@JvmOverloads
@Throws(ClientException::class)
constructor(
    private val driver: Driver,
    private val client: HttpClient = HttpClient.newHttpClient(),
    private val followRedirects: Boolean = false,
) {
    init {
        // The JDK takes a request's headers along wherever a redirect leads.
        if (client.followRedirects() != HttpClient.Redirect.NEVER) throw unusable("the HTTP client must not follow redirects by itself")
        // The JDK sends no `Authorization` of a request's beside one.
        if (client.authenticator().isPresent) throw unusable("the HTTP client must not have an authenticator")
    }

    /** Sends a request, and pays for it where that is due. A 402 without a challenge is handed back as any other response. */
    @JvmSynthetic
    @Throws(PlanntException::class, IOException::class)
    suspend fun <T> fetch(request: HttpRequest, handler: BodyHandler<T>): L402Response<T> {
        val sender = Sender(client, request, handler, followRedirects)
        if (hasOwnCredential(request)) {
            sender.sendAsItIs()
            return sender.finish(nothingPaid)
        }
        val end = sender.run(driver, dryRun = false)
        if (end !is HttpStep.Done) throw unusable("a call ended as a dry run does")
        return sender.finish(end.outcome)
    }

    /** Asks what a request would cost; pays, presents and writes nothing. Null where the server asks for no payment. */
    @JvmSynthetic
    @Throws(PlanntException::class, IOException::class)
    suspend fun fetchQuote(request: HttpRequest): Quote? {
        val sender = Sender(client, request, BodyHandlers.discarding(), followRedirects, withOwnAuthorization = !hasOwnCredential(request))
        return (sender.run(driver, dryRun = true) as? HttpStep.Quoted)?.quote
    }

    /** [fetch] of an address's text, by `GET`. */
    @JvmSynthetic
    @Throws(PlanntException::class, IOException::class)
    suspend fun get(url: String): L402Response<String> = fetch(HttpRequest.newBuilder(URI(url)).build(), BodyHandlers.ofString())

    /** What [fetch] does, on the caller's thread, as [HttpClient.send] does. */
    @Throws(PlanntException::class, IOException::class, InterruptedException::class)
    fun <T> send(request: HttpRequest, handler: BodyHandler<T>): L402Response<T> = runBlocking { fetch(request, handler) }

    /** What [fetch] does, as [HttpClient.sendAsync] does. To cancel the future cancels the call. */
    fun <T> sendAsync(request: HttpRequest, handler: BodyHandler<T>): CompletableFuture<L402Response<T>> =
        detached.future { fetch(request, handler) }

    /** What [fetchQuote] does, on the caller's thread. */
    @Throws(PlanntException::class, IOException::class, InterruptedException::class)
    fun quote(request: HttpRequest): Quote? = runBlocking { fetchQuote(request) }

    private fun hasOwnCredential(request: HttpRequest) = request.headers().allValues("Authorization").any(::isL402)
}
