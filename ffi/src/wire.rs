//! Challenges, headers, invoices, paths: what stands on the wire, read and written by functions.

use std::sync::Arc;

use plannt_core as core;
use plannt_core::{PaymentHash, base64, caveat, challenge, flow};

use crate::convert::{Convert, mirrored_enum, record};
use crate::{
    Base64Error, Bytes32, ChallengeError, Code, Count, GrammarError, IdentifierError, InvoiceError,
    Macaroon, Msat, Network, PathError, Preimage, PublicKey, Scheme, SecretText, TokenError,
    UnixSeconds,
};

/// The bounds that the protocol sets.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Limits {
    /// Bytes of an identifier.
    pub identifier_len: Count,
    /// Longest `Authorization` header that is read, in bytes over all its lines.
    pub max_authorization_bytes: Count,
    /// The most tokens that one credential carries before the colon.
    pub max_credential_tokens: Count,
    /// The most bytes that a macaroon takes, in whichever encoding.
    pub max_macaroon_bytes: Count,
    /// The most caveats that a macaroon carries.
    pub max_macaroon_caveats: Count,
    /// The most bytes of a minted token, before base64.
    pub max_minted_token_bytes: Count,
    /// Longest token that the L402 layer reads, in bytes before base64.
    pub max_token_bytes: Count,
    /// The most caveats of a token that the L402 layer reads.
    pub max_token_caveats: Count,
    /// The longest token text that is paid for.
    pub max_token_text_bytes: Count,
    /// The least time that an invoice must still be valid for, seconds.
    pub min_invoice_seconds: Count,
    /// How long an entry of the spent set outlives the minted `valid_until`, seconds.
    pub spend_grace_seconds: Count,
}

/// The bounds that the protocol sets.
#[uniffi::export]
pub fn limits() -> Limits {
    let seconds = |number: u64| Count(u32::try_from(number).unwrap_or(u32::MAX));
    Limits {
        identifier_len: core::Identifier::LEN.convert(),
        max_authorization_bytes: core::MAX_AUTHORIZATION_BYTES.convert(),
        max_credential_tokens: core::MAX_CREDENTIAL_TOKENS.convert(),
        max_macaroon_bytes: core::macaroon::MAX_BYTES.convert(),
        max_macaroon_caveats: core::macaroon::MAX_CAVEATS.convert(),
        max_minted_token_bytes: core::MAX_MINTED_TOKEN_BYTES.convert(),
        max_token_bytes: core::MAX_TOKEN_BYTES.convert(),
        max_token_caveats: core::MAX_TOKEN_CAVEATS.convert(),
        max_token_text_bytes: flow::MAX_TOKEN_TEXT_BYTES.convert(),
        min_invoice_seconds: seconds(flow::MIN_INVOICE_SECONDS),
        spend_grace_seconds: seconds(core::SPEND_GRACE_SECONDS),
    }
}

record! {
    /// A macaroon's identifier: version 0, payment hash, token id.
    #[derive(PartialEq, Eq)]
    Identifier both core::Identifier {
        /// Of the invoice that the credential is bought with.
        payment_hash: PaymentHash,
        /// `HMAC(root_key, payment_hash)`, by which a server knows its own key. Opaque to others.
        token_id: Bytes32,
    }
}

#[uniffi::export]
impl Identifier {
    /// Its 66 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let identifier: core::Identifier = self.clone().convert();
        identifier.to_bytes().to_vec()
    }
}

/// Reads version 0 of an identifier; another server's may have any form.
#[uniffi::export]
pub fn parse_identifier(bytes: Vec<u8>) -> Result<Identifier, IdentifierError> {
    Ok(core::Identifier::parse(&bytes)?.convert())
}

/// The macaroon in a token's text.
#[uniffi::export]
pub fn parse_token(token: String) -> Result<Arc<Macaroon>, TokenError> {
    let token: core::Token = token.parse().map_err(TokenError::from)?;
    Ok(Arc::new(Macaroon::of(token.parse_macaroon()?)))
}

/// Adds first-party caveats to a token, as its holder; the result is narrower, never wider. A token of any macaroon format
/// is taken, and stays in its format.
#[uniffi::export]
pub fn attenuate_token(token: String, caveats: Vec<String>) -> Result<String, TokenError> {
    let caveats: Vec<&str> = caveats.iter().map(String::as_str).collect();
    Ok(core::attenuate_token(&token, &caveats)?.into_string())
}

/// The value of the `Authorization` header that presents `token` with its preimage: `L402 <token>:<64 hex>`.
#[uniffi::export]
pub fn authorization_value(token: String, preimage: &Preimage) -> String {
    core::authorization_value(&token, &preimage.0).to_string()
}

/// The same under the scheme that the challenge came with.
#[uniffi::export]
pub fn authorization_value_for(scheme: Scheme, token: String, preimage: &Preimage) -> String {
    core::authorization_value_for(scheme.convert(), &token, &preimage.0).to_string()
}

/// The value of gRPC metadata `macaroon`: the token with the preimage as its last caveat, v2 binary in hex.
#[uniffi::export]
pub fn grpc_metadata_value(token: String, preimage: &Preimage) -> Result<String, TokenError> {
    Ok(core::grpc_metadata_value(&token, &preimage.0)?.to_string())
}

mirrored_enum! {
    /// Which part of the response a challenge was read from.
    ChallengeSource of core::ChallengeSource {
        /// The JSON body.
        Body,
        /// A `WWW-Authenticate` line.
        Header,
    }
}

record! {
    /// A complete challenge: a token, and the invoice whose preimage makes it a credential.
    Challenge from core::Challenge {
        /// The scheme to answer with.
        scheme: Scheme,
        /// The token's exact text, to be echoed as it is.
        token: SecretText,
        /// The BOLT 11 invoice's text, not parsed yet.
        invoice: String,
        /// Where it was found.
        source: ChallengeSource,
    }
}

/// Reads a 402's challenge: the first complete one of its `WWW-Authenticate` lines, else the JSON body's (docs/PROTOCOL.md
/// §5, step 2). None when there is none; an error for one that says two things at once.
#[uniffi::export]
pub fn read_challenge(
    www_authenticate: Vec<Vec<u8>>,
    body: Option<Vec<u8>>,
) -> Result<Option<Challenge>, ChallengeError> {
    let lines = www_authenticate.iter().map(Vec::as_slice);
    Ok(core::read_challenge(lines, body.as_deref())?.convert())
}

/// One challenge of a `WWW-Authenticate` line, with any scheme.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AuthChallenge {
    /// The scheme's name as written; compare it without regard to case.
    pub scheme: String,
    /// What follows the scheme.
    pub data: AuthData,
}

/// What follows a scheme.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AuthData {
    /// Parameters in the order of the wire, possibly none.
    Params {
        /// The parameters.
        params: Vec<AuthParam>,
    },
    /// One opaque text.
    Token68 {
        /// The text.
        token68: String,
    },
}

/// One `name=value`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AuthParam {
    /// The name as written; compare it without regard to case.
    pub name: String,
    /// The value with quotes and escapes undone.
    pub value: Vec<u8>,
}

/// Reads a whole `WWW-Authenticate` line, of whatever schemes (RFC 9110 §11.6.1).
#[uniffi::export]
pub fn parse_challenges(line: Vec<u8>) -> Result<Vec<AuthChallenge>, GrammarError> {
    let owned = |read: challenge::AuthChallenge<'_>| AuthChallenge {
        scheme: read.scheme.into(),
        data: match read.data {
            challenge::AuthData::Params(params) => {
                let param = |param: challenge::AuthParam<'_>| AuthParam {
                    name: param.name.into(),
                    value: param.value.into_owned(),
                };
                AuthData::Params { params: params.into_iter().map(param).collect() }
            }
            challenge::AuthData::Token68(text) => AuthData::Token68 { token68: text.into() },
        },
    };
    Ok(core::parse_challenges(&line)?.into_iter().map(owned).collect())
}

/// The value of the `WWW-Authenticate` line that offers `token` for `invoice`, to the byte.
#[uniffi::export]
pub fn challenge_header(token: String, invoice: String) -> String {
    core::challenge_header(&token, &invoice)
}

/// The members of a challenge's JSON body (docs/PROTOCOL.md §3).
#[derive(Clone, Debug, uniffi::Record)]
pub struct ChallengeBody {
    /// The token's wire text.
    pub token: String,
    /// The BOLT 11 invoice.
    pub invoice: String,
    /// The invoice's payment hash.
    pub payment_hash: PaymentHash,
    /// The invoice's amount in msat.
    pub price_msat: Msat,
    /// When the invoice expires, as RFC 3339 text.
    pub expires_at: String,
    /// The service's name.
    pub service: String,
    /// Why the request was challenged.
    pub code: Code,
    /// More about the reason; left out when there is nothing to say.
    #[uniffi(default = None)]
    pub detail: Option<String>,
}

#[uniffi::export]
impl ChallengeBody {
    /// The body's text: one JSON object, its first three members in the order that deployed clients rely on.
    pub fn to_json(&self) -> String {
        let body = core::ChallengeBody {
            token: &self.token,
            invoice: &self.invoice,
            payment_hash: self.payment_hash,
            price_msat: self.price_msat.0,
            expires_at: &self.expires_at,
            service: &self.service,
            code: self.code.convert(),
            detail: self.detail.as_deref(),
        };
        body.to_json()
    }
}

/// The body of an answer that is no challenge: `error`, then `code`, then `detail` where there is one.
#[uniffi::export(default(detail = None))]
pub fn error_body(code: Code, detail: Option<String>) -> String {
    core::error_body(code.convert(), detail.as_deref())
}

record! {
    /// An invoice's facts, from its own signed text.
    #[derive(PartialEq, Eq)]
    InvoiceFacts from core::InvoiceFacts {
        /// The payment hash.
        payment_hash: PaymentHash,
        /// The amount in msat; none when the payer chooses it.
        amount_msat: Option<Msat>,
        /// The network that its prefix names.
        network: Network,
        /// When it was made, unix seconds.
        issued_at: UnixSeconds,
        /// When it expires, unix seconds.
        expires_at: UnixSeconds,
        /// The node that is paid: given in the invoice or recovered from its signature.
        payee: Option<PublicKey>,
        /// Its description, with control characters replaced; none where only a hash is given.
        description: Option<String>,
    }
}

/// Parses a BOLT 11 invoice, and checks its checksum, its fields, its amount and its signature. It does not ask for an
/// amount, nor whether it has expired.
#[uniffi::export]
pub fn read_invoice(bolt11: String) -> Result<InvoiceFacts, InvoiceError> {
    Ok(core::read_invoice(&bolt11)?.convert())
}

/// What a route takes in a path besides the plain form; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct PathRules {
    /// `\` and `%5C`; the first is written as the second.
    #[uniffi(default = false)]
    pub backslash: bool,
    /// `%00` to `%1F` and `%7F`. Raw control bytes are never taken.
    #[uniffi(default = false)]
    pub control: bool,
    /// Empty inner segments: `//`.
    #[uniffi(default = false)]
    pub empty_segments: bool,
    /// `%2F`.
    #[uniffi(default = false)]
    pub encoded_slash: bool,
    /// `;`.
    #[uniffi(default = false)]
    pub semicolon: bool,
}

/// Writes a target's path (without its query) in the one form that routing, price and caveat share (docs/PROTOCOL.md §2).
#[uniffi::export(default(rules = None))]
pub fn normalize_path(path: String, rules: Option<PathRules>) -> Result<String, PathError> {
    let rules = rules.unwrap_or_default();
    let mut read = core::PathRules::default();
    read.backslash = rules.backslash;
    read.control = rules.control;
    read.empty_segments = rules.empty_segments;
    read.encoded_slash = rules.encoded_slash;
    read.semicolon = rules.semicolon;
    Ok(core::normalize_path(&path, &read)?.into_owned())
}

/// What follows a target's first `?`; empty when there is none.
#[uniffi::export]
pub fn query_of(target: String) -> String {
    core::query_of(&target).into()
}

/// SHA-256 of a query's bytes.
#[uniffi::export]
pub fn query_digest(query: Vec<u8>) -> Bytes32 {
    Bytes32(core::query_digest(&query))
}

/// SHA-256 of a body after transfer decoding.
#[uniffi::export]
pub fn content_digest(body: Vec<u8>) -> Bytes32 {
    Bytes32(core::content_digest(&body))
}

/// A digest as RFC 9530 writes it: `sha-256=:…:`.
#[uniffi::export]
pub fn content_digest_text(digest: Bytes32) -> String {
    core::content_digest_text(&digest.0)
}

/// Reads `sha-256=:…:`; none for anything else.
#[uniffi::export]
pub fn parse_content_digest(text: String) -> Option<Bytes32> {
    core::parse_content_digest(&text).convert()
}

/// A caveat's condition and value.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SplitCaveat {
    /// What stands before the first `=`.
    pub condition: String,
    /// What stands after it.
    pub value: String,
}

/// Reads a first-party caveat as condition and value: split at the first `=`, spaces around each trimmed. None for what is
/// not UTF-8 or has no `=`.
#[uniffi::export]
pub fn caveat_split(caveat: Vec<u8>) -> Option<SplitCaveat> {
    let (condition, value) = caveat::split(&caveat)?;
    Some(SplitCaveat { condition: condition.into(), value: value.into() })
}

/// Whether a `path` caveat's value allows a normalized path; only a final `*` is special.
#[uniffi::export]
pub fn caveat_path_matches(pattern: String, path: String) -> bool {
    caveat::path_matches(&pattern, &path)
}

/// Decodes base64: standard or url-safe, padded or not, one alphabet, zero spare bits.
#[uniffi::export]
pub fn base64_decode(text: String) -> Result<Vec<u8>, Base64Error> {
    Ok(base64::decode(&text)?)
}

/// Encodes in the standard alphabet, with padding.
#[uniffi::export]
pub fn base64_encode(bytes: Vec<u8>) -> String {
    base64::encode(&bytes)
}

/// The most bytes that so many characters of base64 can stand for.
#[uniffi::export]
pub fn base64_decoded_len(characters: Count) -> Count {
    base64::decoded_len(characters.0 as usize).convert()
}
