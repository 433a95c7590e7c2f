import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@testable import Plannt

private let preimageHex = String(repeating: "02", count: 32)

private func ring() throws -> Keyring { Keyring(network: .regtest, minting: try RootKey(Data(repeating: 1, count: 32))) }

private func order() throws -> MintRequest {
    MintRequest(
        paymentHash: try Preimage(hex: preimageHex).paymentHash(), service: "demo", method: "GET", path: "/v1/demo",
        validUntil: 1_900_000_000, maxPriceMsat: 21_000, uses: 3)
}

private func context(now: UnixSeconds = 1_800_000_000) -> RequestContext {
    RequestContext(now: now, service: "demo", method: "GET", path: "/v1/demo", lowestPriceMsat: 21_000)
}

private func credential() throws -> Credential {
    let value = authorizationValue(token: try ring().mint(request: order()), preimage: try Preimage(hex: preimageHex))
    return try #require(try Credential.fromAuthorization([value]))
}

/// Expects an error of this package with this code, and a message.
private func expect<T>(_ code: String, from location: SourceLocation = #_sourceLocation, _ work: () throws -> T) {
    #expect(sourceLocation: location) {
        _ = try work()
    } throws: { error in
        guard let error = error as? any PlanntError else { return false }
        return error.code == code && !error.message.isEmpty && error.localizedDescription == error.message
    }
}

@Test func mintsAndVerifies() throws {
    let verified = try ring().verify(credential: credential(), request: context())
    #expect(verified.uses == 3)
    #expect(try verified.paymentHash == Preimage(hex: preimageHex).paymentHash())
    #expect {
        try ring().verify(credential: credential(), request: context(now: 1_900_000_000))
    } throws: { error in
        let error = error as? VerifyError
        return error?.code == "expired" && error?.message == "credential expired"
    }
    let other = try ring()
    other.rotate(minting: try RootKey(hex: String(repeating: "03", count: 32)))
    #expect(try other.verify(credential: credential(), request: context()).uses == 3)
}

@Test func errorsCrossWithCodeAndMessage() throws {
    expect("wrong_length") { try PaymentHash(Data(count: 31)) }
    expect("wrong_length") { try Preimage(Data()) }
    expect("invalid_hex") { try RootKey(hex: "zz") }
    expect("origin_scheme") { try Origin("ftp://example") }
    expect("origin_port") { try Origin(scheme: "https", host: "example", port: 65_536) }
    expect("unknown_network") { try Network("moon") }
    expect("bad_path") { try normalizePath(path: "v1") }
    expect("invoice_malformed") { try InvoiceFacts("lnbc") }
    expect("invalid_identifier") { try Identifier(Data(count: 65)) }
    expect("malformed_credential") { try Credential.fromAuthorization(["L402 AAAA"]) }
    expect("config") { try wallet(url: "lnd://127.0.0.1") }
    expect("invalid_request") { try RequestFacts(URLRequest(url: URL(fileURLWithPath: "/etc/passwd"))) }
    var order = try order()
    order.uses = 0
    #expect(throws: MintError.self) { try ring().mint(request: order) }
}

@Test func aDefectOfRustsIsAnError() async throws {
    let broken: [@Sendable () async throws -> Bool] = [{ try defect() }, { try await defectLater() }, { try await defectAside() }]
    for broken in broken {
        await #expect {
            try await broken()
        } throws: { error in
            let error = error as? any PlanntError
            return error?.code == "internal" && error?.message == "a defect on purpose"
        }
    }
}

@Test func whatAClosureThrowsIsAnError() throws {
    struct Own: Error {}
    let macaroon = try Macaroon.create(rootKey: Data([1]), identifier: Data([2]), location: nil)
    try macaroon.attenuate("a=b")
    try macaroon.verifyDischarged(rootKey: Data([1])) { $0 == Data("a=b".utf8) }
    #expect(throws: DischargeError.self) { try macaroon.verifyDischarged(rootKey: Data([1])) { _ in false } }
    #expect(throws: DischargeError.self) { try macaroon.verifyDischarged(rootKey: Data([1])) { _ in throw Own() } }
    #expect(throws: DischargeError.self) { try macaroon.verifyDischarged(rootKey: Data([3])) { _ in true } }
}

@Test func noSecretIsPrinted() throws {
    let token = SecretText("the token")
    let shown = [
        "\(try Preimage(hex: preimageHex))", "\(try RootKey(hex: preimageHex))", "\(token)", String(reflecting: token),
        "\(Event.payment(result: .paid(preimage: try Preimage(hex: preimageHex), feeMsat: 1)))",
        "\(Payment(preimage: try Preimage(hex: preimageHex)))",
        "\(Challenge(scheme: .l402, token: token, invoice: "lnbcrt1", source: .body))",
    ]
    for text in shown {
        #expect(!text.contains("0202") && !text.contains("the token"))
    }
    var dumped = ""
    dump(try Preimage(hex: preimageHex), to: &dumped)
    dump(token, to: &dumped)
    #expect(!dumped.contains("0202") && !dumped.contains("the token"))
    #expect(token.expose() == "the token")
}

@Test func namesAreReadAndCoded() throws {
    #expect(try Network.allCases.map { try Network($0.text()) } == Network.allCases)
    #expect(Code.allCases.map { Code($0.text()) } == Code.allCases)
    #expect(Scheme.allCases.map { Scheme($0.text().lowercased()) } == Scheme.allCases)
    #expect(try IntentState.allCases.map { try IntentState($0.text()) } == IntentState.allCases)
    #expect(try CredentialState.allCases.map { try CredentialState($0.text()) } == CredentialState.allCases)
    #expect(Code("nothing") == nil)
    #expect(Set(CredentialUse.allCases.map(\.description)) == ["bought", "kept", "none", "recovered"])
    #expect(String(decoding: try JSONEncoder().encode([Network.regtest]), as: UTF8.self) == "[\"regtest\"]")
    #expect(throws: DecodingError.self) { try JSONDecoder().decode([Network].self, from: Data("[\"moon\"]".utf8)) }
}

@Test func settingsAreCodable() throws {
    let text = """
        {"policy": {"network": "regtest", "maxPaymentMsat": 18446744073709551615, "allowedHosts": ["api.example"], "fitFee": true,
        "maxFee": {"baseMsat": 1, "partsPerMillion": 2}, "payAfterLoss": false, "plainHttpHosts": "any", "walletLimitsFee": true,
        "worstCaseFee": {"baseMsat": 3, "partsPerMillion": 4}}, "budget": {"rules": [{"limitMsat": 5, "windowSeconds": 6}]},
        "paymentTimeout": 7, "lockWait": 8}
        """
    let options = try JSONDecoder().decode(DriverOptions.self, from: Data(text.utf8))
    #expect(options.policy.allowedHosts == ["api.example"])
    #expect(options.policy.plainHttpHosts == .any)
    #expect(options.policy.maxPaymentMsat == .max)
    #expect(options.budget == [BudgetRule(limitMsat: 5, windowSeconds: 6)])
    #expect(try JSONDecoder().decode(DriverOptions.self, from: JSONEncoder().encode(options)) == options)
    let hash = try PaymentHash(hex: String(repeating: "ab", count: 32))
    #expect(String(decoding: try JSONEncoder().encode([hash]), as: UTF8.self) == "[\"\(String(repeating: "ab", count: 32))\"]")
    for wrong in ["ab", String(repeating: "+1", count: 32)] {
        #expect(Bytes32(hex: wrong) == nil)
        #expect(throws: HexError.self) { try PaymentHash(hex: wrong) }
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([PaymentHash].self, from: Data("[\"\(wrong)\"]".utf8)) }
    }
}

@Test func valuesAreRustsOwn() throws {
    #expect(Limits.identifierLen == 66)
    #expect(Limits.maxAuthorizationBytes == 16_384)
    #expect(try Base64.decode(Base64.encode(Data([0, 255]))) == Data([0, 255]))
    #expect(Caveat.split(Data("path=/v1/*".utf8)) == SplitCaveat(condition: "path", value: "/v1/*"))
    #expect(Caveat.pathMatches(pattern: "/v1/*", path: "/v1/demo"))
    #expect(FeeLimit.none.forAmount(amountMsat: 1_000) == 0)
    #expect(!Hosts.none.contain(origin: try Origin("https://example")))
    #expect((["*.example"] as Hosts).contain(origin: try Origin("https://api.example")))
    #expect(([.perDay(limitMsat: 5), .perDay(limitMsat: 3)] as Budget).rules == [.perDay(limitMsat: 3)])
    let both: Budget = [.perDay(limitMsat: 100), .inTotal(limitMsat: 1_000)]
    #expect(both.leftMsat { $0.windowSeconds == nil ? 950 : 30 } == 50)
    #expect(Budget.unlimited.leftMsat { _ in Msat.max } == nil)
    #expect(Policy(network: .regtest, maxPaymentMsat: 7).maxPaymentMsat == 7)
    #expect(Format(sniffing: try Macaroon.create(rootKey: Data([1]), identifier: Data([2]), location: nil).toV2()) == .v2)
    #expect(defaultJournalPath().map { try? Journal().path() == $0 } ?? true == true)
}

@Test(arguments: [
    ("https://Example:443", "https://example", "/"), ("http://[::1]:8402/a%20b/?", "http://[::1]:8402", "/a%20b/?"),
    ("https://example/a?b=c%26#d", "https://example", "/a?b=c%26"), ("http://user:pw@example", "http://example", "/"),
]) func readsAURL(url: String, origin: String, target: String) throws {
    let facts = try RequestFacts(URLRequest(url: try #require(URL(string: url))))
    #expect(facts.method == "GET")
    #expect(facts.origin.description == origin)
    #expect(facts.target == target)
    #expect(facts.bodySha256 == contentDigest(body: Data()))
}

@Test func aWalletNeedsOnlyANameAndAWayToPay() async throws {
    final class Purse: Wallet {
        func walletId() -> String { "purse" }
        func payInvoice(request: PayRequest) async throws -> Payment { throw PaymentError.Failed(failure: "rejected", reason: "empty") }
    }
    let purse = Purse()
    let driver = try Driver(wallet: purse, journal: Scratch().journal)
    #expect(driver.options().policy.network == .bitcoin)
    #expect(driver.options().policy.maxPaymentMsat == 1_000_000)
    guard case .unknown = try await purse.lookupPayment(paymentHash: PaymentHash(Data(count: 32))) else {
        Issue.record("it knows")
        return
    }
    await #expect(throws: LightningError.self) { try await purse.balanceMsat() }
}
