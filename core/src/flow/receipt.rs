//! What the journal keeps of a payment, and what it shows of it.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use super::request::path_of;
use super::{Origin, RequestKey};
use crate::{Network, PaymentHash, Preimage, Scheme};

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IntentState {
    /// Certainly not paid, and nothing in flight; the reservation is free again.
    Failed,
    /// The wallet says that the payment is on its way; unresolved.
    InFlight,
    /// Written down before the pay request; unresolved until the wallet has said more.
    Intended,
    /// Paid, and the preimage is kept.
    Paid,
    /// The wallet could not tell; unresolved, and it keeps its reservation.
    Unknown,
}

impl IntentState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Failed, Self::InFlight, Self::Intended, Self::Paid, Self::Unknown];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::InFlight => "in_flight",
            Self::Intended => "intended",
            Self::Paid => "paid",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it may still become paid.
    pub const fn is_unresolved(self) -> bool {
        matches!(self, Self::InFlight | Self::Intended | Self::Unknown)
    }
}

impl fmt::Display for IntentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for IntentState {
    type Err = UnknownStateError;

    fn from_str(text: &str) -> Result<Self, UnknownStateError> {
        Self::ALL.into_iter().find(|s| s.name() == text).ok_or(UnknownStateError)
    }
}

/// What became of a paid credential (docs/PROTOCOL.md §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialState {
    /// One answer was 2xx or 3xx and did not say `spent`: tried first for its origin.
    Delivered,
    /// It had been delivered, and the server asked for money again: not kept.
    Dropped,
    /// Paid, but the server asked for money again before anything was delivered: not kept.
    Lost,
    /// The server said that it is used up.
    Spent,
    /// Paid, and no answer was 2xx or 3xx yet: the next call with the same request key tries it first.
    Undelivered,
}

impl CredentialState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Delivered, Self::Dropped, Self::Lost, Self::Spent, Self::Undelivered];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Dropped => "dropped",
            Self::Lost => "lost",
            Self::Spent => "spent",
            Self::Undelivered => "undelivered",
        }
    }
}

impl fmt::Display for CredentialState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CredentialState {
    type Err = UnknownStateError;

    fn from_str(text: &str) -> Result<Self, UnknownStateError> {
        Self::ALL.into_iter().find(|s| s.name() == text).ok_or(UnknownStateError)
    }
}

/// A text names no [`IntentState`] or [`CredentialState`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown state")]
pub struct UnknownStateError;

/// A payment that is about to be made: what the journal writes down before the wallet is asked to pay.
#[derive(Clone, PartialEq, Eq)]
pub struct Intent {
    /// The invoice's payment hash: the journal's key.
    pub payment_hash: PaymentHash,
    /// The request that it pays for.
    pub request: RequestKey,
    /// The scheme to answer with.
    pub scheme: Scheme,
    /// The challenge's token, exactly as received.
    pub token: String,
    /// The BOLT 11 text.
    pub invoice: String,
    /// The invoice's network.
    pub network: Network,
    /// The node that is paid, a compressed public key, where the invoice tells.
    pub payee: Option<[u8; 33]>,
    /// The invoice's amount, msat.
    pub amount_msat: u64,
    /// The most that the payment may cost beyond that, msat.
    pub max_fee_msat: u64,
    /// When the invoice expires, unix seconds.
    pub invoice_expires_at: u64,
    /// When the flow decided to pay, unix seconds.
    pub created_at: u64,
}

impl Intent {
    /// What it takes from the budget until it is resolved, msat.
    pub fn reservation_msat(&self) -> u64 {
        self.amount_msat.saturating_add(self.max_fee_msat)
    }

    /// The credential that it becomes once it is paid.
    pub(super) fn into_credential(
        self,
        preimage: Preimage,
        fee_msat: u64,
        now: u64,
    ) -> StoredCredential {
        let receipt = Receipt {
            payment_hash: self.payment_hash,
            network: self.network,
            payee: self.payee,
            amount_msat: self.amount_msat,
            fee_msat: Some(fee_msat),
            charged_msat: self.amount_msat.saturating_add(fee_msat),
            method: self.request.method,
            origin: self.request.origin,
            target: self.request.target,
            wallet: self.request.wallet,
            created_at: self.created_at,
            settled_at: Some(now),
            state: IntentState::Paid,
            credential: Some(CredentialState::Undelivered),
            failure: None,
        };
        StoredCredential {
            scheme: self.scheme,
            token: StoredToken::new(self.token),
            preimage,
            receipt,
        }
    }
}

impl fmt::Debug for Intent {
    /// Without the token and the invoice's text: one is half a credential, the other only noise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intent")
            .field("payment_hash", &self.payment_hash)
            .field("amount_msat", &self.amount_msat)
            .field("max_fee_msat", &self.max_fee_msat)
            .finish_non_exhaustive()
    }
}

/// A payment as it is shown: never with the preimage or the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The payment hash.
    pub payment_hash: PaymentHash,
    /// The invoice's network.
    pub network: Network,
    /// The node that is paid, a compressed public key, where the invoice told.
    pub payee: Option<[u8; 33]>,
    /// The invoice's amount, msat.
    pub amount_msat: u64,
    /// What the payment cost beyond that, msat; none until it is paid.
    pub fee_msat: Option<u64>,
    /// What it takes from the budget, msat: the reservation while unresolved, then the true cost, or nothing.
    pub charged_msat: u64,
    /// The request's method.
    pub method: String,
    /// The request's origin.
    pub origin: Origin,
    /// The request's path and query.
    pub target: String,
    /// The wallet, by its stable id.
    pub wallet: String,
    /// When the intent was written, unix seconds.
    pub created_at: u64,
    /// When it was paid or failed, unix seconds.
    pub settled_at: Option<u64>,
    /// Where the payment stands.
    pub state: IntentState,
    /// What became of the credential, once paid.
    pub credential: Option<CredentialState>,
    /// Why it failed, as a stable code, where it did.
    pub failure: Option<String>,
}

impl Receipt {
    /// The target without its query, which may hold secrets of the user's.
    pub fn path(&self) -> &str {
        path_of(&self.target)
    }

    /// The payee as 66 hex digits.
    pub fn payee_hex(&self) -> Option<String> {
        self.payee.as_ref().map(|payee| hex_of(payee))
    }

    /// What was paid, msat, fee included; nothing until it is paid.
    pub fn paid_msat(&self) -> u64 {
        match self.state {
            IntentState::Paid => self.amount_msat.saturating_add(self.fee_msat.unwrap_or(0)),
            _ => 0,
        }
    }
}

/// Lower-case hex of public bytes.
pub(crate) fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
        text
    })
}

/// A paid credential from the journal.
#[derive(Clone, Debug)]
pub struct StoredCredential {
    /// The scheme to present it with.
    pub scheme: Scheme,
    /// The token, exactly as received.
    pub token: StoredToken,
    /// The preimage.
    pub preimage: Preimage,
    /// The payment that bought it.
    pub receipt: Receipt,
}

/// A token's wire text that does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredToken(String);

impl StoredToken {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredToken([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for state in IntentState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        for state in CredentialState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        assert_eq!("Paid".parse::<IntentState>(), Err(UnknownStateError));
        assert_eq!("".parse::<CredentialState>(), Err(UnknownStateError));
    }

    #[test]
    fn hex_is_lower_case() {
        assert_eq!(hex_of(&[0, 0x0f, 0xab]), "000fab");
    }
}
