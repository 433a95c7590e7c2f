package io.github.plannt.okhttp

import io.github.plannt.Driver
import io.github.plannt.HttpStep
import io.github.plannt.Outcome
import io.github.plannt.PlanntException
import io.github.plannt.Quote
import io.github.plannt.ResponseFacts
import io.github.plannt.SecretText
import io.github.plannt.headerBytes
import io.github.plannt.isL402
import okhttp3.CacheControl
import okhttp3.HttpUrl
import okhttp3.Interceptor
import okhttp3.Request
import okhttp3.Response

/**
 * Both halves: as an interceptor of the application's it goes through a call's steps, as one of the network's it puts the credential on the first
 * request of a chain of redirects, and on no other.
 */
internal class L402Interceptor(private val driver: Driver) : Interceptor {
    override fun intercept(chain: Interceptor.Chain): Response =
        if (chain.connection() == null) pay(chain) else chain.request().tag(Sending::class.java)?.carry(chain) ?: chain.proceed(chain.request())

    private fun pay(chain: Interceptor.Chain): Response {
        val request = chain.request()
        val asks = request.tag(Asking::class.java) != null
        val own = request.headers("Authorization").any(::isL402)
        if (own && !asks) return chain.proceed(request)
        val sent = if (own) request.newBuilder().removeHeader("Authorization").build() else request
        try {
            return Exchange(chain, driver, sent, asks).run()
        } catch (error: PlanntException) {
            throw L402Exception(error)
        }
    }
}

/** One time that a request is sent, tagged on it and on all that redirects make of it. */
internal class Sending(private val credential: SecretText?, private val url: HttpUrl) {
    /** Whether it came through the network's half, to where it was sent: nobody else's challenge is paid. */
    @Volatile
    var seen = false
        private set

    /** Whether the credential was sent. */
    @Volatile
    var carried = false
        private set

    /** The first answer's facts: a credential goes no further. */
    @Volatile
    var answer: ResponseFacts? = null
        private set

    fun tagged(request: Request): Request {
        val builder = request.newBuilder().tag(Sending::class.java, this)
        // Some servers challenge only who says that they understand it.
        if (request.header("Accept-Authenticate") == null) builder.header("Accept-Authenticate", "L402")
        // What a cache has was not bought with it.
        if (credential != null) builder.cacheControl(CacheControl.FORCE_NETWORK)
        return builder.build()
    }

    fun carry(chain: Interceptor.Chain): Response {
        val request = chain.request()
        if (isHere(request.url)) seen = true
        // A connection that breaks is tried again by OkHttp: that is still the first request.
        if (credential == null || answer != null || !isHere(request.url)) return chain.proceed(request)
        carried = true
        val lines = request.headers.newBuilder().removeAll("Authorization").add("Authorization", credential.expose())
        request.headers("Authorization").forEach { lines.add("Authorization", it) }
        val response = chain.proceed(request.newBuilder().headers(lines.build()).build())
        answer = facts(response, redirected = false)
        // What redirects and caches see is without it.
        return response.newBuilder().request(request).build()
    }

    private fun isHere(other: HttpUrl) = other.scheme == url.scheme && other.host == url.host && other.port == url.port
}

internal fun facts(response: Response, redirected: Boolean): ResponseFacts = ResponseFacts(
    response.code,
    response.headers("WWW-Authenticate").map(::headerBytes),
    response.headers("x-l402").firstOrNull()?.let(::headerBytes),
    redirected,
)

/** Whether redirects led to a response. */
internal fun wasRedirected(response: Response): Boolean = generateSequence(response.priorResponse) { it.priorResponse }.any { it.isRedirect }

/** A call's end as OkHttp's response carries it. */
internal fun Response.tagged(end: HttpStep): Response {
    val tagged = when (end) {
        is HttpStep.Done -> request.newBuilder().tag(Outcome::class.java, end.outcome)
        is HttpStep.Quoted -> request.newBuilder().tag(Quote::class.java, end.quote)
        else -> request.newBuilder()
    }
    return newBuilder().request(tagged.tag(Sending::class.java, null).build()).build()
}
