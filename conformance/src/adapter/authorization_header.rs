//! `authorization_header`: a request's credential, read and written.

use plannt_core::{
    Credential, CredentialError, Keyring, MAX_TOKEN_BYTES, Network, Preimage, RequestContext,
    RootKey, VerifyError, authorization_value,
};
use serde_json::{Value, json};

use super::Answer;
use super::input::{array, header_values, hex, text};

pub(crate) fn answer(input: &Value) -> Answer {
    let read = match text(input, "op") {
        "read" => {
            let lines = header_values(input, "authorization");
            match Credential::from_authorization(lines.iter().map(Vec::as_slice)) {
                Ok(None) => return Answer::error("no_credential"),
                Ok(Some(credential)) => output(&credential),
                Err(error) => Err(error),
            }
        }
        "read_grpc" => Credential::from_grpc_metadata(text(input, "value").as_bytes())
            .and_then(|credential| output(&credential)),
        "write" => {
            let preimage = Preimage::from_bytes(array(input, "preimage"));
            let value = authorization_value(text(input, "token"), &preimage);
            return Answer::Output(json!({ "value": *value }));
        }
        _ => return Answer::Unsupported,
    };
    read.map_or_else(|error| Answer::error(error.code()), Answer::Output)
}

fn output(credential: &Credential<'_>) -> Result<Value, CredentialError> {
    // A token's macaroon is parsed when it is verified, under whatever key.
    if let Err(VerifyError::Malformed(error)) = keyring().verify(credential, &any_request()) {
        return Err(error);
    }
    let mut buffer = [0; MAX_TOKEN_BYTES];
    let tokens = credential.tokens().map(|token| token.decode_to(&mut buffer).map(hex));
    let mut output = json!({ "tokens": tokens.collect::<Result<Vec<_>, _>>()? });
    if let Some(preimage) = credential.preimage() {
        output["preimage"] = Value::from(preimage.expose_hex().as_str());
    }
    Ok(output)
}

fn keyring() -> Keyring {
    Keyring::new(Network::Regtest, RootKey::from_bytes([7; 32]))
}

fn any_request() -> RequestContext<'static> {
    RequestContext {
        now: 0,
        service: "demo",
        tier: 0,
        method: "GET",
        path: "/",
        query: [0; 32],
        requires_query: false,
        digest: None,
        requires_digest: false,
        lowest_price_msat: 0,
        capability: None,
        strict: false,
    }
}
