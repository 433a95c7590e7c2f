@file:JvmName("L402")

package io.github.plannt.okhttp

import io.github.plannt.Driver
import io.github.plannt.Outcome
import io.github.plannt.PlanntException
import io.github.plannt.Quote
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.Response
import java.io.IOException

/**
 * Lets this client pay where the server asks and the [driver]'s policy allows.
 *
 * ```kotlin
 * val client = OkHttpClient.Builder().l402(driver).build()
 * client.newCall(Request.Builder().url("https://api.example/v1/demo").build()).execute()
 * ```
 *
 * The payment is in the journal before it is made. A credential never follows a redirect: what it leads to is asked without it, and a 402 there
 * is not paid. A request with an L402 credential of its own is sent as it is, another `Authorization` beside what is paid for. A body is sent twice;
 * one that is [one-shot or duplex][okhttp3.RequestBody.isOneShot] is never paid for. What is paid for is not answered by the cache.
 *
 * A call that is cancelled ends at once. What the wallet had begun is journaled all the same, and the same call again presents it, and pays nothing.
 *
 * Calls fail with [L402Exception], which has the error and its code, and with OkHttp's own [IOException] where nothing was paid. Add it once; other
 * interceptors that are added before it see one request and the last response, those after it each one.
 */
@JvmName("install")
fun OkHttpClient.Builder.l402(driver: Driver): OkHttpClient.Builder {
    val interceptor = L402Interceptor(driver)
    // The second half sees each hop, and puts the credential on the first.
    return addInterceptor(interceptor).addNetworkInterceptor(interceptor)
}

/** The request, sent only to ask for the price: it pays, presents and writes nothing. [quoteOf] has the price that the answer asks for. */
fun asking(request: Request): Request = request.newBuilder().tag(Asking::class.java, Asking).build()

/** What a request costs, from the answer to one that is [asking]; null where the server asks for no payment. */
fun quoteOf(response: Response): Quote? = response.request.tag(Quote::class.java)

/** Which credential a request carried, and the receipt of the payment that bought it; null where no driver saw it. */
fun outcomeOf(response: Response): Outcome? = response.request.tag(Outcome::class.java)

/** Asks a client that can pay what a request would cost, on the caller's thread; null where the server asks for no payment. */
@Throws(IOException::class)
fun OkHttpClient.l402Quote(request: Request): Quote? = newCall(asking(request)).execute().use(::quoteOf)

/**
 * What ends a call of OkHttp's in place of a response: OkHttp knows only [IOException].
 *
 * @property error the error itself, such as [io.github.plannt.ClientException.Refused] with the reason
 */
class L402Exception internal constructor(val error: PlanntException) : IOException(error.message, error) {
    /** The error's stable snake_case name. */
    val code: String get() = error.code
}

/** Marks a request that only asks. */
internal object Asking
