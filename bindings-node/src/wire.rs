//! Challenges, headers, invoices, paths, limits: what is read and written by functions.

use napi::Result;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;
use plannt_core::challenge::AuthData;
use plannt_core::flow::{CredentialState, IntentState, Origin};
use plannt_core::{
    self as core, ChallengeBody, ChallengeSource, Code, Identifier, Network, PathRules,
    PaymentHash, Preimage, Scheme, base64, caveat, flow,
};
use serde_json::{Value, json};

use crate::credential::{exactly, latin1};
use crate::error::{raise, type_error};
use crate::plain::{self, flag, hex, msat, parse};

fn preimage(bytes: &[u8]) -> Result<Preimage> {
    exactly(bytes).map(Preimage::from_bytes)
}

/// The constants of the core, as JSON.
#[napi(catch_unwind)]
pub fn constants() -> String {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "MAX_AUTHORIZATION_BYTES": core::MAX_AUTHORIZATION_BYTES,
        "MAX_BYTES": core::macaroon::MAX_BYTES,
        "MAX_CAVEATS": core::macaroon::MAX_CAVEATS,
        "MAX_CREDENTIAL_TOKENS": core::MAX_CREDENTIAL_TOKENS,
        "MAX_MINTED_TOKEN_BYTES": core::MAX_MINTED_TOKEN_BYTES,
        "MAX_TOKEN_BYTES": core::MAX_TOKEN_BYTES,
        "MAX_TOKEN_CAVEATS": core::MAX_TOKEN_CAVEATS,
        "MAX_TOKEN_TEXT_BYTES": flow::MAX_TOKEN_TEXT_BYTES,
        "MIN_INVOICE_SECONDS": flow::MIN_INVOICE_SECONDS,
        "SPEND_GRACE_SECONDS": core::SPEND_GRACE_SECONDS,
        "CODES": Code::ALL.map(Code::as_str),
        "NETWORKS": Network::ALL.map(Network::name),
        "INTENT_STATES": IntentState::ALL.map(IntentState::name),
        "CREDENTIAL_STATES": CredentialState::ALL.map(CredentialState::name),
    })
    .to_string()
}

#[napi(catch_unwind)]
pub fn parse_payment_hash(text: String) -> Result<Buffer> {
    let hash: PaymentHash = text.parse().map_err(raise)?;
    Ok(hash.as_bytes().to_vec().into())
}

#[napi(catch_unwind)]
pub fn parse_secret(text: String) -> Result<Buffer> {
    Preimage::from_hex(&text).map(|read| read.expose_bytes().to_vec().into()).map_err(raise)
}

#[napi(catch_unwind)]
pub fn payment_hash_of(bytes: Uint8Array) -> Result<String> {
    Ok(preimage(&bytes)?.payment_hash().to_string())
}

#[napi(catch_unwind)]
pub fn preimage_proves(bytes: Uint8Array, payment_hash: String) -> Result<bool> {
    let hash: PaymentHash = payment_hash.parse().map_err(raise)?;
    Ok(preimage(&bytes)?.proves(&hash))
}

#[napi(catch_unwind)]
pub fn identifier_parse(data: Uint8Array) -> Result<Vec<Buffer>> {
    let identifier = Identifier::parse(&data).map_err(raise)?;
    let hash = identifier.payment_hash.as_bytes().to_vec();
    Ok(vec![hash.into(), identifier.token_id.to_vec().into()])
}

#[napi(catch_unwind)]
pub fn identifier_to_bytes(payment_hash: String, token_id: Uint8Array) -> Result<Buffer> {
    let payment_hash = payment_hash.parse().map_err(raise)?;
    let identifier = Identifier { payment_hash, token_id: exactly(&token_id)? };
    Ok(identifier.to_bytes().to_vec().into())
}

#[napi(catch_unwind)]
pub fn attenuate_token(token: String, caveats: Vec<String>) -> Result<String> {
    let caveats: Vec<&str> = caveats.iter().map(String::as_str).collect();
    core::attenuate_token(&token, &caveats).map(core::Token::into_string).map_err(raise)
}

#[napi(catch_unwind)]
pub fn authorization_value(scheme: String, token: String, bytes: Uint8Array) -> Result<String> {
    let scheme = Scheme::from_name(&scheme);
    let scheme = scheme.ok_or_else(|| type_error("a scheme is L402 or LSAT"))?;
    Ok(core::authorization_value_for(scheme, &token, &preimage(&bytes)?).to_string())
}

#[napi(catch_unwind)]
pub fn grpc_metadata_value(token: String, bytes: Uint8Array) -> Result<String> {
    let value = core::grpc_metadata_value(&token, &preimage(&bytes)?);
    value.map(|value| value.to_string()).map_err(raise)
}

#[napi(catch_unwind)]
pub fn read_challenge(lines: Vec<String>, body: Option<Uint8Array>) -> Result<Option<String>> {
    let lines = lines.into_iter().map(latin1).collect::<Result<Vec<_>>>()?;
    let read = core::read_challenge(lines.iter().map(Vec::as_slice), body.as_deref());
    let Some(challenge) = read.map_err(raise)? else { return Ok(None) };
    let source = match challenge.source {
        ChallengeSource::Body => "body",
        _ => "header",
    };
    let told = json!({
        "scheme": challenge.scheme.as_str(),
        "token": challenge.token,
        "invoice": challenge.invoice,
        "source": source,
    });
    Ok(Some(told.to_string()))
}

#[napi(catch_unwind)]
pub fn parse_challenges(line: String) -> Result<String> {
    let line = latin1(line)?;
    let challenges = core::parse_challenges(&line).map_err(raise)?;
    let told = challenges.iter().map(|challenge| {
        let data = match &challenge.data {
            AuthData::Params(params) => {
                let params =
                    params.iter().map(|p| json!({ "name": p.name, "value": hex(&p.value) }));
                json!({ "type": "params", "params": params.collect::<Vec<_>>() })
            }
            AuthData::Token68(text) => json!({ "type": "token68", "token68": text }),
        };
        json!({ "scheme": challenge.scheme, "data": data })
    });
    Ok(json!(told.collect::<Vec<_>>()).to_string())
}

#[napi(catch_unwind)]
pub fn challenge_header(token: String, invoice: String) -> String {
    core::challenge_header(&token, &invoice)
}

fn code(name: &str) -> Result<Code> {
    Code::from_name(name).ok_or_else(|| type_error("this is no code of docs/PROTOCOL.md §3"))
}

#[napi(catch_unwind)]
pub fn error_body(name: String, detail: Option<String>) -> Result<String> {
    Ok(core::error_body(code(&name)?, detail.as_deref()))
}

#[napi(catch_unwind)]
pub fn challenge_body(body: String) -> Result<String> {
    let body = parse(&body)?;
    let detail = plain::optional_text(&body, "detail")?;
    let written = ChallengeBody {
        token: plain::text(&body, "token")?,
        invoice: plain::text(&body, "invoice")?,
        payment_hash: plain::hash(&body)?,
        price_msat: plain::amount(&body, "priceMsat")?,
        expires_at: plain::text(&body, "expiresAt")?,
        service: plain::text(&body, "service")?,
        code: code(plain::text(&body, "code")?)?,
        detail: detail.as_deref(),
    };
    Ok(written.to_json())
}

/// Status, gRPC status, and whether it is a challenge.
#[napi(catch_unwind)]
pub fn code_facts(name: String) -> Result<Vec<u32>> {
    let code = code(&name)?;
    Ok(vec![code.status().into(), code.grpc_status().into(), code.is_challenge().into()])
}

/// Its name, and its BOLT 11 currency.
#[napi(catch_unwind)]
pub fn parse_network(text: String) -> Result<Vec<String>> {
    let network: Network = text.parse().map_err(raise)?;
    Ok(vec![network.name().into(), network.currency().into()])
}

#[napi(catch_unwind)]
pub fn read_invoice(bolt11: String) -> Result<String> {
    let facts = core::read_invoice(&bolt11).map_err(raise)?;
    let told = json!({
        "paymentHash": facts.payment_hash.to_string(),
        "amountMsat": facts.amount_msat.map(msat),
        "network": facts.network.name(),
        "issuedAt": facts.issued_at,
        "expiresAt": facts.expires_at,
        "payee": facts.payee.map(|payee| hex(&payee)),
        "description": facts.description,
    });
    Ok(told.to_string())
}

#[napi(catch_unwind)]
pub fn decode_any(text: String) -> Result<String> {
    let decoded = core::decode_any(&text).map_err(raise)?;
    Ok(named(serde_json::to_value(&decoded).map_err(type_error)?).to_string())
}

/// With JavaScript's names, and amounts as texts.
fn named(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(named).collect(),
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| match (name.as_str(), value.as_u64()) {
                ("amount_msat", Some(amount)) => ("amountMsat".into(), msat(amount).into()),
                ("kind", _) => ("type".into(), value),
                _ => (camel(&name), named(value)),
            };
            members.into_iter().map(member).collect()
        }
        plain => plain,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        camel.extend(word.chars().next().map(|c| c.to_ascii_uppercase()));
        camel.extend(word.chars().skip(1));
    }
    camel
}

#[napi(catch_unwind)]
pub fn normalize_path(path: String, rules: Option<String>) -> Result<String> {
    let mut read = PathRules::default();
    if let Some(rules) = rules {
        let rules = parse(&rules)?;
        read.backslash = flag(&rules, "backslash")?;
        read.control = flag(&rules, "control")?;
        read.empty_segments = flag(&rules, "emptySegments")?;
        read.encoded_slash = flag(&rules, "encodedSlash")?;
        read.semicolon = flag(&rules, "semicolon")?;
    }
    core::normalize_path(&path, &read).map(|path| path.into_owned()).map_err(raise)
}

#[napi(catch_unwind)]
pub fn query_of(target: String) -> String {
    core::query_of(&target).to_owned()
}

#[napi(catch_unwind)]
pub fn query_digest(query: String) -> Result<Buffer> {
    Ok(core::query_digest(&latin1(query)?).to_vec().into())
}

#[napi(catch_unwind)]
pub fn content_digest(body: Uint8Array) -> Buffer {
    core::content_digest(&body).to_vec().into()
}

#[napi(catch_unwind)]
pub fn content_digest_text(digest: Uint8Array) -> Result<String> {
    Ok(core::content_digest_text(&exactly(&digest)?))
}

#[napi(catch_unwind)]
pub fn parse_content_digest(text: String) -> Option<Buffer> {
    core::parse_content_digest(&text).map(|digest| digest.to_vec().into())
}

#[napi(catch_unwind)]
pub fn caveat_split(caveat_bytes: Uint8Array) -> Option<Vec<String>> {
    caveat::split(&caveat_bytes).map(|(condition, value)| vec![condition.into(), value.into()])
}

#[napi(catch_unwind)]
pub fn caveat_path_matches(pattern: String, path: String) -> bool {
    caveat::path_matches(&pattern, &path)
}

#[napi(catch_unwind)]
pub fn base64_decode(text: String) -> Result<Buffer> {
    base64::decode(&text).map(Into::into).map_err(raise)
}

#[napi(catch_unwind)]
pub fn base64_encode(data: Uint8Array) -> String {
    base64::encode(&data)
}

#[napi(catch_unwind)]
pub fn base64_decoded_len(characters: u32) -> u32 {
    base64::decoded_len(characters as usize) as u32
}

/// Scheme, host, port, whether it is private, and its text: as JSON.
#[napi(catch_unwind)]
pub fn origin_facts(scheme: String, host: String, port: Option<u32>) -> Result<String> {
    let port = port.map(u16::try_from).transpose();
    let port = port.map_err(|_| raise(flow::OriginError::Port))?;
    Ok(origin(&Origin::new(&scheme, &host, port).map_err(raise)?).to_string())
}

#[napi(catch_unwind)]
pub fn origin_parse(text: String) -> Result<String> {
    Ok(origin(&Origin::parse(&text).map_err(raise)?).to_string())
}

fn origin(origin: &Origin) -> Value {
    json!({
        "scheme": if origin.is_https() { "https" } else { "http" },
        "host": origin.host(),
        "port": origin.port(),
        "isPrivate": origin.is_private(),
        "text": origin.to_string(),
    })
}

#[napi(catch_unwind)]
pub fn hosts_contain(hosts: String, origin: String) -> Result<bool> {
    let hosts = plain::hosts(&parse(&hosts)?, "patterns")?;
    Ok(hosts.contain(&Origin::parse(&origin).map_err(raise)?))
}

#[napi(catch_unwind)]
pub fn fee_limit_for_amount(limit: String, amount_msat: String) -> Result<String> {
    let limit = plain::fee_limit(&parse(&limit)?)?;
    Ok(msat(limit.for_amount(amount_msat.parse().map_err(type_error)?)))
}

#[napi(catch_unwind)]
pub fn policy_max_fee_msat(policy: String, amount_msat: String) -> Result<String> {
    let policy = plain::policy(&parse(&policy)?)?;
    Ok(msat(policy.max_fee_msat(amount_msat.parse().map_err(type_error)?)))
}

#[napi(catch_unwind)]
pub fn budget_rules(rules: String) -> Result<String> {
    let budget = plain::budget(&parse(&rules)?)?;
    Ok(json!(budget.rules().iter().map(plain::write_rule).collect::<Vec<_>>()).to_string())
}

#[napi(catch_unwind)]
pub fn budget_rule_since(rule: String, now: f64) -> Result<f64> {
    Ok(plain::rule(&parse(&rule)?)?.since(now as u64) as f64)
}

#[napi(catch_unwind)]
pub fn budget_rule_left_msat(rule: String, spent_msat: String) -> Result<String> {
    let rule = plain::rule(&parse(&rule)?)?;
    Ok(msat(rule.left_msat(spent_msat.parse().map_err(type_error)?)))
}

#[napi(catch_unwind)]
pub fn request_key_digest(key: String) -> Result<Buffer> {
    Ok(plain::request_key(&parse(&key)?)?.digest().to_vec().into())
}

#[napi(catch_unwind)]
pub fn intent_state_is_unresolved(state: String) -> Result<bool> {
    let state: IntentState = state.parse().map_err(raise)?;
    Ok(state.is_unresolved())
}

#[napi(catch_unwind)]
pub fn token_fits(token: String, request: String, now: f64) -> Result<bool> {
    Ok(flow::token_fits(&token, &plain::request(&parse(&request)?)?, now as u64))
}

#[napi(catch_unwind)]
pub fn token_valid_until(token: String) -> Option<f64> {
    flow::token_valid_until(&token).map(|until| until as f64)
}
