package io.github.plannt

import io.github.plannt.okhttp.L402Exception
import io.github.plannt.okhttp.l402
import io.github.plannt.okhttp.l402Quote
import io.github.plannt.okhttp.outcomeOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import okhttp3.Cache
import okhttp3.MediaType
import okhttp3.OkHttpClient
import okhttp3.Protocol
import okhttp3.Request
import okhttp3.RequestBody
import okhttp3.RequestBody.Companion.toRequestBody
import okhttp3.Response
import okhttp3.ResponseBody.Companion.toResponseBody
import okio.BufferedSink
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable
import java.io.File

@EnabledIfEnvironmentVariable(named = "PLANNT_BIN", matches = ".+")
class OkHttpTest : PayingContract() {
    private fun client(driver: Driver) = OkHttpClient.Builder().l402(driver).build()

    private fun request(url: String, body: String?, once: Boolean, headers: Map<String, String>): Request {
        val builder = Request.Builder().url(url)
        headers.forEach { (name, value) -> builder.header(name, value) }
        body?.let { builder.post(if (once) Once(it) else it.toRequestBody()) }
        return builder.build()
    }

    private class Once(private val text: String) : RequestBody() {
        override fun contentType(): MediaType? = null
        override fun isOneShot() = true
        override fun writeTo(sink: BufferedSink) {
            sink.writeUtf8(text)
        }
    }

    private fun answer(response: Response): Answer = response.use {
        // Nothing that the caller sees has the credential.
        assertEquals(listOf<String>(), it.request.headers("Authorization").filter { line -> line.startsWith("L402") })
        assertEquals(listOf<String>(), it.networkResponse?.request?.headers("Authorization").orEmpty().filter { line -> line.startsWith("L402") })
        Answer(it.code, it.body.string(), outcomeOf(it), it.header("x-l402"))
    }

    private fun <T> plainly(work: () -> T): T = try {
        work()
    } catch (error: L402Exception) {
        assertEquals(error.error.code, error.code)
        assertEquals(error.error.message, error.message)
        throw error.error
    }

    override fun send(url: String, driver: Driver, body: String?, once: Boolean, headers: Map<String, String>): Answer =
        plainly { answer(client(driver).newCall(request(url, body, once, headers)).execute()) }

    override fun quote(url: String, driver: Driver): Quote? = plainly { client(driver).l402Quote(Request.Builder().url(url).build()) }

    override fun begin(url: String, driver: Driver): Going {
        val call = client(driver).newCall(Request.Builder().url(url).build())
        return Going(aside { plainly { answer(call.execute()) } }, call::cancel)
    }

    @Test
    fun `goes through the cache, but not with what is paid for`() {
        val shop = shop { Reply(200, "bought", "Cache-Control" to "max-age=3600", "x-l402" to "spent") }
        val client = OkHttpClient.Builder().cache(Cache(File(folder, "cache"), 1_000_000)).l402(driver()).build()
        val request = Request.Builder().url("${shop.url}/paid").build()
        assertEquals(CredentialUse.BOUGHT, client.newCall(request).execute().use { it.body.string().let { _ -> outcomeOf(it) } }?.credential)
        val again = client.newCall(request).execute().use {
            assertEquals("bought", it.body.string())
            assertNull(it.networkResponse)
            outcomeOf(it)
        }
        assertEquals(CredentialUse.NONE, again?.credential)
        assertEquals(1, own.paid)
        val cached = File(folder, "cache").walk().filter { it.isFile }.map { it.readText(Charsets.ISO_8859_1) }.joinToString()
        assertEquals(false, cached.contains("L402 A"))
    }

    @Test
    fun `pays nothing where half of it was taken away`() {
        val half = client(driver()).newBuilder().apply { networkInterceptors().clear() }.build()
        val error = assertThrows(L402Exception::class.java) { half.newCall(Request.Builder().url(demo).build()).execute() }
        assertEquals("config", error.code)
        assertEquals(200, half.newCall(Request.Builder().url("${Service.url}/status").build()).execute().use { it.code })
        assertEquals(0, own.paid)
    }

    @Test
    fun `pays nobody but whom it asked`() {
        val elsewhere = OkHttpClient.Builder().l402(driver { allowedHosts("shop.example") }).addInterceptor { chain ->
            chain.proceed(chain.request().newBuilder().url(demo).build())
        }.build()
        val request = Request.Builder().url("https://shop.example/").build()
        assertEquals("config", assertThrows(L402Exception::class.java) { elsewhere.newCall(request).execute() }.code)
        assertEquals(0, own.paid)
    }

    @Test
    fun `pays nothing where the network is another one's`() {
        val line = Service.challengeLine()
        val other = OkHttpClient.Builder().l402(driver()).addInterceptor { chain ->
            Response.Builder().request(chain.request()).protocol(Protocol.HTTP_2).code(402).message("")
                .header("WWW-Authenticate", line).body("pay".toResponseBody()).build()
        }.build()
        assertEquals("config", assertThrows(L402Exception::class.java) { other.newCall(Request.Builder().url(demo).build()).execute() }.code)
        assertEquals(0, own.paid)
    }

    @Test
    fun `goes on where all of the common threads wait for it`() = runBlocking {
        val client = client(driver())
        val calls = (0 until 16).map {
            async(Dispatchers.Default) { client.newCall(Request.Builder().url("$demo?n=$it").build()).execute().use { response -> response.code } }
        }
        assertEquals(List(16) { 200 }, withTimeout(120_000) { calls.awaitAll() })
    }

    @Test
    fun `an authenticator's second request has no credential`() {
        val shop = shop {
            val known = "Basic own" in it.lines("Authorization")
            if (known) Reply(200, "in") else Reply(401, "", "WWW-Authenticate" to "Basic realm=\"a\"")
        }
        val client = client(driver()).newBuilder().authenticator { _, response ->
            response.request.newBuilder().url("${shop.url}/in").header("Authorization", "Basic own").build()
        }.build()
        assertEquals("in", client.newCall(Request.Builder().url("${shop.url}/paid").build()).execute().use { it.body.string() })
        assertEquals(listOf(0, 1, 0), shop.seen.map { seen -> seen.lines("Authorization").count { it.startsWith("L402") } })
    }
}
