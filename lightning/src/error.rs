//! What can go wrong, and above all: whether money may have moved.

/// Why a node did not answer, or why its answer cannot be used.
///
/// On its own it says nothing about a payment: [`PayOutcome`](crate::PayOutcome) does. Messages
/// are the node's own words, cut short; they never hold a macaroon, a preimage or a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LightningError {
    /// The backend's URL, or a file that it names, cannot be used.
    #[error("lightning configuration: {message}")]
    Config {
        /// What is wrong with it, without its secrets.
        message: String,
    },
    /// The connection broke after the request may have reached the node.
    #[error("the connection to the node was lost before its answer: {message}")]
    ConnectionLost {
        /// The transport's reason.
        message: String,
    },
    /// The node answered something that it never should.
    #[error("the node's answer makes no sense: {message}")]
    InvalidResponse {
        /// What was expected.
        message: String,
    },
    /// The caller's own request cannot be put to any node.
    #[error("invalid request: {message}")]
    InvalidRequest {
        /// What is wrong with it.
        message: String,
    },
    /// The node refuses the macaroon (or other key), or the key lacks a permission.
    #[error("the node refuses the credentials: {message}")]
    NodeAuth {
        /// The node's words.
        message: String,
    },
    /// The node answered with an error of its own.
    #[error("the node reports an error: {message}")]
    NodeError {
        /// The node's words.
        message: String,
    },
    /// No connection to the node: refused, not resolved, or its TLS certificate is not the pinned one.
    /// The request was certainly not sent.
    #[error("the node cannot be reached: {message}")]
    NodeUnreachable {
        /// The transport's reason.
        message: String,
    },
    /// An earlier attempt at the same payment hash is still under way.
    #[error("a payment of this invoice is already in flight")]
    PaymentInFlight,
    /// Paid, no proof: the node says "paid" and shows no preimage, the invoice in its place, or one
    /// that does not hash to the payment hash. The money may be gone: for a person to look at,
    /// never to pay again.
    #[error("the node reports the payment as made, but its preimage does not prove it")]
    PreimageMismatch,
    /// No answer in time. What the node did, or will still do, is unknown.
    #[error("the node did not answer in time")]
    TimeoutUnknown,
    /// This backend cannot do what was asked, whoever asks.
    #[error("this backend cannot do that: {message}")]
    Unsupported {
        /// What it cannot do.
        message: String,
    },
}

impl LightningError {
    /// A stable snake_case name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config { .. } => "config",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::InvalidResponse { .. } => "invalid_response",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::NodeAuth { .. } => "node_auth",
            Self::NodeError { .. } => "node_error",
            Self::NodeUnreachable { .. } => "node_unreachable",
            Self::PaymentInFlight => "payment_in_flight",
            Self::PreimageMismatch => "preimage_mismatch",
            Self::TimeoutUnknown => "timeout_unknown",
            Self::Unsupported { .. } => "unsupported",
        }
    }

    /// What to do next, in one sentence; the same for every backend.
    pub fn advice(&self) -> &'static str {
        crate::advice(self.code()).unwrap_or_default()
    }
}

/// Why a payment certainly was not made, with nothing left in flight.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayFailure {
    /// The invoice was paid before, and not by a payment of this wallet that can be shown.
    #[error("the invoice is already paid")]
    AlreadyPaid,
    /// The payee refuses: unknown hash, wrong amount, or an invoice that it canceled.
    #[error("the payee refuses the payment: unknown invoice or wrong amount")]
    IncorrectPaymentDetails,
    /// The wallet has too little to send (also when its direct peer is offline).
    #[error("the wallet's balance is too low, or its channel peer is offline")]
    InsufficientBalance,
    /// There is a route to the payee, but only above the fee limit.
    #[error("paying would cost more in fees than the fee limit")]
    FeeLimit,
    /// The invoice has expired.
    #[error("the invoice has expired")]
    InvoiceExpired,
    /// No route to the payee. Nodes that do not tell the two apart (lnd) say so too where there
    /// is one above the fee limit.
    #[error("no route to the payee within the fee limit")]
    NoRoute,
    /// The request certainly did not reach the node, or the node refused to look at it.
    #[error(transparent)]
    NotSent(#[from] LightningError),
    /// The wallet's own limit on what this credential may spend is reached.
    #[error("the wallet's spending limit for this connection is reached")]
    QuotaExceeded,
    /// The node refused the payment for another reason.
    #[error("the node refuses the payment: {message}")]
    Rejected {
        /// The node's words.
        message: String,
    },
    /// The node gave up within its time limit, with nothing left in flight.
    #[error("the payment was not made within its time limit")]
    Timeout,
    /// The invoice is for another network than the wallet's.
    #[error("the invoice is for another network than the wallet's")]
    WrongNetwork,
}

impl PayFailure {
    /// A stable snake_case name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyPaid => "already_paid",
            Self::IncorrectPaymentDetails => "incorrect_payment_details",
            Self::InsufficientBalance => "insufficient_balance",
            Self::FeeLimit => "fee_limit",
            Self::InvoiceExpired => "invoice_expired",
            Self::NoRoute => "no_route",
            Self::NotSent(error) => error.code(),
            Self::QuotaExceeded => "quota_exceeded",
            Self::Rejected { .. } => "rejected",
            Self::Timeout => "payment_timeout",
            Self::WrongNetwork => "wrong_network",
        }
    }

    /// The failure with this code. Any other code, and that of one which has more to say than a code, is a rejection with
    /// the wallet's own words.
    ///
    /// ```
    /// use plannt_lightning::PayFailure;
    /// assert_eq!(PayFailure::from_code("no_route", "tried twice"), PayFailure::NoRoute);
    /// assert_eq!(PayFailure::from_code("tired", "not today").code(), "rejected");
    /// ```
    pub fn from_code(code: &str, message: impl Into<String>) -> Self {
        let known = [
            Self::AlreadyPaid,
            Self::FeeLimit,
            Self::IncorrectPaymentDetails,
            Self::InsufficientBalance,
            Self::InvoiceExpired,
            Self::NoRoute,
            Self::QuotaExceeded,
            Self::Timeout,
            Self::WrongNetwork,
        ];
        let rejected = || Self::Rejected { message: message.into() };
        known.into_iter().find(|failure| failure.code() == code).unwrap_or_else(rejected)
    }

    /// What to do next, in one sentence; the same for every backend.
    pub fn advice(&self) -> &'static str {
        crate::advice(self.code()).unwrap_or_default()
    }
}
