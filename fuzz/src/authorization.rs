//! `Authorization`: one line decides, what is read can be written again, and nothing is let in.

use plannt_core::{
    Credential, Keyring, MAX_AUTHORIZATION_BYTES, MAX_CREDENTIAL_TOKENS, MAX_TOKEN_BYTES, Network,
    RootKey, TokenText, authorization_value,
};

use crate::support::{contains, lines, request};

/// Input: header values, one a line.
pub fn run(data: &[u8]) {
    let values = lines(data);
    let bytes: usize = values.iter().map(|value| value.len()).sum();
    let read = Credential::from_authorization(values.iter().copied());
    let credential = match read {
        Err(error) => {
            assert_eq!(error.code() == "header_too_large", bytes > MAX_AUTHORIZATION_BYTES);
            return;
        }
        Ok(None) => {
            let ours = |value: &&&[u8]| {
                let name = value.trim_ascii_start().get(..4).unwrap_or_default();
                name.eq_ignore_ascii_case(b"l402") || name.eq_ignore_ascii_case(b"lsat")
            };
            for value in values.iter().filter(ours) {
                // Another scheme that begins so, or whitespace that is none in HTTP.
                let start = value.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap();
                let other = value.get(start + 4).is_some_and(u8::is_ascii_alphanumeric);
                assert!(other || value[start].is_ascii_whitespace());
            }
            return;
        }
        Ok(Some(credential)) => credential,
    };
    assert!(bytes <= MAX_AUTHORIZATION_BYTES);
    let preimage = credential.preimage().expect("the header's form has one").clone();
    let tokens: Vec<_> = credential.tokens().collect();
    assert!((1..=MAX_CREDENTIAL_TOKENS).contains(&tokens.len()));
    let mut texts = Vec::new();
    for token in &tokens {
        let TokenText::Base64(text) = token else { panic!("hex in a header") };
        let mut room = [0; MAX_TOKEN_BYTES];
        if let Ok(bytes) = token.decode_to(&mut room) {
            assert_eq!(plannt_core::base64::decode(text).unwrap(), bytes);
        }
        texts.push(*text);
    }

    let line = authorization_value(&texts.join(","), &preimage);
    let again = Credential::from_authorization([line.as_bytes()]).unwrap().unwrap();
    assert!(again.tokens().eq(tokens));
    assert_eq!(again.preimage().unwrap().expose_bytes(), preimage.expose_bytes());

    // Lines of other schemes before it, and any line after it, change nothing.
    if bytes + 100 < MAX_AUTHORIZATION_BYTES {
        let more = [&b"Bearer L402 AA:00"[..]].into_iter().chain(values).chain([&b"L402 x"[..]]);
        let same = Credential::from_authorization(more).unwrap().unwrap();
        assert!(same.tokens().eq(again.tokens()));
    }

    let debug = format!("{credential:?}{:?}", credential.tokens().collect::<Vec<_>>());
    assert!(!contains(debug.as_bytes(), preimage.expose_hex().as_bytes()));
    let stranger = Keyring::new(Network::Regtest, RootKey::from_bytes([0x99; 32]));
    assert!(stranger.verify(&credential, &request()).is_err(), "under a key that nobody has");
}
