package io.github.plannt

import kotlinx.coroutines.withContext

/**
 * A wallet of the app's own, which pays and, where it can, looks payments up. Kotlin implements this one, Java [BlockingWallet]; a wallet
 * behind a URL is what [wallet] gives.
 *
 * @param id a name for it, the same at each start, without secrets: part of the key by which the journal finds an unfinished call
 * @param network the network that it is on, where it knows
 * @param limitsFee whether a maximum fee holds at it; where not, a configured worst case is reserved
 */
abstract class AppWallet @JvmOverloads constructor(
    private val id: String,
    private val network: Network? = null,
    private val limitsFee: Boolean = true,
) : Wallet {
    final override fun walletId(): String = id

    final override fun network(): Network? = network

    final override fun limitsFee(): Boolean = limitsFee

    /** A wallet that can't look payments up knows nothing of them: what it left open keeps its reservation, and is never paid again. */
    override suspend fun lookupPayment(paymentHash: PaymentHash): PaymentState = PaymentState.Unknown("this wallet can't look payments up")

    /** No call asks for it. */
    override suspend fun balanceMsat(): Long = throw nodeError("this wallet tells no balance")
}

/** A wallet of the app's own whose methods block: they are called on threads that are for that. For Java, above all. */
abstract class BlockingWallet @JvmOverloads constructor(
    id: String,
    network: Network? = null,
    limitsFee: Boolean = true,
) : AppWallet(id, network, limitsFee) {
    /**
     * Pays an invoice, at most once for a payment hash however often it is called. Throw [PaymentException.Failed] where it was certainly not
     * paid; after whatever else is thrown the payment counts as made until a look-up says otherwise.
     */
    @Throws(PaymentException::class)
    abstract fun pay(request: PayRequest): Payment

    /** What became of a payment. Answers at once, also for one in flight. Throwing means that nothing is known. */
    @Throws(LightningException::class)
    open fun lookUp(paymentHash: PaymentHash): PaymentState = PaymentState.Unknown("this wallet can't look payments up")

    final override suspend fun payInvoice(request: PayRequest): Payment = withContext(blocking) { pay(request) }

    final override suspend fun lookupPayment(paymentHash: PaymentHash): PaymentState = withContext(blocking) { lookUp(paymentHash) }
}

/** A payment whose wallet tells no fee: all that is reserved for it is charged. */
fun Payment.Companion.of(preimage: Preimage): Payment = Payment(preimage, null)
