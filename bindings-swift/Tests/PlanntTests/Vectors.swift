import Foundation

@testable import Plannt

/// The answer is an error that this package has no type for.
struct Refused: Error { let code: String }

/// The conformance vectors through this package's public API: each suite's answer to a case (conformance/README.md).
let suites: [String: @Sendable (Json) throws -> Json] = [
    "authorization_header": authorizationHeader,
    "caveats": caveats,
    "challenge_header": challenge,
    "client_flow": play,
    "identifier": identifier,
    "invoice": invoice,
    "macaroon": macaroon,
    "mint": mint,
    "verify": verify,
]

/// Lines of a header: a character stands for one byte.
private func lines(_ input: Json, _ name: String) throws -> [String] {
    try input.list("headers").compactMap { header in
        guard let pair = header.list, pair.count == 2, let value = pair[1].text else { throw Json.Missing(name: "headers") }
        return pair[0].text?.lowercased() == name ? value : nil
    }
}

private func authorizationHeader(_ input: Json) throws -> Json {
    let op = try input.text("op")
    if op == "write" {
        return ["value": .string(authorizationValue(token: try input.text("token"), preimage: try Preimage(hex: input.text("preimage"))))]
    }
    let credential =
        op == "read_grpc"
        ? try Credential.fromGrpcMetadata(macaroonHex: Data(input.text("value").utf8))
        : try Credential.fromAuthorization(lines(input, "authorization"))
    guard let credential else { throw Refused(code: "no_credential") }
    // A token's macaroon is parsed when it is verified, under whatever key.
    let ring = Keyring(network: .regtest, minting: try RootKey(Data(repeating: 7, count: 32)))
    do {
        _ = try ring.verify(
            credential: credential, request: RequestContext(now: 0, service: "demo", method: "GET", path: "/", lowestPriceMsat: 0))
    } catch let error as VerifyError where !["malformed_credential", "header_too_large"].contains(error.code) {}
    var output: [String: Json] = ["tokens": .array(try credential.tokens().map { .string(hex(try $0.decode())) })]
    if let preimage = try credential.preimage() { output["preimage"] = .string(preimage.exposeHex()) }
    return .object(output)
}

private func granted(_ verified: Verified) -> [String: Json] {
    [
        "uses": .number(UInt64(verified.uses)), "valid_until": .number(verified.validUntil), "keep_until": .number(verified.keepUntil),
    ]
}

private func verify(_ ring: Keyring, _ credential: Credential, _ request: Json) throws -> Verified {
    let target = try request.text("target")
    let path = target.prefix { $0 != "?" }
    let context = try RequestContext(
        now: request.number("now"), service: request.text("service"), method: request.text("method"),
        path: normalizePath(path: String(path)), lowestPriceMsat: request.number("lowest_price_msat"),
        tier: UInt8(request.number("tier")), query: queryDigest(query: Data(queryOf(target: target).utf8)),
        requiresQuery: request.flag("binds_query"),
        digest: request["body"].isNull ? nil : contentDigest(body: request.bytes("body")),
        requiresDigest: request.flag("binds_body"), capability: request["capability"].text, strict: request.flag("strict"))
    return try ring.verify(credential: credential, request: context)
}

private func keyring(_ input: Json) throws -> Keyring {
    let keys = try input.list("root_keys").map { try RootKey(hex: $0.text ?? "") }
    let ring = Keyring(network: try Network(input.text("network")), minting: keys[0])
    return keys.dropFirst().reduce(ring) { $0.withVerifying(key: $1) }
}

private func caveats(_ input: Json) throws -> Json {
    // The core evaluates no chain that it has not verified, so that the case's is signed here first.
    let ring = Keyring(network: .regtest, minting: try RootKey(Data(repeating: 0x5c, count: 32)))
    let chain = try input.list("caveats").map { try unhex($0.text ?? "") }
    let token = try ring.mintChain(paymentHash: PaymentHash(input.bytes("payment_hash")), caveats: chain)
    let credential =
        input["preimage"].isNull
        ? try Credential.fromGrpcMetadata(macaroonHex: Data(hex(Base64.decode(token)).utf8))
        : try Credential.fromAuthorization([authorizationValue(token: token, preimage: Preimage(hex: input.text("preimage")))])
    guard let credential else { throw Refused(code: "no_credential") }
    return .object(granted(try verify(ring, credential, input["request"])))
}

private func challenge(_ input: Json) throws -> Json {
    if try input.text("op") == "write" {
        return ["value": .string(challengeHeader(token: try input.text("token"), invoice: try input.text("invoice")))]
    }
    let body = input["body"].text.map { Data($0.utf8) }
    guard let read = try Challenge.read(lines(input, "www-authenticate"), body: body) else { throw Refused(code: "no_challenge") }
    return [
        "scheme": .string(read.scheme.text()), "token": .string(read.token.expose()), "invoice": .string(read.invoice),
        "source": read.source == .body ? "body" : "header",
    ]
}

private func identifier(_ input: Json) throws -> Json {
    let parsed = try Identifier(input.bytes("identifier"))
    return ["payment_hash": .string(parsed.paymentHash.hex), "token_id": .string(parsed.tokenId.hex)]
}

private func invoice(_ input: Json) throws -> Json {
    let facts = try InvoiceFacts(input.text("bolt11"))
    return [
        "payment_hash": .string(facts.paymentHash.hex), "amount_msat": Json(facts.amountMsat), "network": .string(facts.network.text()),
        "issued_at": .number(facts.issuedAt), "expires_at": .number(facts.expiresAt), "payee": Json(facts.payee?.hex),
        "description": Json(facts.description),
    ]
}

private func readMacaroon(_ encoding: Json) throws -> Macaroon {
    let data = encoding["hex"].isNull ? Data(try encoding.text("text").utf8) : try encoding.bytes("hex")
    switch try encoding.text("format") {
    case "base64": return try Macaroon.parse(bytes: Base64.decode(String(decoding: data, as: UTF8.self)))
    case "v1": return try Macaroon.fromV1(bytes: data)
    case "v2": return try Macaroon.fromV2(bytes: data)
    case "v2json": return try Macaroon.fromJson(text: data)
    default: throw Json.Missing(name: "format")
    }
}

private func written(_ macaroon: Macaroon) throws -> Json {
    ["v1": .string(hex(try macaroon.toV1())), "v2": .string(hex(macaroon.toV2()))]
}

private func described(_ macaroon: Macaroon) -> Json {
    [
        "location": .string(macaroon.location() ?? ""), "identifier": .string(hex(macaroon.identifier())),
        "caveats": .array(
            macaroon.caveats().map { caveat in
                guard let verificationId = caveat.verificationId else { return ["id": .string(hex(caveat.id))] }
                return [
                    "id": .string(hex(caveat.id)), "verification_id": .string(hex(verificationId)), "location": .string(caveat.location ?? ""),
                ]
            }),
        "signature": .string(macaroon.signature().hex),
    ]
}

private func macaroon(_ input: Json) throws -> Json {
    switch try input.text("op") {
    case "attenuate":
        return ["token": .string(try attenuateToken(token: input.text("token"), caveats: input.list("caveats").compactMap(\.text)))]
    case "bind":
        let discharge = try readMacaroon(input["discharge"])
        return try written(readMacaroon(input["macaroon"]).bind(discharge: discharge))
    case "write":
        let one = try readMacaroon(input["macaroon"])
        guard try Macaroon.fromJson(text: Data(one.toJson().utf8)) == one else { throw Refused(code: "its JSON is another macaroon") }
        return try written(one)
    case "create":
        let one = try Macaroon.create(rootKey: input.bytes("root_key"), identifier: input.bytes("identifier"), location: input["location"].text)
        for caveat in input["caveats"].list ?? [] {
            if caveat["key"].isNull {
                try one.attenuate(caveat: caveat.bytes("id"))
            } else {
                try one.attenuateThirdParty(
                    caveatKey: caveat.bytes("key"), id: caveat.bytes("id"), location: caveat["location"].text,
                    nonce: CaveatNonce(caveat.bytes("nonce")))
            }
        }
        return try written(one)
    case "verify":
        let one = try readMacaroon(input["macaroon"])
        let discharges = try (input["discharges"].list ?? []).map(readMacaroon)
        let held = try input["satisfied"].list.map { try Set($0.map { try unhex($0.text ?? "") }) }
        try one.verifyDischarged(rootKey: input.bytes("root_key"), discharges: discharges) { held?.contains($0) ?? true }
        if !input["preimage"].isNull {
            let hash = try Identifier(one.identifier()).paymentHash
            guard try Preimage(hex: input.text("preimage")).proves(paymentHash: hash) else { throw Refused(code: "preimage_mismatch") }
        }
        return described(one)
    case let op: throw Json.Missing(name: op)
    }
}

private func mint(_ input: Json) throws -> Json {
    func digest(_ name: String) throws -> Bytes32? { input[name].isNull ? nil : try Bytes32(input.bytes(name)) }
    let request = try MintRequest(
        paymentHash: PaymentHash(input.bytes("payment_hash")), service: input.text("service"), method: input.text("method"),
        path: input.text("path"), validUntil: input.number("valid_until"), maxPriceMsat: input.number("max_price_msat"),
        tier: UInt8(input.number("tier")), uses: UInt32(input.number("uses")), query: digest("query"), digest: digest("digest"),
        capabilities: (input["capabilities"].list ?? []).compactMap(\.text))
    return ["token": .string(try keyring(input).mint(request: request))]
}

private func verify(_ input: Json) throws -> Json {
    let credential =
        input["grpc_macaroon"].isNull
        ? try Credential.fromAuthorization(input.list("authorization").compactMap(\.text))
        : try Credential.fromGrpcMetadata(macaroonHex: Data(input.text("grpc_macaroon").utf8))
    guard let credential else { throw Refused(code: "no_credential") }
    let verified = try verify(keyring(input), credential, input["request"])
    return .object(granted(verified).merging(["payment_hash": .string(verified.paymentHash.hex)]) { $1 })
}
