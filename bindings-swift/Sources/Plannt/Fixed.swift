import Foundation

/// Bytes of a fixed length. A value of such a type has that length, so that no call fails for its sake.
public protocol FixedBytes: Hashable, Codable, Sendable, CustomStringConvertible {
    /// How many bytes it has.
    static var length: Int { get }

    /// Its bytes.
    var bytes: Data { get }

    /// Wraps bytes; throws ``LengthError`` where they are not ``length`` many.
    init(_ bytes: Data) throws
}

extension FixedBytes {
    /// Lower-case hex digits.
    public var hex: String { bytes.map { String(format: "%02x", $0) }.joined() }

    public var description: String { hex }

    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        try self.init(container.decode(Data.self))
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

/// 32 bytes, such as a SHA-256 digest.
public struct Bytes32: FixedBytes {
    public static let length = 32
    public let bytes: Data

    public init(_ bytes: Data) throws {
        try checkLength(bytes: bytes, expected: UInt32(Self.length))
        self.bytes = bytes
    }

    init(checked bytes: Data) { self.bytes = bytes }
}

/// The nonce of a third-party caveat: 24 bytes from a cryptographic random source, new for each caveat.
public struct CaveatNonce: FixedBytes {
    public static let length = 24
    public let bytes: Data

    public init(_ bytes: Data) throws {
        try checkLength(bytes: bytes, expected: UInt32(Self.length))
        self.bytes = bytes
    }

    init(checked bytes: Data) { self.bytes = bytes }
}

/// A payment hash: SHA-256 of the preimage, 32 bytes (BOLT 11, field `p`).
public struct PaymentHash: FixedBytes {
    public static let length = 32
    public let bytes: Data

    public init(_ bytes: Data) throws {
        try checkLength(bytes: bytes, expected: UInt32(Self.length))
        self.bytes = bytes
    }

    /// Reads 64 hex digits of either case; throws ``HexError``.
    public init(hex: String) throws {
        self = try parsePaymentHash(text: hex)
    }

    init(checked bytes: Data) { self.bytes = bytes }
}

/// A node's compressed public key, 33 bytes.
public struct PublicKey: FixedBytes {
    public static let length = 33
    public let bytes: Data

    public init(_ bytes: Data) throws {
        try checkLength(bytes: bytes, expected: UInt32(Self.length))
        self.bytes = bytes
    }

    init(checked bytes: Data) { self.bytes = bytes }
}

/// A request's scheme, host and port, written `https://host`, with the port only where it is not the scheme's.
public struct Origin: Hashable, Codable, Sendable, CustomStringConvertible {
    public let description: String

    /// Puts an origin together: `scheme` is `http` or `https`, `host` a name, an IPv4 address, or an IPv6 address in brackets;
    /// without a port it is the scheme's. Throws ``OriginError``.
    public init(scheme: String, host: String, port: UInt32? = nil) throws {
        self = try originOf(scheme: scheme, host: host, port: port)
    }

    /// Reads an origin as it is written; throws ``OriginError``.
    public init(_ text: String) throws {
        self = try parseOrigin(text: text)
    }

    init(checked text: String) { description = text }

    public init(from decoder: Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Whether the scheme is `https`.
    public var isHttps: Bool { originIsHttps(origin: self) }

    /// The host, in lower case.
    public var host: String { originHost(origin: self) }

    /// The port; the scheme's own when none was named.
    public var port: UInt32 { originPort(origin: self) }

    /// Whether plain `http` to it stays on this machine or inside Tor: a loopback address, `localhost`, or `.onion`.
    public var isPrivate: Bool { originIsPrivate(origin: self) }
}

/// A text that no record prints: a token's, or an `Authorization` value.
public struct SecretText: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    /// Wraps a text.
    public init(_ text: String) { self.text = text }

    /// The text, in the clear.
    public func expose() -> String { text }

    public var description: String { "[redacted]" }
    public var debugDescription: String { "SecretText([redacted])" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
