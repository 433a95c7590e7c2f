import Foundation

/// What a wallet of the app's own may leave out: it needs a name and a way to pay.
extension Wallet {
    /// Not known: the driver's policy names the network.
    public func network() -> Network? { nil }

    /// Yes.
    public func limitsFee() -> Bool { true }

    /// A wallet that can't look payments up knows nothing of them: what it left open keeps its reservation, and is never paid again.
    public func lookupPayment(paymentHash: PaymentHash) async throws -> PaymentState {
        .unknown(reason: "this wallet can't look payments up")
    }

    /// Throws ``LightningError``: no call asks for it.
    public func balanceMsat() async throws -> Msat {
        throw LightningError.NodeError(text: ErrorText(code: "node_error", message: "this wallet tells no balance"))
    }
}

extension Payment {
    /// A payment whose wallet tells no fee: all that is reserved for it is charged.
    public init(preimage: Preimage) { self.init(preimage: preimage, feeMsat: nil) }
}
