package io.github.plannt

import io.github.plannt.http.BrokenOffException
import io.github.plannt.http.L402HttpClient
import io.github.plannt.http.L402Response
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable
import java.io.IOException
import java.net.Authenticator
import java.net.InetAddress
import java.net.ServerSocket
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

@EnabledIfEnvironmentVariable(named = "PLANNT_BIN", matches = ".+")
class JavaHttpTest : PayingContract() {
    private val http = HttpClient.newHttpClient()

    private fun client(driver: Driver, follows: Boolean = true) = L402HttpClient(driver, http, followRedirects = follows)

    private fun request(url: String, body: String?, once: Boolean, headers: Map<String, String>): HttpRequest {
        val builder = HttpRequest.newBuilder(URI(url))
        headers.forEach { (name, value) -> builder.header(name, value) }
        if (body != null) {
            val bytes = body.toByteArray()
            builder.POST(if (once) BodyPublishers.ofInputStream { bytes.inputStream() } else BodyPublishers.ofByteArray(bytes))
        }
        return builder.build()
    }

    private fun answer(response: L402Response<String>) = Answer(
        response.statusCode(), response.body(), response.outcome, response.headers().firstValue("x-l402").orElse(null),
    )

    override fun send(url: String, driver: Driver, body: String?, once: Boolean, headers: Map<String, String>): Answer {
        val response = client(driver).send(request(url, body, once, headers), BodyHandlers.ofString())
        assertEquals(headers["Authorization"], response.request().headers().firstValue("Authorization").orElse(null))
        return answer(response)
    }

    override fun quote(url: String, driver: Driver): Quote? = client(driver).quote(HttpRequest.newBuilder(URI(url)).build())

    override fun begin(url: String, driver: Driver): Going {
        val going = client(driver).sendAsync(HttpRequest.newBuilder(URI(url)).build(), BodyHandlers.ofString())
        return Going(going.thenApply(::answer)) { going.cancel(true) }
    }

    @Test
    fun `hands a redirect back where it follows none`() = runBlocking {
        val shop = shop { Reply(302, "elsewhere", "Location" to "/end") }
        val response = client(driver(), follows = false).get("${shop.url}/paid")
        assertEquals(302, response.statusCode())
        assertEquals("elsewhere", response.body())
        assertEquals(CredentialUse.BOUGHT, response.outcome.credential)
    }

    @Test
    fun `follows no 402`() {
        val server = server { Reply(if (it.target == "/end") 200 else 402, it.target, "Location" to "/end") }
        assertEquals("/pay", send("${server.url}/pay", driver()).text)
        assertEquals("/pay", send("${server.url}/pay", driver(), headers = mapOf("Authorization" to "L402 abc:def")).text)
    }

    @Test
    fun `says what a response cost that broke off`() {
        val shop = shop { Reply(200, "half", "x-l402" to "spent", "Content-Length" to "8") }
        val error = assertThrows(BrokenOffException::class.java) { send("${shop.url}/paid", driver()) }
        assertEquals(PRICE, error.outcome.receipt?.amountMsat)
        val free = server { Reply(200, "half", "Content-Length" to "8") }
        assertFalse(assertThrows(IOException::class.java) { send(free.url, driver()) } is BrokenOffException)
    }

    @Test
    fun `a cancelled call ends its exchange`() {
        val (begun, ended) = Pair(CountDownLatch(1), CountDownLatch(1))
        val client = client(driver())
        ServerSocket(0, 1, InetAddress.getLoopbackAddress()).use { listener ->
            aside {
                listener.accept().use { socket ->
                    begun.countDown()
                    // The request, and then the connection's end.
                    while (socket.getInputStream().read() >= 0) continue
                    ended.countDown()
                }
            }
            val url = URI("http://127.0.0.1:${listener.localPort}/")
            val going = client.sendAsync(HttpRequest.newBuilder(url).build(), BodyHandlers.ofString())
            assertTrue(begun.await(60, TimeUnit.SECONDS))
            going.cancel(true)
            assertTrue(ended.await(60, TimeUnit.SECONDS), "the connection is still there")
        }
    }

    @Test
    fun `streams what is paid for`() {
        val shop = shop { Reply(200, "x".repeat(1_000_000), "x-l402" to "spent") }
        val response = client(driver()).send(HttpRequest.newBuilder(URI("${shop.url}/paid")).build(), BodyHandlers.ofInputStream())
        assertEquals(1_000_000, response.body().use { it.readAllBytes() }.size)
    }

    @Test
    fun `follows no redirect down from https, and none with a body that is gone`() {
        val once = request("http://a.example/x", "once", once = true, headers = mapOf())
        val post = request(
            "https://a.example/x", "body", once = false,
            headers = mapOf(
                "Authorization" to "Bearer own",
                "Content-Type" to "text/plain"
            )
        )
        fun next(from: HttpRequest, status: Int, location: String?) = io.github.plannt.http.redirected(from, status, location)
        assertEquals(null, next(once, 307, "/y"))
        assertEquals(null, next(post, 307, "http://a.example/y"))
        assertEquals(null, next(post, 307, "ftp://a.example/y"))
        assertEquals(null, next(post, 307, null))
        assertEquals(null, next(post, 307, "http://[broken"))
        for (status in listOf(200, 300, 304, 402)) assertEquals(null, next(post, status, "/y"))
        val same = next(post, 307, "?q=%2F#part")!!
        assertEquals("POST https://a.example/x?q=%2F", "${same.method()} ${same.uri()}")
        assertEquals(listOf("Bearer own"), same.headers().allValues("Authorization"))
        val other = next(post, 303, "https://user:word@b.example/y")!!
        assertEquals("GET https://b.example/y", "${other.method()} ${other.uri()}")
        assertEquals(setOf<String>(), other.headers().map().keys)
    }

    @Test
    fun `takes no client that would give the credential away, or send none`() {
        val following = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.ALWAYS).build()
        val login = HttpClient.newBuilder().authenticator(object : Authenticator() {}).build()
        for (client in listOf(following, login)) {
            assertEquals("config", assertThrows(ClientException.Config::class.java) { L402HttpClient(driver(), client) }.code)
        }
    }
}
