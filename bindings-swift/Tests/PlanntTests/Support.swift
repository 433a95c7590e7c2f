import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@testable import Plannt

/// What a call of the demo service costs, msat.
let price: Msat = 21_000

struct Unusable: Error { let why: String }

/// `plannt serve --demo` with all its state in a folder of its own.
final class Service: @unchecked Sendable {
    let home: URL
    let url: URL
    let payerUrl: String
    private let process: Process

    /// The binary under test; without one these tests don't run.
    static let binary = ProcessInfo.processInfo.environment["PLANNT_BIN"]

    init() throws {
        home = FileManager.default.temporaryDirectory.appendingPathComponent("plannt-\(UUID().uuidString)")
        process = Process()
        process.executableURL = URL(fileURLWithPath: Service.binary ?? "")
        process.arguments = ["--data-dir", home.path, "serve", "--demo", "--listen", "127.0.0.1:0"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        var said = ""
        while !said.contains("\n") {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Unusable(why: said) }
            said += String(decoding: more, as: UTF8.self)
        }
        guard let line = said.split(separator: "\n").first, line.hasPrefix("listening on "), let word = line.split(separator: " ").last,
            let url = URL(string: String(word))
        else { throw Unusable(why: said) }
        self.url = url
        let devnet = home.appendingPathComponent("devnet/devnet.json")
        payerUrl = try JSONDecoder().decode(Json.self, from: Data(contentsOf: devnet)).text("payer_url")
        // What it goes on to say is read, so that it is not held up.
        output.fileHandleForReading.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: home)
    }

    func wallet() throws -> any Wallet { try Plannt.wallet(url: payerUrl, network: .regtest) }

    /// The payments that were asked of the devnet.
    func payments() throws -> Int {
        let (text, status) = try run(Service.binary ?? "", ["--data-dir", home.path, "devnet", "payments"])
        guard status == 0 else { throw Unusable(why: text) }
        return text.split(separator: "\n").count
    }

    /// A fresh challenge of `/v1/demo`.
    func challengeLine() async throws -> String {
        let (_, response) = try await URLSession.shared.answer(to: URLRequest(url: url.appendingPathComponent("v1/demo")), delegate: nil)
        guard let line = response.value(forHTTPHeaderField: "WWW-Authenticate") else { throw Unusable(why: "not challenged") }
        return line
    }
}

/// Runs a program to its end.
func run(_ program: String, _ arguments: [String], _ environment: [String: String] = [:]) throws -> (output: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: text, as: UTF8.self), process.terminationStatus)
}

/// A journal in a folder of its own, which goes with it.
final class Scratch: Sendable {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("plannt-\(UUID().uuidString)")
    let journal: Journal

    init() { journal = Journal(path: folder.appendingPathComponent("journal.db").path) }

    deinit { try? FileManager.default.removeItem(at: folder) }
}

/// A wallet of the app's own: it pays through another one, counts, and does as it is told.
final class OwnWallet: Wallet, @unchecked Sendable {
    struct Broken: Error {}
    enum Manner { case pays, losesTheAnswer, fails, waits }

    private let inner: any Wallet
    private let lock = NSLock()
    private var count = 0
    private var manner = Manner.pays
    private var gate: CheckedContinuation<Void, Never>?
    private let entered: AsyncStream<Void>
    private let enter: AsyncStream<Void>.Continuation

    init(_ inner: any Wallet) {
        self.inner = inner
        (entered, enter) = AsyncStream.makeStream()
    }

    var paid: Int { locked { count } }

    func does(_ manner: Manner) { locked { self.manner = manner } }

    /// Waits until a payment waits.
    func called() async { for await _ in entered { return } }

    /// Lets the waiting payment go on.
    func goOn() {
        let waiting = locked {
            manner = .pays
            defer { gate = nil }
            return gate
        }
        waiting?.resume()
    }

    private func locked<T>(_ work: () -> T) -> T {
        lock.lock()
        defer { lock.unlock() }
        return work()
    }

    func walletId() -> String { "swift:own" }

    func payInvoice(request: PayRequest) async throws -> Payment {
        let manner = locked { self.manner }
        if manner == .fails { throw PaymentError.Failed(failure: "no_route", reason: "there is no way") }
        if manner == .waits {
            await withCheckedContinuation { continuation in
                locked { gate = continuation }
                enter.yield()
            }
        }
        let payment = try await inner.payInvoice(request: request)
        locked { count += 1 }
        if manner == .losesTheAnswer { throw Broken() }
        return payment
    }

    func lookupPayment(paymentHash: PaymentHash) async throws -> PaymentState {
        if locked({ manner }) == .losesTheAnswer { throw Broken() }
        return try await inner.lookupPayment(paymentHash: paymentHash)
    }
}
