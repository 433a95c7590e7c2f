package io.github.plannt

import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.file.Path
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable
import org.junit.jupiter.api.io.TempDir

/** A wallet of the app's own: here one that has another pay, and counts. */
private class OwnWallet(private val inner: Wallet) : Wallet {
    var paid = 0
    var loses = false

    override fun walletId() = "kotlin:own"
    override fun network() = Network.REGTEST
    override fun limitsFee() = true

    override suspend fun payInvoice(request: PayRequest): Payment {
        val payment = inner.payInvoice(request)
        paid += 1
        if (loses) throw IllegalStateException("the answer is lost")
        return payment
    }

    override suspend fun lookupPayment(paymentHash: PaymentHash): PaymentState {
        if (loses) throw IllegalStateException("the answer is lost")
        return inner.lookupPayment(paymentHash)
    }

    override suspend fun balanceMsat() = inner.balanceMsat()
}

@EnabledIfEnvironmentVariable(named = "PLANNT_DEMO", matches = ".+")
class PayTest {
    private val http = HttpClient.newHttpClient()

    /** A driver's loop, as short as it can be. */
    private suspend fun get(url: URI, driver: Driver): Pair<ByteArray, Outcome> {
        val request = requestFacts("GET", Origin.of(url.scheme, url.host, url.port), url.path, ByteArray(0))
        return driver.call(request).use { call ->
            var (body, outcome) = Pair<ByteArray, Outcome?>(ByteArray(0), null)
            while (outcome == null) {
                when (val step = driver.nextStep(call)) {
                    is HttpStep.Done -> outcome = step.outcome
                    is HttpStep.Quoted -> error("this is no dry run")
                    is HttpStep.ReadBody -> call.bodyRead(body)
                    is HttpStep.SendRequest -> {
                        val builder = HttpRequest.newBuilder(url)
                        step.authorization?.let { builder.header("Authorization", it.expose()) }
                        val response = http.send(builder.build(), HttpResponse.BodyHandlers.ofByteArray())
                        body = response.body()
                        val lines = response.headers().allValues("WWW-Authenticate").map { it.toByteArray(Charsets.ISO_8859_1) }
                        call.responded(ResponseFacts(response.statusCode(), lines))
                    }
                }
            }
            body to outcome
        }
    }

    @Test
    fun `pays with a wallet of its own`(@TempDir folder: Path) = runBlocking {
        // Where `plannt serve --demo` listens, and its wallet's URL.
        val (url, payerUrl) = System.getenv("PLANNT_DEMO").split(" ")
        val own = OwnWallet(wallet(payerUrl, Network.REGTEST))
        val options = DriverOptions(driverPolicy(Network.REGTEST, 100_000, true), budgetOf(listOf(budgetRulePerDay(1_000_000))))
        val driver = Driver(own, Journal(folder.resolve("journal.db").toString()), options)

        val (body, outcome) = get(URI(url), driver)
        assertEquals(CredentialUse.BOUGHT, outcome.credential)
        assertEquals(21_000, outcome.receipt?.paidMsat())
        assertTrue(body.isNotEmpty())
        assertEquals(1, own.paid)
        assertEquals(listOf(21_000L), driver.budgetStatus().map { it.spentMsat })

        // What a wallet throws leaves the payment open; it is asked about, and not paid again.
        own.loses = true
        val error = assertThrows(ClientException.Refused::class.java) { runBlocking { get(URI(url), driver) } }
        assertEquals("payment_unresolved", error.code)
        own.loses = false
        assertEquals(listOf<RecoveredState>(RecoveredState.Paid), driver.recover().map { it.state })
        assertEquals(2, own.paid)
        val (_, again) = get(URI(url), driver)
        assertEquals(CredentialUse.RECOVERED, again.credential)
        assertEquals(2, own.paid)
    }
}
