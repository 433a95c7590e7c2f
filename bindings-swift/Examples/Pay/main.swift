// Pays for one request: `PLANNT_WALLET=… pay-example http://127.0.0.1:8402/v1/demo`
import Foundation
import Plannt

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

guard let url = CommandLine.arguments.dropFirst().first.flatMap(URL.init(string:)),
    let address = ProcessInfo.processInfo.environment["PLANNT_WALLET"]
else {
    print("usage: PLANNT_WALLET=URL pay-example URL")
    exit(2)
}
do {
    let driver = try Driver(
        wallet: wallet(url: address, network: .regtest), budget: [.perDay(limitMsat: 100_000)], maxPaymentMsat: 25_000)
    if let quote = try await URLSession.shared.l402Quote(for: URLRequest(url: url), paying: driver) {
        print("costs \(quote.amountMsat) msat, and at most \(quote.maxFeeMsat) msat of fee")
    }
    let (data, response, outcome) = try await URLSession.shared.l402Data(from: url, paying: driver)
    print(response.statusCode, String(decoding: data, as: UTF8.self))
    print("paid \(outcome.receipt?.paidMsat() ?? 0) msat")
} catch let error as any PlanntError {
    print("\(error.code): \(error.message)")
    exit(1)
}
