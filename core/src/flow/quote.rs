//! The price and terms before paying.

use alloc::boxed::Box;
use alloc::string::String;

use super::{Origin, Receipt, Refusal};
use crate::{Network, PaymentHash};

/// What a request would cost, and whether it would be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The invoice's payment hash.
    pub payment_hash: PaymentHash,
    /// The invoice's network.
    pub network: Network,
    /// The node that would be paid, a compressed public key, where the invoice tells.
    pub payee: Option<[u8; 33]>,
    /// The invoice's description: the server's own words.
    pub description: Option<String>,
    /// The invoice's amount, msat.
    pub amount_msat: u64,
    /// The most that the payment would cost beyond it, msat.
    pub max_fee_msat: u64,
    /// Who asks for it.
    pub origin: Origin,
    /// When the invoice expires, unix seconds.
    pub invoice_expires_at: u64,
    /// Until when the credential would be good, unix seconds, where the token tells.
    pub valid_until: Option<u64>,
    /// What the tightest budget has left, msat; none without a budget.
    pub budget_left_msat: Option<u64>,
    /// What an earlier call with the same request left behind; a real call would use it and take no new challenge.
    pub pending: Option<Pending>,
    /// Why a real call would not pay; none if it would.
    pub refusal: Option<Box<Refusal>>,
}

impl Quote {
    /// Amount plus maximum fee, msat; none where that overflows.
    pub fn total_msat(&self) -> Option<u64> {
        self.amount_msat.checked_add(self.max_fee_msat)
    }

    /// The payee as 66 hex digits.
    pub fn payee_hex(&self) -> Option<String> {
        self.payee.as_ref().map(|payee| super::receipt::hex_of(payee))
    }
}

/// What an earlier call with the same request left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pending {
    /// A delivered credential of this origin that may fit; a call tries it first.
    Delivered(Receipt),
    /// A paid credential that brought no answer yet; a call tries it first.
    Undelivered(Receipt),
    /// A payment that is not resolved; a call asks the wallet about it first.
    Unresolved(PaymentHash),
}
