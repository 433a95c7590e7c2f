// Pays for one request with the JDK's own HTTP client: `PLANNT_WALLET=… java -cp … PayKt http://127.0.0.1:8402/v1/demo`
import io.github.plannt.BudgetRule
import io.github.plannt.ClientException
import io.github.plannt.Network
import io.github.plannt.PlanntException
import io.github.plannt.RefusalException
import io.github.plannt.driver
import io.github.plannt.http.L402HttpClient
import io.github.plannt.perDay
import io.github.plannt.wallet
import java.net.URI
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import kotlin.system.exitProcess

suspend fun main(arguments: Array<String>) {
    val request = HttpRequest.newBuilder(URI(arguments[0])).build()
    try {
        val driver = driver(wallet(System.getenv("PLANNT_WALLET"), Network.REGTEST)) {
            budget(BudgetRule.perDay(100_000))
            maxPaymentMsat(25_000)
        }
        val client = L402HttpClient(driver)
        client.fetchQuote(request)?.let { println("costs ${it.amountMsat} msat, and at most ${it.maxFeeMsat} msat of fee") }
        val response = client.fetch(request, BodyHandlers.ofString())
        println("${response.statusCode()} ${response.body()}")
        println("paid ${response.outcome.receipt?.paidMsat() ?: 0} msat")
    } catch (error: ClientException.Refused) {
        val refusal = error.refusal
        if (refusal is RefusalException.BudgetExceeded) println("${refusal.neededMsat} msat needed, ${refusal.leftMsat} msat left")
        println("${error.code}: ${error.message}")
        exitProcess(1)
    } catch (error: PlanntException) {
        println("${error.code}: ${error.message}")
        exitProcess(1)
    }
}
