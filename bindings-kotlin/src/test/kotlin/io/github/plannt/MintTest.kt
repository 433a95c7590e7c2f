package io.github.plannt

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test

class MintTest {
    @Test
    fun `mints and verifies`() {
        val ring = Keyring(Network.REGTEST, RootKey.fromBytes(ByteArray(32) { 1 }))
        val preimage = Preimage.fromBytes(ByteArray(32) { 2 })
        val request = MintRequest(
            paymentHash = preimage.paymentHash(), service = "demo", tier = 0, validUntil = 1_900_000_000, method = "GET",
            path = "/v1/demo", maxPriceMsat = 21_000, uses = 3,
        )
        val token = ring.mint(request)

        val line = "L402 $token:${preimage.exposeHex()}".toByteArray()
        val credential = credentialFromAuthorization(listOf(line))!!
        val context = RequestContext(
            now = 1_800_000_000, service = "demo", tier = 0, method = "GET", path = "/v1/demo", lowestPriceMsat = 21_000,
        )
        val verified = ring.verify(credential, context)
        assertEquals(3, verified.uses)
        assertEquals(preimage.paymentHash(), verified.paymentHash)

        val expired = assertThrows(VerifyException.Expired::class.java) {
            ring.verify(credential, context.copy(now = 1_900_000_000))
        }
        assertEquals("expired", expired.code)
        assertEquals("credential expired", expired.message)
        assertThrows(MintException.InvalidUses::class.java) { ring.mint(request.copy(uses = 0)) }
        assertThrows(IllegalArgumentException::class.java) { ring.mint(request.copy(maxPriceMsat = -1)) }
        assertEquals("Preimage([redacted])", preimage.toString())
    }

    @Test
    fun `a defect of Rust's is an exception`() = runBlocking {
        for (broken in listOf<suspend () -> Unit>({ defect() }, { defectLater() }, { defectAside() })) {
            val error = assertThrows(PlanntException::class.java) { runBlocking { broken() } }
            assertEquals("internal", error.code)
            assertEquals("a defect on purpose", error.message)
        }
    }
}
