import Foundation

/// JSON with all 64 bits of its numbers.
enum Json: Hashable, Decodable, ExpressibleByStringLiteral, ExpressibleByNilLiteral, ExpressibleByDictionaryLiteral, CustomStringConvertible {
    case null
    case bool(Bool)
    case number(UInt64)
    case string(String)
    case array([Json])
    case object([String: Json])

    struct Missing: Error { let name: String }

    init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: Member.self) {
            self = .object(try Dictionary(uniqueKeysWithValues: object.allKeys.map { ($0.stringValue, try object.decode(Json.self, forKey: $0)) }))
            return
        }
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let number = try? container.decode(UInt64.self) {
            self = .number(number)
        } else if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else {
            self = .array(try container.decode([Json].self))
        }
    }

    init(stringLiteral text: String) { self = .string(text) }
    init(nilLiteral: ()) { self = .null }
    init(dictionaryLiteral members: (String, Json)...) { self = .object(Dictionary(uniqueKeysWithValues: members)) }

    init(_ text: String?) { self = text.map(Json.string) ?? .null }
    init(_ number: UInt64?) { self = number.map(Json.number) ?? .null }

    /// A member; null where there is none.
    subscript(name: String) -> Json {
        guard case .object(let members) = self else { return .null }
        return members[name] ?? .null
    }

    var isNull: Bool { self == .null }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var number: UInt64? { if case .number(let number) = self { number } else { nil } }
    var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    var list: [Json]? { if case .array(let list) = self { list } else { nil } }
    var size: Int? { if case .object(let members) = self { members.count } else { nil } }

    // What has to be there.
    func text(_ name: String) throws -> String { try self[name].text ?? { throw Missing(name: name) }() }
    func number(_ name: String) throws -> UInt64 { try self[name].number ?? { throw Missing(name: name) }() }
    func flag(_ name: String) throws -> Bool { try self[name].flag ?? { throw Missing(name: name) }() }
    func list(_ name: String) throws -> [Json] { try self[name].list ?? { throw Missing(name: name) }() }
    func bytes(_ name: String) throws -> Data { try unhex(text(name)) }

    var description: String {
        switch self {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .number(let number): "\(number)"
        case .string(let text): "\"\(text)\""
        case .array(let list): "\(list)"
        case .object(let members): "{" + members.sorted { $0.key < $1.key }.map { "\($0): \($1)" }.joined(separator: ", ") + "}"
        }
    }

    private struct Member: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }
}

func unhex(_ text: String) throws -> Data {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { throw Json.Missing(name: "hex digits") }
    return try Data(
        stride(from: 0, to: digits.count, by: 2).map { at in
            guard let byte = UInt8(String(decoding: digits[at..<at + 2], as: UTF8.self), radix: 16) else { throw Json.Missing(name: "hex digits") }
            return byte
        })
}

func hex(_ bytes: Data) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
