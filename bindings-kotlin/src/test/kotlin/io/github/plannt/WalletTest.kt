package io.github.plannt

import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource
import java.io.File
import java.net.URI

/** Wallets of the app's own, and everything that they may do wrong: the process goes on, and nothing is paid twice. */
@EnabledIfEnvironmentVariable(named = "PLANNT_BIN", matches = ".+")
class WalletTest {
    @TempDir
    lateinit var folder: File

    private class Odd(private val name: String, private val pay: suspend () -> Payment, private val find: suspend () -> PaymentState) :
        AppWallet("kotlin:odd", Network.REGTEST) {
        var paid = 0

        override suspend fun payInvoice(request: PayRequest): Payment {
            paid += 1
            return pay()
        }

        override suspend fun lookupPayment(paymentHash: PaymentHash) = find()

        override fun toString() = name
    }

    private fun get(wallet: Wallet) = runBlocking {
        val driver = driver(wallet) { journal(File(folder, "journal.db")) }
        io.github.plannt.http.L402HttpClient(driver).get("${Service.url}/v1/demo")
    }

    @ParameterizedTest
    @MethodSource("odd")
    fun `an answer that makes no sense leaves the payment open`(wallet: Wallet) {
        repeat(2) {
            val error = assertThrows(ClientException.Refused::class.java) { get(wallet) }
            assertEquals("payment_unresolved", error.code)
        }
        // It was asked to pay once.
        assertEquals(1, (wallet as Odd).paid)
    }

    @Test
    fun `believes no preimage that proves nothing`() {
        val lie = Payment(Preimage.fromBytes(ByteArray(32)), 0)
        for (wallet in listOf(Odd("lies", { lie }, { PaymentState.InFlight }), Odd("lies later", { error("lost") }, { PaymentState.Paid(lie) }))) {
            assertEquals("preimage_mismatch", assertThrows(ClientException.Refused::class.java) { get(wallet) }.code)
        }
    }

    @Test
    fun `charges the maximum where no fee is told`() {
        val inner = Service.wallet()
        val wallet = object : AppWallet("kotlin:quiet", Network.REGTEST) {
            override suspend fun payInvoice(request: PayRequest) = Payment.of(inner.payInvoice(request).preimage)
        }
        // 10 sat and 1%.
        assertEquals(10_210L, get(wallet).outcome.receipt?.feeMsat)
    }

    @Test
    fun `takes no other network's wallet`() {
        val error = assertThrows(ClientException.Config::class.java) { driver(Service.wallet()) { network(Network.BITCOIN) } }
        assertEquals("the client can't be set up: the wallet is on regtest, not on bitcoin", error.message)
        assertEquals("config", assertThrows(LightningException::class.java) { wallet("lnd://nowhere?cert=none") }.code)
    }

    @Test
    fun `a wallet of each kind opens, and says that nobody is there`() {
        val key = "b889ff5b1513b641e2a139f661a661364979c5beee91842f8f0ef42ab558e9d4"
        val urls = listOf(
            "lnd+grpc://127.0.0.1:1?macaroon=$key", "cln://127.0.0.1:1?rune=abc", "lnbits://127.0.0.1:1?key=0123",
            "phoenixd://127.0.0.1:1?password=0123&network=regtest", "nostr+walletconnect://$key?relay=ws://127.0.0.1:1&secret=$key",
        )
        for ((url, wallet) in urls.associateWith { wallet(it) }) {
            val error = assertThrows(LightningException::class.java, { runBlocking { wallet.lookupPayment(PaymentHash(ByteArray(32))) } }, url)
            assertEquals("node_unreachable", error.code, url)
        }
    }

    @Test
    fun `a wallet by URL pays and looks up`() = runBlocking {
        val wallet = Service.wallet()
        val challenge = Challenge.read(listOf(Service.challengeLine()))!!
        val facts = InvoiceFacts.parse(challenge.invoice)
        assertEquals(PaymentState.NotFound, wallet.lookupPayment(facts.paymentHash))
        val payment = wallet.payInvoice(PayRequest(challenge.invoice, facts.paymentHash, PRICE, 1_000, 30.0))
        assertEquals(true, payment.preimage.proves(facts.paymentHash))
        assertEquals(true, wallet.lookupPayment(facts.paymentHash) is PaymentState.Paid)
        assertEquals(true, wallet.balanceMsat() > 0)
        val line = authorizationValue(challenge.token.expose(), payment.preimage)
        val connection = URI("${Service.url}/v1/demo").toURL().openConnection()
        connection.setRequestProperty("Authorization", line)
        assertEquals("""{"result":"verified"}""", connection.getInputStream().readAllBytes().decodeToString())
    }

    companion object {
        @JvmStatic
        fun odd(): List<Wallet> {
            val preimage = Preimage.fromBytes(ByteArray(32))
            val closed = Preimage.fromBytes(ByteArray(32)).apply { close() }
            val inFlight: suspend () -> PaymentState = { PaymentState.InFlight }
            fun paying(name: String, pay: suspend () -> Payment) = Odd(name, pay, inFlight)
            fun looking(name: String, find: suspend () -> PaymentState) = Odd(name, { error("lost") }, find)
            return listOf(
                paying("throws") { error("no") },
                paying("throws an error") { TODO("pay") },
                paying("runs out of stack") { throw StackOverflowError() },
                paying("times out") { withTimeout(1) { delay(60_000).let { Payment.of(preimage) } } },
                paying("says that it does not know") { throw PaymentException.Unknown("timeout_unknown", "who knows") },
                paying("gives a fee back that is none") { Payment(preimage, -1) },
                paying("gives a preimage back that is closed") { Payment(closed, 0) },
                looking("looks up in vain") { throw LightningException.NodeException(ErrorText("node_error", "no")) },
                looking("looks up with an error") { TODO("look up") },
                looking("finds a fee that is none") { PaymentState.Paid(Payment(preimage, -1)) },
            )
        }
    }
}
