//! `verify`: a credential at a request.

use plannt_core::Credential;
use serde_json::Value;

use super::Answer;
use super::input::{list, optional_text};
use super::request::{self, granted, keyring};

pub(crate) fn answer(input: &Value) -> Answer {
    let credential = match optional_text(input, "grpc_macaroon") {
        Some(metadata) => Credential::from_grpc_metadata(metadata.as_bytes()).map(Some),
        None => Credential::from_authorization(
            list(input, "authorization").iter().filter_map(Value::as_str).map(str::as_bytes),
        ),
    };
    let credential = match credential {
        Ok(credential) => credential.expect("every case has a line with our scheme"),
        // Syntax comes before all that a request could be.
        Err(error) => return Answer::error(error.code()),
    };
    let verified = request::verify(&keyring(input), &credential, &input["request"]);
    request::answer(verified, |verified| {
        let mut output = granted(verified);
        output["payment_hash"] = verified.payment_hash.to_string().into();
        output
    })
}
