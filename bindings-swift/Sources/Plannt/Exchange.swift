import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One request, its call, and its last response: the loop over the steps that are HTTP's.
final class Exchange: @unchecked Sendable {
    private let session: URLSession
    private let request: URLRequest
    private let driver: Driver
    private let call: Call
    private var last: (Data, HTTPURLResponse)?
    /// Where the answer to a credential leads.
    private var redirect: URLRequest?
    private var failure: (any Error)?

    init(_ session: URLSession, _ request: URLRequest, _ driver: Driver, dryRun: Bool) throws {
        self.session = session
        self.request = request
        self.driver = driver
        call = try driver.call(request: RequestFacts(request), dryRun: dryRun)
    }

    /// Goes on to the call's end.
    func run() async throws -> HttpStep {
        while true {
            switch try await nextStep() {
            case .readBody(let maxBytes):
                let body = last?.0
                try call.bodyRead(body: body.flatMap { $0.count <= Int(maxBytes) ? $0 : nil })
            case .sendRequest(let authorization):
                try await send(authorization)
            case let end:
                call.abandon()
                return end
            }
        }
    }

    /// The response to hand back; a redirect that answered the credential is followed without it.
    func end(_ outcome: Outcome) async throws -> (Data, HTTPURLResponse) {
        guard let last else { throw unusable("a call ended without a response") }
        guard let redirect else { return last }
        let paid = outcome.credential == .bought ? outcome.receipt : nil
        let answer: (Data, HTTPURLResponse)
        do {
            answer = try await session.answer(to: redirect, delegate: Redirects(session, of: request, stop: false))
        } catch {
            if Task.isCancelled { throw CancellationError() }
            guard let paid else { throw error }
            throw redirectFailedError(receipt: paid, reason: name(error))
        }
        if answer.1.statusCode == 402 {
            // A challenge that says two things at once is one.
            let challenge = Result { try Challenge.read(lines(answer.1, "WWW-Authenticate"), body: answer.0) }
            if case .success(nil) = challenge { return answer }
            throw redirectedError(receipt: paid)
        }
        return answer
    }

    /// The next step, for as long as the caller wants to wait: what was begun with the wallet goes on to the journal also when nobody waits
    /// any more. The call is not given up before, so that no other one takes its place meanwhile.
    private func nextStep() async throws -> HttpStep {
        let (driver, call, race) = (driver, call, Race())
        do {
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    race.wait(continuation)
                    Task {
                        let ended: Result<HttpStep, any Error>
                        do { ended = .success(try await driver.nextStep(call: call)) } catch { ended = .failure(error) }
                        if !race.end(ended) { call.abandon() }
                    }
                }
            } onCancel: {
                _ = race.end(.failure(CancellationError()))
            }
        } catch let error as ClientError {
            // Where nothing was paid, the session's own error says more.
            if case .Transport = error, let failure { throw failure }
            throw error
        }
    }

    private func send(_ authorization: SecretText?) async throws {
        var outgoing = request
        // Some servers challenge only who says that they understand it.
        if outgoing.value(forHTTPHeaderField: "Accept-Authenticate") == nil {
            outgoing.setValue("L402", forHTTPHeaderField: "Accept-Authenticate")
        }
        if let authorization {
            // In place of the app's own: a session writes one line of a name, and two credentials in one are none.
            outgoing.setValue(authorization.expose(), forHTTPHeaderField: "Authorization")
            // What a cache has was not bought with it.
            outgoing.cachePolicy = .reloadIgnoringLocalCacheData
        }
        let redirects = Redirects(session, of: request, stop: authorization != nil)
        do {
            try Task.checkCancellation()
            let (data, response) = try await session.answer(to: outgoing, delegate: redirects)
            last = (data, response)
            redirect = redirects.stopped
            try call.responded(
                facts: ResponseFacts(
                    status: UInt32(response.statusCode),
                    wwwAuthenticate: lines(response, "WWW-Authenticate").map(headerBytes),
                    xL402: lines(response, "x-l402").first.map(headerBytes),
                    redirected: redirects.followed))
        } catch let error as UnexpectedEventError {
            throw error
        } catch {
            if Task.isCancelled {
                call.abandon()
                throw CancellationError()
            }
            failure = error
            try call.sendFailed(message: name(error))
        }
    }
}

/// A header's lines, which the session has joined to one.
private func lines(_ response: HTTPURLResponse, _ header: String) -> [String] {
    response.value(forHTTPHeaderField: header).map { [$0] } ?? []
}

/// An error's name, without what it may tell of the request.
private func name(_ error: any Error) -> String {
    (error as? URLError).map { "URLError \($0.code.rawValue)" } ?? "\(type(of: error))"
}

/// Who comes first: the end of a step, or the caller's patience.
private final class Race: @unchecked Sendable {
    private let lock = NSLock()
    private var waiting: CheckedContinuation<HttpStep, any Error>?
    private var ended: Result<HttpStep, any Error>?

    func wait(_ continuation: CheckedContinuation<HttpStep, any Error>) {
        lock.lock()
        let ended = ended
        if ended == nil { waiting = continuation }
        lock.unlock()
        if let ended { continuation.resume(with: ended) }
    }

    /// Whether this was the first end.
    func end(_ result: Result<HttpStep, any Error>) -> Bool {
        lock.lock()
        let first = ended == nil
        let waiting = waiting
        if first { ended = result }
        self.waiting = nil
        lock.unlock()
        waiting?.resume(with: result)
        return first
    }
}

/// Follows redirects, or stops at the first one, keeping where it leads. What the session's own delegate says of them counts, too.
private final class Redirects: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
    private let session: URLSession
    private let original: URLRequest
    private let stop: Bool
    private let lock = NSLock()
    private var hops = 0
    private var next: URLRequest?

    init(_ session: URLSession, of original: URLRequest, stop: Bool) {
        self.session = session
        self.original = original
        self.stop = stop
    }

    /// Whether a redirect was followed.
    var followed: Bool { locked { !stop && hops > 0 } }

    /// Where the redirect that was stopped at leads.
    var stopped: URLRequest? { locked { next } }

    private func locked<T>(_ work: () -> T) -> T {
        lock.lock()
        defer { lock.unlock() }
        return work()
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse, newRequest: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        var plain = newRequest
        plain.setValue(ownAuthorization(at: newRequest), forHTTPHeaderField: "Authorization")
        decide(task, response, plain) { decided in
            self.locked {
                if decided != nil { self.hops += 1 }
                if self.stop { self.next = decided }
            }
            completionHandler(self.stop ? nil : decided)
        }
    }

    #if canImport(FoundationNetworking)
        // On Linux a task's delegate stands in for the session's altogether.
        func urlSession(
            _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
            completionHandler: @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
        ) {
            guard let own = session.delegate as? any URLSessionTaskDelegate else { return completionHandler(.performDefaultHandling, nil) }
            own.urlSession(session, task: task, didReceive: challenge, completionHandler: completionHandler)
        }

        func urlSession(
            _ session: URLSession, task: URLSessionTask, needNewBodyStream completionHandler: @escaping @Sendable (InputStream?) -> Void
        ) {
            guard let own = session.delegate as? any URLSessionTaskDelegate else { return completionHandler(nil) }
            own.urlSession(session, task: task, needNewBodyStream: completionHandler)
        }
    #endif

    /// The app's own credential goes no further than its origin.
    private func ownAuthorization(at next: URLRequest) -> String? {
        guard let to = try? RequestFacts(next).origin, let from = try? RequestFacts(original).origin, to == from else { return nil }
        return original.value(forHTTPHeaderField: "Authorization")
    }

    private func decide(
        _ task: URLSessionTask, _ response: HTTPURLResponse, _ plain: URLRequest, _ then: @escaping @Sendable (URLRequest?) -> Void
    ) {
        guard let own = session.delegate as? any URLSessionTaskDelegate else { return then(plain) }
        #if canImport(FoundationNetworking)
            own.urlSession(session, task: task, willPerformHTTPRedirection: response, newRequest: plain, completionHandler: then)
        #else
            if own.urlSession?(session, task: task, willPerformHTTPRedirection: response, newRequest: plain, completionHandler: then) == nil {
                then(plain)
            }
        #endif
    }
}
