import Foundation

extension FeeLimit {
    /// No fee at all.
    public static let none = FeeLimit.fixed(0)

    /// So many msat, whatever the amount.
    public static func fixed(_ baseMsat: Msat) -> FeeLimit { FeeLimit(baseMsat: baseMsat, partsPerMillion: 0) }
}

extension Hosts: Codable, ExpressibleByArrayLiteral {
    /// No host.
    public static let none = Hosts.listed(patterns: [])

    /// The hosts that these patterns name: `name`, `name:port`, or `*.name` for everything below a name.
    public init(arrayLiteral patterns: String...) { self = .listed(patterns: patterns) }

    /// Reads `"any"`, or a list of patterns.
    public init(from decoder: Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let patterns = try? container.decode([String].self) {
            self = .listed(patterns: patterns)
        } else if try container.decode(String.self) == "any" {
            self = .any
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "hosts are \"any\" or a list of patterns")
        }
    }

    /// Writes `"any"`, or a list of patterns.
    public func encode(to encoder: Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .any: try container.encode("any")
        case .listed(let patterns): try container.encode(patterns)
        }
    }
}

extension Policy {
    /// A cautious policy: `maxPaymentMsat`, msat, as the limit of a call, any host over `https`, 5 sat and 1% of fee.
    public init(network: Network, maxPaymentMsat: Msat) {
        self = policyOf(network: network, maxPaymentMsat: maxPaymentMsat)
    }
}

extension BudgetRule {
    /// A limit over the last 24 hours, msat, fees included.
    public static func perDay(limitMsat: Msat) -> BudgetRule { budgetRulePerDay(limitMsat: limitMsat) }

    /// A limit over all time, msat, fees included.
    public static func inTotal(limitMsat: Msat) -> BudgetRule { budgetRuleInTotal(limitMsat: limitMsat) }
}

extension Budget: ExpressibleByArrayLiteral {
    /// The rules given; of two with the same window the smaller limit counts. Without any there is no limit.
    public init(_ rules: [BudgetRule]) { self = budgetOf(rules: rules) }

    /// The rules given, as `[.perDay(limitMsat: 100_000)]`.
    public init(arrayLiteral rules: BudgetRule...) { self = budgetOf(rules: rules) }

    /// No limit.
    public static let unlimited: Budget = []

    /// What is left under every rule, msat, where `spentMsat` tells what a rule's window holds, msat; nil without rules.
    public func leftMsat(spentMsat: (BudgetRule) throws -> Msat) rethrows -> Msat? {
        try rules.map { $0.leftMsat(spentMsat: try spentMsat($0)) }.min()
    }
}
