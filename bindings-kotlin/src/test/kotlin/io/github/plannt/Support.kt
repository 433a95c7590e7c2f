package io.github.plannt

import com.google.gson.JsonParser
import kotlinx.coroutines.CompletableDeferred
import java.io.File
import java.io.InputStream
import java.net.HttpURLConnection
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.URI
import java.nio.file.Files
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** What a call of the demo service costs, msat. */
const val PRICE = 21_000L

/** `plannt serve --demo` with all its state in a folder of its own, one for all tests of this process. */
object Service {
    private val binary: String = System.getenv("PLANNT_BIN")
    private val home: File = Files.createTempDirectory("plannt-kotlin").toFile()
    private val process: Process = ProcessBuilder(binary, "--data-dir", home.path, "serve", "--demo", "--listen", "127.0.0.1:0")
        .redirectError(ProcessBuilder.Redirect.DISCARD).start()

    /** Where it listens. */
    val url: String

    /** The URL of a wallet that can pay it. */
    val payerUrl: String

    init {
        Runtime.getRuntime().addShutdownHook(
            thread(start = false) {
                process.destroyForcibly().waitFor()
                home.deleteRecursively()
            },
        )
        val said = process.inputStream.bufferedReader().readLine().orEmpty()
        check(said.startsWith("listening on ")) { said }
        url = said.split(" ").last()
        payerUrl = JsonParser.parseString(File(home, "devnet/devnet.json").readText()).text("payer_url")
    }

    @JvmStatic
    fun wallet(): Wallet = wallet(payerUrl, Network.REGTEST)

    /** A fresh challenge of `/v1/demo`. */
    fun challengeLine(): String {
        val connection = URI("$url/v1/demo").toURL().openConnection() as HttpURLConnection
        check(connection.responseCode == 402)
        return connection.getHeaderField("WWW-Authenticate")
    }
}

/** A request that a [Server] saw. */
class Seen(val method: String, val target: String, private val headers: List<Pair<String, String>>, val body: ByteArray) {
    fun lines(name: String): List<String> = headers.filter { it.first.equals(name, ignoreCase = true) }.map { it.second }
}

/** What it answers. */
class Reply(val status: Int, val body: ByteArray, vararg val headers: Pair<String, String>) {
    constructor(status: Int, body: String, vararg headers: Pair<String, String>) : this(status, body.toByteArray(), *headers)
}

/** An HTTP server that answers by a rule; null breaks the connection off. */
class Server(private val rule: (Seen) -> Reply?) : AutoCloseable {
    private val socket = ServerSocket(0, 100, InetAddress.getLoopbackAddress())
    val seen = CopyOnWriteArrayList<Seen>()
    val url = "http://127.0.0.1:${socket.localPort}"

    init {
        thread(isDaemon = true) {
            while (true) {
                val client = try {
                    socket.accept()
                } catch (_: java.io.IOException) {
                    break
                }
                thread(isDaemon = true) { client.use(::answer) }
            }
        }
    }

    private fun answer(client: Socket) {
        val input = client.getInputStream().buffered()
        val words = line(input)?.split(" ") ?: return
        val headers = generateSequence { line(input)?.takeIf { it.isNotEmpty() } }
            .map { it.substringBefore(":") to it.substringAfter(":").trim() }
            .toList()
        val one = Seen(words[0], words[1], headers, body(input, headers))
        seen.add(one)
        val reply = rule(one) ?: return client.setSoLinger(true, 0)
        val length = listOf("Content-Length: ${reply.body.size}").filter { reply.headers.none { (name, _) -> name == "Content-Length" } }
        val head = listOf("HTTP/1.1 ${reply.status} Status", "Connection: close") + length + reply.headers.map { "${it.first}: ${it.second}" }
        client.getOutputStream().apply {
            write((head.joinToString("\r\n") + "\r\n\r\n").toByteArray())
            write(reply.body)
            flush()
        }
    }

    private fun body(input: InputStream, headers: List<Pair<String, String>>): ByteArray {
        fun header(name: String) = headers.firstOrNull { it.first.equals(name, ignoreCase = true) }?.second
        if (header("Transfer-Encoding") != "chunked") return input.readNBytes(header("Content-Length")?.toInt() ?: 0)
        val chunks = generateSequence { line(input)!!.toInt(16).takeIf { it > 0 } }
        return chunks.fold(ByteArray(0)) { whole, size -> whole + input.readNBytes(size).also { line(input) } }
    }

    private fun line(input: InputStream): String? {
        val bytes = generateSequence { input.read().takeIf { it >= 0 && it != '\n'.code } }.map { it.toByte() }.toList()
        return if (bytes.isEmpty()) null else String(bytes.toByteArray(), Charsets.ISO_8859_1).trimEnd('\r')
    }

    override fun close() = socket.close()
}

/** What an [OwnWallet] does when it is to pay. */
enum class Manner { PAYS, LOSES_THE_ANSWER, FAILS, WAITS }

/** A wallet of the app's own: it pays through another one, counts, and does as it is told. */
class OwnWallet(private val inner: Wallet = Service.wallet()) : AppWallet("kotlin:own", Network.REGTEST) {
    private val count = AtomicInteger()
    private val called = CountDownLatch(1)
    private val gate = CompletableDeferred<Unit>()

    @Volatile
    var manner = Manner.PAYS

    val paid: Int get() = count.get()

    /** Waits until a payment waits. */
    fun awaitCall() = check(called.await(60, TimeUnit.SECONDS))

    /** Lets the waiting payment go on. */
    fun goOn() {
        manner = Manner.PAYS
        gate.complete(Unit)
    }

    override suspend fun payInvoice(request: PayRequest): Payment {
        val manner = manner
        if (manner == Manner.FAILS) throw PaymentException.Failed("no_route", "there is no way")
        if (manner == Manner.WAITS) {
            called.countDown()
            gate.await()
        }
        val payment = inner.payInvoice(request)
        count.incrementAndGet()
        check(manner != Manner.LOSES_THE_ANSWER) { "the answer is lost" }
        return payment
    }

    override suspend fun lookupPayment(paymentHash: PaymentHash): PaymentState {
        check(manner != Manner.LOSES_THE_ANSWER) { "the answer is lost" }
        return inner.lookupPayment(paymentHash)
    }
}

/** Runs a class of these tests' own class path in a JVM of its own: what it said, and its exit code. */
fun java(
    main: String,
    options: List<String> = listOf(),
    arguments: List<String> = listOf(),
    environment: Map<String, String> = mapOf(),
): Pair<String, Int> {
    val java = File(System.getProperty("java.home"), "bin/java").path
    val builder = ProcessBuilder(listOf(java) + options + listOf("-cp", System.getProperty("java.class.path"), main) + arguments)
    builder.environment().putAll(environment)
    val process = builder.redirectErrorStream(true).start()
    val said = process.inputStream.bufferedReader().readText()
    return said to process.waitFor()
}
