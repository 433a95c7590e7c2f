package io.github.plannt

/** The network with that name (`mainnet` is `bitcoin`) or BOLT 11 currency prefix. */
@Throws(UnknownNetworkException::class)
fun Network.Companion.parse(text: String): Network = parseNetwork(text)

/** The scheme with that name in any case; null where it is neither `L402` nor `LSAT`. */
fun Scheme.Companion.fromName(name: String): Scheme? = schemeFromName(name)

/** The code with that text; null where there is none. */
fun Code.Companion.fromName(text: String): Code? = codeFromName(text)

/** The state with that name. */
@Throws(UnknownStateException::class)
fun IntentState.Companion.parse(text: String): IntentState = parseIntentState(text)

/** The state with that name. */
@Throws(UnknownStateException::class)
fun CredentialState.Companion.parse(text: String): CredentialState = parseCredentialState(text)

/** The encoding that these bytes of a macaroon are in, by their first byte; null where they are in none. */
fun Format.Companion.sniff(bytes: ByteArray): Format? = sniffFormat(bytes)
