//! What is wrong with a macaroon's encoding.

use core::fmt;

/// A part of a macaroon, named in errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// A caveat's identifier.
    CaveatId,
    /// A third-party caveat's location.
    CaveatLocation,
    /// The macaroon's identifier.
    Identifier,
    /// The macaroon's location.
    Location,
    /// The signature.
    Signature,
    /// A third-party caveat's verification id.
    VerificationId,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CaveatId => "caveat",
            Self::CaveatLocation => "caveat location",
            Self::Identifier => "identifier",
            Self::Location => "location",
            Self::Signature => "signature",
            Self::VerificationId => "verification id",
        })
    }
}

/// Why bytes are not a macaroon, or why a macaroon cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MacaroonError {
    /// A part of the JSON form is not base64, though its name says so.
    #[error("{0} is not base64")]
    Base64(Part),
    /// A part of the JSON form is given both as text and as base64.
    #[error("{0} is given twice")]
    Duplicate(Part),
    /// A part is there, but not where the format has it, or one that is due is missing.
    #[error("{0} expected, and something else found")]
    Expected(Part),
    /// A field is longer than 65,535 bytes.
    #[error("{0} is too long")]
    FieldTooLong(Part),
    /// Neither v1, v2 binary nor JSON begins so.
    #[error("not a macaroon of a known format")]
    Format,
    /// Not the JSON of a macaroon: bad syntax, or a name that is unknown or given twice.
    #[error("not the JSON of a macaroon")]
    Json,
    /// A caveat without verification id has a location.
    #[error("location on a first-party caveat")]
    LocationOnFirstParty,
    /// A v1 packet's length or its final newline is wrong.
    #[error("bad v1 packet")]
    Packet,
    /// A section's end is due, and something else is there.
    #[error("end of section expected")]
    SectionEnd,
    /// The signature is not 32 bytes.
    #[error("signature is not 32 bytes")]
    SignatureLength,
    /// More than [`super::MAX_BYTES`].
    #[error("macaroon longer than {} bytes", super::MAX_BYTES)]
    TooLong,
    /// More than [`super::MAX_CAVEATS`].
    #[error("more than {} caveats", super::MAX_CAVEATS)]
    TooManyCaveats,
    /// Bytes after the signature.
    #[error("bytes after the signature")]
    TrailingBytes,
    /// The bytes end inside a field.
    #[error("macaroon cut short")]
    Truncated,
    /// A location is not UTF-8.
    #[error("{0} is not utf-8")]
    Utf8(Part),
    /// A number is not the shortest varint of at most five bytes.
    #[error("bad varint")]
    Varint,
    /// A verification id is not 72 bytes.
    #[error("verification id is not 72 bytes")]
    VerificationIdLength,
    /// The JSON form says a version other than 2.
    #[error("unknown macaroon version")]
    Version,
}

impl MacaroonError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Base64(_) => "macaroon_base64",
            Self::Duplicate(_) => "macaroon_duplicate",
            Self::Expected(_) => "macaroon_expected",
            Self::FieldTooLong(_) => "macaroon_field_too_long",
            Self::Format => "macaroon_format",
            Self::Json => "macaroon_json",
            Self::LocationOnFirstParty => "macaroon_location_on_first_party",
            Self::Packet => "macaroon_packet",
            Self::SectionEnd => "macaroon_section_end",
            Self::SignatureLength => "macaroon_signature_length",
            Self::TooLong => "macaroon_too_long",
            Self::TooManyCaveats => "macaroon_too_many_caveats",
            Self::TrailingBytes => "macaroon_trailing_bytes",
            Self::Truncated => "macaroon_truncated",
            Self::Utf8(_) => "macaroon_utf8",
            Self::Varint => "macaroon_varint",
            Self::VerificationIdLength => "macaroon_verification_id_length",
            Self::Version => "macaroon_version",
        }
    }
}
