//! What crosses the border as it is in Rust: codes, messages, limits; and what doesn't: secrets.
#![allow(clippy::unwrap_used)]

use plannt_ffi::*;

#[test]
fn a_wallets_url_is_never_repeated() {
    // There is no runtime here, as in an app's main thread.
    for url in ["nonsense://key@host", "lnd://127.0.0.1:1?macaroon=00ff&cert=/nowhere"] {
        let Err(error) = wallet(url.into(), None) else { panic!("{url} opens") };
        assert_eq!(error.error_code(), "config");
        assert!(!error.error_message().contains("key@") && !error.error_message().contains("00ff"));
    }
}

#[test]
fn every_wallets_url_opens() {
    let key = "b889ff5b1513b641e2a139f661a661364979c5beee91842f8f0ef42ab558e9d4";
    for url in [
        format!("lnd://127.0.0.1:1?macaroon={key}"),
        format!("lnd+grpc://127.0.0.1:1?macaroon={key}"),
        "cln://127.0.0.1:1?rune=abc".into(),
        "phoenixd://127.0.0.1:1?password=0123456789abcdef&network=bitcoin".into(),
        "lnbits://127.0.0.1:1?key=0123".into(),
        format!("nostr+walletconnect://{key}?relay=ws://127.0.0.1:1&secret={key}"),
    ] {
        let opened = wallet(url.clone(), None);
        assert!(opened.is_ok(), "{url}: {}", opened.err().unwrap().error_message());
    }
}

#[test]
fn every_error_of_a_node_crosses() {
    use plannt_lightning::LightningError as Node;
    let message = String::from("said so");
    for error in [
        Node::Config { message: message.clone() },
        Node::ConnectionLost { message: message.clone() },
        Node::InvalidResponse { message: message.clone() },
        Node::InvalidRequest { message: message.clone() },
        Node::NodeAuth { message: message.clone() },
        Node::NodeError { message: message.clone() },
        Node::NodeUnreachable { message: message.clone() },
        Node::PaymentInFlight,
        Node::PreimageMismatch,
        Node::TimeoutUnknown,
        Node::Unsupported { message },
    ] {
        let said = (error.code().to_owned(), error.to_string());
        let crossed = LightningError::from(error);
        assert_eq!((crossed.error_code(), crossed.error_message()), said);
    }
}

#[test]
fn errors_say_what_rust_says() {
    let core = plannt_core::read_invoice("lnbc1nonsense").unwrap_err();
    let error = read_invoice("lnbc1nonsense".into()).unwrap_err();
    assert!(matches!(error, InvoiceError::Malformed { .. }));
    assert_eq!((error.error_code(), error.error_message()), (core.code().into(), core.to_string()));

    let error = parse_payment_hash("ab".into()).unwrap_err();
    assert!(matches!(error, HexError::Length { .. }));
    assert_eq!(error.error_code(), "invalid_hex");

    let LengthError::WrongLength { expected, actual, text } =
        Preimage::from_bytes(vec![0; 31]).unwrap_err();
    assert_eq!((expected, actual), (Count(32), Count(31)));
    assert_eq!(text.code, "wrong_length");
}

#[test]
fn every_error_of_a_path_has_its_variant() {
    let paths = ["\\", "/a\\", "/%00", "/a/..", "//a/b", "/a%2Fb", "/a b", "/%zz", "a", "/a;b"];
    for path in paths {
        let error = normalize_path(path.into(), None).unwrap_err();
        let core = plannt_core::normalize_path(path, &Default::default()).unwrap_err();
        assert_eq!(error.error_message(), core.to_string());
        let variant = format!("{error:?}");
        assert!(variant.starts_with(&format!("{core:?} {{")), "{variant} is no {core:?}");
    }
}

#[test]
fn no_debug_text_has_a_secret() {
    let preimage = Preimage::from_bytes(vec![0xab; 32]).unwrap();
    let key = RootKey::from_bytes(vec![0xab; 32]).unwrap();
    for text in [format!("{preimage:?} {preimage}"), format!("{key:?} {key}")] {
        assert!(text.contains("[redacted]") && !text.contains("171") && !text.contains("ab, "));
    }
    let line = b"L402 macaroon=\"AgEEsecret\", invoice=\"lnbc1\"".to_vec();
    let challenge = read_challenge(vec![line], None).unwrap().unwrap();
    assert_eq!(challenge.token.0, "AgEEsecret");
    assert!(!format!("{challenge:?}").contains("AgEEsecret"));
}

#[test]
fn a_caveat_checker_that_throws_satisfies_nothing() {
    struct Throws;
    impl CaveatChecker for Throws {
        fn is_satisfied(&self, _: Vec<u8>) -> Result<bool, CallbackError> {
            Err(uniffi::UnexpectedUniFFICallbackError::new("thrown").into())
        }
    }

    let macaroon = Macaroon::create(b"key".to_vec(), b"id".to_vec(), None).unwrap();
    macaroon.attenuate(b"a = b".to_vec()).unwrap();
    let error =
        macaroon.verify_discharged(b"key".to_vec(), Vec::new(), std::sync::Arc::new(Throws));
    assert_eq!(error.unwrap_err().error_code(), "discharge_caveat");
    assert_eq!(macaroon, Macaroon::parse(macaroon.to_v2()).unwrap());
}

#[test]
fn a_status_that_is_none_is_no_challenge() {
    let origin = parse_origin("https://api.example".into()).unwrap();
    let facts = request_facts("GET".into(), origin, "/".into(), Vec::new());
    let flow = Flow::new(policy_of(Network::Regtest, Msat(1)), facts, "wallet".into());
    let now = UnixSeconds(1);
    let loaded = Event::Loaded { found: Found::Nothing, budget_left_msat: None };
    flow.handle(loaded, now).unwrap();
    let facts = ResponseFacts {
        // 402 in its lowest 16 bits.
        status: StatusCode(65_536 + 402),
        www_authenticate: vec![b"L402 macaroon=\"AgEE\", invoice=\"lnbc1\"".to_vec()],
        x_l402: None,
        redirected: false,
    };
    flow.handle(Event::Responded { facts }, now).unwrap();
    assert!(matches!(flow.next(), Step::Done { .. }));
}
