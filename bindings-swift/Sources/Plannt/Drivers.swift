import Foundation

extension Journal {
    /// The journal that all of a user's processes share, the command line's and other languages' among them: below `$PLANNT_HOME`, else
    /// `$XDG_DATA_HOME/plannt`, else `~/.local/share/plannt`. An iOS app's is its own, in its folder for application support.
    /// Nothing is opened yet. Throws ``ClientError`` where there is no such folder.
    public convenience init() throws {
        #if os(Linux) || os(macOS)
            let path = defaultJournalPath()
        #else
            let support = FileManager.default.urls(for: .applicationSupportDirectory, in: .userDomainMask).first
            let path = support?.appendingPathComponent("plannt/client/journal.db").path
        #endif
        guard let path else { throw unusable("there is no folder for the journal: name its file") }
        self.init(path: path)
    }
}

extension Driver {
    /// What one call may cost where nothing else is said, msat: 1,000 sat, fee included.
    public static let defaultMaxPaymentMsat: Msat = 1_000_000

    /// A driver that pays from `wallet` within these limits; they hold together with those that the journal keeps.
    ///
    /// ```swift
    /// let driver = try Driver(wallet: wallet(url: "lnd://127.0.0.1:8080?cert=tls.cert&macaroon=payer.macaroon"), budget: [.perDay(limitMsat: 100_000)])
    /// ```
    ///
    /// - Parameters:
    ///   - wallet: what ``wallet(url:network:)`` gives, or an object of the app's own
    ///   - budget: rules over everything that is spent through this journal, msat
    ///   - maxPaymentMsat: the most that one call may cost, msat, fee included
    ///   - network: the wallet's; where nothing is said what the wallet says, or `bitcoin`
    ///   - maxFee: the most that the fee may be; 10 sat and 1%, and what the limit of a call leaves, where it is nil
    ///   - allowedHosts: hosts that may be paid
    ///   - plainHttpHosts: hosts that may be paid over plain `http`, besides this machine and `.onion`
    ///   - payAfterLoss: whether a call that lost a paid credential may pay again at once
    ///   - journal: the one of all of the user's processes where it is nil
    ///   - paymentTimeout: how long the wallet may try, seconds
    ///   - lockWait: how long to wait for another call with the same request, seconds
    /// - Throws: ``ClientError``/`Config` for what can't be used
    public convenience init(
        wallet: any Wallet, budget: Budget = [], maxPaymentMsat: Msat = Driver.defaultMaxPaymentMsat, network: Network? = nil,
        maxFee: FeeLimit? = nil, allowedHosts: Hosts = .any, plainHttpHosts: Hosts = .none, payAfterLoss: Bool = false,
        journal: Journal? = nil, paymentTimeout: Double = 60, lockWait: Double = 120
    ) throws {
        var policy = driverPolicy(
            network: network ?? wallet.network() ?? .bitcoin, maxPaymentMsat: maxPaymentMsat, walletLimitsFee: wallet.limitsFee())
        if let maxFee {
            policy.maxFee = maxFee
            policy.fitFee = false
        }
        policy.allowedHosts = allowedHosts
        policy.plainHttpHosts = plainHttpHosts
        policy.payAfterLoss = payAfterLoss
        let options = DriverOptions(policy: policy, budget: budget, paymentTimeout: paymentTimeout, lockWait: lockWait)
        try self.init(wallet: wallet, journal: journal ?? Journal(), options: options)
    }

    /// The 100 newest receipts, the newest first; throws ``JournalError``.
    public func receipts() async throws -> [Receipt] { try await receipts(limit: 100) }
}

func unusable(_ message: String) -> ClientError { .Config(text: ErrorText(code: "config", message: message)) }
