import Foundation
import Testing

@testable import Plannt

@Test func mintsAndVerifies() throws {
    let ring = Keyring(network: .regtest, minting: try RootKey.fromBytes(bytes: Data(repeating: 1, count: 32)))
    let preimage = try Preimage.fromBytes(bytes: Data(repeating: 2, count: 32))
    var request = MintRequest(
        paymentHash: preimage.paymentHash(), service: "demo", tier: 0, validUntil: 1_900_000_000, method: "GET", path: "/v1/demo",
        maxPriceMsat: 21_000, uses: 3)
    let token = try ring.mint(request: request)

    let line = Data("L402 \(token):\(preimage.exposeHex())".utf8)
    let credential = try #require(try credentialFromAuthorization(lines: [line]))
    var context = RequestContext(
        now: 1_800_000_000, service: "demo", tier: 0, method: "GET", path: "/v1/demo", lowestPriceMsat: 21_000)
    let verified = try ring.verify(credential: credential, request: context)
    #expect(verified.uses == 3)
    #expect(verified.paymentHash == preimage.paymentHash())

    context.now = 1_900_000_000
    #expect {
        try ring.verify(credential: credential, request: context)
    } throws: { error in
        let error = error as? any PlanntError
        return error?.code == "expired" && error?.message == "credential expired"
    }
    request.uses = 0
    #expect(throws: MintError.self) { try ring.mint(request: request) }
    #expect("\(preimage)" == "Preimage([redacted])")
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
