//! The format's own limits, where it can be written and where it can't, and what holders do.
#![allow(clippy::unwrap_used)]

use plannt_core::macaroon::{
    Format, MAX_BYTES, MAX_CAVEATS, Macaroon, MacaroonError, MacaroonRef, Part,
};
use plannt_core::{TokenError, attenuate_token, base64};

#[test]
fn at_most_64_kib() {
    let fits = vec![0; MAX_BYTES - 43];
    let macaroon = Macaroon::create(b"key", &fits, None).unwrap();
    let bytes = macaroon.to_v2();
    assert!(bytes.len() <= MAX_BYTES && bytes.len() + 10 > MAX_BYTES);
    assert_eq!(Macaroon::parse(&bytes).unwrap(), macaroon);
    let more = vec![0; MAX_BYTES - 20];
    assert_eq!(Macaroon::create(b"key", &more, None), Err(MacaroonError::TooLong));
    let field = vec![0; 65_536];
    assert_eq!(
        Macaroon::create(b"key", &field, None),
        Err(MacaroonError::FieldTooLong(Part::Identifier))
    );
    for format in [1, 2, 3] {
        let first = [b'0', 2, b'{'][format - 1];
        let mut bytes = vec![b' '; MAX_BYTES + 1];
        bytes[0] = first;
        assert_eq!(Macaroon::parse(&bytes), Err(MacaroonError::TooLong));
    }
}

#[test]
fn v1_and_json_say_when_they_have_no_room() {
    // A packet's length has four digits: the rest of a longer one would be read as something else.
    let macaroon = Macaroon::create(b"key", &[b'a'; 65_490], None).unwrap();
    assert_eq!(macaroon.to_v1(), Err(MacaroonError::TooLong));
    assert_eq!(macaroon.to_json(), Err(MacaroonError::TooLong));
    let macaroon = Macaroon::create(b"key", &[b'a'; 65_520], None);
    assert_eq!(macaroon, Err(MacaroonError::TooLong));
    let fits = Macaroon::create(b"key", &[b'a'; 65_400], None).unwrap();
    for format in [Format::V1, Format::V2, Format::V2Json] {
        assert_eq!(Macaroon::parse(&fits.to_format(format).unwrap()).unwrap(), fits);
    }
}

#[test]
fn at_most_4096_caveats() {
    let mut macaroon = Macaroon::create(b"key", b"id", None).unwrap();
    for _ in 0..MAX_CAVEATS {
        macaroon.attenuate(b"").unwrap();
    }
    let before = macaroon.clone();
    assert_eq!(macaroon.attenuate(b""), Err(MacaroonError::TooManyCaveats));
    assert_eq!(macaroon, before, "a refused caveat leaves no trace");
    assert!(macaroon.verify_signature(b"key"));
    let mut bytes = macaroon.to_v2();
    assert_eq!(MacaroonRef::parse(&bytes).unwrap().caveat_count(), MAX_CAVEATS);
    bytes.splice(6..6, [2, 0, 0]);
    assert_eq!(MacaroonRef::parse(&bytes).err(), Some(MacaroonError::TooManyCaveats));
}

#[test]
fn sizes_are_checked_before_room_is_made() {
    let text = "A".repeat(200_000);
    assert_eq!(attenuate_token(&text, &[]), Err(MacaroonError::TooLong.into()));
}

#[test]
fn an_absent_location_stays_absent() {
    for location in [None, Some("l402")] {
        let macaroon = Macaroon::create(b"key", b"id", location).unwrap();
        for format in [Format::V1, Format::V2, Format::V2Json] {
            let read = Macaroon::parse(&macaroon.to_format(format).unwrap()).unwrap();
            assert_eq!(read.location(), location);
        }
    }
}

#[test]
fn json_is_written_as_libraries_do() {
    let mut macaroon = Macaroon::create(b"key", b"i\"d", Some("l402")).unwrap();
    macaroon.attenuate(b"\xff").unwrap();
    let signature = base64::encode(macaroon.signature());
    let signature = signature.replace('+', "-").replace('/', "_");
    let expected = format!(
        r#"{{"v":2,"l":"l402","i":"i\"d","c":[{{"i64":"_w"}}],"s64":"{}"}}"#,
        signature.trim_end_matches('=')
    );
    assert_eq!(macaroon.to_json().unwrap(), expected);
}

#[test]
fn json_arrays_are_no_objects() {
    let signature = base64::encode(&[0; 32]);
    let right = format!(r#"{{"v":2,"i":"id","c":[{{"i":"a"}}],"s64":"{signature}"}}"#);
    assert!(Macaroon::from_json(right.as_bytes()).is_ok());
    for (from, to) in [
        (r#"[{"i":"a"}]"#, r#"[["a"]]"#),
        (r#"{"i":"a"}"#, r#"{"i":"a","i":"a"}"#),
        (r#"{"i":"a"}"#, r#"{"x":"a"}"#),
        (r#"{"i":"a"}"#, r#"{"i":1}"#),
        (r#"{"i":"a"}"#, "null"),
        (r#""v":2"#, r#""v":2.0"#),
        (r#""v":2"#, r#""v":true"#),
        (r#""i":"id","#, ""),
        (r#""i":"id""#, r#""i":null"#),
    ] {
        assert!(right.contains(from));
        let wrong = right.replacen(from, to, 1);
        assert!(Macaroon::from_json(wrong.as_bytes()).is_err(), "{wrong}");
    }
    for (from, to) in
        [(r#""v":2,"#, ""), (r#""v":2"#, r#""v":"2""#), (r#""c":[{"i":"a"}]"#, r#""c":null"#)]
    {
        let wrong = right.replacen(from, to, 1);
        assert!(Macaroon::from_json(wrong.as_bytes()).is_ok(), "{wrong}");
    }
}

#[test]
fn attenuating_keeps_format_and_location() {
    let macaroon = Macaroon::create(b"key", b"id", Some("elsewhere")).unwrap();
    for format in [Format::V1, Format::V2, Format::V2Json] {
        let token = base64::encode(&macaroon.to_format(format).unwrap()).replace('=', "");
        let narrowed = attenuate_token(&token, &["a=b", "c=d"]).unwrap();
        let bytes = base64::decode(narrowed.as_str()).unwrap();
        assert_eq!(Format::sniff(&bytes), Some(format));
        let read = narrowed.parse_macaroon().unwrap();
        assert!(read.verify_signature(b"key"));
        assert_eq!(read.location(), Some("elsewhere"));
        let caveats: Vec<_> = read.caveats().map(|caveat| caveat.id).collect();
        assert_eq!(caveats, [b"a=b", b"c=d"]);
    }
}

#[test]
fn attenuating_makes_nothing_that_a_server_would_not_read() {
    let token = base64::encode(&Macaroon::create(b"key", b"id", None).unwrap().to_v2());
    assert!(attenuate_token(&token, &["a=b"; 64]).is_ok());
    assert_eq!(attenuate_token(&token, &["a=b"; 65]), Err(TokenError::TooManyCaveats));
    let long = "a=".repeat(4_096);
    assert_eq!(attenuate_token(&token, &[&long]), Err(TokenError::TooLong));
    for text in ["", "!", "AAAA", "e30="] {
        assert!(attenuate_token(text, &[]).is_err(), "{text}");
        assert!(text.parse::<plannt_core::Token>().is_err(), "{text}");
    }
    // A token of another spelling is kept as it came.
    let url_safe = token.replace('+', "-").replace('/', "_");
    assert_eq!(url_safe.parse::<plannt_core::Token>().unwrap().as_str(), url_safe);
}

#[test]
fn nothing_prints_a_signature() {
    let macaroon = Macaroon::create(b"key", b"id", Some("l402")).unwrap();
    let bytes = macaroon.to_v2();
    let signature = format!("{:?}", macaroon.signature());
    let signature = signature.trim_matches(['[', ']']);
    for text in [format!("{macaroon:?}"), format!("{:?}", MacaroonRef::parse(&bytes).unwrap())] {
        assert!(text.contains("l402") && !text.contains(signature));
    }
}

/// Every way in which bytes are not a macaroon has its own error, with its own code.
#[test]
fn each_flaw_has_its_error() {
    use MacaroonError as E;
    let signature = base64::encode(&[0; 32]);
    let json = |rest: &str| format!(r#"{{"v":2,{rest},"s64":"{signature}"}}"#).into_bytes();
    let v2 = |parts: &[&[u8]]| [&[2], parts.concat().as_slice()].concat();
    let (id, end, short) = (&[2, 1, b'i'][..], &[0][..], &[6, 1, 0][..]);
    let signed = &[&[6, 32][..], &[0; 32]].concat()[..];
    let vid = |len: u8| [&[2, 1, b'c', 4, len][..], &vec![0; usize::from(len)], end].concat();
    let cases: Vec<(Vec<u8>, E, &str)> = vec![
        (vec![1], E::Format, "macaroon_format"),
        (json(r#""i64":"!""#), E::Base64(Part::Identifier), "macaroon_base64"),
        (json(r#""i":"a","i64":"YQ""#), E::Duplicate(Part::Identifier), "macaroon_duplicate"),
        (v2(&[&[3, 0]]), E::Expected(Part::Identifier), "macaroon_expected"),
        (v2(&[&[2, 0x80, 0x80, 4]]), E::FieldTooLong(Part::Identifier), "macaroon_field_too_long"),
        (b"{}x".to_vec(), E::Json, "macaroon_json"),
        (
            v2(&[id, end, &[1, 0], id, end]),
            E::LocationOnFirstParty,
            "macaroon_location_on_first_party",
        ),
        (b"0009abc d".to_vec(), E::Packet, "macaroon_packet"),
        (v2(&[id, id]), E::SectionEnd, "macaroon_section_end"),
        (v2(&[id, end, end, short]), E::SignatureLength, "macaroon_signature_length"),
        (vec![b'0'; MAX_BYTES + 1], E::TooLong, "macaroon_too_long"),
        (
            v2(&[id, end, &[2, 0, 0].repeat(MAX_CAVEATS + 1)]),
            E::TooManyCaveats,
            "macaroon_too_many_caveats",
        ),
        (v2(&[id, end, end, signed, end]), E::TrailingBytes, "macaroon_trailing_bytes"),
        (v2(&[&[2, 9]]), E::Truncated, "macaroon_truncated"),
        (v2(&[&[1, 1, 0xff]]), E::Utf8(Part::Location), "macaroon_utf8"),
        (v2(&[&[2, 0x81, 0]]), E::Varint, "macaroon_varint"),
        (v2(&[id, end, &vid(71)]), E::VerificationIdLength, "macaroon_verification_id_length"),
        (br#"{"v":3,"i":"a"}"#.to_vec(), E::Version, "macaroon_version"),
    ];
    for (bytes, error, code) in cases {
        assert_eq!(Macaroon::parse(&bytes), Err(error), "{code}");
        assert_eq!(error.code(), code);
        let message = error.to_string();
        assert!(!message.is_empty() && !message.starts_with(char::is_uppercase), "{message}");
    }
    assert!(Macaroon::parse(&v2(&[id, end, &vid(72), end, signed])).is_ok());
}
