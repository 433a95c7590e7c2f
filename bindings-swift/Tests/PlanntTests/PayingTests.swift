import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@testable import Plannt

/// Paying with `URLSession`, against the real service and a server that answers as a test wants.
@Suite(.enabled(if: Service.binary != nil, "PLANNT_BIN names no binary"))
struct PayingTests {
    /// One for all: each test has a journal of its own.
    static let service = Result { try Service() }

    let service: Service
    let scratch = Scratch()
    let own: OwnWallet

    init() throws {
        service = try PayingTests.service.get()
        own = OwnWallet(try service.wallet())
    }

    var demo: URL { service.url.appendingPathComponent("v1/demo") }

    func driver(budget: Budget = [], maxPaymentMsat: Msat = 100_000, allowedHosts: Hosts = .any) throws -> Driver {
        try Driver(
            wallet: own, budget: budget, maxPaymentMsat: maxPaymentMsat, network: .regtest, allowedHosts: allowedHosts, journal: scratch.journal)
    }

    /// A server that asks for payment, and answers what is paid for by a rule.
    func shop(_ rule: @escaping @Sendable (Seen) -> Reply) async throws -> Server {
        let line = try await service.challengeLine()
        return try Server { seen in
            if seen.target.hasPrefix("/paid"), seen.lines("Authorization").allSatisfy({ !$0.hasPrefix("L402 ") }) {
                return (402, [("WWW-Authenticate", line)], Data("pay".utf8))
            }
            return rule(seen)
        }
    }

    @Test func paysForACall() async throws {
        let driver = try Driver(wallet: service.wallet(), network: .regtest, journal: scratch.journal)
        let (data, response, outcome) = try await URLSession.shared.l402Data(from: demo, paying: driver)
        #expect(response.statusCode == 200)
        #expect(response.value(forHTTPHeaderField: "x-l402") == "spent")
        #expect(try JSONDecoder().decode(Json.self, from: data) == ["result": "verified"])
        #expect(outcome.credential == .bought)
        #expect(outcome.receipt?.amountMsat == price)
        #expect(outcome.receipt?.state == .paid)
        let receipts = try await driver.receipts()
        #expect(receipts.map(\.amountMsat) == [price])
        #expect(try JSONDecoder().decode([Receipt].self, from: JSONEncoder().encode(receipts)) == receipts)
    }

    @Test func paysNothingForWhatIsFree() async throws {
        let url = service.url.appendingPathComponent("status")
        let (_, response, outcome) = try await URLSession.shared.l402Data(from: url, paying: driver())
        #expect(response.statusCode == 200)
        #expect(outcome.credential == .none)
        #expect(own.paid == 0)
    }

    @Test func asksForThePrice() async throws {
        let driver = try driver(maxPaymentMsat: 20_000)
        let quote = try #require(try await URLSession.shared.l402Quote(for: URLRequest(url: demo), paying: driver))
        #expect(quote.amountMsat == price)
        #expect(quote.refusal?.code == "above_limit")
        #expect(try await URLSession.shared.l402Quote(for: URLRequest(url: service.url.appendingPathComponent("status")), paying: driver) == nil)
        #expect(own.paid == 0)
    }

    @Test func isStoppedByTheLimitOfACall() async throws {
        try await expect("above_limit") { try await URLSession.shared.l402Data(from: demo, paying: driver(maxPaymentMsat: 20_999)) }
        #expect(own.paid == 0)
    }

    @Test func isStoppedByABudget() async throws {
        let driver = try driver(budget: [.perDay(limitMsat: 50_000)], maxPaymentMsat: 25_000)
        _ = try await URLSession.shared.l402Data(from: demo, paying: driver)
        _ = try await URLSession.shared.l402Data(from: demo, paying: driver)
        do {
            _ = try await URLSession.shared.l402Data(from: demo, paying: driver)
            Issue.record("it was paid for")
        } catch ClientError.Refused(refusal: .BudgetExceeded(_, let leftMsat, let text), _, _) {
            #expect(leftMsat == 50_000 - 2 * price)
            #expect(text.code == "budget_exceeded")
            #expect(text.message.contains("budget"))
        }
        #expect(own.paid == 2)
        let status = try await driver.budgetStatus()
        #expect(status.map(\.spentMsat) == [2 * price])
    }

    @Test func paysNoHostThatIsNotAllowed() async throws {
        let driver = try driver(allowedHosts: ["api.example"])
        try await expect("host_not_allowed") { try await URLSession.shared.l402Data(from: demo, paying: driver) }
        #expect(own.paid == 0)
    }

    @Test func sendsABodyAgainButPaysForNoStream() async throws {
        let shop = try await shop { (200, [("x-l402", "spent")], $0.body) }
        var request = URLRequest(url: try #require(URL(string: "?q=1", relativeTo: shop.url)))
        request.httpMethod = "POST"
        request.httpBody = Data("the same".utf8)
        request.setValue("Bearer own", forHTTPHeaderField: "Authorization")
        let (data, _, _) = try await URLSession.shared.l402Data(for: request, paying: driver())
        #expect(data == request.httpBody)
        #expect(shop.seen.map { "\($0.method) \($0.target)" } == ["POST /paid?q=1", "POST /paid?q=1"])
        #expect(shop.seen[0].lines("Accept-Authenticate") == ["L402"])
        #expect(shop.seen[0].lines("Authorization") == ["Bearer own"])
        #expect(shop.seen[1].lines("Authorization").count == 1)

        request.httpBody = nil
        request.httpBodyStream = InputStream(data: Data("once".utf8))
        let once = request
        try await expect("body_not_replayable") { try await URLSession.shared.l402Data(for: once, paying: driver()) }
        #expect(own.paid == 1)
    }

    @Test(arguments: [false, true]) func takesNoCredentialOverARedirect(toAnother: Bool) async throws {
        let other = try Server { _ in (200, [], Data("at the end".utf8)) }
        let end = other.url.absoluteString
        let shop = try await shop { seen in
            seen.target == "/end" ? (200, [], Data("at the end".utf8)) : (302, [("Location", toAnother ? end : "/end")], Data())
        }
        let (data, response, outcome) = try await URLSession.shared.l402Data(from: shop.url, paying: driver())
        #expect(response.statusCode == 200)
        #expect(String(decoding: data, as: UTF8.self) == "at the end")
        #expect(outcome.credential == .bought)
        let reached = toAnother ? other.seen : shop.seen.filter { $0.target == "/end" }
        #expect(reached.count == 1)
        #expect(reached.allSatisfy { $0.lines("Authorization").isEmpty })
        #expect(try await scratch.journal.receipts(limit: 1).first?.credential == .delivered)
    }

    @Test func asksTheSessionsOwnDelegateAboutRedirects() async throws {
        let stays = Stays()
        let session = URLSession(configuration: .ephemeral, delegate: stays, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        let shop = try await shop { _ in (302, [("Location", "/end")], Data()) }
        let (_, response, outcome) = try await session.l402Data(from: shop.url, paying: driver())
        #expect(response.statusCode == 302)
        #expect(outcome.credential == .bought)
        #expect(stays.asked.isSet)
        #expect(shop.seen.allSatisfy { $0.target == "/paid" })
    }

    @Test func saysWhatARedirectCostThatLeadsNowhere() async throws {
        let shop = try await shop { $0.target == "/end" ? nil : (302, [("Location", "/end")], Data()) }
        do {
            _ = try await URLSession.shared.l402Data(from: shop.url, paying: driver())
            Issue.record("there was an answer")
        } catch let error as ClientError {
            #expect(error.code == "redirect_failed")
            #expect(error.receipt()?.amountMsat == price)
        }
    }

    @Test func paysNothingAfterARedirect() async throws {
        let demo = demo.absoluteString
        let first = try Server { _ in (307, [("Location", demo)], Data()) }
        try await expect("challenge_after_redirect") { try await URLSession.shared.l402Data(from: first.url, paying: driver()) }
        #expect(own.paid == 0)
        // The same after a redirect that was paid for.
        let shop = try await shop { _ in (302, [("Location", demo)], Data()) }
        do {
            _ = try await URLSession.shared.l402Data(from: shop.url, paying: driver())
            Issue.record("it was paid for")
        } catch let error as ClientError {
            #expect(error.code == "challenge_after_redirect")
            #expect(error.receipt()?.amountMsat == price)
        }
        #expect(own.paid == 1)
    }

    @Test(arguments: [0, 20, 300_000]) func handsA402WithoutAChallengeBackWhole(length: Int) async throws {
        let server = try Server { _ in (402, [], Data(repeating: 0x78, count: length)) }
        let (data, response, outcome) = try await URLSession.shared.l402Data(from: server.url, paying: driver())
        #expect(response.statusCode == 402)
        #expect(data.count == length)
        #expect(outcome.credential == .none)
    }

    @Test func leavesACredentialOfItsOwnAlone() async throws {
        let server = try Server { _ in (402, [("WWW-Authenticate", "L402 token=\"AAAA\", invoice=\"lnbcrt1\"")], Data()) }
        var request = URLRequest(url: server.url)
        request.setValue("lsat abc:def", forHTTPHeaderField: "Authorization")
        let (_, response, outcome) = try await URLSession.shared.l402Data(for: request, paying: driver())
        #expect(response.statusCode == 402)
        #expect(outcome.credential == .none)
        #expect(server.seen.map { $0.lines("Authorization") } == [["lsat abc:def"]])
    }

    @Test func presentsAgainWhatBroughtNoAnswer() async throws {
        let lost = Flag()
        let shop = try await shop { _ in lost.isSet ? (200, [("x-l402", "spent")], Data("here".utf8)) : nil }
        do {
            _ = try await URLSession.shared.l402Data(from: shop.url, paying: driver())
            Issue.record("there was an answer")
        } catch let error as ClientError {
            #expect(error.code == "not_delivered")
            #expect(error.receipt()?.amountMsat == price)
        }
        lost.set()
        let (data, _, outcome) = try await URLSession.shared.l402Data(from: shop.url, paying: driver())
        #expect(String(decoding: data, as: UTF8.self) == "here")
        #expect(outcome.credential == .recovered)
        #expect(own.paid == 1)
    }

    @Test func asksTheWalletAboutALostAnswer() async throws {
        own.does(.losesTheAnswer)
        try await expect("payment_unresolved") { try await URLSession.shared.l402Data(from: demo, paying: driver()) }
        // Its look-up has no answer either: nothing more is paid.
        try await expect("payment_unresolved") { try await URLSession.shared.l402Data(from: demo, paying: driver()) }
        own.does(.pays)
        let recovered = try await driver().recover()
        #expect(recovered.map(\.state) == [.paid])
        let (_, response, outcome) = try await URLSession.shared.l402Data(from: demo, paying: driver())
        #expect(response.statusCode == 200)
        #expect(outcome.credential == .recovered)
        #expect(own.paid == 1)
    }

    @Test func saysThatTheWalletDidNotPay() async throws {
        own.does(.fails)
        do {
            _ = try await URLSession.shared.l402Data(from: demo, paying: driver())
            Issue.record("it was paid for")
        } catch ClientError.Refused(refusal: .PaymentFailed(let failure, _), let receipt, let text) {
            #expect(failure == "no_route")
            #expect(text.code == "payment_failed")
            #expect(receipt == nil)
        }
        let status = try await driver(budget: [.inTotal(limitMsat: 50_000)]).budgetStatus()
        #expect(status.map(\.leftMsat) == [50_000])
    }

    @Test func aTaskThatIsCancelledBeforeSendsNothing() async throws {
        let server = try Server { _ in (200, [], Data()) }
        let driver = try driver()
        let going = Task {
            // Until it is cancelled.
            while !Task.isCancelled { await Task.yield() }
            return try await URLSession.shared.l402Data(from: server.url, paying: driver).outcome
        }
        going.cancel()
        await #expect(throws: CancellationError.self) { try await going.value }
        // Its place is free, and this is the only request that comes.
        _ = try await URLSession.shared.l402Data(from: server.url, paying: driver)
        #expect(server.seen.count == 1)
    }

    @Test func aCancelledTaskLeavesThePaymentToTheJournal() async throws {
        own.does(.waits)
        let driver = try driver()
        let url = demo
        let going = Task { try await URLSession.shared.l402Data(from: url, paying: driver).outcome }
        await own.called()
        going.cancel()
        await #expect(throws: CancellationError.self) { try await going.value }
        // Nobody waits any more, and the wallet pays.
        own.goOn()
        let (_, response, outcome) = try await URLSession.shared.l402Data(from: url, paying: driver)
        #expect(response.statusCode == 200)
        #expect(outcome.credential == .recovered)
        #expect(own.paid == 1)
    }

    @Test func aCallCancelledWhileItWaitsForAnAnswerIsPresentedAgain() async throws {
        let (arrived, arrive) = AsyncStream<Void>.makeStream()
        let hold = Flag()
        let shop = try await shop { _ in
            if hold.isSet { return (200, [("x-l402", "spent")], Data("here".utf8)) }
            arrive.yield()
            hold.wait()
            return nil
        }
        let driver = try driver()
        let going = Task { try await URLSession.shared.l402Data(from: shop.url, paying: driver).outcome }
        for await _ in arrived { break }
        going.cancel()
        await #expect(throws: CancellationError.self) { try await going.value }
        hold.set()
        let (data, _, outcome) = try await URLSession.shared.l402Data(from: shop.url, paying: driver)
        #expect(String(decoding: data, as: UTF8.self) == "here")
        #expect(outcome.credential == .recovered)
        #expect(own.paid == 1)
    }

    @Test func manyCallsAtOnceKeepTheBudget() async throws {
        let driver = try driver(budget: [.inTotal(limitMsat: 3 * price)], maxPaymentMsat: price)
        let url = service.url.appendingPathComponent("v1/demo")
        let answers = await withTaskGroup(of: String.self) { group in
            for at in 0..<8 {
                group.addTask {
                    let each = URL(string: "\(url.absoluteString)?n=\(at)")!
                    do {
                        return "\(try await URLSession.shared.l402Data(from: each, paying: driver).response.statusCode)"
                    } catch {
                        return (error as? any PlanntError)?.code ?? "\(error)"
                    }
                }
            }
            return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(answers == ["200": 3, "budget_exceeded": 5])
        #expect(own.paid == 3)
    }

    @Test func handsTheSessionsErrorBackWhereNothingWasPaid() async throws {
        let server = try Server { _ in nil }
        await #expect(throws: URLError.self) { try await URLSession.shared.l402Data(from: server.url, paying: driver()) }
        try await expect("invalid_request") {
            try await URLSession.shared.l402Data(from: URL(fileURLWithPath: "/etc/passwd"), paying: driver())
        }
    }

    @Test func takesNoOtherNetworksWallet() throws {
        let wallet = try service.wallet()
        #expect { try Driver(wallet: wallet, network: .bitcoin, journal: scratch.journal) } throws: { error in
            (error as? ClientError)?.code == "config"
        }
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["PLANNT_EXAMPLES"] != nil, "PLANNT_EXAMPLES names no folder"))
    func theExamplePays() throws {
        let folder = ProcessInfo.processInfo.environment["PLANNT_EXAMPLES"]!
        let home = scratch.folder.path
        let (output, status) = try run(
            "\(folder)/pay-example", [demo.absoluteString], ["PLANNT_WALLET": service.payerUrl, "PLANNT_HOME": home])
        #expect(status == 0)
        #expect(output.contains("costs 21000 msat"))
        #expect(output.contains("200 {\"result\":\"verified\"}"))
        #expect(output.contains("paid 21000 msat"))
    }
}

/// A delegate that follows no redirect, and sees no credential in one.
final class Stays: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
    let asked = Flag()

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        if newRequest.value(forHTTPHeaderField: "Authorization") == nil { asked.set() }
        completionHandler(nil)
    }
}

/// A flag that may be waited for.
final class Flag: @unchecked Sendable {
    private let condition = NSCondition()
    private var value = false

    var isSet: Bool {
        condition.lock()
        defer { condition.unlock() }
        return value
    }

    func set() {
        condition.lock()
        value = true
        condition.broadcast()
        condition.unlock()
    }

    func wait() {
        condition.lock()
        while !value { condition.wait() }
        condition.unlock()
    }
}

/// Expects an error of this package with this code, and a message.
func expect<T>(_ code: String, from location: SourceLocation = #_sourceLocation, _ work: () async throws -> T) async throws {
    do {
        _ = try await work()
        Issue.record("no error", sourceLocation: location)
    } catch let error as any PlanntError {
        #expect(error.code == code, sourceLocation: location)
        #expect(!error.message.isEmpty && error.localizedDescription == error.message, sourceLocation: location)
    }
}
