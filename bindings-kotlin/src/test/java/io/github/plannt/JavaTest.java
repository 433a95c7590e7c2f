package io.github.plannt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.plannt.http.L402HttpClient;
import io.github.plannt.okhttp.L402;
import io.github.plannt.okhttp.L402Exception;
import java.io.File;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.ExecutionException;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;

/** The package as Java sees it. */
@EnabledIfEnvironmentVariable(named = "PLANNT_BIN", matches = ".+")
class JavaTest {
    @TempDir
    File folder;

    /** A wallet of the app's own, in Java. */
    private static final class JavaWallet extends BlockingWallet {
        private final Wallet inner = Service.wallet();
        private int paid;

        JavaWallet() {
            super("java:own", Network.REGTEST);
        }

        @Override
        public Payment pay(PayRequest request) throws PaymentException {
            paid += 1;
            return Futures.payInvoice(inner, request).join();
        }

        @Override
        public PaymentState lookUp(PaymentHash paymentHash) {
            return Futures.lookupPayment(inner, paymentHash).join();
        }
    }

    private DriverBuilder builder(Wallet wallet) {
        return new DriverBuilder(wallet).maxPaymentMsat(100_000).journal(new File(folder, "journal.db"));
    }

    private HttpRequest demo() {
        return HttpRequest.newBuilder(URI.create(Service.INSTANCE.getUrl() + "/v1/demo")).build();
    }

    @Test
    void paysWithTheJdksClient() throws Exception {
        var wallet = new JavaWallet();
        var driver = builder(wallet).budget(PlanntKt.budgetRulePerDay(50_000)).maxPaymentMsat(25_000).build();
        var client = new L402HttpClient(driver);
        assertEquals(21_000, client.quote(demo()).getAmountMsat());
        var response = client.send(demo(), BodyHandlers.ofString());
        assertEquals("{\"result\":\"verified\"}", response.body());
        assertEquals(CredentialUse.BOUGHT, response.getOutcome().getCredential());
        assertEquals(200, client.sendAsync(demo(), BodyHandlers.ofString()).get().statusCode());
        assertEquals(2, wallet.paid);

        var error = assertThrows(ClientException.Refused.class, () -> client.send(demo(), BodyHandlers.ofString()));
        assertEquals("budget_exceeded", error.getCode());
        assertEquals(8_000, assertInstanceOf(RefusalException.BudgetExceeded.class, error.getRefusal()).getLeftMsat());
        var late = assertThrows(ExecutionException.class, () -> client.sendAsync(demo(), BodyHandlers.ofString()).get());
        assertInstanceOf(ClientException.Refused.class, late.getCause());

        assertEquals(2, Futures.receipts(driver, 10).get().size());
        assertEquals(8_000, Futures.budgetStatus(driver).get().get(0).getLeftMsat());
        assertEquals(List.of(), Futures.recover(driver).get());
    }

    @Test
    void whatAWalletDidNotPayIsNotPaid() {
        var poor = new BlockingWallet("java:poor", Network.REGTEST) {
            @Override
            public Payment pay(PayRequest request) {
                return java.util.concurrent.CompletableFuture.<Payment>failedFuture(
                        new PaymentException.Failed("no_route", "there is no way")).join();
            }
        };
        var error = assertThrows(ClientException.Refused.class,
                () -> new L402HttpClient(builder(poor).build()).send(demo(), BodyHandlers.ofString()));
        assertEquals("payment_failed", error.getCode());
    }

    @Test
    void paysWithOkHttp() throws Exception {
        var client = L402.install(new OkHttpClient.Builder(), builder(new JavaWallet()).build()).build();
        var request = new Request.Builder().url(Service.INSTANCE.getUrl() + "/v1/demo").build();
        assertEquals(21_000, L402.l402Quote(client, request).getAmountMsat());
        try (var response = client.newCall(request).execute()) {
            assertEquals(200, response.code());
            assertEquals(21_000, L402.outcomeOf(response).getReceipt().paidMsat());
        }
        var poor = L402.install(new OkHttpClient.Builder(), builder(new JavaWallet()).maxPaymentMsat(1).build()).build();
        var error = assertThrows(L402Exception.class, () -> poor.newCall(request).execute());
        assertEquals("above_limit", error.getCode());
    }

    @Test
    void mintsAndVerifies() throws Exception {
        try (var key = RootKey.Companion.fromBytes(new byte[32]); var ring = new Keyring(Network.REGTEST, key);
                var preimage = Preimage.Companion.fromHex("02".repeat(32))) {
            var request = new MintRequest(
                    preimage.paymentHash(), "demo", 0, 1_900_000_000L, "GET", "/v1/demo", 21_000L, 1L, null, null, List.of());
            var value = PlanntKt.authorizationValue(ring.mint(request), preimage);
            var credential = PlanntKt.credentialFromAuthorization(List.of(value.getBytes()));
            var context = new RequestContext(
                    1_800_000_000L, "demo", 0, "GET", "/v1/demo", 21_000L, null, false, null, false, null, false);
            assertEquals(1, ring.verify(credential, context).getUses());
            var late = new RequestContext(
                    1_900_000_000L, "demo", 0, "GET", "/v1/demo", 21_000L, null, false, null, false, null, false);
            PlanntException error = assertThrows(VerifyException.Expired.class, () -> ring.verify(credential, late));
            assertEquals("expired", error.getCode());
            assertEquals(66, Constants.getIdentifierLen());
            assertTrue(Base64.decode("AQID").length == 3);
        }
    }
}
