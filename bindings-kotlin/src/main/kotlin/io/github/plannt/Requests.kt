package io.github.plannt

import java.net.URI

/**
 * What to sell: a token for [uses] calls of one [method] (in upper case) and one normalized [path], or with a final `*` all that begin so
 * (docs/PROTOCOL.md §2). [validUntil] is in unix seconds, [maxPriceMsat] what the invoice asks for, msat; [query] and [digest] are the
 * SHA-256 of query and body, where the route binds them.
 */
fun MintRequest.Companion.of(
    paymentHash: PaymentHash,
    service: String,
    method: String,
    path: String,
    validUntil: Long,
    maxPriceMsat: Long,
    tier: Int = 0,
    uses: Long = 1,
    query: Bytes32? = null,
    digest: Bytes32? = null,
    capabilities: List<String> = listOf(),
): MintRequest = MintRequest(paymentHash, service, tier, validUntil, method, path, maxPriceMsat, uses, query, digest, capabilities)

/**
 * What a credential is checked against (docs/PROTOCOL.md §4). [now] is in unix seconds, [path] as [normalizePath] gives it, [lowestPriceMsat]
 * the least that the request may have been sold for, msat; [query] and [digest] are the SHA-256 of query and body. With [strict] a caveat that
 * nobody knows is refused.
 */
fun RequestContext.Companion.of(
    now: Long,
    service: String,
    method: String,
    path: String,
    lowestPriceMsat: Long,
    tier: Int = 0,
    query: Bytes32? = null,
    requiresQuery: Boolean = false,
    digest: Bytes32? = null,
    requiresDigest: Boolean = false,
    capability: String? = null,
    strict: Boolean = false,
): RequestContext = RequestContext(
    now, service, tier, method, path, lowestPriceMsat, query, requiresQuery, digest, requiresDigest, capability, strict,
)

/** The facts of a request. [body] is null for a stream that can't be sent a second time: such a request is never paid for. */
fun RequestFacts.Companion.of(method: String, origin: Origin, target: String, body: ByteArray?): RequestFacts =
    if (body == null) RequestFacts(method, origin, target, null) else requestFacts(method, origin, target, body)

/** The origin of an absolute `http` or `https` address. */
@Throws(OriginException::class)
fun Origin.Companion.of(uri: URI): Origin = of(uri.scheme.orEmpty().lowercase(), uri.host.orEmpty(), uri.port.takeIf { it >= 0 })

/** What a request line has of an address: path and query. */
internal fun target(uri: URI): String {
    val path = uri.rawPath.orEmpty().ifEmpty { "/" }
    // An empty query is one, too.
    return uri.rawQuery?.let { "$path?$it" } ?: path
}

/** Whether an `Authorization` value is an L402 credential of the caller's own, which then decides. */
internal fun isL402(authorization: String): Boolean = schemeFromName(authorization.trimStart().takeWhile { !it.isWhitespace() }) != null

/** How a call ends that had nothing to do with money. */
internal val nothingPaid = Outcome(CredentialUse.NONE, null, false)

/** What this call paid, if it did. */
internal fun Outcome.bought(): Receipt? = receipt.takeIf { credential == CredentialUse.BOUGHT }

/** Whether a 402 has a challenge, also one that says two things at once. */
internal fun asksForPayment(wwwAuthenticate: List<ByteArray>, body: ByteArray?): Boolean = try {
    readChallenge(wwwAuthenticate, body) != null
} catch (_: ChallengeException) {
    true
}
