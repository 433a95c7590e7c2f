use alloc::format;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::macaroon::Macaroon;
use crate::{
    ChallengeBody, Code, Identifier, Preimage, authorization_value, base64, challenge_header,
    grpc_metadata_value,
};

/// BOLT 11's second example: 2500 uBTC for a cup of coffee.
const COFFEE: &str = "lnbc2500u1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5xysxxatsyp3k7enxv4jsxqzpu9qrsgquk0rl77nj30yxdy8j9vdx85fkpmdla2087ne0xh8nhedh8w27kyke0lp53ut353s06fv3qfegext0eh0ymjpf39tuven09sam30g4vgpfna3rh";

fn preimage() -> Preimage {
    Preimage::from_bytes([0xa5; 32])
}

fn macaroon() -> Macaroon {
    let identifier = Identifier { payment_hash: preimage().payment_hash(), token_id: [2; 32] };
    let mut macaroon =
        Macaroon::create(&[1; 32], &identifier.to_bytes(), Some("l402")).expect("small");
    macaroon.attenuate(b"services = demo:0").expect("small");
    macaroon
}

fn token() -> String {
    base64::encode(&macaroon().to_v2())
}

fn kind(text: &str) -> &'static str {
    match decode_any(text) {
        Ok(Decoded::Challenge(_)) => "challenge",
        Ok(Decoded::Credential(_)) => "credential",
        Ok(Decoded::Invoice(_)) => "invoice",
        Ok(Decoded::Token(_)) => "token",
        Err(error) => error.code(),
    }
}

fn json(text: &str) -> serde_json::Value {
    serde_json::to_value(decode_any(text).expect("decodes")).expect("plain data")
}

#[test]
fn knows_a_challenge() {
    let value = challenge_header(&token(), COFFEE);
    let answer =
        format!("HTTP/1.1 402 Payment Required\r\nx: y\r\n< www-authenticate:  {value}\r\n");
    let body = ChallengeBody {
        token: &token(),
        invoice: COFFEE,
        payment_hash: preimage().payment_hash(),
        price_msat: 1,
        expires_at: "",
        service: "demo",
        code: Code::PaymentRequired,
        detail: None,
    };
    for text in [&value, &format!("WWW-Authenticate: {value}"), &answer] {
        let json = json(text);
        assert_eq!((&json["kind"], &json["source"]), (&"challenge".into(), &"header".into()));
        assert_eq!(json["token"]["payment_hash"], preimage().payment_hash().to_string());
        assert_eq!(json["token"]["caveats"][0]["condition"], "services");
        assert_eq!(json["token"]["caveats"][0]["value"], "demo:0");
        assert_eq!(json["invoice"]["amount_msat"], 250_000_000);
        assert_eq!(json["invoice"]["description"], "1 cup coffee");
        assert_eq!(json["payment_hash_matches"], false);
    }
    let json = json(&body.to_json());
    assert_eq!((&json["source"], &json["invoice"]["network"]), (&"body".into(), &"bitcoin".into()));
}

#[test]
fn a_part_may_be_unreadable() {
    let json = json("LSAT macaroon=eyJ4Ijoi, invoice=lnbc1");
    assert_eq!(json["token"]["error"], "macaroon_json");
    assert_eq!(json["invoice"]["error"], "invoice_malformed");
    assert_eq!(json["payment_hash_matches"], serde_json::Value::Null);
    assert_eq!(kind("L402 macaroon=\"AgEE\""), "challenge_incomplete");
    assert_eq!(kind("L402 macaroon=a, macaroon=b, invoice=c"), "challenge_repeated_parameter");
}

#[test]
fn knows_a_credential_and_never_shows_its_preimage() {
    let value = authorization_value(&token(), &preimage());
    for text in [value.to_string(), format!("authorization: {}", *value)] {
        let json = json(&text);
        assert_eq!(
            (&json["kind"], &json["preimage_matches"]),
            (&"credential".into(), &true.into())
        );
        assert_eq!(json["tokens"][0]["format"], "v2");
        assert!(!json.to_string().contains("a5a5"));
    }
    let other = authorization_value(&token(), &Preimage::from_bytes([0; 32]));
    assert_eq!(json(&other)["preimage_matches"], false);
    let opaque = authorization_value("AAAA", &preimage());
    assert_eq!(json(&opaque)["preimage_matches"], serde_json::Value::Null);
    assert_eq!(kind("L402 AgEE:00"), "malformed_credential");

    // In a caveat it is one, too.
    let metadata = grpc_metadata_value(&token(), &preimage()).expect("a macaroon");
    for text in [metadata.to_string(), format!("macaroon: {}", *metadata)] {
        let json = json(&text);
        assert_eq!(json["caveats"][1]["condition"], "preimage");
        assert_eq!(json["caveats"][1]["value"], "[redacted]");
        assert!(!json.to_string().contains("a5a5") && !json.to_string().contains("61356135"));
    }
}

#[test]
fn knows_a_token_in_any_spelling() {
    let macaroon = macaroon();
    let v1 = macaroon.to_v1().expect("fits");
    let v2_json = macaroon.to_json().expect("fits");
    for (text, format) in [
        (token(), "v2"),
        (token().trim_end_matches('=').replace('+', "-").replace('/', "_"), "v2"),
        (token::hex_text(&macaroon.to_v2()), "v2"),
        (token::hex_text(&macaroon.to_v2()).to_uppercase(), "v2"),
        (base64::encode(&v1), "v1"),
        (token::hex_text(&v1), "v1"),
        (base64::encode(v2_json.as_bytes()), "v2_json"),
        (format!("\n {v2_json}\n"), "v2_json"),
    ] {
        let Ok(Decoded::Token(token)) = decode_any(&text) else { panic!("{text}") };
        assert_eq!(token.format, format);
        assert_eq!(token.signature, token::hex_text(macaroon.signature()));
        assert_eq!(token.token_id, Some("02".repeat(32)));
    }
}

#[test]
fn caveats_that_are_no_text_are_hex() {
    let mut macaroon = macaroon();
    for caveat in [&b"\xff=x"[..], b"plain", b"a=\x1b[2J"] {
        macaroon.attenuate(caveat).expect("small");
    }
    let Ok(Decoded::Token(token)) = decode_any(&base64::encode(&macaroon.to_v2())) else {
        panic!("a token")
    };
    let shown: Vec<_> =
        token.caveats[1..].iter().map(|c| (c.value.as_deref(), c.hex.as_deref())).collect();
    assert_eq!(
        shown,
        vec![
            (None, Some("ff3d78")),
            (None, Some("706c61696e")),
            (Some("\u{fffd}[2J"), Some("613d1b5b324a")),
        ]
    );
}

#[test]
fn knows_an_invoice() {
    for text in
        [COFFEE, &format!("lightning:{COFFEE}"), &format!(" LIGHTNING:{} ", COFFEE.to_uppercase())]
    {
        let json = json(text);
        assert_eq!((&json["kind"], &json["network"]), (&"invoice".into(), &"bitcoin".into()));
        assert_eq!(json["expires_at"], json["issued_at"].as_u64().expect("seconds") + 60);
        assert_eq!(
            json["payee"],
            "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"
        );
    }
    assert_eq!(kind(&COFFEE[..60]), "invoice_malformed");
    assert_eq!(kind("lightning:x"), "invoice_malformed");
}

#[test]
fn says_when_it_knows_nothing() {
    for text in
        ["", " ", "hello", "{}", "{\"invoice\":1}", "Bearer abc", "lno1abc", "AAAA", "\u{e9}"]
    {
        assert_eq!(kind(text), "decode_unrecognized", "{text}");
    }
    assert_eq!(kind(&"x".repeat(MAX_TEXT_BYTES + 1)), "decode_too_long");
}

proptest! {
    #[test]
    fn any_text_is_something_or_nothing(text in "(|L402 |LSAT |\\{|lightning:|02)\\PC{0,80}") {
        let _ = decode_any(&text);
    }
}
