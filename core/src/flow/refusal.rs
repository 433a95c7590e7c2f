//! Why a call does not pay, or does not deliver: one code for each reason.

use alloc::boxed::Box;
use alloc::string::String;

use super::{IntentState, Receipt};
use crate::{ChallengeError, InvoiceError, Network, PaymentHash};

/// Why a call ended without an answer to hand back. The message says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The amount plus the maximum fee is above the limit of a call.
    #[error(
        "it would cost {amount_msat} msat plus up to {max_fee_msat} msat of fee, above the limit of {limit_msat} msat a call: \
         raise the limit or lower the maximum fee"
    )]
    AboveLimit {
        /// The invoice's amount, msat.
        amount_msat: u64,
        /// The most that the fee could be, msat.
        max_fee_msat: u64,
        /// The limit, msat.
        limit_msat: u64,
    },
    /// The body is a stream that can't be sent a second time.
    #[error("the server asks for payment, but the body can't be sent again: pass it as bytes")]
    BodyNotReplayable,
    /// The budget has too little left for the amount plus the maximum fee.
    #[error(
        "it needs {needed_msat} msat and the budget has {left_msat} msat left: wait, or raise the budget"
    )]
    BudgetExceeded {
        /// Amount plus maximum fee, msat.
        needed_msat: u64,
        /// What is left, msat.
        left_msat: u64,
    },
    /// Another call with the same request is under way and did not finish in time.
    #[error("another call with the same request is under way: try again when it is done")]
    Busy,
    /// The challenge says two things at once.
    #[error("{0}: nothing is paid on an ambiguous challenge")]
    Challenge(#[from] ChallengeError),
    /// The host is not among those that may be paid.
    #[error("{host} is not among the hosts that may be paid: allow it to go on")]
    HostNotAllowed {
        /// The host.
        host: String,
    },
    /// The invoice does not parse, is not signed right, or has part of a msat.
    #[error("the server's invoice is refused: {0}")]
    Invoice(#[from] InvoiceError),
    /// The invoice has expired.
    #[error(
        "the server's invoice has expired: try again for a fresh one, and check this machine's clock"
    )]
    InvoiceExpired,
    /// The invoice has too little time left.
    #[error(
        "the server's invoice expires in {seconds_left} s, too soon to pay: try again for a fresh one"
    )]
    InvoiceExpiring {
        /// Seconds left.
        seconds_left: u64,
    },
    /// The journal could not be read or written; nothing new was paid.
    #[error("the payments journal can't be used, so nothing is paid")]
    Journal,
    /// The wallet paid, but the journal could not note it: the intent stands, and the next call asks the wallet.
    #[error(
        "{payment_hash} was paid, but the payments journal could not note it: mend that and run it again, \
         which asks the wallet and does not pay twice"
    )]
    JournalAfterPayment {
        /// The payment hash.
        payment_hash: PaymentHash,
    },
    /// The invoice leaves the amount to the payer.
    #[error("the server's invoice has no amount, so nothing limits what it would cost")]
    NoAmount,
    /// The wallet did not pay, and nothing is in flight.
    #[error("the payment failed ({failure}); nothing was paid")]
    PaymentFailed {
        /// The wallet's reason, as a stable code.
        failure: String,
    },
    /// The journal knows this payment hash: a hash is paid at most once.
    #[error(
        "an invoice with this payment hash was paid or tried before, and is not paid again: the server should send a fresh one"
    )]
    PaymentHashKnown {
        /// The hash.
        payment_hash: PaymentHash,
    },
    /// The invoice's payment hash is not the one in the token.
    #[error("the invoice pays for another token than the challenge's: not paid")]
    PaymentHashMismatch,
    /// A paid credential was answered with 402, so that nothing was delivered for the money.
    #[error(
        "the server took {} msat and asks for payment again (payment hash {}): \
         this call pays nothing more, and the credential is not kept; show the receipt to the server's operator",
        .0.paid_msat(), .0.payment_hash
    )]
    PaymentLost(Box<Receipt>),
    /// An earlier payment for the same request is not resolved yet, so no new challenge is taken.
    #[error(
        "an earlier payment for this request ({payment_hash}) is not resolved ({state}), so no new one is made: \
         run it again later; the wallet's answer decides, and the invoice's expiry where it knows of no payment"
    )]
    PaymentUnresolved {
        /// Its payment hash.
        payment_hash: PaymentHash,
        /// Where it stands.
        state: IntentState,
        /// When its invoice expires, unix seconds.
        invoice_expires_at: u64,
    },
    /// The connection is plain `http`.
    #[error(
        "{host} is asked over plain http, where anyone on the way can take the credential: use https, or allow it"
    )]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// The wallet's preimage does not hash to the payment hash: it proves nothing.
    #[error(
        "the wallet's preimage for {payment_hash} does not prove the payment: ask the wallet what became of it"
    )]
    PreimageMismatch {
        /// The payment hash.
        payment_hash: PaymentHash,
    },
    /// The 402 came after a redirect.
    #[error("the server asks for payment after a redirect: call the final address itself to pay")]
    Redirected,
    /// The token has expired already.
    #[error("the server sells a token that expired already: check this machine's clock")]
    TokenExpired {
        /// When, unix seconds.
        valid_until: u64,
    },
    /// The token is empty, too long, or has bytes that no header carries.
    #[error("the server's token can't be sent in a header: not paid")]
    TokenUnusable,
    /// The invoice is for another network than the wallet's.
    #[error("the invoice is for {invoice}, the wallet is on {wallet}")]
    WrongNetwork {
        /// The invoice's network.
        invoice: Network,
        /// The wallet's network.
        wallet: Network,
    },
}

impl Refusal {
    /// A stable snake_case name; an invoice's or challenge's fault has its own.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AboveLimit { .. } => "above_limit",
            Self::BodyNotReplayable => "body_not_replayable",
            Self::BudgetExceeded { .. } => "budget_exceeded",
            Self::Busy => "busy",
            Self::Challenge(error) => error.code(),
            Self::HostNotAllowed { .. } => "host_not_allowed",
            Self::Invoice(error) => error.code(),
            Self::InvoiceExpired => "invoice_expired",
            Self::InvoiceExpiring { .. } => "invoice_expiring",
            Self::Journal => "journal",
            Self::JournalAfterPayment { .. } => "journal_after_payment",
            Self::NoAmount => "invoice_no_amount",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PaymentHashKnown { .. } => "payment_hash_known",
            Self::PaymentHashMismatch => "payment_hash_mismatch",
            Self::PaymentLost(_) => "payment_lost",
            Self::PaymentUnresolved { .. } => "payment_unresolved",
            Self::PlainHttp { .. } => "plain_http",
            Self::PreimageMismatch { .. } => "preimage_mismatch",
            Self::Redirected => "challenge_after_redirect",
            Self::TokenExpired { .. } => "token_expired",
            Self::TokenUnusable => "token_unusable",
            Self::WrongNetwork { .. } => "wrong_network",
        }
    }
}
