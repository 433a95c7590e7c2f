// Pays with a wallet of the app's own, through OkHttp: `PLANNT_WALLET=… java -cp … OwnWalletKt http://127.0.0.1:8402/v1/demo`
import io.github.plannt.AppWallet
import io.github.plannt.Network
import io.github.plannt.PayRequest
import io.github.plannt.Payment
import io.github.plannt.PaymentHash
import io.github.plannt.PaymentState
import io.github.plannt.Wallet
import io.github.plannt.driver
import io.github.plannt.okhttp.l402
import io.github.plannt.okhttp.l402Quote
import io.github.plannt.okhttp.outcomeOf
import io.github.plannt.wallet
import okhttp3.OkHttpClient
import okhttp3.Request

/** Asks before it pays. The name is the same at each start: the journal finds unfinished payments by it. */
private class AskingWallet(private val inner: Wallet) : AppWallet("asking-1", Network.REGTEST) {
    override suspend fun payInvoice(request: PayRequest): Payment {
        println("may ${request.amountMsat} msat be paid?")
        return inner.payInvoice(request)
    }

    override suspend fun lookupPayment(paymentHash: PaymentHash): PaymentState = inner.lookupPayment(paymentHash)
}

fun main(arguments: Array<String>) {
    val purse = AskingWallet(wallet(System.getenv("PLANNT_WALLET"), Network.REGTEST))
    val client = OkHttpClient.Builder().l402(driver(purse) { maxPaymentMsat(25_000) }).build()
    val request = Request.Builder().url(arguments[0]).build()
    client.l402Quote(request)?.let { println("costs ${it.amountMsat} msat") }
    client.newCall(request).execute().use { response ->
        println("${response.code} ${response.body.string()}")
        println("paid ${outcomeOf(response)?.receipt?.paidMsat() ?: 0} msat")
    }
}
