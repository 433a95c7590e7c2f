//! What five other macaroon libraries made of the same bytes (tests/data/README.md).
#![allow(clippy::unwrap_used)]

use plannt_core::macaroon::{Format, Macaroon, MacaroonError, MacaroonRef};
use plannt_core::{Identifier, Preimage, base64};
use serde_json::Value;

fn cases(list: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("data/macaroon-peers.json")).unwrap();
    all[list].as_array().unwrap().clone()
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn name(case: &Value) -> String {
    format!("{} {} {}", case["id"], case["format"], case["description"])
}

fn encoded(case: &Value) -> Vec<u8> {
    match case["hex"].as_str() {
        Some(hex) => unhex(hex),
        None => case["text"].as_str().unwrap().as_bytes().to_vec(),
    }
}

/// Reads a case by its own format, or by no format at all, which must be the same.
fn read(case: &Value) -> Result<Macaroon, String> {
    let bytes = encoded(case);
    if case["format"] == "base64" {
        let text = String::from_utf8(bytes).unwrap();
        let bytes = base64::decode(&text).map_err(|error| error.to_string())?;
        return Macaroon::parse(&bytes).map_err(|error| error.to_string());
    }
    let read = match case["format"].as_str().unwrap() {
        "v1" => Macaroon::from_v1(&bytes),
        "v2" => Macaroon::from_v2(&bytes),
        "v2json" => Macaroon::from_json(&bytes),
        format => panic!("unknown format {format}"),
    };
    match (&read, Macaroon::parse(&bytes)) {
        (Ok(read), Ok(sniffed)) => assert_eq!(read, &sniffed, "{}", name(case)),
        (Err(_), Err(_)) => {}
        (read, sniffed) => panic!("{}: {read:?} by format, {sniffed:?} without", name(case)),
    }
    read.map_err(|error| error.to_string())
}

fn is_satisfied(case: &Value, macaroon: &Macaroon) -> bool {
    let first_party = macaroon.caveats().filter(|caveat| !caveat.is_third_party());
    match &case["satisfy"] {
        Value::String(all) if all == "all" => true,
        Value::Array(hold) => {
            let hold: Vec<_> = hold.iter().map(|hex| unhex(hex.as_str().unwrap())).collect();
            first_party.clone().all(|caveat| hold.iter().any(|held| held == caveat.id))
        }
        other => panic!("satisfy: {other}"),
    }
}

fn is_paid(case: &Value, macaroon: &Macaroon) -> bool {
    let Some(preimage) = case["preimage_hex"].as_str() else { return true };
    match (Preimage::from_hex(preimage), Identifier::parse(macaroon.identifier())) {
        (Ok(preimage), Ok(identifier)) => preimage.proves(&identifier.payment_hash),
        _ => false,
    }
}

fn has_third_party(macaroon: &Macaroon) -> bool {
    macaroon.caveats().any(|caveat| caveat.is_third_party())
}

#[test]
fn reads_what_peers_write() {
    let cases = cases("accept");
    assert_eq!(cases.len(), 340);
    for case in &cases {
        let macaroon = read(case).unwrap_or_else(|error| panic!("{}: {error}", name(case)));
        let root_key = unhex(case["root_key_hex"].as_str().unwrap());
        assert!(macaroon.verify_signature(&root_key), "{}", name(case));
        assert!(is_satisfied(case, &macaroon) && is_paid(case, &macaroon), "{}", name(case));
        if let Some(signature) = case["signature_hex"].as_str() {
            assert_eq!(macaroon.signature().as_slice(), unhex(signature), "{}", name(case));
        }
        if let Some(identifier) = case["identifier_hex"].as_str() {
            assert_eq!(macaroon.identifier(), unhex(identifier), "{}", name(case));
        }
        if let Some(location) = case["location"].as_str() {
            assert_eq!(macaroon.location().unwrap_or_default(), location, "{}", name(case));
        }
        assert_eq!(has_third_party(&macaroon), !discharges(case).is_empty(), "{}", name(case));
    }
}

/// The discharges of a case, which are in its own format unless it says otherwise.
fn discharges(case: &Value) -> Vec<Macaroon> {
    let field = ["discharges_hex", "discharges_text"].into_iter().find(|f| !case[f].is_null());
    let Some(field) = field else { return Vec::new() };
    let read = |discharge: &Value| {
        let text = discharge.as_str().unwrap();
        let bytes = if field == "discharges_hex" { unhex(text) } else { text.as_bytes().to_vec() };
        Macaroon::parse(&bytes).unwrap_or_else(|error| panic!("{}: {error}", name(case)))
    };
    case[field].as_array().unwrap().iter().map(read).collect()
}

#[test]
fn writes_what_it_has_read_in_every_format() {
    for case in &cases("accept") {
        let macaroon = read(case).unwrap();
        let root_key = unhex(case["root_key_hex"].as_str().unwrap());
        for format in [Format::V1, Format::V2, Format::V2Json] {
            let bytes = match macaroon.to_format(format) {
                Ok(bytes) => bytes,
                Err(MacaroonError::TooLong) => continue,
                Err(error) => panic!("{}: {error}", name(case)),
            };
            let again = Macaroon::parse(&bytes).unwrap();
            assert_eq!(
                again.location().unwrap_or_default(),
                macaroon.location().unwrap_or_default()
            );
            assert_eq!(again.signature(), macaroon.signature());
            assert!(again.caveats().eq(macaroon.caveats()), "{}", name(case));
            assert!(again.verify_signature(&root_key), "{}", name(case));
        }
        // Binary has one spelling: what was read is written the same to the byte.
        if case["format"] == "v2" {
            assert_eq!(macaroon.to_v2(), encoded(case), "{}", name(case));
            let bytes = encoded(case);
            let borrowed = MacaroonRef::parse(&bytes).unwrap();
            assert_eq!(borrowed.to_macaroon(), macaroon);
            assert!(borrowed.caveats().eq(macaroon.caveats()));
            assert_eq!(borrowed.caveats().len(), borrowed.caveat_count());
        }
        if case["format"] == "v1" {
            assert_eq!(macaroon.to_v1().unwrap(), encoded(case), "{}", name(case));
        }
    }
}

#[test]
fn refuses_what_peers_let_in() {
    let cases = cases("reject");
    assert_eq!(cases.len(), 139);
    for case in &cases {
        let verdict = case["strict"]["verdict"].as_str().unwrap();
        let read = read(case);
        let root_key = unhex(case["root_key_hex"].as_str().unwrap());
        let third_party = case["category"] == "third-party";
        match (verdict, &read) {
            // What is wrong is a discharge: see `discharges_hold_as_the_strict_reference_says`.
            (_, Ok(macaroon)) if third_party && has_third_party(macaroon) => {}
            ("reject-parse", read) => assert!(read.is_err(), "{}", name(case)),
            // A macaroon that is right, offered with a discharge: see there, too.
            ("reject-verify", Ok(macaroon)) if third_party => {
                assert!(macaroon.verify_signature(&root_key), "{}", name(case));
                assert_eq!(case["strict"]["error"], "unused discharge", "{}", name(case));
            }
            ("reject-verify", Ok(macaroon)) => {
                assert!(!macaroon.verify_signature(&root_key), "{}", name(case));
            }
            ("reject-caveat", Ok(macaroon)) => {
                assert!(macaroon.verify_signature(&root_key), "{}", name(case));
                assert!(!is_satisfied(case, macaroon), "{}", name(case));
            }
            ("reject-l402", Ok(macaroon)) => {
                assert!(macaroon.verify_signature(&root_key), "{}", name(case));
                let identified = Identifier::parse(macaroon.identifier()).is_ok();
                assert!(!identified || !is_paid(case, macaroon), "{}", name(case));
            }
            (verdict, read) => panic!("{}: {verdict}, but {read:?}", name(case)),
        }
    }
}

/// Every case with a third-party caveat, or with a discharge that nothing asks for.
#[cfg(feature = "third-party")]
#[test]
fn discharges_hold_as_the_strict_reference_says() {
    use plannt_core::macaroon::DischargeError;

    let verify = |case: &Value, macaroon: &Macaroon, discharges: &[Macaroon]| {
        let root_key = unhex(case["root_key_hex"].as_str().unwrap());
        assert_eq!(case["satisfy"], "all");
        macaroon.verify_discharged(&root_key, discharges, |_| true)
    };
    let (mut accepted, mut refused) = (0, 0);
    for case in &cases("accept") {
        let (macaroon, discharges) = (read(case).unwrap(), discharges(case));
        if discharges.is_empty() {
            continue;
        }
        accepted += 1;
        assert_eq!(verify(case, &macaroon, &discharges), Ok(()), "{}", name(case));
        let fewer = verify(case, &macaroon, &discharges[1..]);
        assert_eq!(fewer, Err(DischargeError::Missing), "{}", name(case));
    }
    for case in cases("reject").iter().filter(|case| case["category"] == "third-party") {
        let Ok(macaroon) = read(case) else { continue };
        refused += 1;
        let expected = match case["strict"]["error"].as_str().unwrap() {
            // Not bound to itself, so that its signature fails before it is asked for again.
            "discharge used twice" if case["id"] == "R103" => DischargeError::Signature,
            "discharge used twice" => DischargeError::Reused,
            "no discharge" => DischargeError::Missing,
            "signature mismatch" => DischargeError::Signature,
            "two discharges with one identifier" => DischargeError::Duplicate,
            "unused discharge" => DischargeError::Unused,
            // Who changed it has broken the macaroon's own signature, which is checked first.
            "vid does not open" => DischargeError::Signature,
            error => panic!("unknown error {error}"),
        };
        let discharges = discharges(case);
        assert_eq!(verify(case, &macaroon, &discharges), Err(expected), "{}", name(case));
    }
    assert_eq!((accepted, refused), (38, 15));
}
