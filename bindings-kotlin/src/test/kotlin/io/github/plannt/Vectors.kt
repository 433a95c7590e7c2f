package io.github.plannt

import com.google.gson.JsonElement
import com.google.gson.JsonObject

/** The answer is an error that this package has no type for. */
internal class Refused(val code: String) : Exception(code)

/** The conformance vectors through this package's public API: each suite's answer to a case (conformance/README.md). */
internal val suites: Map<String, (JsonElement) -> JsonElement> = mapOf(
    "authorization_header" to ::authorizationHeader,
    "caveats" to ::caveats,
    "challenge_header" to ::challenge,
    "client_flow" to ::play,
    "identifier" to ::identifier,
    "invoice" to ::invoice,
    "macaroon" to ::macaroon,
    "mint" to ::mint,
    "verify" to ::verify,
)

/** Lines of a header: a character stands for one byte. */
private fun lines(input: JsonElement, name: String): List<ByteArray> = input.list("headers")
    .filter { it.asJsonArray[0].asString.lowercase() == name }
    .map { bytesOf(it.asJsonArray[1].asString) }

private fun bytesOf(text: String): ByteArray = text.toByteArray(if (text.all { it.code < 256 }) Charsets.ISO_8859_1 else Charsets.UTF_8)

private fun authorizationHeader(input: JsonElement): JsonElement {
    val op = input.text("op")
    if (op == "write") {
        return json("value" to authorizationValue(input.text("token"), Preimage.fromHex(input.text("preimage"))))
    }
    val credential = when (op) {
        "read_grpc" -> Credential.fromGrpcMetadata(input.text("value").toByteArray())
        else -> credentialFromAuthorization(lines(input, "authorization"))
    } ?: throw Refused("no_credential")
    // A token's macaroon is parsed when it is verified, under whatever key.
    val ring = Keyring(Network.REGTEST, RootKey.fromBytes(ByteArray(32) { 7 }))
    try {
        ring.verify(credential, RequestContext(now = 0, service = "demo", tier = 0, method = "GET", path = "/", lowestPriceMsat = 0))
    } catch (error: VerifyException) {
        if (error.code in listOf("malformed_credential", "header_too_large")) throw error
    }
    val output = json("tokens" to credential.tokens().map { hex(it.decode()) })
    credential.preimage()?.let { output.addProperty("preimage", it.exposeHex()) }
    return output
}

private fun granted(verified: Verified): JsonObject =
    json("uses" to verified.uses, "valid_until" to verified.validUntil, "keep_until" to verified.keepUntil)

private fun verified(ring: Keyring, credential: Credential, request: JsonElement): Verified {
    val target = request.text("target")
    val context = RequestContext(
        now = request.number("now"), service = request.text("service"), tier = request.number("tier").toInt(),
        method = request.text("method"), path = normalizePath(target.substringBefore('?')),
        lowestPriceMsat = request.number("lowest_price_msat"), query = queryDigest(queryOf(target).toByteArray()),
        requiresQuery = request.flag("binds_query"),
        digest = request["body"].takeUnless { it.isJsonNull }?.let { contentDigest(request.bytes("body")) },
        requiresDigest = request.flag("binds_body"), capability = request.textOrNull("capability"), strict = request.flag("strict"),
    )
    return ring.verify(credential, context)
}

private fun keyring(input: JsonElement): Keyring {
    val keys = input.texts("root_keys").map { RootKey.fromHex(it) }
    return keys.drop(1).fold(Keyring(parseNetwork(input.text("network")), keys[0])) { ring, key -> ring.withVerifying(key) }
}

private fun caveats(input: JsonElement): JsonElement {
    // The core evaluates no chain that it has not verified, so that the case's is signed here first.
    val ring = Keyring(Network.REGTEST, RootKey.fromBytes(ByteArray(32) { 0x5c }))
    val token = ring.mintChain(PaymentHash(input.bytes("payment_hash")), input.texts("caveats").map(::unhex))
    val preimage = input.textOrNull("preimage")
    val credential = when (preimage) {
        null -> Credential.fromGrpcMetadata(hex(base64Decode(token)).toByteArray())
        else -> credentialFromAuthorization(listOf(authorizationValue(token, Preimage.fromHex(preimage)).toByteArray()))
    } ?: throw Refused("no_credential")
    return granted(verified(ring, credential, input["request"]))
}

private fun challenge(input: JsonElement): JsonElement {
    if (input.text("op") == "write") return json("value" to challengeHeader(input.text("token"), input.text("invoice")))
    val read = readChallenge(lines(input, "www-authenticate"), input.textOrNull("body")?.toByteArray()) ?: throw Refused("no_challenge")
    val source = if (read.source == ChallengeSource.BODY) "body" else "header"
    return json("scheme" to read.scheme.text(), "token" to read.token.expose(), "invoice" to read.invoice, "source" to source)
}

private fun identifier(input: JsonElement): JsonElement {
    val parsed = parseIdentifier(input.bytes("identifier"))
    return json("payment_hash" to parsed.paymentHash, "token_id" to parsed.tokenId)
}

private fun invoice(input: JsonElement): JsonElement {
    val facts = readInvoice(input.text("bolt11"))
    return json(
        "payment_hash" to facts.paymentHash, "amount_msat" to facts.amountMsat, "network" to facts.network.text(),
        "issued_at" to facts.issuedAt, "expires_at" to facts.expiresAt, "payee" to facts.payee, "description" to facts.description,
    )
}

private fun readMacaroon(encoding: JsonElement): Macaroon {
    val data = encoding.textOrNull("hex")?.let(::unhex) ?: encoding.text("text").toByteArray()
    return when (encoding.text("format")) {
        "base64" -> Macaroon.parse(base64Decode(String(data)))
        "v1" -> Macaroon.fromV1(data)
        "v2" -> Macaroon.fromV2(data)
        else -> Macaroon.fromJson(data)
    }
}

private fun written(macaroon: Macaroon): JsonElement = json("v1" to hex(macaroon.toV1()), "v2" to hex(macaroon.toV2()))

private fun described(macaroon: Macaroon): JsonElement = json(
    "location" to macaroon.location().orEmpty(), "identifier" to hex(macaroon.identifier()),
    "caveats" to macaroon.caveats().map { caveat ->
        json("id" to hex(caveat.id)).apply {
            caveat.verificationId?.let {
                addProperty("verification_id", hex(it))
                addProperty("location", caveat.location.orEmpty())
            }
        }
    },
    "signature" to macaroon.signature(),
)

private fun macaroon(input: JsonElement): JsonElement = when (val op = input.text("op")) {
    "attenuate" -> json("token" to attenuateToken(input.text("token"), input.texts("caveats")))

    "bind" -> written(readMacaroon(input["macaroon"]).bind(readMacaroon(input["discharge"])))

    "write" -> {
        val one = readMacaroon(input["macaroon"])
        if (!Macaroon.fromJson(one.toJson().toByteArray()).toV2().contentEquals(one.toV2())) throw Refused("its JSON is another macaroon")
        written(one)
    }

    "create" -> {
        val one = Macaroon.create(input.bytes("root_key"), input.bytes("identifier"), input.textOrNull("location"))
        for (caveat in input.list("caveats")) {
            when {
                caveat["key"].isJsonNull -> one.attenuate(caveat.bytes("id"))

                else -> one.attenuateThirdParty(
                    caveat.bytes("key"), caveat.bytes("id"), caveat.textOrNull("location"), CaveatNonce(caveat.bytes("nonce")),
                )
            }
        }
        written(one)
    }

    "verify" -> {
        val one = readMacaroon(input["macaroon"])
        val held = input["satisfied"].takeIf { it.isJsonArray }?.let { input.texts("satisfied").toSet() }
        val checker = object : CaveatChecker {
            override fun isSatisfied(caveat: ByteArray) = held?.contains(hex(caveat)) ?: true
        }
        one.verifyDischarged(input.bytes("root_key"), input.list("discharges").map(::readMacaroon), checker)
        input.textOrNull("preimage")?.let {
            if (!Preimage.fromHex(it).proves(parseIdentifier(one.identifier()).paymentHash)) throw Refused("preimage_mismatch")
        }
        described(one)
    }

    else -> error(op)
}

private fun mint(input: JsonElement): JsonElement {
    fun digest(name: String) = input.textOrNull(name)?.let { Bytes32(unhex(it)) }
    val request = MintRequest(
        paymentHash = PaymentHash(input.bytes("payment_hash")), service = input.text("service"), tier = input.number("tier").toInt(),
        validUntil = input.number("valid_until"), method = input.text("method"), path = input.text("path"),
        maxPriceMsat = input.number("max_price_msat"), uses = input.number("uses"), query = digest("query"),
        digest = digest("digest"), capabilities = input.texts("capabilities"),
    )
    return json("token" to keyring(input).mint(request))
}

private fun verify(input: JsonElement): JsonElement {
    val grpc = input.textOrNull("grpc_macaroon")
    val credential = when (grpc) {
        null -> credentialFromAuthorization(input.texts("authorization").map(::bytesOf))
        else -> Credential.fromGrpcMetadata(grpc.toByteArray())
    } ?: throw Refused("no_credential")
    val verified = verified(keyring(input), credential, input["request"])
    return granted(verified).apply { addProperty("payment_hash", verified.paymentHash.toString()) }
}
