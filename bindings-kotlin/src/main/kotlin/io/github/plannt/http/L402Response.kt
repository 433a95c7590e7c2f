package io.github.plannt.http

import io.github.plannt.Outcome
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpHeaders
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.Optional
import javax.net.ssl.SSLSession

/**
 * A response, and what it cost.
 *
 * @property outcome which credential the request carried, and the receipt of the payment that bought it
 */
class L402Response<T> internal constructor(
    private val head: HttpResponse<*>,
    private val request: HttpRequest,
    private val body: T,
    val outcome: Outcome,
) : HttpResponse<T> {
    override fun statusCode(): Int = head.statusCode()

    /** The request as the caller made it, or as a redirect did: without the credential. */
    override fun request(): HttpRequest = request

    /** None: redirects that were followed are not kept. */
    override fun previousResponse(): Optional<HttpResponse<T>> = Optional.empty()

    override fun headers(): HttpHeaders = head.headers()

    override fun body(): T = body

    override fun sslSession(): Optional<SSLSession> = head.sslSession()

    override fun uri(): URI = head.uri()

    override fun version(): HttpClient.Version = head.version()

    override fun toString(): String = "(${request.method()} ${uri()}) ${statusCode()}"
}
