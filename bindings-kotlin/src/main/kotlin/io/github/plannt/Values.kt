package io.github.plannt

/** Base64 as tokens have it: either alphabet is read, with or without padding; the standard one is written (docs/PROTOCOL.md §1). */
object Base64 {
    /** Reads base64 (RFC 4648), one alphabet at a time, with zero spare bits. */
    @JvmStatic
    @Throws(Base64Exception::class)
    fun decode(text: String): ByteArray = base64Decode(text)

    /** The most bytes that so many [characters] stand for. */
    @JvmStatic
    fun decodedLen(characters: Long): Long = base64DecodedLen(characters)

    /** Writes base64 in the standard alphabet, with padding. */
    @JvmStatic
    fun encode(bytes: ByteArray): String = base64Encode(bytes)
}

/** The bounds that the protocol sets (docs/PROTOCOL.md): bytes and seconds. */
object Constants {
    private val limits = limits()

    /** Bytes of an identifier: 66. */
    @JvmStatic
    val identifierLen: Long get() = limits.identifierLen

    /** Longest `Authorization` header that is read, in bytes over all its lines. */
    @JvmStatic
    val maxAuthorizationBytes: Long get() = limits.maxAuthorizationBytes

    /** The most tokens that one credential carries before the colon. */
    @JvmStatic
    val maxCredentialTokens: Long get() = limits.maxCredentialTokens

    /** The most bytes that a macaroon takes, in whichever encoding. */
    @JvmStatic
    val maxMacaroonBytes: Long get() = limits.maxMacaroonBytes

    /** The most caveats that a macaroon carries. */
    @JvmStatic
    val maxMacaroonCaveats: Long get() = limits.maxMacaroonCaveats

    /** The most bytes of a minted token, before base64. */
    @JvmStatic
    val maxMintedTokenBytes: Long get() = limits.maxMintedTokenBytes

    /** Longest token that the L402 layer reads, in bytes before base64. */
    @JvmStatic
    val maxTokenBytes: Long get() = limits.maxTokenBytes

    /** The most caveats of a token that the L402 layer reads. */
    @JvmStatic
    val maxTokenCaveats: Long get() = limits.maxTokenCaveats

    /** The longest token text that is paid for, bytes. */
    @JvmStatic
    val maxTokenTextBytes: Long get() = limits.maxTokenTextBytes

    /** The least time that an invoice must still be valid for, seconds. */
    @JvmStatic
    val minInvoiceSeconds: Long get() = limits.minInvoiceSeconds

    /** How long an entry of the spent set outlives the minted `valid_until`, seconds. */
    @JvmStatic
    val spendGraceSeconds: Long get() = limits.spendGraceSeconds

    /** What one call may cost where nothing else is said, msat: 1,000 sat, fee included. */
    const val DEFAULT_MAX_PAYMENT_MSAT: Long = 1_000_000
}

/** A caveat's bytes as condition and value: what stands before and after the first `=`; null where there is none or it is no text. */
fun Caveat.Companion.split(caveat: ByteArray): SplitCaveat? = caveatSplit(caveat)

/** Whether a caveat's [pattern], a path or a prefix with a final `*`, takes a normalized [path]. */
fun Caveat.Companion.pathMatches(pattern: String, path: String): Boolean = caveatPathMatches(pattern, path)

/** Reads the identifier of an L402 macaroon, 66 bytes (docs/PROTOCOL.md §1). */
@Throws(IdentifierException::class)
fun Identifier.Companion.parse(bytes: ByteArray): Identifier = parseIdentifier(bytes)

/** Reads a BOLT 11 invoice as a payer must, its signature checked. */
@Throws(InvoiceException::class)
fun InvoiceFacts.Companion.parse(bolt11: String): InvoiceFacts = readInvoice(bolt11)

/** The macaroon in a token's text, in whichever format it is. */
@Throws(TokenException::class)
fun Macaroon.Companion.parseToken(token: String): Macaroon = io.github.plannt.parseToken(token)

/** The credential of a request, from the bytes of its `Authorization` lines; null where none of them is L402's (docs/PROTOCOL.md §3). */
@Throws(CredentialException::class)
fun Credential.Companion.fromAuthorization(lines: List<ByteArray>): Credential? = credentialFromAuthorization(lines)

/** The same of one line as text. */
@Throws(CredentialException::class)
fun Credential.Companion.fromAuthorization(line: String): Credential? = credentialFromAuthorization(listOf(headerBytes(line)))

/**
 * A 402's challenge, from its `WWW-Authenticate` lines, else from its body; null where there is none (docs/PROTOCOL.md §5). Lines that were
 * joined by commas count as so many.
 */
@Throws(ChallengeException::class)
fun Challenge.Companion.read(wwwAuthenticate: List<String>, body: ByteArray? = null): Challenge? =
    readChallenge(wwwAuthenticate.map(::headerBytes), body)

/** Appends a first-party caveat, such as `path=/v1/demo`, as its holder may: the result is narrower, never wider. */
@Throws(MacaroonException::class)
fun Macaroon.attenuate(caveat: String): Unit = attenuate(caveat.toByteArray())

/**
 * Verifies the chain under its [rootKey], with the [discharges] of its third-party caveats; [satisfied] is asked about each first-party
 * caveat, after all signatures are right. What it throws is a [DischargeException], too.
 */
@Throws(DischargeException::class)
fun Macaroon.verifyDischarged(rootKey: ByteArray, discharges: List<Macaroon> = listOf(), satisfied: (ByteArray) -> Boolean) {
    val checker = object : CaveatChecker {
        override fun isSatisfied(caveat: ByteArray): Boolean = satisfied(caveat)
    }
    verifyDischarged(rootKey, discharges, checker)
}

/** The bytes of a header's value: what HTTP stacks show as characters are bytes, but for those stacks that read UTF-8. */
internal fun headerBytes(value: String): ByteArray =
    value.toByteArray(if (value.all { it.code < 256 }) Charsets.ISO_8859_1 else Charsets.UTF_8)
