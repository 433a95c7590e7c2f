package io.github.plannt.http

import io.github.plannt.target
import java.net.URI
import java.net.URISyntaxException
import java.net.http.HttpRequest
import java.net.http.HttpResponse.ResponseInfo

/** The longest chain that is followed. */
internal const val MAX_REDIRECTS = 10

private val BODY_HEADERS = setOf("content-type", "content-encoding", "content-language")
private val ORIGIN_HEADERS = setOf("authorization", "cookie", "proxy-authorization")

private val REDIRECTS = setOf(301, 302, 303, 307, 308)

internal fun isRedirect(info: ResponseInfo): Boolean = info.statusCode() in REDIRECTS

/**
 * The request that a redirect asks for (RFC 9110 §15.4); null where it is better handed back: no usable `Location`, a body that is gone, or a
 * step down from `https`.
 */
internal fun redirected(from: HttpRequest, status: Int, location: String?): HttpRequest? {
    if (status !in REDIRECTS) return null
    val uri = location?.let { resolve(from.uri(), it) } ?: return null
    val scheme = uri.scheme.lowercase()
    if (scheme != "https" && (scheme != "http" || from.uri().scheme.lowercase() != "http")) return null
    val toGet = (status == 303 && from.method() !in listOf("GET", "HEAD")) || (status in 301..302 && from.method() == "POST")
    val body = from.bodyPublisher().orElse(null).takeUnless { toGet }
    if (body != null && body.contentLength() < 0) return null
    val left = (if (toGet) BODY_HEADERS else setOf()) + (if (sameOrigin(from.uri(), uri)) setOf() else ORIGIN_HEADERS)
    return copy(from, uri, if (toGet) "GET" else from.method(), body) { it.lowercase() !in left }
}

private fun resolve(from: URI, location: String): URI? = try {
    // The JDK would drop the path's end before a query that stands alone.
    val to = from.resolve(if (location.startsWith("?")) from.rawPath.orEmpty() + location else location)
    // A server must not make this client log in elsewhere; fragments are not sent.
    if (to.host == null) null else URI("${to.scheme}://${to.host}${if (to.port < 0) "" else ":${to.port}"}${target(to)}")
} catch (_: IllegalArgumentException) {
    null
} catch (_: URISyntaxException) {
    null
}

private fun sameOrigin(a: URI, b: URI): Boolean {
    fun port(uri: URI) = if (uri.port >= 0) {
        uri.port
    } else if (uri.scheme.equals("https", ignoreCase = true)) {
        443
    } else {
        80
    }
    return a.scheme.equals(b.scheme, ignoreCase = true) && a.host.equals(b.host, ignoreCase = true) && port(a) == port(b)
}

/** A request like another one; the JDK has this only from version 16 on. */
internal fun copy(
    from: HttpRequest,
    uri: URI = from.uri(),
    method: String = from.method(),
    body: HttpRequest.BodyPublisher? = from.bodyPublisher().orElse(null),
    first: Map<String, String> = mapOf(),
    keeps: (String) -> Boolean = { true },
): HttpRequest {
    val builder = HttpRequest.newBuilder(uri).expectContinue(from.expectContinue())
    when {
        body != null -> builder.method(method, body)
        method == "GET" -> builder.GET()
        method == "DELETE" -> builder.DELETE()
        else -> builder.method(method, HttpRequest.BodyPublishers.noBody())
    }
    from.timeout().ifPresent { builder.timeout(it) }
    from.version().ifPresent { builder.version(it) }
    first.forEach { (name, value) -> builder.header(name, value) }
    from.headers().map().filterKeys(keeps).forEach { (name, values) -> values.forEach { builder.header(name, it) } }
    return builder.build()
}
