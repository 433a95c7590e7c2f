//! The request that `caveats` and `verify` hold a credential against, and what both answer.

use plannt_core::{
    Credential, Keyring, Network, PathError, PathRules, RequestContext, RootKey, Verified,
    VerifyError, content_digest, normalize_path, query_digest, query_of,
};
use serde_json::{Value, json};

use super::Answer;
use super::input::{list, number, optional_text, text, unhex};

/// Verifies a credential for the `request` of a case.
///
/// # Errors
/// [`PathError`], when its path can't be taken.
pub(super) fn verify(
    keyring: &Keyring,
    credential: &Credential<'_>,
    request: &Value,
) -> Result<Result<Verified, VerifyError>, PathError> {
    let target = text(request, "target");
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let path = normalize_path(path, &PathRules::default())?;
    let flag = |member: &str| request[member].as_bool().expect("a boolean, as the schema has it");
    Ok(keyring.verify(
        credential,
        &RequestContext {
            now: number(request, "now"),
            service: text(request, "service"),
            tier: u8::try_from(number(request, "tier")).expect("a tier"),
            method: text(request, "method"),
            path: &path,
            query: query_digest(query_of(target).as_bytes()),
            requires_query: flag("binds_query"),
            digest: optional_text(request, "body").map(|body| content_digest(&unhex(body))),
            requires_digest: flag("binds_body"),
            lowest_price_msat: number(request, "lowest_price_msat"),
            capability: optional_text(request, "capability"),
            strict: flag("strict"),
        },
    ))
}

/// The keyring of a case: the minting key, then older ones.
pub(super) fn keyring(input: &Value) -> Keyring {
    let network: Network = text(input, "network").parse().expect("a network's name");
    let mut keys = list(input, "root_keys")
        .iter()
        .map(|key| RootKey::from_hex(key.as_str().expect("text")).expect("a root key in hex"));
    let ring = Keyring::new(network, keys.next().expect("a minting key"));
    keys.fold(ring, Keyring::with_verifying)
}

/// What is granted, as both suites' outputs have it.
pub(super) fn granted(verified: &Verified) -> Value {
    json!({
        "uses": verified.uses,
        "valid_until": verified.valid_until,
        "keep_until": verified.keep_until,
    })
}

/// The answer to a credential, and what is granted when it holds.
pub(super) fn answer(
    verified: Result<Result<Verified, VerifyError>, PathError>,
    output: impl FnOnce(&Verified) -> Value,
) -> Answer {
    match verified {
        Ok(Ok(verified)) => Answer::Output(output(&verified)),
        Ok(Err(error)) => Answer::error(error.code()),
        Err(error) => Answer::error(error.code()),
    }
}
