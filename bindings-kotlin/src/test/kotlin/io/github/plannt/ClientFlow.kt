package io.github.plannt

import com.google.gson.JsonElement
import com.google.gson.JsonObject

/** `client_flow`: a call told as a dialogue between the flow and its driver (conformance/README.md). */
internal fun play(input: JsonElement): JsonElement {
    val (policy, request, wallet) = Triple(policy(input["policy"]), request(input["request"]), input.text("wallet"))
    val flow = if (input.flag("dry_run")) Flow.dryRun(policy, request, wallet) else Flow(policy, request, wallet)
    for ((at, entry) in input.list("script").withIndex()) {
        val step = write(flow.next())
        if (step.plain() != entry["step"].plain()) return json("unexpected" to json("entry" to at, "step" to step))
        if (entry["event"].isJsonNull) break
        flow.handle(event(entry["event"]), entry.number("now"))
    }
    val end = flow.next()
    if (end is Step.Refused) throw end.refusal
    return write(end)
}

// What a script tells the flow.

private fun hosts(value: JsonElement): Hosts = if (value.isJsonArray) Hosts.Listed(value.asJsonArray.map { it.asString }) else Hosts.Any

private fun feeLimit(value: JsonElement) = FeeLimit(value.number("base_msat"), value.number("parts_per_million"))

private fun policy(value: JsonElement) = Policy(
    network = parseNetwork(value.text("network")), maxPaymentMsat = value.number("max_payment_msat"),
    allowedHosts = hosts(value["allowed_hosts"]), fitFee = value.flag("fit_fee"), maxFee = feeLimit(value["max_fee"]),
    payAfterLoss = value.flag("pay_after_loss"), plainHttpHosts = hosts(value["plain_http_hosts"]),
    walletLimitsFee = value.flag("wallet_limits_fee"), worstCaseFee = feeLimit(value["worst_case_fee"]),
)

private fun request(value: JsonElement) = RequestFacts(
    value.text("method"), Origin.parse(value.text("origin")), value.text("target"), value.textOrNull("body_sha256")?.let { Bytes32(unhex(it)) },
)

private fun event(value: JsonElement): Event = when (val name = value.text("event")) {
    "busy" -> Event.Busy

    "journal_failed" -> Event.JournalFailed

    "send_failed" -> Event.SendFailed

    "stored" -> Event.Stored

    "body" -> Event.Body(value.textOrNull("body")?.toByteArray())

    "loaded" -> Event.Loaded(found(value["found"]), value.numberOrNull("budget_left_msat"))

    "looked_up" -> Event.LookedUp(lookUp(value))

    "payment" -> Event.Payment(payment(value))

    "reserved" -> Event.Reserved(reservation(value))

    "responded" -> {
        // As the runner has it: the text's own bytes.
        fun named(name: String) = value.list("headers").map { it.asJsonArray }.filter { it[0].asString.lowercase() == name }
            .map { it[1].asString.toByteArray() }
        Event.Responded(
            ResponseFacts(value.number("status").toInt(), named("www-authenticate"), named("x-l402").firstOrNull(), value.flag("redirected")),
        )
    }

    else -> error(name)
}

private fun found(value: JsonElement): Found = when (val name = value.text("found")) {
    "nothing" -> Found.Nothing
    "unresolved" -> Found.Unresolved(intent(value["intent"]))
    "delivered" -> Found.Delivered(credential(value["credential"]))
    "undelivered" -> Found.Undelivered(credential(value["credential"]))
    else -> error(name)
}

private fun lookUp(value: JsonElement): LookUp = when (val name = value.text("result")) {
    "failed" -> LookUp.Failed(value.text("failure"))
    "in_flight" -> LookUp.InFlight
    "not_found" -> LookUp.NotFound
    "paid" -> LookUp.Paid(Preimage.fromHex(value.text("preimage")), value.number("fee_msat"))
    "unknown" -> LookUp.Unknown
    else -> error(name)
}

private fun payment(value: JsonElement): PaymentResult = when (val name = value.text("result")) {
    "failed" -> PaymentResult.Failed(value.text("failure"))
    "paid" -> PaymentResult.Paid(Preimage.fromHex(value.text("preimage")), value.number("fee_msat"))
    "unknown" -> PaymentResult.Unknown
    else -> error(name)
}

private fun reservation(value: JsonElement): Reservation = when (val name = value.text("reservation")) {
    "granted" -> Reservation.Granted
    "hash_known" -> Reservation.HashKnown
    "key_busy" -> Reservation.KeyBusy
    "over_budget" -> Reservation.OverBudget(value.number("left_msat"))
    else -> error(name)
}

private fun payee(value: JsonElement): PublicKey? = value.textOrNull("payee")?.let { PublicKey(unhex(it)) }

private fun scheme(value: JsonElement): Scheme = schemeFromName(value.text("scheme")) ?: error("scheme")

private fun credential(value: JsonElement) = StoredCredential(
    scheme(value), SecretText(value.text("token")), Preimage.fromHex(value.text("preimage")), receipt(value["receipt"]),
)

private fun receipt(value: JsonElement) = Receipt(
    paymentHash = PaymentHash.fromHex(value.text("payment_hash")), network = parseNetwork(value.text("network")), payee = payee(value),
    amountMsat = value.number("amount_msat"), feeMsat = value.numberOrNull("fee_msat"), chargedMsat = value.number("charged_msat"),
    method = value.text("method"), origin = Origin.parse(value.text("origin")), target = value.text("target"), wallet = value.text("wallet"),
    createdAt = value.number("created_at"), settledAt = value.numberOrNull("settled_at"), state = parseIntentState(value.text("state")),
    credential = value.textOrNull("credential")?.let { parseCredentialState(it) }, failure = value.textOrNull("failure"),
)

private fun intent(value: JsonElement): Intent {
    val key = value["request"]
    return Intent(
        paymentHash = PaymentHash.fromHex(value.text("payment_hash")),
        request = RequestKey(
            key.text("method"), Origin.parse(key.text("origin")), key.text("target"), Bytes32(key.bytes("body_sha256")), key.text("wallet"),
        ),
        scheme = scheme(value), token = SecretText(value.text("token")), invoice = value.text("invoice"),
        network = parseNetwork(value.text("network")), payee = payee(value), amountMsat = value.number("amount_msat"),
        maxFeeMsat = value.number("max_fee_msat"), invoiceExpiresAt = value.number("invoice_expires_at"), createdAt = value.number("created_at"),
    )
}

// A step of the flow as the scripts write it.

private fun write(step: Step): JsonObject = when (step) {
    is Step.Commit -> json(
        "step" to "commit", "payment_hash" to step.paymentHash, "preimage" to step.preimage.exposeHex(), "fee_msat" to step.feeMsat,
    )

    is Step.Done -> json("step" to "done", "outcome" to write(step.outcome))

    is Step.Hold -> json("step" to "hold", "payment_hash" to step.paymentHash, "state" to step.state.text())

    is Step.JournalIntent -> json("step" to "journal_intent", "intent" to write(step.intent))

    is Step.LoadCredential -> json("step" to "load_credential", "keyed" to (step.key != null), "exclusive" to step.exclusive)

    is Step.LookUpPayment -> json("step" to "look_up_payment", "payment_hash" to step.paymentHash)

    is Step.Pay -> json(
        "step" to "pay", "payment_hash" to step.intent.paymentHash, "invoice" to step.intent.invoice,
        "amount_msat" to step.intent.amountMsat, "max_fee_msat" to step.intent.maxFeeMsat,
    )

    is Step.Quoted -> json("step" to "quoted", "quote" to write(step.quote))

    is Step.ReadBody -> json("step" to "read_body")

    is Step.Refused -> write(step.refusal)

    is Step.Release -> json("step" to "release", "payment_hash" to step.paymentHash, "failure" to step.failure)

    is Step.SendRequest -> json("step" to "send_request", "authorization" to step.authorization?.expose())

    is Step.StoreCredential -> json("step" to "store_credential", "payment_hash" to step.paymentHash, "state" to step.state.text())

    is Step.Unanswered -> json("step" to "unanswered", "outcome" to write(step.outcome))
}

private fun write(refusal: RefusalException): JsonObject = json("step" to "refused", "code" to refusal.code).apply {
    when (refusal) {
        is RefusalException.PaymentLost -> add("receipt", write(refusal.receipt))
        is RefusalException.JournalAfterPayment -> addProperty("payment_hash", refusal.paymentHash.toString())
        is RefusalException.PaymentHashKnown -> addProperty("payment_hash", refusal.paymentHash.toString())
        is RefusalException.PaymentUnresolved -> addProperty("payment_hash", refusal.paymentHash.toString())
        is RefusalException.PreimageMismatch -> addProperty("payment_hash", refusal.paymentHash.toString())
        else -> {}
    }
}

private fun write(outcome: Outcome) = json(
    "credential" to outcome.credential.text(), "receipt" to outcome.receipt?.let(::write), "journal_failed" to outcome.journalFailed,
)

private fun write(key: RequestKey) = json(
    "method" to key.method, "origin" to key.origin, "target" to key.target, "body_sha256" to key.bodySha256, "wallet" to key.wallet,
)

private fun write(intent: Intent) = json(
    "payment_hash" to intent.paymentHash, "request" to write(intent.request), "scheme" to intent.scheme.text(),
    "token" to intent.token.expose(), "invoice" to intent.invoice, "network" to intent.network.text(), "payee" to intent.payee,
    "amount_msat" to intent.amountMsat, "max_fee_msat" to intent.maxFeeMsat, "invoice_expires_at" to intent.invoiceExpiresAt,
    "created_at" to intent.createdAt,
)

private fun write(receipt: Receipt): JsonObject = json(
    "payment_hash" to receipt.paymentHash, "network" to receipt.network.text(), "payee" to receipt.payee,
    "amount_msat" to receipt.amountMsat, "fee_msat" to receipt.feeMsat, "charged_msat" to receipt.chargedMsat, "method" to receipt.method,
    "origin" to receipt.origin, "target" to receipt.target, "wallet" to receipt.wallet, "created_at" to receipt.createdAt,
    "settled_at" to receipt.settledAt, "state" to receipt.state.text(), "credential" to receipt.credential?.text(), "failure" to receipt.failure,
)

private fun write(quote: Quote) = json(
    "payment_hash" to quote.paymentHash, "network" to quote.network.text(), "payee" to quote.payee, "description" to quote.description,
    "amount_msat" to quote.amountMsat, "max_fee_msat" to quote.maxFeeMsat, "origin" to quote.origin,
    "invoice_expires_at" to quote.invoiceExpiresAt, "valid_until" to quote.validUntil, "budget_left_msat" to quote.budgetLeftMsat,
    "pending" to quote.pending?.let(::write), "refusal" to quote.refusal?.code,
)

private fun write(pending: Pending) = when (pending) {
    is Pending.Delivered -> json("found" to "delivered", "receipt" to write(pending.receipt))
    is Pending.Undelivered -> json("found" to "undelivered", "receipt" to write(pending.receipt))
    is Pending.Unresolved -> json("found" to "unresolved", "payment_hash" to pending.paymentHash)
}
