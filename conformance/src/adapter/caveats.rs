//! `caveats`: what a chain allows whose MAC is right. The core evaluates no chain that it has not
//! verified, so that the case's is signed here first.

use hmac::{Hmac, KeyInit, Mac};
use plannt_core::macaroon::Macaroon;
use plannt_core::{
    Credential, Identifier, Keyring, Network, PaymentHash, Preimage, RootKey, authorization_value,
    base64,
};
use serde_json::Value;
use sha2::Sha256;

use super::Answer;
use super::input::{array, hex, list, optional_text, unhex};
use super::request::{self, granted};

const ROOT_KEY: [u8; 32] = [0x5c; 32];
const NETWORK: Network = Network::Regtest;

pub(crate) fn answer(input: &Value) -> Answer {
    let caveats = list(input, "caveats").iter().filter_map(Value::as_str).map(unhex);
    let macaroon = signed(array(input, "payment_hash"), caveats);
    let (line, metadata);
    let credential = match optional_text(input, "preimage").map(Preimage::from_hex) {
        Some(preimage) => {
            let preimage = preimage.expect("a preimage in hex");
            line = authorization_value(&base64::encode(&macaroon), &preimage);
            Credential::from_authorization([line.as_bytes()]).map(|read| read.expect("our scheme"))
        }
        None => {
            metadata = hex(&macaroon);
            Credential::from_grpc_metadata(metadata.as_bytes())
        }
    };
    let credential = match credential {
        Ok(credential) => credential,
        Err(error) => return Answer::error(error.code()),
    };
    let keyring = Keyring::new(NETWORK, RootKey::from_bytes(ROOT_KEY));
    request::answer(request::verify(&keyring, &credential, &input["request"]), granted)
}

/// A macaroon in v2 binary as this server would have minted it, with any caveats
/// (docs/PROTOCOL.md §1).
fn signed(payment_hash: [u8; 32], caveats: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let identifier = Identifier {
        payment_hash: PaymentHash::from_bytes(payment_hash),
        token_id: mac(&[&payment_hash]),
    };
    let label = [b"l402/macaroon/0", NETWORK.currency().as_bytes(), b"\0", &payment_hash];
    let mut macaroon = Macaroon::create(&mac(&label), &identifier.to_bytes(), Some("l402"))
        .expect("an identifier has room");
    for caveat in caveats {
        macaroon.attenuate(&caveat).expect("the cases' caveats have room");
    }
    macaroon.to_v2()
}

/// Under the root key.
fn mac(parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&ROOT_KEY).expect("a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
