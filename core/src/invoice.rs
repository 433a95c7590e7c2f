//! What a BOLT 11 invoice says, once it is signed right.

use alloc::string::String;

use crate::{Network, PaymentHash};

/// An invoice's facts, from its own signed text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvoiceFacts {
    /// The payment hash.
    pub payment_hash: PaymentHash,
    /// The amount in msat. `None` when it leaves the amount to the payer, which includes an amount of 0.
    pub amount_msat: Option<u64>,
    /// The network that its prefix names.
    pub network: Network,
    /// When it was made, in unix seconds.
    pub issued_at: u64,
    /// When it expires, in unix seconds.
    pub expires_at: u64,
    /// The node that is paid: a compressed public key, from the invoice or recovered from its signature.
    pub payee: Option<[u8; 33]>,
    /// Its description, with control characters replaced. `None` where only a hash is given.
    pub description: Option<String>,
}

/// Why an invoice is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvoiceError {
    /// The amount does not fit 64 bits.
    #[error("the invoice's amount is out of range")]
    AmountOutOfRange,
    /// Not BOLT 11, or without a field that it must have.
    #[error("not a bolt 11 invoice")]
    Malformed,
    /// The amount has a part of a msat.
    #[error("the invoice's amount has a part of a millisatoshi")]
    SubMsat,
    /// It asks for features that are not known here.
    #[error("the invoice needs features that are not known")]
    UnknownFeatures,
    /// It is for a network that is not known here.
    #[error("the invoice is for an unknown network")]
    UnknownNetwork,
    /// The signature is wrong, or is not over the text that was given.
    #[error("the invoice is not signed right")]
    WrongSignature,
}

impl InvoiceError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AmountOutOfRange => "invoice_amount_out_of_range",
            Self::Malformed => "invoice_malformed",
            Self::SubMsat => "invoice_sub_msat",
            Self::UnknownFeatures => "invoice_unknown_features",
            Self::UnknownNetwork => "invoice_unknown_network",
            Self::WrongSignature => "invoice_wrong_signature",
        }
    }
}

/// Parses an invoice and checks its checksum, its fields, its signature and its amount.
///
/// # Errors
/// [`InvoiceError`].
#[cfg(feature = "invoice")]
pub fn read_invoice(bolt11: &str) -> Result<InvoiceFacts, InvoiceError> {
    let _ = bolt11;
    todo!()
}
