// Pays for one request with OkHttp, in Java: `PLANNT_WALLET=… java -cp … PayWithOkHttp http://127.0.0.1:8402/v1/demo`
import io.github.plannt.DriverBuilder;
import io.github.plannt.Network;
import io.github.plannt.PlanntKt;
import io.github.plannt.okhttp.L402;
import io.github.plannt.okhttp.L402Exception;
import okhttp3.OkHttpClient;
import okhttp3.Request;

public final class PayWithOkHttp {
    private PayWithOkHttp() {}

    public static void main(String[] arguments) throws Exception {
        var wallet = PlanntKt.wallet(System.getenv("PLANNT_WALLET"), Network.REGTEST);
        var driver = new DriverBuilder(wallet).budget(PlanntKt.budgetRulePerDay(100_000)).maxPaymentMsat(25_000).build();
        var client = L402.install(new OkHttpClient.Builder(), driver).build();
        var request = new Request.Builder().url(arguments[0]).build();
        try {
            System.out.println("costs " + L402.l402Quote(client, request).getAmountMsat() + " msat");
            try (var response = client.newCall(request).execute()) {
                System.out.println(response.code() + " " + response.body().string());
                System.out.println("paid " + L402.outcomeOf(response).getReceipt().paidMsat() + " msat");
            }
        } catch (L402Exception error) {
            System.out.println(error.getCode() + ": " + error.getMessage());
            System.exit(1);
        }
    }
}
