import Foundation

#if canImport(Glibc)
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
#else
    import Darwin
    private let stream = SOCK_STREAM
#endif

/// A request as a server got it.
struct Seen: Sendable {
    let method: String
    let target: String
    let headers: [(name: String, value: String)]
    let body: Data

    func lines(_ name: String) -> [String] { headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value) }
}

/// What a server answers: nil closes the connection without an answer.
typealias Reply = (status: Int, headers: [(String, String)], body: Data)?

/// An HTTP server on this machine that answers by a rule, one connection for each request.
final class Server: @unchecked Sendable {
    let url: URL
    private let listener: Int32
    private let rule: @Sendable (Seen) -> Reply
    private let lock = NSLock()
    private var got: [Seen] = []

    var seen: [Seen] {
        lock.lock()
        defer { lock.unlock() }
        return got
    }

    init(_ rule: @escaping @Sendable (Seen) -> Reply) throws {
        self.rule = rule
        let listener = socket(AF_INET, stream, 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound, let url = URL(string: "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/paid") else {
            throw Unusable(why: "no port to listen on")
        }
        self.url = url
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                Thread.detachNewThread { [weak self] in
                    self?.serve(connection)
                    close(connection)
                }
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ connection: Int32) {
        var received = Data()
        var chunk = [UInt8](repeating: 0, count: 65_536)
        func more() -> Bool {
            let count = recv(connection, &chunk, chunk.count, 0)
            if count > 0 { received.append(contentsOf: chunk[..<count]) }
            return count > 0
        }
        let end = Data("\r\n\r\n".utf8)
        while received.range(of: end) == nil { guard more() else { return } }
        guard let head = received.range(of: end) else { return }
        let rows = String(decoding: received[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        let start = rows[0].split(separator: " ").map(String.init)
        let headers = rows.dropFirst().compactMap { row in
            row.firstIndex(of: ":").map { (name: String(row[..<$0]), value: row[row.index(after: $0)...].trimmingCharacters(in: .whitespaces)) }
        }
        let length = headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        while received.count - head.upperBound < length { guard more() else { return } }
        let request = Seen(method: start[0], target: start[1], headers: headers, body: Data(received[head.upperBound...].prefix(length)))
        lock.lock()
        got.append(request)
        lock.unlock()
        guard let reply = rule(request) else { return }
        var answer = "HTTP/1.1 \(reply.status) said\r\nContent-Length: \(reply.body.count)\r\nConnection: close\r\n"
        for (name, value) in reply.headers { answer += "\(name): \(value)\r\n" }
        var bytes = Data("\(answer)\r\n".utf8)
        bytes.append(reply.body)
        while !bytes.isEmpty {
            let sent = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent <= 0 { return }
            bytes = Data(bytes.dropFirst(sent))
        }
    }
}
