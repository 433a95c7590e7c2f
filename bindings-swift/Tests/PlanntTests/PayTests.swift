import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@testable import Plannt

/// A wallet of the app's own: here one that has another pay, and counts.
final class OwnWallet: Wallet, @unchecked Sendable {
    struct Broken: Error {}

    let inner: any Wallet
    private(set) var paid = 0
    var loses = false

    init(_ inner: any Wallet) { self.inner = inner }

    func walletId() -> String { "swift:own" }
    func network() -> Network? { .regtest }
    func limitsFee() -> Bool { true }

    func payInvoice(request: PayRequest) async throws -> Payment {
        let payment = try await inner.payInvoice(request: request)
        paid += 1
        if loses { throw Broken() }
        return payment
    }

    func lookupPayment(paymentHash: PaymentHash) async throws -> PaymentState {
        if loses { throw Broken() }
        return try await inner.lookupPayment(paymentHash: paymentHash)
    }

    func balanceMsat() async throws -> Msat { try await inner.balanceMsat() }
}

/// A driver's loop, as short as it can be.
func get(_ url: URL, by driver: Driver) async throws -> (Data, Outcome) {
    let origin = try Origin(scheme: url.scheme!, host: url.host!, port: url.port.map(UInt32.init))
    let call = try driver.call(request: requestFacts(method: "GET", origin: origin, target: url.path, body: Data()))
    var body = Data()
    while true {
        switch try await driver.nextStep(call: call) {
        case .done(let outcome, _): return (body, outcome)
        case .quoted: fatalError("this is no dry run")
        case .readBody: try call.bodyRead(body: body)
        case .sendRequest(let authorization):
            var request = URLRequest(url: url)
            request.setValue(authorization?.expose(), forHTTPHeaderField: "Authorization")
            let (data, response) = try await URLSession.shared.data(for: request)
            let head = response as! HTTPURLResponse
            body = data
            let lines = head.value(forHTTPHeaderField: "WWW-Authenticate").map { [Data($0.utf8)] } ?? []
            try call.responded(facts: ResponseFacts(status: UInt32(head.statusCode), wwwAuthenticate: lines))
        }
    }
}

@Test(.enabled(if: ProcessInfo.processInfo.environment["PLANNT_DEMO"] != nil))
func paysWithAWalletOfItsOwn() async throws {
    // Where `plannt serve --demo` listens, and its wallet's URL.
    let demo = ProcessInfo.processInfo.environment["PLANNT_DEMO"]!.split(separator: " ").map(String.init)
    let url = URL(string: demo[0])!
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }

    let own = OwnWallet(try wallet(url: demo[1], network: .regtest))
    let policy = driverPolicy(network: .regtest, maxPaymentMsat: 100_000, walletLimitsFee: true)
    let options = DriverOptions(policy: policy, budget: budgetOf(rules: [budgetRulePerDay(limitMsat: 1_000_000)]))
    let driver = try Driver(wallet: own, journal: Journal(path: folder.appendingPathComponent("journal.db").path), options: options)

    let (body, outcome) = try await get(url, by: driver)
    #expect(outcome.credential == .bought)
    #expect(outcome.receipt?.paidMsat() == 21_000)
    #expect(!body.isEmpty)
    #expect(own.paid == 1)
    let status = try await driver.budgetStatus()
    #expect(status.map(\.spentMsat) == [21_000])

    // What a wallet throws leaves the payment open; it is asked about, and not paid again.
    own.loses = true
    await #expect {
        try await get(url, by: driver)
    } throws: { error in
        (error as? any PlanntError)?.code == "payment_unresolved"
    }
    own.loses = false
    let recovered = try await driver.recover()
    #expect(recovered.map(\.state) == [.paid])
    #expect(own.paid == 2)
    let (_, again) = try await get(url, by: driver)
    #expect(again.credential == .recovered)
    #expect(own.paid == 2)
}
