use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const HEX: &str = "00112233445566778899aAbBcCdDeEfF00112233445566778899aabbccddeeff";

fn one(line: &str) -> Result<Option<Credential<'_>>, CredentialError> {
    Credential::from_authorization([line.as_bytes()])
}

/// The tokens' texts, after a check that the preimage is `HEX`'s.
fn tokens(line: &str) -> Result<Option<Vec<&str>>, CredentialError> {
    Ok(one(line)?.map(|credential| {
        let preimage = credential.preimage().expect("the header has one").expose_hex();
        assert_eq!(*preimage, HEX.to_lowercase());
        credential
            .tokens()
            .map(|token| match token {
                TokenText::Base64(text) | TokenText::Hex(text) => text,
            })
            .collect()
    }))
}

#[test]
fn reads_every_allowed_spelling() {
    for scheme in ["L402", "l402", "LSAT", "Lsat", " \tL402 ", "lsat   "] {
        let line = format!("{scheme} AgEE+/==:{HEX}\t ");
        assert_eq!(tokens(&line), Ok(Some(["AgEE+/=="].to_vec())), "{line}");
    }
    let line = format!("L402 AgEE,-_8,AgEE:{}", HEX.to_uppercase());
    assert_eq!(tokens(&line), Ok(Some(["AgEE", "-_8", "AgEE"].to_vec())));
}

#[test]
fn another_scheme_is_not_ours() {
    for line in ["", "   ", "Basic bDQwMjo=", "Bearer L402", "L4020 a:b", "L40 x", "\u{a0}L402 x"] {
        assert!(matches!(one(line), Ok(None)), "{line:?}");
    }
    assert!(matches!(Credential::from_authorization([]), Ok(None)));
}

#[test]
fn the_first_line_with_the_scheme_decides() {
    let good = format!("L402 AgEE:{HEX}");
    let other = format!("LSAT AgEF:{HEX}");
    let read = |lines: &[&str]| {
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        Credential::from_authorization(lines.clone()).map(|credential| {
            credential.map(|c| format!("{:?}", c.tokens().map(|t| t.is("AgEE")).next()))
        })
    };
    assert_eq!(read(&["Bearer x", &good, &other]), Ok(Some("Some(true)".into())));
    assert_eq!(read(&[&other, &good]), Ok(Some("Some(false)".into())));
    assert_eq!(read(&["lsat broken", &good]), Err(CredentialError::MissingPreimage));
}

impl TokenText<'_> {
    fn is(&self, expected: &str) -> bool {
        matches!(self, Self::Base64(text) if *text == expected)
    }
}

#[test]
fn says_what_is_malformed_and_repeats_none_of_it() {
    use CredentialError::*;
    let length = |actual| InvalidPreimage(HexError::Length { expected: 64, actual });
    for (line, error) in [
        ("L402".to_string(), MissingCredential),
        ("L402 ".into(), MissingCredential),
        ("L402:AgEE".into(), MissingCredential),
        (format!("L402,AgEE:{HEX}"), MissingCredential),
        (format!("L402\tAgEE:{HEX}"), MissingCredential),
        ("L402 AgEE".into(), MissingPreimage),
        (format!("L402 :{HEX}"), EmptyToken),
        (format!("L402 ,AgEE:{HEX}"), EmptyToken),
        (format!("L402 AgEE,:{HEX}"), EmptyToken),
        (format!("L402 AgEE,,AgEE:{HEX}"), EmptyToken),
        (format!("L402 AgEE, AgEE:{HEX}"), InvalidToken),
        (format!("L402 AgEE :{HEX}"), InvalidToken),
        (format!("L402 Ag\u{e9}E:{HEX}"), InvalidToken),
        (format!("L402 \"AgEE\":{HEX}"), InvalidToken),
        (format!("L402 token=\"AgEE\", preimage=\"{HEX}\""), MissingPreimage),
        ("L402 AgEE:".into(), length(0)),
        (format!("L402 AgEE:{HEX}0"), length(65)),
        (format!("L402 AgEE: {HEX}"), length(65)),
        (format!("L402 AgEE:{HEX}:{HEX}"), length(129)),
        (format!("L402 AgEE:{HEX}, L402 AgEE:{HEX}"), length(64 + 7 + 5 + 64)),
        (format!("L402 AgEE:{HEX}\n"), length(65)),
        (format!("L402 AgEE:{}", HEX.replace('c', "g")), {
            InvalidPreimage(HexError::Digit { index: 24 })
        }),
        (format!("L402 {}:{HEX}", "A".repeat(MAX_TOKEN_DIGITS + 3)), TokenTooLarge),
        (format!("L402 {}A:{HEX}", "A,".repeat(16)), TooManyTokens),
    ] {
        let got = one(&line).expect_err("malformed");
        assert_eq!(got, error, "{line:?}");
        assert_eq!(got.code(), "malformed_credential");
        assert!(!got.to_string().contains("AgEE") && !got.to_string().contains("0011"));
    }
}

#[test]
fn the_whole_header_is_measured_before_any_of_it_is_read() {
    let good = format!("L402 AgEE:{HEX}");
    let fill = "x".repeat(MAX_AUTHORIZATION_BYTES - good.len());
    assert!(Credential::from_authorization([good.as_bytes(), fill.as_bytes()]).is_ok());
    for lines in [[&*good, &*format!("{fill}x")], [&*format!("{fill}x"), &*good], [&fill, &fill]] {
        let bytes = lines.iter().map(|line| line.len()).sum();
        let error = Credential::from_authorization(lines.map(str::as_bytes)).expect_err("large");
        assert_eq!(error, CredentialError::HeaderTooLarge { bytes });
        assert_eq!(error.code(), "header_too_large");
    }
}

#[test]
fn tokens_decode_up_to_their_limit() {
    let mut buffer = [0; MAX_TOKEN_BYTES + 1];
    let text = base64::encode(&[7; MAX_TOKEN_BYTES]);
    assert_eq!(TokenText::Base64(&text).decode_to(&mut buffer), Ok(&[7; MAX_TOKEN_BYTES][..]));
    let text = base64::encode(&[7; MAX_TOKEN_BYTES + 1]);
    let large = Err(CredentialError::TokenTooLarge);
    assert_eq!(TokenText::Base64(&text).decode_to(&mut buffer), large);
    assert_eq!(TokenText::Base64("AAAA").decode_to(&mut buffer[..2]), large);

    let hex = "07".repeat(MAX_TOKEN_BYTES);
    assert_eq!(TokenText::Hex(&hex).decode_to(&mut buffer), Ok(&[7; MAX_TOKEN_BYTES][..]));
    assert_eq!(TokenText::Hex(&format!("{hex}07")).decode_to(&mut buffer), large);
    for text in [TokenText::Base64("A"), TokenText::Base64("A,AA"), TokenText::Hex("0")] {
        assert_eq!(text.decode_to(&mut buffer), Err(CredentialError::InvalidToken));
    }
}

#[test]
fn grpc_metadata_is_one_token_in_hex() {
    let read = |text: &'static str| {
        Credential::from_grpc_metadata(text.as_bytes()).map(|c| c.tokens().count())
    };
    assert_eq!(read("0201Ff"), Ok(1));
    assert_eq!(read(""), Err(CredentialError::EmptyToken));
    for text in ["020", "02,03", "02 ", "0x02", "\u{e9}"] {
        assert_eq!(read(text), Err(CredentialError::InvalidToken), "{text}");
    }
    let long = "0".repeat(2 * MAX_TOKEN_BYTES + 2);
    let error = Credential::from_grpc_metadata(long.as_bytes()).expect_err("long");
    assert_eq!(error, CredentialError::TokenTooLarge);
}

#[test]
fn nothing_of_it_is_printed() {
    let line = format!("L402 AgEE:{HEX}");
    let credential = one(&line).expect("well formed").expect("ours");
    let shown = format!("{credential:?} {:?}", credential.tokens().next());
    assert!(!shown.contains("AgEE") && !shown.contains("0011") && !shown.contains("17"));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        token in proptest::collection::vec(any::<u8>(), 1..300),
        preimage in any::<[u8; 32]>(),
        lsat in any::<bool>(),
    ) {
        let scheme = if lsat { Scheme::Lsat } else { Scheme::L402 };
        let preimage = Preimage::from_bytes(preimage);
        let line = authorization_value_for(scheme, &base64::encode(&token), &preimage);
        let read = one(&line).expect("well formed").expect("ours");
        let written = read.preimage().expect("in the header");
        prop_assert_eq!(written.expose_bytes(), preimage.expose_bytes());
        let mut buffer = [0; MAX_TOKEN_BYTES];
        let text = read.tokens().next().expect("one");
        prop_assert_eq!(text.decode_to(&mut buffer), Ok(&*token));
    }

    #[test]
    fn any_line_gives_a_credential_or_an_error(
        tail in proptest::collection::vec(any::<u8>(), 0..100),
        ours in any::<bool>(),
    ) {
        let line = [if ours { &b"L402 "[..] } else { b"" }, &tail].concat();
        if let Ok(Some(read)) = Credential::from_authorization([&*line]) {
            let count = read.tokens().count();
            prop_assert!((1..=MAX_CREDENTIAL_TOKENS).contains(&count));
        }
        let _ = Credential::from_grpc_metadata(&tail);
    }
}
