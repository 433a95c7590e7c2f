//! What a client can read in a token. It never has to: an unreadable token is echoed all the same.

use alloc::string::String;
use alloc::vec::Vec;

use super::{BodyFacts, RequestFacts};
use crate::{
    Identifier, PathRules, PaymentHash, Token, normalize_path, parse_content_digest, query_digest,
};

/// Whether a kept credential's readable caveats allow a request at `now`, unix seconds (docs/PROTOCOL.md §5.6). What
/// can't be read is no reason to leave it out: the server decides.
pub fn token_fits(token: &str, request: &RequestFacts, now: u64) -> bool {
    let Some(caveats) = read_caveats(token) else { return true };
    caveats.iter().all(|caveat| caveat.allows(request, now))
}

/// Until when a token's caveats let it be used, unix seconds; none where they don't tell.
pub fn token_valid_until(token: &str) -> Option<u64> {
    earliest(&read_caveats(token)?)
}

/// A token with the 66-byte identifier, as far as a payer has to check it.
pub(super) struct TokenFacts {
    /// The payment hash in the identifier.
    pub(super) payment_hash: PaymentHash,
    caveats: Vec<Scoped>,
}

impl TokenFacts {
    /// Reads a token; none where it is no macaroon or has another identifier.
    pub(super) fn read(token: &str) -> Option<Self> {
        let macaroon = token.parse::<Token>().ok()?.parse_macaroon().ok()?;
        let payment_hash = Identifier::parse(macaroon.identifier()).ok()?.payment_hash;
        Some(Self { payment_hash, caveats: read_caveats(token)? })
    }

    /// The earliest `valid_until`.
    pub(super) fn valid_until(&self) -> Option<u64> {
        earliest(&self.caveats)
    }
}

fn earliest(caveats: &[Scoped]) -> Option<u64> {
    let times = caveats.iter().filter(|c| c.condition == Condition::ValidUntil);
    times.filter_map(|c| c.value.parse().ok()).min()
}

/// A caveat of one of the token's own services.
struct Scoped {
    condition: Condition,
    value: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Digest,
    Method,
    Path,
    Query,
    ValidUntil,
}

impl Scoped {
    fn allows(&self, request: &RequestFacts, now: u64) -> bool {
        let value = self.value.as_str();
        match self.condition {
            Condition::Digest => match (parse_content_digest(value), request.body) {
                (Some(wanted), BodyFacts::Replayable { sha256 }) => wanted == sha256,
                (Some(_), BodyFacts::Once) => false,
                (None, _) => true,
            },
            Condition::Method => value == request.method,
            Condition::Path => {
                let normalized = normalize_path(request.path(), &PathRules::default());
                let path = normalized.as_deref().unwrap_or(request.path());
                match value.strip_suffix('*') {
                    Some(prefix) => path.starts_with(prefix),
                    None => path == value,
                }
            }
            Condition::Query => {
                let digest = query_digest(request.query().as_bytes());
                super::receipt::hex_of(&digest).eq_ignore_ascii_case(value)
            }
            Condition::ValidUntil => value.parse::<u64>().map_or(true, |until| now < until),
        }
    }
}

/// The caveats whose condition begins with one of the services that the token names, and that a client understands.
fn read_caveats(token: &str) -> Option<Vec<Scoped>> {
    let macaroon = token.parse::<Token>().ok()?.parse_macaroon().ok()?;
    let pairs: Vec<(&str, &str)> = macaroon
        .caveats()
        .filter(|caveat| !caveat.is_third_party())
        .filter_map(|caveat| core::str::from_utf8(caveat.id).ok()?.split_once('='))
        .map(|(condition, value)| (condition.trim_matches(' '), value.trim_matches(' ')))
        .collect();
    let services: Vec<&str> = pairs
        .iter()
        .filter(|(condition, _)| *condition == "services")
        .flat_map(|(_, value)| value.split(','))
        .filter_map(|pair| Some(pair.split_once(':')?.0.trim_matches(' ')))
        .collect();
    let scoped = pairs.iter().filter_map(|(condition, value)| {
        let (service, name) = services
            .iter()
            .find_map(|s| Some((s, condition.strip_prefix(s)?.strip_prefix('_')?)))?;
        let condition = match name {
            "digest" => Condition::Digest,
            "method" => Condition::Method,
            "path" => Condition::Path,
            "query" => Condition::Query,
            "valid_until" => Condition::ValidUntil,
            _ => return None,
        };
        let _ = service;
        Some(Scoped { condition, value: (*value).into() })
    });
    Some(scoped.collect())
}
