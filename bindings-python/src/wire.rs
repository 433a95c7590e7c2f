//! Challenges, headers, invoices, paths: what stands on the wire, read and written by functions.

use plannt_core::challenge::AuthData;
use plannt_core::{
    ChallengeBody, ChallengeSource, Code, Identifier, Network, PathRules, Scheme, base64, caveat,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::convert::{
    Bytes, Exactly, Hash, HeaderValue, Msat, NetworkName, Proof, SchemeName, get, object,
};
use crate::error::raise;

#[pyfunction]
fn identifier_parse<'py>(py: Python<'py>, data: Bytes) -> PyResult<Bound<'py, PyAny>> {
    let identifier = Identifier::parse(&data.0).map_err(raise)?;
    object!(py, "Identifier",
        payment_hash: Hash(identifier.payment_hash),
        token_id: PyBytes::new(py, &identifier.token_id),
    )
}

#[pyfunction]
fn identifier_to_bytes<'py>(
    py: Python<'py>,
    payment_hash: Hash,
    token_id: Exactly<32>,
) -> Bound<'py, PyBytes> {
    let identifier = Identifier { payment_hash: payment_hash.0, token_id: token_id.0 };
    PyBytes::new(py, &identifier.to_bytes())
}

/// Adds first-party caveats to a token, as its holder; the result is narrower, never wider. A token of any macaroon
/// format is taken, and stays in its format. Raises `TokenError`.
#[pyfunction]
fn attenuate_token(token: &str, caveats: Vec<String>) -> PyResult<String> {
    let caveats: Vec<&str> = caveats.iter().map(String::as_str).collect();
    plannt_core::attenuate_token(token, &caveats).map(|token| token.into_string()).map_err(raise)
}

/// The macaroon in a token's text; raises `TokenError`.
#[pyfunction]
fn parse_token(token: &str) -> PyResult<crate::macaroon::PyMacaroon> {
    let token: plannt_core::Token = token.parse().map_err(raise)?;
    token.parse_macaroon().map(crate::macaroon::PyMacaroon::of).map_err(raise)
}

/// The value of the `Authorization` header that presents `token` with its preimage: `L402 <token>:<64 hex>`.
#[pyfunction]
fn authorization_value(token: &str, preimage: Proof) -> String {
    plannt_core::authorization_value(token, &preimage.0).to_string()
}

/// The same under the scheme that the challenge came with.
#[pyfunction]
fn authorization_value_for(scheme: SchemeName, token: &str, preimage: Proof) -> String {
    plannt_core::authorization_value_for(scheme.0, token, &preimage.0).to_string()
}

/// The value of gRPC metadata `macaroon`: the token with the preimage as its last caveat, v2 binary in hex. Raises
/// `TokenError`.
#[pyfunction]
fn grpc_metadata_value(token: &str, preimage: Proof) -> PyResult<String> {
    plannt_core::grpc_metadata_value(token, &preimage.0).map(|text| text.to_string()).map_err(raise)
}

/// Reads a 402's challenge: the first complete one of its `WWW-Authenticate` lines, else the JSON body's
/// (docs/PROTOCOL.md §5, step 2). None when there is none. Raises `ChallengeError` for one that says two things at once.
#[pyfunction]
#[pyo3(signature = (www_authenticate, body=None))]
fn read_challenge<'py>(
    py: Python<'py>,
    www_authenticate: Vec<HeaderValue>,
    body: Option<HeaderText>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let lines = www_authenticate.iter().map(|line| line.0.as_slice());
    let body = body.as_ref().map(|body| body.0.as_slice());
    let Some(challenge) = plannt_core::read_challenge(lines, body).map_err(raise)? else {
        return Ok(None);
    };
    let source = match challenge.source {
        ChallengeSource::Body => "body",
        _ => "header",
    };
    let made = object!(py, "Challenge",
        scheme: challenge.scheme.as_str(),
        token: challenge.token,
        invoice: challenge.invoice,
        source: source,
    );
    made.map(Some)
}

/// A body: text in UTF-8, or bytes.
struct HeaderText(Vec<u8>);

impl<'py> FromPyObject<'_, 'py> for HeaderText {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.extract::<String>() {
            Ok(text) => Ok(Self(text.into_bytes())),
            Err(_) => object.extract::<Bytes>().map(|bytes| Self(bytes.0)),
        }
    }
}

/// Reads a whole `WWW-Authenticate` line, of whatever schemes (RFC 9110 §11.6.1). Raises `GrammarError`.
#[pyfunction]
fn parse_challenges<'py>(py: Python<'py>, line: HeaderValue) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for challenge in plannt_core::parse_challenges(&line.0).map_err(raise)? {
        let data = match challenge.data {
            AuthData::Params(parameters) => {
                let params = PyList::empty(py);
                for param in parameters {
                    params.append(object!(py, "AuthParam",
                        name: param.name,
                        value: PyBytes::new(py, &param.value),
                    )?)?;
                }
                Some(params.into_any())
            }
            AuthData::Token68(text) => Some(pyo3::types::PyString::new(py, text).into_any()),
        };
        list.append(object!(py, "AuthChallenge", scheme: challenge.scheme, data: data)?)?;
    }
    Ok(list)
}

/// The value of the `WWW-Authenticate` line that offers `token` for `invoice`, to the byte.
#[pyfunction]
fn challenge_header(token: &str, invoice: &str) -> String {
    plannt_core::challenge_header(token, invoice)
}

/// The body of an answer that is no challenge: `error`, then `code`, then `detail` where there is one.
#[pyfunction]
#[pyo3(signature = (code, detail=None))]
fn error_body(code: CodeName, detail: Option<&str>) -> String {
    plannt_core::error_body(code.0, detail)
}

#[pyfunction]
fn challenge_body(body: &Bound<'_, PyAny>) -> PyResult<String> {
    let (token, invoice): (String, String) = (get(body, "token")?, get(body, "invoice")?);
    let (expires_at, service): (String, String) = (get(body, "expires_at")?, get(body, "service")?);
    let detail: Option<String> = get(body, "detail")?;
    let body = ChallengeBody {
        token: &token,
        invoice: &invoice,
        payment_hash: get::<Hash>(body, "payment_hash")?.0,
        price_msat: get::<crate::convert::Amount>(body, "price_msat")?.0,
        expires_at: &expires_at,
        service: &service,
        code: get::<CodeName>(body, "code")?.0,
        detail: detail.as_deref(),
    };
    Ok(body.to_json())
}

/// A code by its text.
struct CodeName(Code);

impl<'py> FromPyObject<'_, 'py> for CodeName {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let name: String = object.extract()?;
        Code::from_name(&name)
            .map(Self)
            .ok_or_else(|| PyValueError::new_err("this is no code of docs/PROTOCOL.md §3"))
    }
}

/// The HTTP status that a code's answer comes with.
#[pyfunction]
fn code_status(code: CodeName) -> u16 {
    code.0.status()
}

/// The `grpc-status` of a code's answer.
#[pyfunction]
fn code_grpc_status(code: CodeName) -> u8 {
    code.0.grpc_status()
}

/// Whether a code's answer is a 402 with a fresh challenge.
#[pyfunction]
fn code_is_challenge(code: CodeName) -> bool {
    code.0.is_challenge()
}

/// The BOLT 11 currency prefix after `ln` of a network.
#[pyfunction]
fn network_currency(network: NetworkName) -> &'static str {
    network.0.currency()
}

/// The network with that name (`mainnet` is `bitcoin`) or BOLT 11 currency prefix; raises `UnknownNetworkError`.
#[pyfunction]
fn parse_network(text: NetworkName) -> &'static str {
    text.0.name()
}

/// Parses a BOLT 11 invoice, and checks its checksum, its fields, its amount and its signature. Raises `InvoiceError`.
///
/// >>> import plannt
/// >>> plannt.read_invoice("lnbc1nonsense")
/// Traceback (most recent call last):
/// ...
/// plannt.InvoiceError: not a bolt 11 invoice
#[pyfunction]
fn read_invoice<'py>(py: Python<'py>, bolt11: &str) -> PyResult<Bound<'py, PyAny>> {
    let facts = py.detach(|| plannt_core::read_invoice(bolt11)).map_err(raise)?;
    object!(py, "InvoiceFacts",
        payment_hash: Hash(facts.payment_hash),
        amount_msat: facts.amount_msat.map(Msat),
        network: facts.network.name(),
        issued_at: facts.issued_at,
        expires_at: facts.expires_at,
        payee: facts.payee.map(|payee| PyBytes::new(py, &payee)),
        description: facts.description,
    )
}

/// Says what a text of the protocol is and what is in it, as plain dicts: a challenge, a credential, a token or an
/// invoice, told apart by `kind`. Nothing is verified against a key, and no preimage is repeated. Raises `DecodeError`.
#[pyfunction]
fn decode_any<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let decoded = plannt_core::decode_any(text).map_err(raise)?;
    let json = serde_json::to_string(&decoded)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    py.import("json")?.call_method1("loads", (json,))
}

/// Writes a path in the one form that routing, price and caveat share (docs/PROTOCOL.md §2). Raises `PathError`.
///
/// >>> import plannt
/// >>> plannt.normalize_path("/v1/%64emo")
/// '/v1/demo'
#[pyfunction]
#[pyo3(signature = (path, rules=None))]
fn normalize_path(path: &str, rules: Option<&Bound<'_, PyAny>>) -> PyResult<String> {
    let mut read = PathRules::default();
    if let Some(rules) = rules {
        read.backslash = get(rules, "backslash")?;
        read.control = get(rules, "control")?;
        read.empty_segments = get(rules, "empty_segments")?;
        read.encoded_slash = get(rules, "encoded_slash")?;
        read.semicolon = get(rules, "semicolon")?;
    }
    plannt_core::normalize_path(path, &read).map(|path| path.into_owned()).map_err(raise)
}

/// What follows a target's first `?`; empty when there is none.
#[pyfunction]
fn query_of(target: &str) -> &str {
    plannt_core::query_of(target)
}

/// SHA-256 of a query's bytes.
#[pyfunction]
fn query_digest<'py>(py: Python<'py>, query: HeaderValue) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &plannt_core::query_digest(&query.0))
}

/// SHA-256 of a body.
#[pyfunction]
fn content_digest<'py>(py: Python<'py>, body: Bytes) -> Bound<'py, PyBytes> {
    let digest = py.detach(|| plannt_core::content_digest(&body.0));
    PyBytes::new(py, &digest)
}

/// A digest as RFC 9530 writes it: `sha-256=:…:`.
#[pyfunction]
fn content_digest_text(digest: Exactly<32>) -> String {
    plannt_core::content_digest_text(&digest.0)
}

/// Reads `sha-256=:…:`; None for anything else.
#[pyfunction]
fn parse_content_digest<'py>(py: Python<'py>, text: &str) -> Option<Bound<'py, PyBytes>> {
    plannt_core::parse_content_digest(text).map(|digest| PyBytes::new(py, &digest))
}

/// Reads a first-party caveat as condition and value: split at the first `=`, spaces around each trimmed. None for what
/// is not UTF-8 or has no `=`.
#[pyfunction]
fn caveat_split(caveat_bytes: Bytes) -> Option<(String, String)> {
    caveat::split(&caveat_bytes.0).map(|(condition, value)| (condition.into(), value.into()))
}

/// Whether a `path` caveat's value allows a normalized path; only a final `*` is special.
#[pyfunction]
fn caveat_path_matches(pattern: &str, path: &str) -> bool {
    caveat::path_matches(pattern, path)
}

/// Decodes base64: standard or url-safe, padded or not, one alphabet, zero spare bits. Raises `Base64Error`.
#[pyfunction]
fn base64_decode<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyBytes>> {
    base64::decode(text).map(|bytes| PyBytes::new(py, &bytes)).map_err(raise)
}

/// Encodes in the standard alphabet, with padding.
#[pyfunction]
fn base64_encode(data: Bytes) -> String {
    base64::encode(&data.0)
}

/// The most bytes that so many characters of base64 decode to.
#[pyfunction]
fn base64_decoded_len(characters: usize) -> usize {
    base64::decoded_len(characters)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let names = |all: &[Network]| all.iter().map(|network| network.name()).collect::<Vec<_>>();
    module.add("NETWORKS", names(&Network::ALL))?;
    module.add("CODES", Code::ALL.map(Code::as_str).to_vec())?;
    module.add("SCHEMES", [Scheme::L402, Scheme::Lsat].map(Scheme::as_str).to_vec())?;
    macro_rules! functions {
        ($($name:ident),+ $(,)?) => {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)+
        };
    }
    functions!(
        identifier_parse,
        identifier_to_bytes,
        attenuate_token,
        parse_token,
        authorization_value,
        authorization_value_for,
        grpc_metadata_value,
        read_challenge,
        parse_challenges,
        challenge_header,
        error_body,
        challenge_body,
        code_status,
        code_grpc_status,
        code_is_challenge,
        network_currency,
        parse_network,
        read_invoice,
        decode_any,
        normalize_path,
        query_of,
        query_digest,
        content_digest,
        content_digest_text,
        parse_content_digest,
        caveat_split,
        caveat_path_matches,
        base64_decode,
        base64_encode,
        base64_decoded_len,
    );
    Ok(())
}
