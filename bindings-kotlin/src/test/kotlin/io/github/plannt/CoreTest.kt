package io.github.plannt

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** Names, values, errors and secrets. */
class CoreTest {
    private val ring = Keyring(Network.REGTEST, RootKey.fromBytes(ByteArray(32) { 1 }))
    private val preimage = Preimage.fromBytes(ByteArray(32) { 2 })
    private val request = MintRequest.of(preimage.paymentHash(), "demo", "GET", "/v1/demo", 1_900_000_000, 21_000, uses = 3)
    private val context = RequestContext.of(1_800_000_000, "demo", "GET", "/v1/demo", 21_000)

    @Test
    fun `mints and verifies`() {
        val token = ring.mint(request)
        val credential = Credential.fromAuthorization(authorizationValue(token, preimage))!!
        val verified = ring.verify(credential, context)
        assertEquals(3, verified.uses)
        assertEquals(preimage.paymentHash(), verified.paymentHash)
        val expired = assertThrows(VerifyException.Expired::class.java) { ring.verify(credential, context.copy(now = 1_900_000_000)) }
        assertEquals("expired", expired.code)
        assertEquals("credential expired", expired.message)
        assertThrows(MintException.InvalidUses::class.java) { ring.mint(request.copy(uses = 0)) }
        assertThrows(IllegalArgumentException::class.java) { ring.mint(request.copy(maxPriceMsat = -1)) }
        assertThrows(IllegalArgumentException::class.java) { ring.mint(request.copy(uses = 1L shl 32)) }
        assertThrows(IllegalArgumentException::class.java) { ring.mint(request.copy(tier = 256)) }
        assertNull(Credential.fromAuthorization("Basic abc"))
    }

    @Test
    fun `a defect of Rust's is an exception`() {
        for (broken in listOf<suspend () -> Unit>({ defect() }, { defectLater() }, { defectAside() })) {
            val error = assertThrows(PlanntException::class.java) { runBlocking { broken() } }
            assertEquals("internal", error.code)
            assertEquals("a defect on purpose", error.message)
        }
    }

    @Test
    fun `no secret prints`() {
        val token = ring.mint(request)
        val value = authorizationValue(token, preimage)
        val shown = listOf(preimage, RootKey.fromBytes(ByteArray(32)), SecretText(value), Payment.of(preimage), ring).joinToString()
        assertFalse(shown.contains(preimage.exposeHex()) || shown.contains(token), shown)
        assertTrue(shown.contains("[redacted]"))
        assertEquals(preimage.exposeHex(), value.takeLast(64))
    }

    @Test
    fun `names are Rust's`() {
        assertEquals(Network.entries, Network.entries.map { Network.parse(it.text()) })
        assertEquals(Network.BITCOIN, Network.parse("mainnet"))
        assertThrows(UnknownNetworkException::class.java) { Network.parse("moon") }
        assertEquals(Code.entries, Code.entries.map { Code.fromName(it.text()) })
        assertEquals(Scheme.LSAT, Scheme.fromName("lsat"))
        assertNull(Scheme.fromName("basic"))
        assertEquals(IntentState.entries, IntentState.entries.map { IntentState.parse(it.text()) })
        assertEquals(CredentialState.entries, CredentialState.entries.map { CredentialState.parse(it.text()) })
        assertThrows(UnknownStateException::class.java) { IntentState.parse("sure") }
    }

    @Test
    fun `values and constants`() {
        assertEquals("AQID", Base64.encode(byteArrayOf(1, 2, 3)))
        assertEquals(3, Base64.decode("AQID").size)
        assertEquals(3L, Base64.decodedLen(4))
        assertEquals(
            limits(),
            Limits(
                Constants.identifierLen, Constants.maxAuthorizationBytes, Constants.maxCredentialTokens, Constants.maxMacaroonBytes,
                Constants.maxMacaroonCaveats, Constants.maxMintedTokenBytes, Constants.maxTokenBytes, Constants.maxTokenCaveats,
                Constants.maxTokenTextBytes, Constants.minInvoiceSeconds, Constants.spendGraceSeconds,
            )
        )
        assertEquals(SplitCaveat("path", "/v1/*"), Caveat.split("path=/v1/*".toByteArray()))
        assertTrue(Caveat.pathMatches("/v1/*", "/v1/demo"))
        assertEquals(10_000L, Policy.of(Network.REGTEST, 100_000).copy(maxFee = FeeLimit.fixed(10_000)).maxFeeMsat(5))
        assertEquals(FeeLimit(0, 0), FeeLimit.NONE)
        assertEquals(Hosts.NONE, Hosts.listed())
        assertEquals(86_400L, BudgetRule.perDay(5).windowSeconds)
        assertEquals(listOf(BudgetRule.inTotal(3)), Budget.of(BudgetRule.inTotal(5), BudgetRule.inTotal(3)).rules)
        val both = Budget.of(BudgetRule.perDay(100), BudgetRule.inTotal(1_000))
        assertEquals(50L, both.leftMsat { if (it.windowSeconds == null) 950 else 30 })
        assertEquals(Long.MAX_VALUE, BudgetRule.inTotal(Long.MAX_VALUE).limitMsat)
        assertEquals(Long.MAX_VALUE - 1, BudgetRule.inTotal(Long.MAX_VALUE - 1).limitMsat)
        assertNull(Budget.UNLIMITED.leftMsat { Long.MAX_VALUE })
        assertEquals("https://api.example", Origin.of(java.net.URI("HTTPS://API.example:443/x")).toString())
        assertEquals("http://[::1]:80".removeSuffix(":80"), Origin.of(java.net.URI("http://[::1]/")).toString())
        assertNull(RequestFacts.of("GET", Origin.parse("https://a.example"), "/", null).bodySha256)
        assertEquals(Format.V2, Format.sniff(Macaroon.parseToken(ring.mint(request)).toV2()))
        assertThrows(LengthException::class.java) { Bytes32(ByteArray(31)) }
    }

    @Test
    fun `a macaroon's closure decides, and may fail`() {
        val key = ByteArray(32) { 5 }
        val macaroon = Macaroon.create(key, "id".toByteArray(), null).apply { attenuate("path=/v1/demo") }
        macaroon.verifyDischarged(key) { String(it) == "path=/v1/demo" }
        assertThrows(DischargeException::class.java) { macaroon.verifyDischarged(key) { false } }
        assertThrows(DischargeException::class.java) { macaroon.verifyDischarged(key) { error("no") } }
        assertThrows(DischargeException::class.java) { macaroon.verifyDischarged(key) { TODO() } }
    }
}
