package io.github.plannt

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledOnOs
import org.junit.jupiter.api.condition.OS
import java.io.File

private const val MIB = 1024L

class MemoryTest {
    /** In a JVM of its own, whose heap is taken whole at the start and whose compiler is the quick one: what grows is native. */
    @Test
    @EnabledOnOs(OS.LINUX)
    fun `100,000 cycles of create, verify and drop take no memory`() {
        val options = listOf("-Xms64m", "-Xmx64m", "-XX:+UseSerialGC", "-XX:+AlwaysPreTouch", "-XX:TieredStopAtLevel=1")
        val (said, status) = java("io.github.plannt.Cycles", options)
        print(said)
        assertEquals(0, status, said)
        val (early, late) = Regex("(\\d+) KiB resident").findAll(said).map { it.groupValues[1].toLong() }.toList()
        assertTrue(late - early <= 5 * MIB, said)
    }
}

/** The cycles themselves. Every second one leaves its objects to the cleaner. */
object Cycles {
    private val key = ByteArray(32) { 1 }
    private val context = RequestContext.of(1_800_000_000, "demo", "GET", "/v1/demo", 21_000)
    private var verified = 0

    @JvmStatic
    fun main(arguments: Array<String>) {
        for (at in 0 until 10_000) cycle(at)
        println("memory: ${residentKib()} KiB resident after 10,000 cycles")
        for (at in 10_000 until 100_000) cycle(at)
        println("memory: ${residentKib()} KiB resident after 100,000 cycles")
        // A few in a hundred thousand spell a scheme's name.
        check(verified > 99_900)
    }

    private fun cycle(at: Int) {
        val root = RootKey.fromBytes(key)
        val ring = Keyring(Network.REGTEST, root)
        val preimage = Preimage.fromBytes(ByteArray(32) { (at shr (it % 4 * 8)).toByte() })
        val request = MintRequest.of(preimage.paymentHash(), "demo", "GET", "/v1/demo", 1_900_000_000, 21_000)
        val token = try {
            ring.mint(request)
        } catch (_: MintException.TokenTextCollision) {
            return
        }
        val credential = checkNotNull(Credential.fromAuthorization(authorizationValue(token, preimage)))
        check(ring.verify(credential, context).paymentHash == preimage.paymentHash())
        // What fails is dropped, too.
        if (at % 10 == 0) check(runCatching { ring.verify(credential, context.copy(now = 2_000_000_000)) }.exceptionOrNull() is VerifyException)
        if (at % 2 == 0) listOf(root, ring, preimage, credential).forEach { (it as AutoCloseable).close() }
        verified += 1
    }

    private fun residentKib(): Long {
        // The cleaner frees what the collector found.
        repeat(3) {
            System.gc()
            Thread.sleep(200)
        }
        return File("/proc/self/status").readLines().first { it.startsWith("VmRSS:") }.filter { it.isDigit() }.toLong()
    }
}
