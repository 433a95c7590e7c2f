import Foundation
import Testing

@testable import Plannt

/// Bytes of this process that are in memory.
private func residentBytes() throws -> Int {
    let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return (Int(pages[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

/// Alone in its process, since others take memory, too.
@Test(.enabled(if: ProcessInfo.processInfo.environment["PLANNT_MEMORY"] != nil, "PLANNT_MEMORY asks for it"))
func a100000CyclesOfCreateVerifyAndDropTakeNoMemory() throws {
    var verifiedOnes = 0
    func cycle(_ at: UInt64) throws {
        let ring = Keyring(network: .regtest, minting: try RootKey(Data(repeating: 1, count: 32)))
        let preimage = try Preimage(Data((0..<32).map { UInt8(truncatingIfNeeded: at >> ($0 % 8 * 8)) }))
        let request = MintRequest(
            paymentHash: preimage.paymentHash(), service: "demo", method: "GET", path: "/v1/demo", validUntil: 1_900_000_000,
            maxPriceMsat: 21_000)
        let token: String
        do {
            token = try ring.mint(request: request)
        } catch MintError.TokenTextCollision {
            // A few in a hundred thousand spell a scheme's name.
            return
        }
        verifiedOnes += 1
        let value = authorizationValue(token: token, preimage: preimage)
        let credential = try #require(try Credential.fromAuthorization([value]))
        let context = RequestContext(now: 1_800_000_000, service: "demo", method: "GET", path: "/v1/demo", lowestPriceMsat: 21_000)
        let verified = try ring.verify(credential: credential, request: context)
        precondition(verified.paymentHash == preimage.paymentHash())
        // What fails is dropped, too.
        if at % 10 == 0 {
            var late = context
            late.now = 2_000_000_000
            precondition((try? ring.verify(credential: credential, request: late)) == nil)
        }
    }
    for at in 0..<10_000 as Range<UInt64> { try cycle(at) }
    let early = try residentBytes()
    for at in 10_000..<100_000 as Range<UInt64> { try cycle(at) }
    let late = try residentBytes()
    print("memory: \(early / 1024) KiB resident after 10,000 cycles, \(late / 1024) KiB after 100,000: \((late - early) / 1024) KiB more")
    #expect(verifiedOnes > 99_900)
    #expect(late - early <= 5 * 1024 * 1024)
}
