import Foundation

@testable import Plannt

/// `client_flow`: a call told as a dialogue between the flow and its driver (conformance/README.md).
@Sendable func play(_ input: Json) throws -> Json {
    let policy = try policy(input["policy"])
    let request = try request(input["request"])
    let wallet = try input.text("wallet")
    let flow =
        try input.flag("dry_run")
        ? Flow.dryRun(policy: policy, request: request, wallet: wallet) : Flow(policy: policy, request: request, wallet: wallet)
    for (at, entry) in try input.list("script").enumerated() {
        let step = write(flow.next())
        guard step == entry["step"] else { return ["unexpected": ["entry": .number(UInt64(at)), "step": step]] }
        if entry["event"].isNull { break }
        try flow.handle(event: event(entry["event"]), now: entry.number("now"))
    }
    let end = flow.next()
    if case .refused(let refusal) = end { throw refusal }
    return write(end)
}

// What a script tells the flow.

private func hosts(_ patterns: Json) -> Hosts { patterns.list.map { .listed(patterns: $0.compactMap(\.text)) } ?? .any }

private func feeLimit(_ value: Json) throws -> FeeLimit {
    FeeLimit(baseMsat: try value.number("base_msat"), partsPerMillion: UInt32(try value.number("parts_per_million")))
}

private func policy(_ value: Json) throws -> Policy {
    try Policy(
        network: Network(value.text("network")), maxPaymentMsat: value.number("max_payment_msat"), allowedHosts: hosts(value["allowed_hosts"]),
        fitFee: value.flag("fit_fee"), maxFee: feeLimit(value["max_fee"]), payAfterLoss: value.flag("pay_after_loss"),
        plainHttpHosts: hosts(value["plain_http_hosts"]), walletLimitsFee: value.flag("wallet_limits_fee"),
        worstCaseFee: feeLimit(value["worst_case_fee"]))
}

private func request(_ value: Json) throws -> RequestFacts {
    try RequestFacts(
        method: value.text("method"), origin: Origin(value.text("origin")), target: value.text("target"),
        bodySha256: value["body_sha256"].isNull ? nil : Bytes32(value.bytes("body_sha256")))
}

private func event(_ value: Json) throws -> Event {
    switch try value.text("event") {
    case "busy": return .busy
    case "journal_failed": return .journalFailed
    case "send_failed": return .sendFailed
    case "stored": return .stored
    case "body": return .body(body: value["body"].text.map { Data($0.utf8) })
    case "loaded": return .loaded(found: try found(value["found"]), budgetLeftMsat: value["budget_left_msat"].number)
    case "looked_up": return .lookedUp(lookUp: try lookUp(value))
    case "payment": return .payment(result: try payment(value))
    case "reserved": return .reserved(reservation: try reservation(value))
    case "responded":
        // As the runner has it: the text's own bytes.
        func named(_ name: String) throws -> [Data] {
            try value.list("headers").compactMap { pair in
                guard let pair = pair.list, pair[0].text?.lowercased() == name else { return nil }
                return pair[1].text.map { Data($0.utf8) }
            }
        }
        return .responded(
            facts: ResponseFacts(
                status: UInt32(try value.number("status")), wwwAuthenticate: try named("www-authenticate"), xL402: try named("x-l402").first,
                redirected: try value.flag("redirected")))
    case let event: throw Json.Missing(name: event)
    }
}

private func found(_ value: Json) throws -> Found {
    switch try value.text("found") {
    case "nothing": return .nothing
    case "unresolved": return .unresolved(intent: try intent(value["intent"]))
    case "delivered": return .delivered(credential: try credential(value["credential"]))
    case "undelivered": return .undelivered(credential: try credential(value["credential"]))
    case let found: throw Json.Missing(name: found)
    }
}

private func lookUp(_ value: Json) throws -> LookUp {
    switch try value.text("result") {
    case "failed": return .failed(failure: try value.text("failure"))
    case "in_flight": return .inFlight
    case "not_found": return .notFound
    case "paid": return .paid(preimage: try Preimage(hex: value.text("preimage")), feeMsat: try value.number("fee_msat"))
    case "unknown": return .unknown
    case let result: throw Json.Missing(name: result)
    }
}

private func payment(_ value: Json) throws -> PaymentResult {
    switch try value.text("result") {
    case "failed": return .failed(failure: try value.text("failure"))
    case "paid": return .paid(preimage: try Preimage(hex: value.text("preimage")), feeMsat: try value.number("fee_msat"))
    case "unknown": return .unknown
    case let result: throw Json.Missing(name: result)
    }
}

private func reservation(_ value: Json) throws -> Reservation {
    switch try value.text("reservation") {
    case "granted": return .granted
    case "hash_known": return .hashKnown
    case "key_busy": return .keyBusy
    case "over_budget": return .overBudget(leftMsat: try value.number("left_msat"))
    case let reservation: throw Json.Missing(name: reservation)
    }
}

private func payee(_ value: Json) throws -> PublicKey? { value["payee"].isNull ? nil : try PublicKey(value.bytes("payee")) }

private func scheme(_ value: Json) throws -> Scheme { try Scheme(value.text("scheme")) ?? { throw Json.Missing(name: "scheme") }() }

private func credential(_ value: Json) throws -> StoredCredential {
    try StoredCredential(
        scheme: scheme(value), token: SecretText(value.text("token")), preimage: Preimage(hex: value.text("preimage")),
        receipt: receipt(value["receipt"]))
}

private func receipt(_ value: Json) throws -> Receipt {
    try Receipt(
        paymentHash: PaymentHash(hex: value.text("payment_hash")), network: Network(value.text("network")), payee: payee(value),
        amountMsat: value.number("amount_msat"), feeMsat: value["fee_msat"].number, chargedMsat: value.number("charged_msat"),
        method: value.text("method"), origin: Origin(value.text("origin")), target: value.text("target"), wallet: value.text("wallet"),
        createdAt: value.number("created_at"), settledAt: value["settled_at"].number, state: IntentState(value.text("state")),
        credential: value["credential"].text.map { try CredentialState($0) }, failure: value["failure"].text)
}

private func intent(_ value: Json) throws -> Intent {
    let key = value["request"]
    return try Intent(
        paymentHash: PaymentHash(hex: value.text("payment_hash")),
        request: RequestKey(
            method: key.text("method"), origin: Origin(key.text("origin")), target: key.text("target"),
            bodySha256: Bytes32(key.bytes("body_sha256")), wallet: key.text("wallet")),
        scheme: scheme(value), token: SecretText(value.text("token")), invoice: value.text("invoice"),
        network: Network(value.text("network")), payee: payee(value), amountMsat: value.number("amount_msat"),
        maxFeeMsat: value.number("max_fee_msat"), invoiceExpiresAt: value.number("invoice_expires_at"),
        createdAt: value.number("created_at"))
}

// A step of the flow as the scripts write it.

private func write(_ step: Step) -> Json {
    switch step {
    case .commit(let hash, let preimage, let feeMsat):
        ["step": "commit", "payment_hash": .string(hash.hex), "preimage": .string(preimage.exposeHex()), "fee_msat": .number(feeMsat)]
    case .done(let outcome): ["step": "done", "outcome": write(outcome)]
    case .hold(let hash, let state): ["step": "hold", "payment_hash": .string(hash.hex), "state": .string(state.text())]
    case .journalIntent(let intent): ["step": "journal_intent", "intent": write(intent)]
    case .loadCredential(_, let key, let exclusive): ["step": "load_credential", "keyed": .bool(key != nil), "exclusive": .bool(exclusive)]
    case .lookUpPayment(let hash): ["step": "look_up_payment", "payment_hash": .string(hash.hex)]
    case .pay(let intent):
        [
            "step": "pay", "payment_hash": .string(intent.paymentHash.hex), "invoice": .string(intent.invoice),
            "amount_msat": .number(intent.amountMsat), "max_fee_msat": .number(intent.maxFeeMsat),
        ]
    case .quoted(let quote): ["step": "quoted", "quote": write(quote)]
    case .readBody: ["step": "read_body"]
    case .refused(let refusal): write(refusal)
    case .release(let hash, let failure): ["step": "release", "payment_hash": .string(hash.hex), "failure": .string(failure)]
    case .sendRequest(let authorization): ["step": "send_request", "authorization": Json(authorization?.expose())]
    case .storeCredential(let hash, let state):
        ["step": "store_credential", "payment_hash": .string(hash.hex), "state": .string(state.text())]
    case .unanswered(let outcome): ["step": "unanswered", "outcome": write(outcome)]
    }
}

private func write(_ refusal: RefusalError) -> Json {
    var written: [String: Json] = ["step": "refused", "code": .string(refusal.code)]
    switch refusal {
    case .PaymentLost(let receipt, _): written["receipt"] = write(receipt)
    case .JournalAfterPayment(let hash, _), .PaymentHashKnown(let hash, _), .PaymentUnresolved(let hash, _, _, _),
        .PreimageMismatch(let hash, _):
        written["payment_hash"] = .string(hash.hex)
    default: break
    }
    return .object(written)
}

private func write(_ outcome: Outcome) -> Json {
    [
        "credential": .string(outcome.credential.text()), "receipt": outcome.receipt.map(write) ?? .null,
        "journal_failed": .bool(outcome.journalFailed),
    ]
}

private func write(_ key: RequestKey) -> Json {
    [
        "method": .string(key.method), "origin": .string("\(key.origin)"), "target": .string(key.target),
        "body_sha256": .string(key.bodySha256.hex), "wallet": .string(key.wallet),
    ]
}

private func write(_ intent: Intent) -> Json {
    [
        "payment_hash": .string(intent.paymentHash.hex), "request": write(intent.request), "scheme": .string(intent.scheme.text()),
        "token": .string(intent.token.expose()), "invoice": .string(intent.invoice), "network": .string(intent.network.text()),
        "payee": Json(intent.payee?.hex), "amount_msat": .number(intent.amountMsat), "max_fee_msat": .number(intent.maxFeeMsat),
        "invoice_expires_at": .number(intent.invoiceExpiresAt), "created_at": .number(intent.createdAt),
    ]
}

private func write(_ receipt: Receipt) -> Json {
    [
        "payment_hash": .string(receipt.paymentHash.hex), "network": .string(receipt.network.text()), "payee": Json(receipt.payee?.hex),
        "amount_msat": .number(receipt.amountMsat), "fee_msat": Json(receipt.feeMsat), "charged_msat": .number(receipt.chargedMsat),
        "method": .string(receipt.method), "origin": .string("\(receipt.origin)"), "target": .string(receipt.target),
        "wallet": .string(receipt.wallet), "created_at": .number(receipt.createdAt), "settled_at": Json(receipt.settledAt),
        "state": .string(receipt.state.text()), "credential": Json(receipt.credential?.text()), "failure": Json(receipt.failure),
    ]
}

private func write(_ quote: Quote) -> Json {
    [
        "payment_hash": .string(quote.paymentHash.hex), "network": .string(quote.network.text()), "payee": Json(quote.payee?.hex),
        "description": Json(quote.description), "amount_msat": .number(quote.amountMsat), "max_fee_msat": .number(quote.maxFeeMsat),
        "origin": .string("\(quote.origin)"), "invoice_expires_at": .number(quote.invoiceExpiresAt), "valid_until": Json(quote.validUntil),
        "budget_left_msat": Json(quote.budgetLeftMsat), "pending": quote.pending.map(write) ?? .null, "refusal": Json(quote.refusal?.code),
    ]
}

private func write(_ pending: Pending) -> Json {
    switch pending {
    case .delivered(let receipt): ["found": "delivered", "receipt": write(receipt)]
    case .undelivered(let receipt): ["found": "undelivered", "receipt": write(receipt)]
    case .unresolved(let hash): ["found": "unresolved", "payment_hash": .string(hash.hex)]
    }
}
