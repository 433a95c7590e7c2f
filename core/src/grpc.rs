//! The credential in gRPC metadata (docs/PROTOCOL.md §3).

use alloc::string::String;
use alloc::vec;

use zeroize::Zeroizing;

use crate::hex;
use crate::macaroon::Macaroon;
use crate::{MAX_TOKEN_BYTES, MAX_TOKEN_CAVEATS, Preimage, TokenError, base64};

/// The value of gRPC metadata `macaroon`: the token with the preimage as its last caveat, v2 binary
/// in hex. [`Credential::from_grpc_metadata`](crate::Credential::from_grpc_metadata) reads it.
///
/// # Errors
/// [`TokenError`] when the token is no macaroon, or has no room for the caveat.
pub fn grpc_metadata_value(
    token: &str,
    preimage: &Preimage,
) -> Result<Zeroizing<String>, TokenError> {
    const CONDITION: &str = "preimage=";

    if base64::decoded_len(token.len()) > MAX_TOKEN_BYTES + 2 {
        return Err(TokenError::TooLong);
    }
    let mut macaroon = Macaroon::parse(&base64::decode(token)?)?;
    let digits = preimage.expose_hex();
    let mut caveat = Zeroizing::new(String::with_capacity(CONDITION.len() + digits.len()));
    caveat.push_str(CONDITION);
    caveat.push_str(&digits);
    macaroon.attenuate(caveat.as_bytes())?;
    if macaroon.caveats().len() > MAX_TOKEN_CAVEATS {
        return Err(TokenError::TooManyCaveats);
    }
    let bytes = Zeroizing::new(macaroon.to_v2());
    if bytes.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLong);
    }
    let mut text = Zeroizing::new(vec![0; 2 * bytes.len()]);
    hex::encode_to(&bytes, &mut text);
    Ok(Zeroizing::new(text.iter().copied().map(char::from).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credential, TokenText};

    #[test]
    fn the_preimage_becomes_the_last_caveat() {
        let mut macaroon = Macaroon::create(&[1; 32], b"id", Some("l402")).expect("small");
        macaroon.attenuate(b"services=demo:0").expect("small");
        let preimage = Preimage::from_bytes([0xab; 32]);
        let value = grpc_metadata_value(&base64::encode(&macaroon.to_v2()), &preimage);
        let value = value.expect("a macaroon");
        let credential = Credential::from_grpc_metadata(value.as_bytes()).expect("hex");
        assert!(credential.preimage().is_none());
        let tokens: vec::Vec<_> = credential.tokens().collect();
        let [TokenText::Hex(_)] = tokens[..] else { panic!("one token in hex") };
        let mut buffer = [0; MAX_TOKEN_BYTES];
        let read = Macaroon::parse(tokens[0].decode_to(&mut buffer).expect("hex")).expect("v2");
        assert!(read.verify_signature(&[1; 32]));
        let last = read.caveats().last().expect("two caveats").id.to_vec();
        assert_eq!(last, [b"preimage=", "ab".repeat(32).as_bytes()].concat());
    }

    #[test]
    fn what_is_no_macaroon_has_no_such_value() {
        let preimage = Preimage::from_bytes([0; 32]);
        let full = |caveats: usize| {
            let mut macaroon = Macaroon::create(&[1; 32], b"id", None).expect("small");
            for _ in 0..caveats {
                macaroon.attenuate(b"a=b").expect("small");
            }
            base64::encode(&macaroon.to_v2())
        };
        assert!(matches!(grpc_metadata_value("AgE!", &preimage), Err(TokenError::Base64(_))));
        assert!(matches!(grpc_metadata_value("AAAA", &preimage), Err(TokenError::Macaroon(_))));
        assert!(grpc_metadata_value(&full(MAX_TOKEN_CAVEATS - 1), &preimage).is_ok());
        let many = grpc_metadata_value(&full(MAX_TOKEN_CAVEATS), &preimage);
        assert_eq!(many, Err(TokenError::TooManyCaveats));
        let long = grpc_metadata_value(&"A".repeat(11_000), &preimage);
        assert_eq!(long, Err(TokenError::TooLong));
    }
}
