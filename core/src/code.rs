//! The codes of the answers, each with its HTTP status and gRPC status (docs/PROTOCOL.md §3).

use core::fmt;

/// Why a request was not let through. [`as_str`](Self::as_str) is the `code` member of the answer's
/// body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The path can't be taken.
    BadPath,
    /// The request is not well formed: its authority, its lengths, or what the route asks of it.
    BadRequest,
    /// The body is above the route's limit.
    BodyTooLarge,
    /// The credential's time is over.
    Expired,
    /// The `Authorization` header is above 16 KiB.
    HeaderTooLarge,
    /// Forged, tampered with, of an unknown key, or with a wrong preimage; it is not told which.
    InvalidCredential,
    /// Not readable as a credential.
    MalformedCredential,
    /// TRACE, CONNECT, or a method that the route does not have.
    MethodNotAllowed,
    /// The request's authority is no service of this gateway.
    MisdirectedRequest,
    /// No route matches.
    NotFound,
    /// The credential is for something else.
    OutOfScope,
    /// No credential was presented.
    PaymentRequired,
    /// All uses of the payment are spent.
    Spent,
    /// Too many challenges from one client.
    TooManyChallenges,
    /// The spend store, or the node where a challenge is due, does not answer.
    Unavailable,
    /// Connecting to the upstream took too long, and no byte of the request was sent.
    UpstreamTimeout,
    /// The upstream was certainly not reached.
    UpstreamUnreachable,
    /// The path is too long for a token.
    UriTooLong,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 18] = [
        Self::BadPath,
        Self::BadRequest,
        Self::BodyTooLarge,
        Self::Expired,
        Self::HeaderTooLarge,
        Self::InvalidCredential,
        Self::MalformedCredential,
        Self::MethodNotAllowed,
        Self::MisdirectedRequest,
        Self::NotFound,
        Self::OutOfScope,
        Self::PaymentRequired,
        Self::Spent,
        Self::TooManyChallenges,
        Self::Unavailable,
        Self::UpstreamTimeout,
        Self::UpstreamUnreachable,
        Self::UriTooLong,
    ];

    /// The stable text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadPath => "bad_path",
            Self::BadRequest => "bad_request",
            Self::BodyTooLarge => "body_too_large",
            Self::Expired => "expired",
            Self::HeaderTooLarge => "header_too_large",
            Self::InvalidCredential => "invalid_credential",
            Self::MalformedCredential => "malformed_credential",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MisdirectedRequest => "misdirected_request",
            Self::NotFound => "not_found",
            Self::OutOfScope => "out_of_scope",
            Self::PaymentRequired => "payment_required",
            Self::Spent => "spent",
            Self::TooManyChallenges => "too_many_challenges",
            Self::Unavailable => "unavailable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UriTooLong => "uri_too_long",
        }
    }

    /// The code with that text.
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// The HTTP status that it comes with.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadPath | Self::BadRequest => 400,
            Self::Expired
            | Self::InvalidCredential
            | Self::MalformedCredential
            | Self::OutOfScope
            | Self::PaymentRequired
            | Self::Spent => 402,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::BodyTooLarge => 413,
            Self::UriTooLong => 414,
            Self::MisdirectedRequest => 421,
            Self::TooManyChallenges => 429,
            Self::HeaderTooLarge => 431,
            Self::UpstreamUnreachable => 502,
            Self::Unavailable => 503,
            Self::UpstreamTimeout => 504,
        }
    }

    /// The `grpc-status` of the trailers-only answer. Where docs/PROTOCOL.md §3 names none, it is
    /// the one whose meaning is nearest (gRPC's list of status codes).
    pub const fn grpc_status(self) -> u8 {
        match self {
            // INVALID_ARGUMENT
            Self::BadPath | Self::BadRequest | Self::UriTooLong => 3,
            // DEADLINE_EXCEEDED
            Self::UpstreamTimeout => 4,
            // RESOURCE_EXHAUSTED
            Self::BodyTooLarge | Self::HeaderTooLarge | Self::TooManyChallenges => 8,
            // UNIMPLEMENTED: what gRPC answers for a method it does not have.
            Self::MethodNotAllowed | Self::MisdirectedRequest | Self::NotFound => 12,
            // INTERNAL: what Aperture sends, and what its clients wait for.
            Self::Expired
            | Self::InvalidCredential
            | Self::MalformedCredential
            | Self::OutOfScope
            | Self::PaymentRequired
            | Self::Spent => 13,
            // UNAVAILABLE
            Self::Unavailable | Self::UpstreamUnreachable => 14,
        }
    }

    /// Whether the answer is a 402 with a fresh challenge.
    pub const fn is_challenge(self) -> bool {
        self.status() == 402
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
