package io.github.plannt

import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import java.io.File
import java.io.IOException
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.Future
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean

/** What an HTTP stack's response says. */
class Answer(val status: Int, val text: String, val outcome: Outcome?, val spent: String?)

/** A call under way that can be cancelled. */
class Going(val end: Future<Answer>, val cancel: () -> Unit)

/** What paying has to do with every HTTP stack, against the real service and a server that answers as a test wants. */
abstract class PayingContract {
    @TempDir
    lateinit var folder: File

    val own by lazy { OwnWallet() }
    private val servers = mutableListOf<Server>()
    private val threads = Executors.newCachedThreadPool { Thread(it).apply { isDaemon = true } }

    /** Sends a `GET`, or a `POST` of a body; errors of this package come out as they are. */
    abstract fun send(url: String, driver: Driver, body: String? = null, once: Boolean = false, headers: Map<String, String> = mapOf()): Answer

    abstract fun quote(url: String, driver: Driver): Quote?

    abstract fun begin(url: String, driver: Driver): Going

    protected fun <T> aside(work: () -> T): Future<T> = threads.submit(work)

    @AfterEach
    fun end() {
        servers.forEach { it.close() }
        threads.shutdownNow()
    }

    val demo = "${Service.url}/v1/demo"

    fun driver(wallet: Wallet = own, limits: DriverBuilder.() -> Unit = {}): Driver =
        DriverBuilder(wallet).maxPaymentMsat(100_000).journal(File(folder, "journal.db")).apply(limits).build()

    fun server(rule: (Seen) -> Reply?): Server = Server(rule).also(servers::add)

    /** A server that asks for payment, and answers what is paid for by a rule. */
    fun shop(rule: (Seen) -> Reply?): Server {
        val line = Service.challengeLine()
        return server { seen ->
            val unpaid = seen.target.startsWith("/paid") && seen.lines("Authorization").none { it.startsWith("L402 ") }
            if (unpaid) Reply(402, "pay", "WWW-Authenticate" to line) else rule(seen)
        }
    }

    inline fun <reified E : PlanntException> refused(code: String, crossinline work: () -> Any?): E {
        val error = assertThrows(E::class.java) { work() }
        assertEquals(code, error.code)
        assertTrue(error.message.isNotEmpty())
        return error
    }

    @Test
    fun `pays for a call`() {
        val driver = driver()
        val answer = send(demo, driver)
        assertEquals(200, answer.status)
        assertEquals("""{"result":"verified"}""", answer.text)
        assertEquals("spent", answer.spent)
        assertEquals(CredentialUse.BOUGHT, answer.outcome?.credential)
        assertEquals(PRICE, answer.outcome?.receipt?.amountMsat)
        assertEquals(IntentState.PAID, answer.outcome?.receipt?.state)
        assertEquals(1, own.paid)
        assertEquals(listOf(PRICE), runBlocking { driver.receipts(10) }.map { it.amountMsat })
    }

    @Test
    fun `pays with a wallet by URL`() {
        assertEquals(200, send(demo, driver(Service.wallet())).status)
    }

    @Test
    fun `pays nothing for what is free`() {
        val answer = send("${Service.url}/status", driver())
        assertEquals(200, answer.status)
        assertEquals(CredentialUse.NONE, answer.outcome?.credential)
        assertEquals(0, own.paid)
    }

    @Test
    fun `asks for the price`() {
        val quote = quote(demo, driver { maxPaymentMsat(20_000) })
        assertEquals(PRICE, quote?.amountMsat)
        assertEquals("above_limit", quote?.refusal?.code)
        assertNull(quote("${Service.url}/status", driver()))
        assertEquals(0, own.paid)
        assertFalse(File(folder, "journal.db").exists())
    }

    @Test
    fun `is stopped by the limit of a call`() {
        val error = refused<ClientException.Refused>("above_limit") { send(demo, driver { maxPaymentMsat(20_999) }) }
        val refusal = error.refusal as RefusalException.AboveLimit
        assertEquals(listOf(PRICE, 20_999L), listOf(refusal.amountMsat, refusal.limitMsat))
        assertEquals(0, own.paid)
    }

    @Test
    fun `is stopped by a budget`() {
        val driver = driver {
            budget(BudgetRule.perDay(50_000))
            maxPaymentMsat(25_000)
        }
        repeat(2) { send(demo, driver) }
        val error = refused<ClientException.Refused>("budget_exceeded") { send(demo, driver) }
        assertEquals(50_000 - 2 * PRICE, (error.refusal as RefusalException.BudgetExceeded).leftMsat)
        assertEquals(2, own.paid)
        assertEquals(listOf(2 * PRICE), runBlocking { driver.budgetStatus() }.map { it.spentMsat })
    }

    @Test
    fun `pays no host that is not allowed`() {
        refused<ClientException.Refused>("host_not_allowed") { send(demo, driver { allowedHosts("api.example") }) }
        assertEquals(0, own.paid)
    }

    @Test
    fun `sends a body again, and a header of the caller's own`() {
        val shop = shop { Reply(200, it.body, "x-l402" to "spent") }
        val answer = send("${shop.url}/paid?q=1", driver(), body = "the same", headers = mapOf("Authorization" to "Bearer own"))
        assertEquals("the same", answer.text)
        assertEquals(List(2) { "POST /paid?q=1 the same" }, shop.seen.map { "${it.method} ${it.target} ${String(it.body)}" })
        assertEquals(listOf("L402"), shop.seen[0].lines("Accept-Authenticate"))
        assertEquals(listOf("Bearer own"), shop.seen[0].lines("Authorization"))
        val (credential, other) = shop.seen[1].lines("Authorization")
        assertTrue(credential.startsWith("L402 "))
        assertEquals("Bearer own", other)
    }

    @Test
    fun `never pays for a body that is gone`() {
        val shop = shop { Reply(200, "") }
        refused<ClientException.Refused>("body_not_replayable") { send("${shop.url}/paid", driver(), body = "once", once = true) }
        assertEquals(0, own.paid)
    }

    @ParameterizedTest
    @ValueSource(booleans = [false, true])
    fun `takes no credential over a redirect`(toAnother: Boolean) {
        val other = server { Reply(200, "at the end") }
        val end = if (toAnother) "${other.url}/end" else "/end"
        val shop = shop { if (it.target == "/end") Reply(200, "at the end") else Reply(302, "", "Location" to end) }
        val driver = driver()
        val answer = send("${shop.url}/paid", driver)
        assertEquals("at the end", answer.text)
        assertEquals(CredentialUse.BOUGHT, answer.outcome?.credential)
        val reached = (if (toAnother) other else shop).seen.filter { it.target == "/end" }
        assertEquals(listOf(listOf<String>()), reached.map { it.lines("Authorization") })
        assertEquals(CredentialState.DELIVERED, runBlocking { driver.receipts(1) }.first().credential)
    }

    @Test
    fun `takes no credential over a redirect to the same address`() {
        val answers = ArrayDeque(listOf(Reply(302, "", "Location" to "/paid")))
        val shop = shop { answers.removeFirstOrNull() ?: Reply(200, "at the end") }
        refused<ClientException.Refused>("challenge_after_redirect") { send("${shop.url}/paid", driver()) }
        assertEquals(1, shop.seen.count { seen -> seen.lines("Authorization").any { it.startsWith("L402") } })
        assertEquals(1, own.paid)
    }

    @Test
    fun `says what a redirect cost that leads nowhere`() {
        val shop = shop { if (it.target == "/end") null else Reply(302, "", "Location" to "/end") }
        val error = refused<ClientException.RedirectFailed>("redirect_failed") { send("${shop.url}/paid", driver()) }
        assertEquals(PRICE, error.receipt()?.amountMsat)
        assertTrue(error.cause is IOException)
    }

    @Test
    fun `pays nothing after a redirect`() {
        val first = server { Reply(307, "", "Location" to demo) }
        refused<ClientException.Refused>("challenge_after_redirect") { send(first.url, driver()) }
        assertEquals(0, own.paid)
        // The same after a redirect that was paid for.
        val shop = shop { Reply(302, "", "Location" to demo) }
        val error = refused<ClientException.Refused>("challenge_after_redirect") { send("${shop.url}/paid", driver()) }
        assertEquals(PRICE, error.receipt()?.amountMsat)
        assertEquals(1, own.paid)
    }

    @ParameterizedTest
    @ValueSource(ints = [0, 20, 300_000])
    fun `hands a 402 without a challenge back whole`(length: Int) {
        val server = server { Reply(402, "x".repeat(length)) }
        val answer = send(server.url, driver())
        assertEquals(402, answer.status)
        assertEquals(length, answer.text.length)
        assertEquals(CredentialUse.NONE, answer.outcome?.credential)
    }

    @Test
    fun `reads a challenge in a body`() {
        val challenge = Challenge.read(listOf(Service.challengeLine()))!!
        val body = json("invoice" to challenge.invoice, "macaroon" to challenge.token.expose()).toString()
        val shop = server {
            val paid = it.lines("Authorization").isNotEmpty()
            if (paid) Reply(200, "here", "x-l402" to "spent") else Reply(402, body, "Content-Type" to "application/json")
        }
        assertEquals("here", send(shop.url, driver()).text)
    }

    @Test
    fun `leaves a credential of the caller's own alone`() {
        val server = server { Reply(402, "", "WWW-Authenticate" to "L402 token=\"AAAA\", invoice=\"lnbcrt1\"") }
        val answer = send(server.url, driver(), headers = mapOf("Authorization" to "lsat abc:def"))
        assertEquals(402, answer.status)
        assertEquals(listOf(listOf("lsat abc:def")), server.seen.map { it.lines("Authorization") })
    }

    @Test
    fun `tries several uses first`() {
        val (line, left) = Service.challengeLine() to ArrayDeque(listOf("valid; remaining=1", "spent"))
        // The token is for this path, and is kept for no other.
        val shop = server {
            val paid = it.lines("Authorization").isNotEmpty()
            if (paid) Reply(200, "ok", "x-l402" to left.removeFirst()) else Reply(402, "pay", "WWW-Authenticate" to line)
        }
        val driver = driver()
        assertEquals(CredentialUse.BOUGHT, send("${shop.url}/v1/demo", driver).outcome?.credential)
        assertEquals(CredentialUse.KEPT, send("${shop.url}/v1/demo", driver).outcome?.credential)
        assertEquals(3, shop.seen.size)
        assertEquals(1, own.paid)
    }

    @Test
    fun `presents again what brought no answer`() {
        val found = AtomicBoolean()
        val shop = shop { if (found.get()) Reply(200, "here", "x-l402" to "spent") else null }
        val error = refused<ClientException.NotDelivered>("not_delivered") { send("${shop.url}/paid", driver()) }
        assertEquals(PRICE, error.receipt()?.amountMsat)
        assertTrue(error.cause is IOException)
        found.set(true)
        val answer = send("${shop.url}/paid", driver())
        assertEquals("here", answer.text)
        assertEquals(CredentialUse.RECOVERED, answer.outcome?.credential)
        assertEquals(1, own.paid)
    }

    @Test
    fun `asks the wallet about a lost answer`() {
        own.manner = Manner.LOSES_THE_ANSWER
        refused<ClientException.Refused>("payment_unresolved") { send(demo, driver()) }
        // Its look-up has no answer either: nothing more is paid.
        refused<ClientException.Refused>("payment_unresolved") { send(demo, driver()) }
        own.manner = Manner.PAYS
        assertEquals(listOf<RecoveredState>(RecoveredState.Paid), runBlocking { driver().recover() }.map { it.state })
        assertEquals(CredentialUse.RECOVERED, send(demo, driver()).outcome?.credential)
        assertEquals(1, own.paid)
    }

    @Test
    fun `says that the wallet did not pay`() {
        own.manner = Manner.FAILS
        val error = refused<ClientException.Refused>("payment_failed") { send(demo, driver()) }
        assertEquals("no_route", (error.refusal as RefusalException.PaymentFailed).failure)
        assertNull(error.receipt)
        val status = runBlocking { driver { budget(BudgetRule.inTotal(50_000)) }.budgetStatus() }
        assertEquals(listOf(50_000L), status.map { it.leftMsat })
    }

    @Test
    fun `a cancelled call leaves the payment to the journal`() {
        own.manner = Manner.WAITS
        val driver = driver()
        val going = begin(demo, driver)
        own.awaitCall()
        going.cancel()
        assertThrows(Exception::class.java) { going.end.get(30, TimeUnit.SECONDS) }
        assertEquals(0, own.paid)
        // Nobody waits any more, and the wallet pays.
        own.goOn()
        assertEquals(CredentialUse.RECOVERED, send(demo, driver).outcome?.credential)
        assertEquals(1, own.paid)
    }

    @Test
    fun `a call cancelled while it waits for an answer is presented again`() {
        val (arrived, hold) = Pair(CountDownLatch(1), CountDownLatch(1))
        val shop = shop {
            if (hold.count == 0L) return@shop Reply(200, "here", "x-l402" to "spent")
            arrived.countDown()
            hold.await()
            null
        }
        val driver = driver()
        val going = begin("${shop.url}/paid", driver)
        assertTrue(arrived.await(60, TimeUnit.SECONDS))
        going.cancel()
        assertThrows(Exception::class.java) { going.end.get(30, TimeUnit.SECONDS) }
        hold.countDown()
        val answer = send("${shop.url}/paid", driver)
        assertEquals("here", answer.text)
        assertEquals(CredentialUse.RECOVERED, answer.outcome?.credential)
        assertEquals(1, own.paid)
    }

    @Test
    fun `many calls at once keep the budget`() {
        val driver = driver {
            budget(BudgetRule.inTotal(3 * PRICE))
            maxPaymentMsat(PRICE)
        }
        val answers = (0 until 8).map { at ->
            aside {
                try {
                    "${send("$demo?n=$at", driver).status}"
                } catch (error: PlanntException) {
                    error.code
                }
            }
        }
        assertEquals(mapOf("200" to 3, "budget_exceeded" to 5), answers.map { it.get() }.groupingBy { it }.eachCount())
        assertEquals(3, own.paid)
    }

    @Test
    fun `says what the network said where nothing was paid`() {
        val gone = server { null }.apply { close() }
        assertThrows(IOException::class.java) { send(gone.url, driver()) }
    }
}
