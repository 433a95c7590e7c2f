//! gRPC metadata: hex of one macaroon that carries its preimage.

use plannt_core::macaroon::Macaroon;
use plannt_core::{
    Credential, MAX_TOKEN_BYTES, MAX_TOKEN_CAVEATS, TokenText, base64, grpc_metadata_value,
};

use crate::support::{keyring, preimage, request};

/// Input: a metadata value, or a macaroon to be presented as one.
pub fn run(data: &[u8]) {
    match Credential::from_grpc_metadata(data) {
        Ok(credential) => {
            assert!(credential.preimage().is_none());
            let tokens: Vec<_> = credential.tokens().collect();
            let [TokenText::Hex(text)] = tokens[..] else { panic!("one token, in hex") };
            assert_eq!(text.as_bytes(), data);
            let mut room = [0; MAX_TOKEN_BYTES];
            let bytes = tokens[0].decode_to(&mut room).expect("checked when it was read");
            assert_eq!(crate::support::hex(bytes), text.to_ascii_lowercase());
            let _ = keyring().verify(&credential, &request());
        }
        Err(_) => {
            let even = data.len().is_multiple_of(2) && data.iter().all(u8::is_ascii_hexdigit);
            assert!(data.is_empty() || !even || data.len() > 2 * MAX_TOKEN_BYTES);
        }
    }

    let Ok(macaroon) = Macaroon::parse(data) else { return };
    let preimage = preimage();
    let Ok(value) = grpc_metadata_value(&base64::encode(data), &preimage) else {
        let full = macaroon.caveats().len() >= MAX_TOKEN_CAVEATS;
        assert!(
            full || macaroon.to_v2().len() + 100 > MAX_TOKEN_BYTES || data.len() > MAX_TOKEN_BYTES
        );
        return;
    };
    let credential = Credential::from_grpc_metadata(value.as_bytes()).unwrap();
    let mut room = [0; MAX_TOKEN_BYTES];
    let token = credential.tokens().next().unwrap();
    let presented = Macaroon::from_v2(token.decode_to(&mut room).unwrap()).unwrap();
    let caveat = format!("preimage={}", *preimage.expose_hex());
    let mut expected = macaroon.clone();
    expected.attenuate(caveat.as_bytes()).unwrap();
    assert_eq!(presented, expected);
}
