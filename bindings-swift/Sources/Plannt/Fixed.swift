import Foundation

/// Bytes of a fixed length. A value of such a type has that length, so that no call fails for its sake. It is written, and coded, as
/// hex digits.
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
    public var hex: String { hexOf(bytes: bytes) }

    /// The hex digits.
    public var description: String { hex }

    /// Reads ``length`` bytes as hex digits of either case; nil where that is not what they are.
    public init?(hex: String) {
        guard let bytes = bytesOf(hex: hex) else { return nil }
        try? self.init(bytes)
    }

    /// Reads hex digits.
    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let read = Self(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not the hex digits of \(Self.length) bytes")
        }
        self = read
    }

    /// Writes hex digits.
    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

func hexOf(bytes: Data) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}

func bytesOf(hex: String) -> Data? {
    let digits = hex.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count % 2 == 0 else { return nil }
    var bytes = Data(capacity: digits.count / 2)
    for at in stride(from: 0, to: digits.count, by: 2) {
        guard let high = digits[at], let low = digits[at + 1] else { return nil }
        bytes.append(UInt8(high << 4 | low))
    }
    return bytes
}

/// 32 bytes, such as a SHA-256 digest.
public struct Bytes32: FixedBytes {
    /// 32.
    public static let length = 32
    /// Its bytes.
    public let bytes: Data

    /// Wraps 32 bytes; throws ``LengthError`` for any other number.
    public init(_ bytes: Data) throws {
        try checkLength(bytes: bytes, expected: UInt32(Self.length))
        self.bytes = bytes
    }

    init(checked bytes: Data) { self.bytes = bytes }
}

/// The nonce of a third-party caveat: 24 bytes from a cryptographic random source, new for each caveat.
public struct CaveatNonce: FixedBytes {
    /// 24.
    public static let length = 24
    /// Its bytes.
    public let bytes: Data

    /// Wraps 24 bytes; throws ``LengthError`` for any other number.
    public init(_ bytes: Data) throws {
        try checkLength(bytes: bytes, expected: UInt32(Self.length))
        self.bytes = bytes
    }

    init(checked bytes: Data) { self.bytes = bytes }
}

/// A payment hash: SHA-256 of the preimage, 32 bytes (BOLT 11, field `p`).
public struct PaymentHash: FixedBytes {
    /// 32.
    public static let length = 32
    /// Its bytes.
    public let bytes: Data

    /// Wraps 32 bytes; throws ``LengthError`` for any other number.
    public init(_ bytes: Data) throws {
        try checkLength(bytes: bytes, expected: UInt32(Self.length))
        self.bytes = bytes
    }

    /// Reads 64 hex digits of either case; throws ``HexError``, which says what is wrong.
    public init(hex: String) throws {
        self = try parsePaymentHash(text: hex)
    }

    init(checked bytes: Data) { self.bytes = bytes }
}

/// A node's compressed public key, 33 bytes.
public struct PublicKey: FixedBytes {
    /// 33.
    public static let length = 33
    /// Its bytes.
    public let bytes: Data

    /// Wraps 33 bytes; throws ``LengthError`` for any other number.
    public init(_ bytes: Data) throws {
        try checkLength(bytes: bytes, expected: UInt32(Self.length))
        self.bytes = bytes
    }

    init(checked bytes: Data) { self.bytes = bytes }
}

/// A request's scheme, host and port, written `https://host`, with the port only where it is not the scheme's.
public struct Origin: Hashable, Codable, Sendable, CustomStringConvertible {
    /// As it is written.
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

    /// Reads an origin as it is written.
    public init(from decoder: Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes an origin as it is written.
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

    /// `[redacted]`.
    public var description: String { "[redacted]" }
    /// `SecretText([redacted])`.
    public var debugDescription: String { "SecretText([redacted])" }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
