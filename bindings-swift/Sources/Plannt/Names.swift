import Foundation

/// An enum whose cases have stable names, the same in Rust, in HTTP, on disk and in the test vectors. It is coded as that name.
public protocol Named: Hashable, Codable, Sendable, CaseIterable, CustomStringConvertible {
    /// Its stable name.
    func text() -> String
}

extension Named {
    /// Its stable name.
    public var description: String { text() }

    /// Reads a stable name.
    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let read = Self.allCases.first(where: { $0.text() == text }) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no such name")
        }
        self = read
    }

    /// Writes the stable name.
    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text())
    }
}

extension Network: Named {
    /// The network with that name (`mainnet` is `bitcoin`) or BOLT 11 currency prefix; throws ``UnknownNetworkError``.
    public init(_ text: String) throws { self = try parseNetwork(text: text) }
}

extension Scheme: Named {
    /// Reads a scheme's name in any case; nil where it is neither.
    public init?(_ name: String) {
        guard let scheme = schemeFromName(name: name) else { return nil }
        self = scheme
    }
}

extension Code: Named {
    /// The code with that text; nil where there is none.
    public init?(_ text: String) {
        guard let code = codeFromName(text: text) else { return nil }
        self = code
    }
}

extension IntentState: Named {
    /// The state with that name; throws ``UnknownStateError``.
    public init(_ text: String) throws { self = try parseIntentState(text: text) }
}

extension CredentialState: Named {
    /// The state with that name; throws ``UnknownStateError``.
    public init(_ text: String) throws { self = try parseCredentialState(text: text) }
}

extension CredentialUse: Named {}

extension Format {
    /// The encoding that these bytes of a macaroon are in, by their first byte; nil where they are in none.
    public init?(sniffing bytes: Data) {
        guard let format = sniffFormat(bytes: bytes) else { return nil }
        self = format
    }
}
