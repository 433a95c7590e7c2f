import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

extension URLSession {
    /// What `data(for:)` does, and pays where the server asks and the driver's policy allows.
    ///
    /// ```swift
    /// let (data, response, outcome) = try await URLSession.shared.l402Data(for: request, paying: driver)
    /// ```
    ///
    /// The payment is in the journal before it is made. A credential never follows a redirect: what it leads to is asked without it, and a 402
    /// there is not paid. The session's delegate is asked about redirects, as ever. A request with an L402 credential of its own is sent as it is;
    /// another `Authorization` gives way to the credential that is paid for. A body that is a stream can't be sent again, and is never paid for.
    ///
    /// A task that is cancelled throws `CancellationError` at once. What the wallet had begun is journaled all the same, and the same call
    /// again presents it, and pays nothing.
    ///
    /// - Returns: the last response, which may be a 402 without a challenge; and which credential it carried, with the receipt of its payment
    /// - Throws: ``ClientError`` with its stable ``PlanntError/code``, above all `Refused` with the reason and `NotDelivered` with the receipt; what the
    ///   session throws comes through where nothing was paid
    public func l402Data(
        for request: URLRequest, paying driver: Driver
    ) async throws -> (data: Data, response: HTTPURLResponse, outcome: Outcome) {
        if hasOwnCredential(request) {
            let (data, response) = try await answer(to: request, delegate: nil)
            return (data, response, Outcome(credential: .none, receipt: nil, journalFailed: false))
        }
        let exchange = try Exchange(self, request, driver, dryRun: false)
        guard case .done(let outcome, _) = try await exchange.run() else { throw unusable("a call ended as a dry run does") }
        let (data, response) = try await exchange.end(outcome)
        return (data, response, outcome)
    }

    /// As ``l402Data(for:paying:)``, for a `GET` of a URL.
    public func l402Data(from url: URL, paying driver: Driver) async throws -> (data: Data, response: HTTPURLResponse, outcome: Outcome) {
        try await l402Data(for: URLRequest(url: url), paying: driver)
    }

    /// Asks what a request would cost, and pays, presents and writes nothing: price and terms, and whether the policy would refuse; nil where the
    /// server asks for no payment. Throws as ``l402Data(for:paying:)`` does.
    public func l402Quote(for request: URLRequest, paying driver: Driver) async throws -> Quote? {
        var request = request
        if hasOwnCredential(request) { request.setValue(nil, forHTTPHeaderField: "Authorization") }
        guard case .quoted(let quote) = try await Exchange(self, request, driver, dryRun: true).run() else { return nil }
        return quote
    }

    /// `data(for:delegate:)`, whose delegate is asked about redirects on Linux, too: there it is only a task's own one.
    func answer(to request: URLRequest, delegate: (any URLSessionTaskDelegate)?) async throws -> (Data, HTTPURLResponse) {
        let running = Running()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let task = dataTask(with: request) { data, response, error in
                    if let response = response as? HTTPURLResponse, error == nil {
                        continuation.resume(returning: (data ?? Data(), response))
                    } else {
                        continuation.resume(throwing: error ?? requestError(message: "the URL is neither http nor https"))
                    }
                }
                if let delegate { task.delegate = delegate }
                running.start(task)
            }
        } onCancel: {
            running.cancel()
        }
    }
}

extension Driver {
    /// `URLSession.l402Data(from:paying:)` with this driver, and the shared session where no other is given.
    public func data(
        from url: URL, session: URLSession = .shared
    ) async throws -> (data: Data, response: HTTPURLResponse, outcome: Outcome) {
        try await session.l402Data(from: url, paying: self)
    }
}

private func hasOwnCredential(_ request: URLRequest) -> Bool {
    let scheme = request.value(forHTTPHeaderField: "Authorization")?.split(whereSeparator: \.isWhitespace).first
    return scheme.flatMap { Scheme(String($0)) } != nil
}

/// A task that is cancelled with its caller, who may do so before it has begun.
private final class Running: @unchecked Sendable {
    private let lock = NSLock()
    private var task: URLSessionTask?
    private var cancelled = false

    func start(_ task: URLSessionTask) {
        lock.lock()
        self.task = task
        let cancelled = cancelled
        lock.unlock()
        task.resume()
        if cancelled { task.cancel() }
    }

    func cancel() {
        lock.lock()
        cancelled = true
        let task = task
        lock.unlock()
        task?.cancel()
    }
}
