//! The errors of the Rust crates as enums of each language. Every variant carries the code and the message that Rust has,
//! which `error_code` and `error_message` give; a field beside them is what a program may want to act on.

use plannt_core as core;
use plannt_core::base64 as core_base64;
use plannt_core::{challenge, decode, flow, macaroon};

use crate::convert::Convert;

/// What any error says.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ErrorText {
    /// The stable snake_case name that Rust, HTTP bodies and the test vectors have.
    pub code: String,
    /// What went wrong, without secrets.
    pub message: String,
}

impl ErrorText {
    pub(crate) fn new(code: &str, message: impl ToString) -> Self {
        Self { code: code.into(), message: message.to_string() }
    }
}

/// An error enum of a Rust crate. A variant's fields are those of Rust that are named here, converted; `= 0` is a field that
/// has only a number there.
macro_rules! error_enum {
    ($(#[$doc:meta])* $name:ident of $source:ty, $code:expr, {
        $($(#[$variant_doc:meta])* $variant:ident $({ $($(#[$field_doc:meta])* $field:ident: $kind:ty $(= $index:tt)?),+ $(,)? })?),+ $(,)?
    }) => {
        $crate::error::error_enum! {
            @enum $(#[$doc])* $name {
                $($(#[$variant_doc])* $variant $({ $($(#[$field_doc])* $field: $kind),+ })?),+
            }
        }

        impl From<$source> for $name {
            fn from(error: $source) -> Self {
                type Source = $source;
                let code: fn(&$source) -> &str = $code;
                let text = $crate::error::ErrorText::new(code(&error), &error);
                #[allow(unreachable_patterns, reason = "the core may add variants")]
                match error {
                    $(Source::$variant { $($($($index:)? $field,)+)? .. } => Self::$variant {
                        $($($field: $crate::convert::Convert::convert($field),)+)? text
                    },)+
                    _ => unreachable!("every variant is listed"),
                }
            }
        }

        impl $crate::convert::Convert<$name> for $source {
            fn convert(self) -> $name {
                self.into()
            }
        }
    };
    (@enum $(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident $({ $($(#[$field_doc:meta])* $field:ident: $kind:ty),+ $(,)? })?),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, uniffi::Error)]
        pub enum $name {
            $($(#[$variant_doc])* $variant {
                $($($(#[$field_doc])* $field: $kind,)+)?
                /// Its code and message.
                text: $crate::error::ErrorText,
            }),+
        }

        impl $name {
            /// Its code and message.
            pub fn text(&self) -> &$crate::error::ErrorText {
                match self {
                    $(Self::$variant { text, .. })|+ => text,
                }
            }
        }

        #[uniffi::export]
        impl $name {
            /// The stable snake_case name that Rust, HTTP bodies and the test vectors have.
            pub fn error_code(&self) -> String {
                self.text().code.clone()
            }

            /// What went wrong, without secrets.
            pub fn error_message(&self) -> String {
                self.text().message.clone()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.text().message)
            }
        }

        impl std::error::Error for $name {}
    };
}
pub(crate) use error_enum;

error_enum! {
    @enum
    /// Bytes have another length than is wanted.
    LengthError {
        /// It is so many bytes, and others are wanted.
        WrongLength {
            /// Bytes wanted.
            expected: crate::Count,
            /// Bytes given.
            actual: crate::Count,
        },
    }
}

impl LengthError {
    pub(crate) fn of(expected: u32, actual: usize) -> Self {
        let message = format!("{expected} bytes are wanted, not {actual}");
        let text = ErrorText::new("wrong_length", message);
        Self::WrongLength { expected: crate::Count(expected), actual: actual.convert(), text }
    }
}

error_enum! {
    /// Why a text is not the hex that is wanted.
    HexError of core::HexError, core::HexError::code, {
        /// A character is not a hex digit. The text is not repeated: it may be a secret.
        Digit,
        /// The text is not twice as many characters as bytes are due.
        Length,
    }
}

error_enum! {
    @enum
    /// A network's name is none of the known ones.
    UnknownNetworkError {
        /// It is none of them.
        UnknownNetwork,
    }
}

impl From<core::UnknownNetworkError> for UnknownNetworkError {
    fn from(error: core::UnknownNetworkError) -> Self {
        Self::UnknownNetwork { text: ErrorText::new("unknown_network", error) }
    }
}

error_enum! {
    @enum
    /// A text names no state of an intent or a credential.
    UnknownStateError {
        /// It names none of them.
        UnknownState,
    }
}

impl From<flow::UnknownStateError> for UnknownStateError {
    fn from(error: flow::UnknownStateError) -> Self {
        Self::UnknownState { text: ErrorText::new("unknown_state", error) }
    }
}

error_enum! {
    @enum
    /// The driver answered with an event that the step does not expect; the flow is as it was.
    UnexpectedEventError {
        /// It does not answer the step.
        UnexpectedEvent,
    }
}

impl From<flow::UnexpectedEventError> for UnexpectedEventError {
    fn from(error: flow::UnexpectedEventError) -> Self {
        Self::UnexpectedEvent { text: ErrorText::new("unexpected_event", error) }
    }
}

error_enum! {
    /// Why a text is not base64.
    Base64Error of core_base64::Base64Error, core_base64::Base64Error::code, {
        /// A character outside the alphabet, or the text mixes both alphabets.
        Alphabet,
        /// The text has a length that no bytes have, or bits set that stand for no byte.
        Length,
        /// Padding that is neither exact nor absent.
        Padding,
        /// The bytes do not fit the room that they have.
        TooLong,
    }
}

error_enum! {
    /// Why bytes are not a macaroon, or why a macaroon cannot be written. Its message names the part that is wrong.
    MacaroonError of macaroon::MacaroonError, macaroon::MacaroonError::code, {
        /// A part of the JSON form is not base64, though its name says so.
        Base64,
        /// A part of the JSON form is given both as text and as base64.
        Duplicate,
        /// A part is there, but not where the format has it, or one that is due is missing.
        Expected,
        /// A field is longer than 65,535 bytes.
        FieldTooLong,
        /// Neither v1, v2 binary nor JSON begins so.
        Format,
        /// Not the JSON of a macaroon: bad syntax, or a name that is unknown or given twice.
        Json,
        /// A caveat without verification id has a location.
        LocationOnFirstParty,
        /// A v1 packet's length or its final newline is wrong.
        Packet,
        /// A section's end is due, and something else is there.
        SectionEnd,
        /// The signature is not 32 bytes.
        SignatureLength,
        /// More bytes than a macaroon has.
        TooLong,
        /// More caveats than a macaroon has.
        TooManyCaveats,
        /// Bytes after the signature.
        TrailingBytes,
        /// The bytes end inside a field.
        Truncated,
        /// A location is not UTF-8.
        Utf8,
        /// A number is not the shortest varint of at most five bytes.
        Varint,
        /// A verification id is not 72 bytes.
        VerificationIdLength,
        /// The JSON form says a version other than 2.
        Version,
    }
}

error_enum! {
    /// Why a macaroon does not hold with the discharges that came with it.
    DischargeError of macaroon::DischargeError, macaroon::DischargeError::code, {
        /// A first-party caveat, of the macaroon or of a discharge, is not satisfied.
        Caveat,
        /// Two discharges have one identifier, so that a caveat could mean either.
        Duplicate,
        /// A third-party caveat has no discharge.
        Missing,
        /// Two caveats ask for one discharge; a discharge that asks for itself does so, too.
        Reused,
        /// A signature, of the macaroon or of a discharge bound to it, is not right.
        Signature,
        /// No caveat asks for one of the discharges.
        Unused,
        /// A verification id is not sealed under its macaroon's signature.
        VerificationId,
    }
}

error_enum! {
    /// Why bytes are not L402's identifier.
    IdentifierError of core::IdentifierError, core::IdentifierError::code, {
        /// Another length than 66 bytes.
        Length,
        /// Another version than 0.
        Version,
    }
}

error_enum! {
    /// Why a token cannot be read, or not be attenuated.
    TokenError of core::TokenError, core::TokenError::code, {
        /// Not base64.
        Base64,
        /// Not a macaroon.
        Macaroon,
        /// More bytes before base64 than a server reads.
        TooLong,
        /// More caveats than a server reads.
        TooManyCaveats,
    }
}

error_enum! {
    /// Why a credential can't be read. The message never repeats a byte of it.
    CredentialError of core::CredentialError, core::CredentialError::code, {
        /// A token of the list has no characters: `,,`, or nothing before the colon.
        EmptyToken,
        /// The header's lines are more than 16 KiB together; none was parsed.
        HeaderTooLarge,
        /// What follows the colon is not 64 hex digits.
        InvalidPreimage,
        /// A token's text is not base64 (or, in gRPC metadata, not hex).
        InvalidToken,
        /// A token is base64 of something else than a v2 macaroon.
        Macaroon,
        /// Nothing but the scheme is there.
        MissingCredential,
        /// There is no colon and so no preimage.
        MissingPreimage,
        /// A token has more than 8,192 bytes.
        TokenTooLarge,
        /// A token has more than 64 caveats.
        TooManyCaveats,
        /// There are more than 16 tokens.
        TooManyTokens,
    }
}

error_enum! {
    /// Why a credential was refused.
    VerifyError of core::VerifyError, core::VerifyError::code, {
        /// All holds but the time.
        Expired,
        /// Forged, tampered with, under an unknown key, with a wrong preimage, or with a third-party caveat. It does not
        /// say which.
        Invalid,
        /// It cannot be read.
        Malformed,
        /// It is for something else, or a later caveat widens an earlier one.
        OutOfScope {
            /// The condition that fails, as the caveat writes it.
            condition: String,
        },
    }
}

error_enum! {
    @enum
    /// Why a token was not minted.
    MintError {
        /// A capability is empty, or has a comma, a space or a byte outside printable ASCII; or there are more than 64.
        InvalidCapability,
        /// The method is not an HTTP method in upper case.
        InvalidMethod,
        /// The path does not begin with `/`, or holds what a normalized path does not.
        InvalidPath,
        /// The service's name is not `[a-z0-9-]+`.
        InvalidService,
        /// No uses at all.
        InvalidUses,
        /// The token's text holds `LSAT`, which one deployed client cuts out: take another invoice.
        TokenTextCollision,
        /// More than 1,024 bytes before base64.
        TooLong,
    }
}

impl MintError {
    /// Rust's number of uses is never 0; other languages' may be.
    pub(crate) fn uses() -> Self {
        Self::InvalidUses { text: ErrorText::new("invalid_uses", "uses is at least 1") }
    }
}

impl From<core::MintError> for MintError {
    fn from(error: core::MintError) -> Self {
        use core::MintError as Source;
        let text = ErrorText::new(error.code(), error);
        match error {
            Source::InvalidCapability => Self::InvalidCapability { text },
            Source::InvalidMethod => Self::InvalidMethod { text },
            Source::InvalidPath => Self::InvalidPath { text },
            Source::InvalidService => Self::InvalidService { text },
            Source::TokenTextCollision => Self::TokenTextCollision { text },
            Source::TooLong => Self::TooLong { text },
            _ => unreachable!("every variant is listed"),
        }
    }
}

error_enum! {
    /// Why a challenge is refused although it is there.
    ChallengeError of core::ChallengeError, core::ChallengeError::code, {
        /// A parameter, or a member of the body, occurs twice: which one counts is anyone's guess.
        RepeatedParameter,
        /// Two parameters or members give different tokens.
        TokenMismatch,
    }
}

error_enum! {
    /// Where a line stops being a list of challenges.
    GrammarError of challenge::GrammarError, challenge::GrammarError::code, {
        /// The line is longer than is read.
        LineTooLong,
        /// A byte that the grammar does not allow there, or the end where it wants more.
        Syntax,
        /// One challenge has more parameters than are read.
        TooManyParameters,
    }
}

error_enum! {
    /// Why an invoice is refused.
    InvoiceError of core::InvoiceError, core::InvoiceError::code, {
        /// The amount is more than 64 bits of millisatoshi count.
        AmountOutOfRange,
        /// Not BOLT 11, or a field that it must have is missing or doubled.
        Malformed,
        /// The amount has a part of a millisatoshi.
        SubMsat,
        /// It requires features that are not known here.
        UnknownFeatures,
        /// It is for a network that is not known here.
        UnknownNetwork,
        /// The signature is wrong, or the text is not written the one way that it can be checked for.
        WrongSignature,
    }
}

error_enum! {
    /// Why a text can't be decoded.
    DecodeError of decode::DecodeError, decode::DecodeError::code, {
        /// A challenge that says two things at once.
        Challenge,
        /// A malformed credential.
        Credential,
        /// A challenge without a token or without an invoice.
        IncompleteChallenge,
        /// A bad invoice.
        Invoice,
        /// Longer than is looked at.
        TooLong,
        /// None of what is known here.
        Unrecognized,
    }
}

error_enum! {
    /// Why a path can't be taken.
    PathError of core::PathError, core::PathError::code, {
        /// `\` or `%5C`.
        Backslash,
        /// A control byte, raw or escaped.
        Control,
        /// A segment that is `.` or `..` once its escapes are decoded.
        DotSegment,
        /// An empty segment that is not the last.
        EmptySegment,
        /// `%2F`.
        EncodedSlash,
        /// A byte that a path can't hold unescaped (RFC 3986 §3.3).
        IllegalByte,
        /// `%` without two hex digits.
        MalformedEscape,
        /// The path does not begin with `/`.
        NotAbsolute,
        /// `;`.
        Semicolon,
    }
}

error_enum! {
    /// Why a text is no origin that can be paid.
    OriginError of flow::OriginError, flow::OriginError::code, {
        /// No host, or characters that no host has.
        Host,
        /// The port is not a number up to 65535.
        Port,
        /// Neither http nor https.
        Scheme,
    }
}
