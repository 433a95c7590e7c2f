//! What a text of the protocol is, for people and for tools.

use plannt_core::decode as core;

use crate::convert::{Convert, record};
use crate::{Count, DecodeError, ErrorText, Msat, UnixSeconds};

/// What a text is. Nothing in it is verified against a key, and no preimage is ever repeated.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum Decoded {
    /// A 402's challenge: header lines or the JSON body.
    Challenge {
        /// Its content.
        challenge: DecodedChallenge,
    },
    /// An `Authorization` value.
    Credential {
        /// Its content.
        credential: DecodedCredential,
    },
    /// A BOLT 11 invoice, signed right.
    Invoice {
        /// Its content.
        invoice: DecodedInvoice,
    },
    /// A token on its own.
    Token {
        /// Its content.
        token: DecodedToken,
    },
}

record! {
    /// A challenge's content.
    DecodedChallenge from core::DecodedChallenge {
        /// `L402` or `LSAT`.
        scheme: String,
        /// `header` or `body`.
        source: String,
        /// Its token; other servers' may be anything.
        token: TokenReading,
        /// Its invoice.
        invoice: InvoiceReading,
        /// Whether token and invoice have the same payment hash; none where one of them has none.
        payment_hash_matches: Option<bool>,
    }
}

record! {
    /// A credential's content, without its preimage.
    DecodedCredential from core::DecodedCredential {
        /// Its tokens.
        tokens: Vec<TokenReading>,
        /// Whether SHA-256 of the preimage is the payment hash of every token; none where a token has none.
        preimage_matches: Option<bool>,
    }
}

record! {
    /// An invoice's content.
    DecodedInvoice from core::DecodedInvoice {
        /// Hex.
        payment_hash: String,
        /// The amount in msat; none when the payer chooses it.
        amount_msat: Option<Msat>,
        /// The network's name.
        network: String,
        /// Unix seconds.
        issued_at: UnixSeconds,
        /// Unix seconds.
        expires_at: UnixSeconds,
        /// The payee's public key, hex.
        payee: Option<String>,
        /// The description, control characters replaced.
        description: Option<String>,
    }
}

record! {
    /// A token's content.
    DecodedToken from core::DecodedToken {
        /// `v1`, `v2` or `v2_json`.
        format: String,
        /// Bytes before base64 or hex.
        bytes: Count,
        /// Where it says that it is for; never authenticated.
        location: Option<String>,
        /// The identifier, hex.
        identifier: String,
        /// The payment hash, hex, where the identifier is L402's.
        payment_hash: Option<String>,
        /// The token id, hex, where the identifier is L402's.
        token_id: Option<String>,
        /// The caveats in order.
        caveats: Vec<DecodedCaveat>,
        /// The signature, hex. Without the root key nobody can tell whether it is right.
        signature: String,
    }
}

record! {
    /// A caveat's content.
    DecodedCaveat from core::DecodedCaveat {
        /// What stands before the first `=`.
        condition: Option<String>,
        /// What stands after it; `[redacted]` for a preimage.
        value: Option<String>,
        /// The caveat's bytes in hex, where they are no `condition=value` or can't be printed.
        hex: Option<String>,
        /// Whether a third party has to discharge it.
        third_party: bool,
        /// Where that third party is; never authenticated.
        location: Option<String>,
    }
}

/// A token that may be unreadable while what it is in is not.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum TokenReading {
    /// What is wrong with it.
    Unreadable {
        /// The error's code and message.
        error: ErrorText,
    },
    /// What is in it.
    Value {
        /// Its content.
        value: DecodedToken,
    },
}

/// An invoice that may be unreadable while what it is in is not.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum InvoiceReading {
    /// What is wrong with it.
    Unreadable {
        /// The error's code and message.
        error: ErrorText,
    },
    /// What is in it.
    Value {
        /// Its content.
        value: DecodedInvoice,
    },
}

impl Convert<TokenReading> for core::Reading<core::DecodedToken> {
    fn convert(self) -> TokenReading {
        match self {
            Self::Unreadable { error, message } => {
                TokenReading::Unreadable { error: ErrorText::new(error, message) }
            }
            Self::Value(value) => TokenReading::Value { value: value.convert() },
        }
    }
}

impl Convert<InvoiceReading> for core::Reading<core::DecodedInvoice> {
    fn convert(self) -> InvoiceReading {
        match self {
            Self::Unreadable { error, message } => {
                InvoiceReading::Unreadable { error: ErrorText::new(error, message) }
            }
            Self::Value(value) => InvoiceReading::Value { value: value.convert() },
        }
    }
}

/// Says what a text of the protocol is and what is in it: a `WWW-Authenticate` or `Authorization` value with or without the
/// header's name, a challenge's JSON body, a token in any macaroon format as base64, hex or JSON, or an invoice. The error
/// repeats nothing of the text.
#[uniffi::export]
pub fn decode_any(text: String) -> Result<Decoded, DecodeError> {
    Ok(match core::decode_any(&text)? {
        core::Decoded::Challenge(of) => Decoded::Challenge { challenge: of.convert() },
        core::Decoded::Credential(of) => Decoded::Credential { credential: of.convert() },
        core::Decoded::Invoice(of) => Decoded::Invoice { invoice: of.convert() },
        core::Decoded::Token(of) => Decoded::Token { token: of.convert() },
        _ => unreachable!("every variant is listed"),
    })
}
