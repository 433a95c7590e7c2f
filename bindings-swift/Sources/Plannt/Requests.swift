import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

extension MintRequest {
    /// What to sell: a token for `uses` calls of one method and path (docs/PROTOCOL.md §2).
    ///
    /// - Parameters:
    ///   - paymentHash: of the invoice in the same challenge
    ///   - service: `[a-z0-9-]+`
    ///   - method: in upper case
    ///   - path: normalized, or with a final `*` all paths that begin so
    ///   - validUntil: unix seconds
    ///   - maxPriceMsat: what the invoice asks for, msat
    ///   - tier: the service's
    ///   - uses: how many, at least 1
    ///   - query: SHA-256 of the query, where the route binds it
    ///   - digest: SHA-256 of the body, where the route binds it
    ///   - capabilities: those sold
    public init(
        paymentHash: PaymentHash, service: String, method: String, path: String, validUntil: UnixSeconds, maxPriceMsat: Msat,
        tier: Tier = 0, uses: Count = 1, query: Bytes32? = nil, digest: Bytes32? = nil, capabilities: [String] = []
    ) {
        self.init(
            paymentHash: paymentHash, service: service, tier: tier, validUntil: validUntil, method: method, path: path,
            maxPriceMsat: maxPriceMsat, uses: uses, query: query, digest: digest, capabilities: capabilities)
    }
}

extension RequestContext {
    /// What a credential is checked against (docs/PROTOCOL.md §2).
    ///
    /// - Parameters:
    ///   - now: unix seconds
    ///   - service: the one asked for
    ///   - method: in upper case
    ///   - path: normalized, as ``normalizePath(path:rules:)`` gives it
    ///   - lowestPriceMsat: the least that the request may have been sold for, msat
    ///   - tier: the service's
    ///   - query: SHA-256 of the query
    ///   - requiresQuery: whether the route binds the query
    ///   - digest: SHA-256 of the body
    ///   - requiresDigest: whether the route binds the body
    ///   - capability: what the route asks for
    ///   - strict: whether a caveat that nobody knows is refused
    public init(
        now: UnixSeconds, service: String, method: String, path: String, lowestPriceMsat: Msat, tier: Tier = 0,
        query: Bytes32? = nil, requiresQuery: Bool = false, digest: Bytes32? = nil, requiresDigest: Bool = false,
        capability: String? = nil, strict: Bool = false
    ) {
        self.init(
            now: now, service: service, tier: tier, method: method, path: path, lowestPriceMsat: lowestPriceMsat, query: query,
            requiresQuery: requiresQuery, digest: digest, requiresDigest: requiresDigest, capability: capability, strict: strict)
    }
}

extension RequestFacts {
    /// The facts of a request. `body` is nil for a stream that can't be sent a second time: such a request is never paid for.
    public init(method: String, origin: Origin, target: String, body: Data?) {
        guard let body else {
            self.init(method: method, origin: origin, target: target, bodySha256: nil)
            return
        }
        self = requestFacts(method: method, origin: origin, target: target, body: body)
    }

    /// The facts of a `URLRequest`, as it will be sent. Throws ``ClientError``/`Request` where the URL is neither `http` nor `https`, and
    /// ``OriginError``.
    public init(_ request: URLRequest) throws {
        guard let url = request.url?.absoluteURL, let parts = URLComponents(url: url, resolvingAgainstBaseURL: true),
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme)
        else { throw requestError(message: "the URL is neither http nor https") }
        let host = parts.percentEncodedHost ?? ""
        // IPv6 may have lost its brackets.
        let bracketed = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        let port = try parts.port.map { port in
            guard let port = UInt32(exactly: port) else { throw requestError(message: "the URL's port is none") }
            return port
        }
        let path = parts.percentEncodedPath
        // An empty query is one, too.
        let query = parts.percentEncodedQuery.map { "?\($0)" } ?? ""
        self.init(
            method: request.httpMethod ?? "GET",
            origin: try Origin(scheme: scheme, host: bracketed, port: port),
            target: (path.isEmpty ? "/" : path) + query,
            body: request.httpBodyStream == nil ? request.httpBody ?? Data() : nil)
    }
}
