//! What a call ends in besides a response, and what goes wrong with wallets and the journal.

use plannt_client as client;
use plannt_core::{PaymentHash, flow};
use plannt_lightning as lightning;

use crate::error::error_enum;
use crate::{ErrorText, IntentState, Msat, Network, Receipt, Seconds, UnixSeconds};

error_enum! {
    /// Why a call ended without an answer to hand back. The message says what to do about it.
    RefusalError of flow::Refusal, flow::Refusal::code, {
        /// The amount plus the maximum fee is above the limit of a call.
        AboveLimit {
            /// The invoice's amount, msat.
            amount_msat: Msat,
            /// The most that the fee could be, msat.
            max_fee_msat: Msat,
            /// The limit, msat.
            limit_msat: Msat,
        },
        /// The body is a stream that can't be sent a second time.
        BodyNotReplayable,
        /// The budget has too little left for the amount plus the maximum fee.
        BudgetExceeded {
            /// Amount plus maximum fee, msat.
            needed_msat: Msat,
            /// What is left, msat.
            left_msat: Msat,
        },
        /// Another call with the same request is under way and did not finish in time.
        Busy,
        /// The challenge says two things at once.
        Challenge,
        /// The host is not among those that may be paid.
        HostNotAllowed {
            /// The host.
            host: String,
        },
        /// The invoice does not parse, is not signed right, or has part of a msat.
        Invoice,
        /// The invoice has expired.
        InvoiceExpired,
        /// The invoice has too little time left.
        InvoiceExpiring {
            /// Seconds left.
            seconds_left: Seconds,
        },
        /// The journal could not be read or written; nothing new was paid.
        Journal,
        /// The wallet paid, but the journal could not note it: the intent stands, and the next call asks the wallet.
        JournalAfterPayment {
            /// The payment hash.
            payment_hash: PaymentHash,
        },
        /// The invoice leaves the amount to the payer.
        NoAmount,
        /// The wallet did not pay, and nothing is in flight.
        PaymentFailed {
            /// The wallet's reason, as a stable code.
            failure: String,
        },
        /// The journal knows this payment hash: a hash is paid at most once.
        PaymentHashKnown {
            /// The hash.
            payment_hash: PaymentHash,
        },
        /// The invoice's payment hash is not the one in the token.
        PaymentHashMismatch,
        /// A paid credential was answered with 402, so that nothing was delivered for the money.
        PaymentLost {
            /// The payment.
            receipt: Receipt = 0,
        },
        /// An earlier payment for the same request is not resolved yet, so no new challenge is taken.
        PaymentUnresolved {
            /// Its payment hash.
            payment_hash: PaymentHash,
            /// Where it stands.
            state: IntentState,
            /// When its invoice expires, unix seconds.
            invoice_expires_at: UnixSeconds,
        },
        /// The connection is plain `http`.
        PlainHttp {
            /// The host.
            host: String,
        },
        /// The wallet's preimage does not hash to the payment hash: it proves nothing.
        PreimageMismatch {
            /// The payment hash.
            payment_hash: PaymentHash,
        },
        /// The 402 came after a redirect.
        Redirected,
        /// The token has expired already.
        TokenExpired {
            /// When, unix seconds.
            valid_until: UnixSeconds,
        },
        /// The token is empty, too long, or has bytes that no header carries.
        TokenUnusable,
        /// The invoice is for another network than the wallet's.
        WrongNetwork {
            /// The invoice's network.
            invoice: Network,
            /// The wallet's network.
            wallet: Network,
        },
    }
}

error_enum! {
    /// Why the journal can't be used. No payment is made without it.
    JournalError of client::JournalError, client::JournalError::code, {
        /// Another process held the file for too long.
        Busy,
        /// The file is damaged, or its contents contradict themselves.
        Corrupt,
        /// The file is another program's, or a newer version's.
        Foreign,
        /// The disk is full.
        Full,
        /// The disk or the folder does not do what is asked.
        Io,
        /// The file system can't make writes durable for several processes.
        NotDurable,
        /// The preimage does not hash to the payment hash; nothing was written.
        PreimageMismatch,
        /// The file or its folder can't be written.
        ReadOnly,
        /// The file that was opened is no longer the one under its name.
        Replaced,
        /// There is no payment with that hash.
        Unknown,
    }
}

error_enum! {
    /// Why a call brought no response. The messages say what to do next and hold no secret.
    ClientError of client::ClientError, client::ClientError::code, {
        /// Something was set up in a way that can't be used.
        Config,
        /// The journal can't be used; nothing new was paid.
        Journal,
        /// Paid, but no response came. The credential is kept: the same call again presents it and pays nothing.
        NotDelivered {
            /// The payment.
            receipt: Receipt,
        },
        /// The wallet paid, but the journal could not note it, so the credential was not sent. The same call again asks
        /// the wallet and pays nothing.
        NotJournaled {
            /// The payment.
            payment_hash: PaymentHash,
        },
        /// Paid and answered with a redirect, which could not be followed. What the credential was good for is used.
        RedirectFailed {
            /// The payment.
            receipt: Receipt,
        },
        /// Refused, or ended without delivery.
        Refused {
            /// Why.
            refusal: RefusalError,
            /// What this call had paid by then, where the refusal came after a paid answer.
            receipt: Option<Receipt>,
        },
        /// The request can't be sent as it is.
        Request,
        /// No response came, and nothing was paid by this call.
        Transport,
    }
}

#[uniffi::export]
impl ClientError {
    /// The payment that the error is about, where money was spent.
    pub fn receipt(&self) -> Option<Receipt> {
        match self {
            Self::NotDelivered { receipt, .. }
            | Self::RedirectFailed { receipt, .. }
            | Self::Refused { refusal: RefusalError::PaymentLost { receipt, .. }, .. }
            | Self::Refused { receipt: Some(receipt), .. } => Some(receipt.clone()),
            _ => None,
        }
    }
}

impl ClientError {
    pub(crate) fn config(message: impl Into<String>) -> Self {
        client::ClientError::Config { message: message.into() }.into()
    }
}

/// The error of a request that can't be sent as it is, for the package's own HTTP code.
#[uniffi::export]
pub fn request_error(message: String) -> ClientError {
    client::ClientError::Request { message }.into()
}

/// The error of a credential that brought a redirect, whose end gave no answer, for the package's own HTTP code.
#[uniffi::export]
pub fn redirect_failed_error(receipt: Receipt, reason: String) -> ClientError {
    use crate::convert::Convert;
    let source = client::TransportError::new("transport", reason);
    client::ClientError::RedirectFailed { receipt: Box::new(receipt.convert()), source }.into()
}

/// The error of a redirect that led to a 402 with a challenge, which is not paid, for the package's own HTTP code; `receipt` is
/// what the redirect itself had cost.
#[uniffi::export]
pub fn redirected_error(receipt: Option<Receipt>) -> ClientError {
    use crate::convert::Convert;
    let receipt = receipt.map(|receipt| Box::new(receipt.convert()));
    client::ClientError::Refused { refusal: flow::Refusal::Redirected, wallet: None, receipt }
        .into()
}

error_enum! {
    /// Why a node did not answer, or why its answer cannot be used. On its own it says nothing about a payment.
    LightningError of lightning::LightningError, lightning::LightningError::code, {
        /// The backend's URL, or a file that it names, cannot be used.
        Config,
        /// The connection broke after the request may have reached the node.
        ConnectionLost,
        /// The node answered something that it never should.
        InvalidResponse,
        /// The caller's own request cannot be put to any node.
        InvalidRequest,
        /// The node refuses the macaroon (or other key), or the key lacks a permission.
        NodeAuth,
        /// The node answered with an error of its own; so does a wallet of the app's own that throws.
        NodeError,
        /// No connection to the node. The request was certainly not sent.
        NodeUnreachable,
        /// An earlier attempt at the same payment hash is still under way.
        PaymentInFlight,
        /// The node says "paid" and shows a preimage that does not hash to the payment hash, or none.
        PreimageMismatch,
        /// No answer in time. What the node did, or will still do, is unknown.
        TimeoutUnknown,
        /// This backend cannot do what was asked, whoever asks.
        Unsupported,
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for LightningError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        lightning::LightningError::NodeError { message: error.reason }.into()
    }
}

/// Why a wallet did not pay, and above all whether money may have moved. A wallet of the app's own throws `Failed` where the
/// payment was certainly not made and nothing is in flight; whatever else it throws is `Unknown`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Error)]
pub enum PaymentError {
    /// Certainly not paid, and nothing is in flight.
    Failed {
        /// Why, as a stable code: one of `already_paid`, `fee_limit`, `incorrect_payment_details`, `insufficient_balance`,
        /// `invoice_expired`, `no_route`, `payment_timeout`, `quota_exceeded`, `wrong_network`; anything else is `rejected`.
        failure: String,
        /// The wallet's words, without secrets.
        reason: String,
    },
    /// It may have been paid, or may still be: look it up, and pay nothing else for the same thing before.
    Unknown {
        /// Why, as a stable code.
        failure: String,
        /// The wallet's words, without secrets.
        reason: String,
    },
}

#[uniffi::export]
impl PaymentError {
    /// The stable snake_case name that Rust, HTTP bodies and the test vectors have.
    pub fn error_code(&self) -> String {
        let (Self::Failed { failure, .. } | Self::Unknown { failure, .. }) = self;
        failure.clone()
    }

    /// What went wrong, without secrets.
    pub fn error_message(&self) -> String {
        let (Self::Failed { reason, .. } | Self::Unknown { reason, .. }) = self;
        reason.clone()
    }
}

impl std::fmt::Display for PaymentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.error_message())
    }
}

impl std::error::Error for PaymentError {}

impl From<uniffi::UnexpectedUniFFICallbackError> for PaymentError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unknown { failure: "node_error".into(), reason: error.reason }
    }
}

error_enum! {
    @enum
    /// A callback of the app's own failed.
    CallbackError {
        /// It threw.
        Failed,
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for CallbackError {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { text: ErrorText::new("callback", error.reason) }
    }
}
