import Foundation

/// Base64 as tokens have it: either alphabet is read, with or without padding; the standard one is written (docs/PROTOCOL.md §1).
public enum Base64 {
    /// Reads base64; throws ``Base64Error``.
    public static func decode(_ text: String) throws -> Data { try base64Decode(text: text) }

    /// The most bytes that so many characters can hold.
    public static func decodedLen(_ characters: Count) -> Count { base64DecodedLen(characters: characters) }

    /// Writes base64.
    public static func encode(_ bytes: Data) -> String { base64Encode(bytes: bytes) }
}

extension Caveat {
    /// Condition and value of a caveat's bytes: what stands before and after the first `=`; nil where there is none or it is no text.
    public static func split(_ caveat: Data) -> SplitCaveat? { caveatSplit(caveat: caveat) }

    /// Whether a caveat's pattern, a path or a prefix with a final `*`, takes a normalized path.
    public static func pathMatches(pattern: String, path: String) -> Bool { caveatPathMatches(pattern: pattern, path: path) }
}

extension Limits {
    /// The limits of this version (docs/PROTOCOL.md).
    public static let current = limits()

    /// Bytes of an identifier: 66.
    public static var identifierLen: Int { Int(current.identifierLen) }
    /// Longest `Authorization` header that is read, in bytes over all its lines.
    public static var maxAuthorizationBytes: Int { Int(current.maxAuthorizationBytes) }
    /// The most tokens that one credential carries before the colon.
    public static var maxCredentialTokens: Int { Int(current.maxCredentialTokens) }
    /// The most bytes that a macaroon takes, in whichever encoding.
    public static var maxMacaroonBytes: Int { Int(current.maxMacaroonBytes) }
    /// The most caveats that a macaroon carries.
    public static var maxMacaroonCaveats: Int { Int(current.maxMacaroonCaveats) }
    /// The most bytes of a minted token, before base64.
    public static var maxMintedTokenBytes: Int { Int(current.maxMintedTokenBytes) }
    /// Longest token that the L402 layer reads, in bytes before base64.
    public static var maxTokenBytes: Int { Int(current.maxTokenBytes) }
    /// The most caveats of a token that the L402 layer reads.
    public static var maxTokenCaveats: Int { Int(current.maxTokenCaveats) }
    /// The longest token text that is paid for, bytes.
    public static var maxTokenTextBytes: Int { Int(current.maxTokenTextBytes) }
    /// The least time that an invoice must still be valid for, seconds.
    public static var minInvoiceSeconds: Int { Int(current.minInvoiceSeconds) }
    /// How long an entry of the spent set outlives the minted `valid_until`, seconds.
    public static var spendGraceSeconds: Int { Int(current.spendGraceSeconds) }
}

extension Preimage {
    /// Wraps 32 bytes; throws ``LengthError``.
    public convenience init(_ bytes: Data) throws {
        self.init(unsafeFromHandle: try Preimage.fromBytes(bytes: bytes).uniffiCloneHandle())
    }

    /// Reads 64 hex digits of either case; throws ``HexError``.
    public convenience init(hex: String) throws {
        self.init(unsafeFromHandle: try Preimage.fromHex(text: hex).uniffiCloneHandle())
    }
}

extension RootKey {
    /// Wraps 32 bytes, from a cryptographic random source; throws ``LengthError``.
    public convenience init(_ bytes: Data) throws {
        self.init(unsafeFromHandle: try RootKey.fromBytes(bytes: bytes).uniffiCloneHandle())
    }

    /// Reads 64 hex digits of either case; throws ``HexError``.
    public convenience init(hex: String) throws {
        self.init(unsafeFromHandle: try RootKey.fromHex(text: hex).uniffiCloneHandle())
    }
}

extension Identifier {
    /// Reads the identifier of an L402 macaroon, 66 bytes (docs/PROTOCOL.md §1); throws ``IdentifierError``.
    public init(_ bytes: Data) throws { self = try parseIdentifier(bytes: bytes) }
}

extension Credential {
    /// The credential of a request, from its `Authorization` lines; nil where none of them is L402's (docs/PROTOCOL.md §3).
    /// Throws ``CredentialError``.
    public static func fromAuthorization(_ lines: [Data]) throws -> Credential? { try credentialFromAuthorization(lines: lines) }

    /// The same of lines as text.
    public static func fromAuthorization(_ lines: [String]) throws -> Credential? {
        try credentialFromAuthorization(lines: lines.map(headerBytes))
    }
}

extension Challenge {
    /// A 402's challenge, from its `WWW-Authenticate` lines, else from its body; nil where there is none (docs/PROTOCOL.md §5).
    /// Lines that were joined by commas count as so many. Throws ``ChallengeError``.
    public static func read(_ wwwAuthenticate: [String], body: Data? = nil) throws -> Challenge? {
        try readChallenge(wwwAuthenticate: wwwAuthenticate.map(headerBytes), body: body)
    }
}

extension InvoiceFacts {
    /// Reads a BOLT 11 invoice as a payer must, its signature checked; throws ``InvoiceError``.
    public init(_ bolt11: String) throws { self = try readInvoice(bolt11: bolt11) }
}

extension Macaroon {
    /// Appends a first-party caveat, such as `path=/v1/demo`; throws ``MacaroonError``.
    public func attenuate(_ caveat: String) throws { try attenuate(caveat: Data(caveat.utf8)) }

    /// Verifies the chain under its root key, with the discharges of its third-party caveats; `satisfied` is asked about each
    /// first-party caveat, after all signatures are right. Throws ``DischargeError``; so it does where the closure throws.
    public func verifyDischarged(rootKey: Data, discharges: [Macaroon] = [], satisfied: (Data) throws -> Bool) throws {
        try withoutActuallyEscaping(satisfied) { satisfied in
            try verifyDischarged(rootKey: rootKey, discharges: discharges, checker: Closure(satisfied))
        }
    }
}

private final class Closure: CaveatChecker, @unchecked Sendable {
    private let satisfied: (Data) throws -> Bool

    init(_ satisfied: @escaping (Data) throws -> Bool) { self.satisfied = satisfied }

    func isSatisfied(caveat: Data) throws -> Bool { try satisfied(caveat) }
}

/// The bytes of a header's value: what HTTP stacks show as characters are bytes, but for those stacks that read UTF-8.
func headerBytes(_ value: String) -> Data {
    let scalars = value.unicodeScalars
    guard scalars.allSatisfy({ $0.value < 256 }) else { return Data(value.utf8) }
    return Data(scalars.map { UInt8($0.value) })
}
