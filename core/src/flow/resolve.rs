//! What a wallet's answer means for a payment that was left unfinished.

use alloc::string::String;

use super::{IntentState, LookUp};
use crate::{PaymentHash, Preimage};

/// What to journal of an unresolved payment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Resolution {
    /// Certainly failed: free the reservation.
    Failed {
        /// Why, as a stable code.
        failure: String,
    },
    /// Paid, and proven.
    Paid {
        /// Proven to hash to the payment hash.
        preimage: Preimage,
        /// What it cost beyond the amount, msat.
        fee_msat: u64,
    },
    /// Not known yet: it keeps its reservation.
    Unresolved(IntentState),
    /// The wallet says paid but proves something else: it keeps its reservation, for a person to look at.
    Unproven,
}

/// Decides (docs/PROTOCOL.md §5.4): "not found" means failed only once the invoice has expired, since the pay request
/// may still be on its way to the node.
pub fn resolve(
    answer: LookUp,
    payment_hash: &PaymentHash,
    invoice_expires_at: u64,
    now: u64,
) -> Resolution {
    match answer {
        LookUp::Failed { failure } => Resolution::Failed { failure },
        LookUp::InFlight => Resolution::Unresolved(IntentState::InFlight),
        LookUp::NotFound if now >= invoice_expires_at => {
            Resolution::Failed { failure: "not_sent".into() }
        }
        LookUp::Paid { preimage, fee_msat } if preimage.proves(payment_hash) => {
            Resolution::Paid { preimage, fee_msat }
        }
        LookUp::Paid { .. } => Resolution::Unproven,
        LookUp::NotFound | LookUp::Unknown => Resolution::Unresolved(IntentState::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(answer: LookUp, now: u64) -> Resolution {
        resolve(answer, &Preimage::from_bytes([7; 32]).payment_hash(), 1_000, now)
    }

    #[test]
    fn not_found_means_failed_only_after_the_expiry() {
        assert!(matches!(
            decide(LookUp::NotFound, 999),
            Resolution::Unresolved(IntentState::Unknown)
        ));
        assert!(matches!(decide(LookUp::NotFound, 1_000), Resolution::Failed { .. }));
    }

    #[test]
    fn expiry_alone_fails_nothing() {
        for answer in [LookUp::InFlight, LookUp::Unknown] {
            assert!(matches!(decide(answer, u64::MAX), Resolution::Unresolved(_)));
        }
    }

    #[test]
    fn only_the_right_preimage_is_a_proof() {
        let paid = |byte| LookUp::Paid { preimage: Preimage::from_bytes([byte; 32]), fee_msat: 3 };
        assert!(matches!(decide(paid(7), 0), Resolution::Paid { fee_msat: 3, .. }));
        assert!(matches!(decide(paid(8), 0), Resolution::Unproven));
    }

    #[test]
    fn the_wallets_failure_is_final() {
        let failed = LookUp::Failed { failure: "no_route".into() };
        assert!(
            matches!(decide(failed, 0), Resolution::Failed { failure } if failure == "no_route")
        );
    }
}
