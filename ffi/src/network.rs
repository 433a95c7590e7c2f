//! Networks, schemes, and the codes of answers.

use plannt_core as core;

use crate::convert::{Convert, mirrored_enum};
use crate::{StatusCode, UnknownNetworkError};

mirrored_enum! {
    /// A Bitcoin network, named by the prefix that its invoices carry after `ln` (BOLT 11).
    Network of core::Network {
        /// Mainnet, `bc`.
        Bitcoin,
        /// A private chain, `bcrt`.
        Regtest,
        /// Signet, `tbs`.
        Signet,
        /// btcd's simulation network, `sb`.
        Simnet,
        /// Testnet, `tb`.
        Testnet,
    }
}

#[uniffi::export]
impl Network {
    /// The BOLT 11 currency prefix after `ln`.
    pub fn currency(&self) -> String {
        let network: core::Network = (*self).convert();
        network.currency().into()
    }

    /// Its name as configuration writes it.
    pub fn text(&self) -> String {
        let network: core::Network = (*self).convert();
        network.name().into()
    }
}

/// The network with that name (`mainnet` is `bitcoin`) or BOLT 11 currency prefix.
#[uniffi::export]
pub fn parse_network(text: String) -> Result<Network, UnknownNetworkError> {
    text.parse::<core::Network>().map(Convert::convert).map_err(UnknownNetworkError::from)
}

mirrored_enum! {
    /// The authentication scheme that a challenge came with; both mean the same.
    Scheme of core::Scheme {
        /// `L402`.
        L402,
        /// `LSAT`, the scheme's first name.
        Lsat,
    }
}

#[uniffi::export]
impl Scheme {
    /// As a header writes it.
    pub fn text(&self) -> String {
        let scheme: core::Scheme = (*self).convert();
        scheme.as_str().into()
    }
}

/// Reads a scheme's name in any case; none where it is neither.
#[uniffi::export]
pub fn scheme_from_name(name: String) -> Option<Scheme> {
    core::Scheme::from_name(&name).convert()
}

mirrored_enum! {
    /// Why a request was not let through (docs/PROTOCOL.md §3).
    Code of core::Code {
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
}

#[uniffi::export]
impl Code {
    /// The stable text, the `code` member of the answer's body.
    pub fn text(&self) -> String {
        let code: core::Code = (*self).convert();
        code.as_str().into()
    }

    /// The HTTP status that it comes with.
    pub fn status(&self) -> StatusCode {
        let code: core::Code = (*self).convert();
        StatusCode(code.status().into())
    }

    /// The `grpc-status` of the trailers-only answer.
    pub fn grpc_status(&self) -> StatusCode {
        let code: core::Code = (*self).convert();
        StatusCode(code.grpc_status().into())
    }

    /// Whether the answer is a 402 with a fresh challenge.
    pub fn is_challenge(&self) -> bool {
        let code: core::Code = (*self).convert();
        code.is_challenge()
    }
}

/// The code with that text.
#[uniffi::export]
pub fn code_from_name(text: String) -> Option<Code> {
    core::Code::from_name(&text).convert()
}
