//! Discharges: what is made here holds, and each way of misusing one is refused.
#![cfg(feature = "third-party")]
#![allow(clippy::unwrap_used)]

mod common;

use plannt_core::macaroon::{DischargeError, MAX_CAVEATS, Macaroon, MacaroonError};

const ROOT: &[u8] = b"root key";

fn asking(ids: &[&[u8]]) -> Macaroon {
    let mut macaroon = Macaroon::create(ROOT, b"root", Some("here")).unwrap();
    macaroon.attenuate(b"a=1").unwrap();
    for (nonce, id) in ids.iter().enumerate() {
        macaroon.attenuate_third_party(id, id, Some("there"), &[nonce as u8; 24]).unwrap();
    }
    macaroon.attenuate(b"b=2").unwrap();
    macaroon
}

/// A discharge whose key is its identifier.
fn discharge(id: &[u8], caveats: &[&[u8]]) -> Macaroon {
    let mut macaroon = Macaroon::create(id, id, None).unwrap();
    for caveat in caveats {
        macaroon.attenuate(caveat).unwrap();
    }
    macaroon
}

fn verify(macaroon: &Macaroon, discharges: &[Macaroon]) -> Result<(), DischargeError> {
    macaroon.verify_discharged(ROOT, discharges, |_| true)
}

#[test]
fn every_caveat_is_asked_about_once_the_signatures_hold() {
    let macaroon = asking(&[b"x", b"y"]);
    let x = macaroon.bind(&discharge(b"x", &[b"c=3"]));
    let y = macaroon.bind(&discharge(b"y", &[]));
    let mut asked = Vec::new();
    let result = macaroon.verify_discharged(ROOT, &[y.clone(), x.clone()], |caveat| {
        asked.push(caveat.to_vec());
        true
    });
    assert_eq!(result, Ok(()));
    assert_eq!(asked, [b"a=1", b"b=2", b"c=3"]);
    for refused in [&b"a=1"[..], b"b=2", b"c=3"] {
        let result = macaroon.verify_discharged(ROOT, &[x.clone(), y.clone()], |c| c != refused);
        assert_eq!(result, Err(DischargeError::Caveat));
    }
    let asked = |_: &[u8]| panic!("asked before the signatures hold");
    let unbound = discharge(b"x", &[b"c=3"]);
    let result = macaroon.verify_discharged(ROOT, &[unbound, y], asked);
    assert_eq!(result, Err(DischargeError::Signature));
}

#[test]
fn survives_every_format() {
    let macaroon = asking(&[b"x"]);
    let bound = macaroon.bind(&discharge(b"x", &[]));
    for format in ["v1", "v2", "json"] {
        let again = |m: &Macaroon| match format {
            "v1" => Macaroon::parse(&m.to_v1().unwrap()).unwrap(),
            "v2" => Macaroon::parse(&m.to_v2()).unwrap(),
            _ => Macaroon::parse(m.to_json().unwrap().as_bytes()).unwrap(),
        };
        assert_eq!(verify(&again(&macaroon), &[again(&bound)]), Ok(()), "{format}");
    }
}

#[test]
fn a_discharge_is_for_one_macaroon() {
    let mut macaroon = asking(&[b"x"]);
    let bound = macaroon.bind(&discharge(b"x", &[]));
    macaroon.attenuate(b"d=4").unwrap();
    assert_eq!(verify(&macaroon, std::slice::from_ref(&bound)), Err(DischargeError::Signature));
    let twice = macaroon.bind(&bound);
    assert_eq!(verify(&macaroon, &[twice]), Err(DischargeError::Signature));
    // Narrowed by who held it before it was bound, and by who holds it after.
    let mut narrowed = discharge(b"x", &[b"c=3"]);
    assert_eq!(verify(&macaroon, &[macaroon.bind(&narrowed)]), Ok(()));
    narrowed = macaroon.bind(&narrowed);
    narrowed.attenuate(b"e=5").unwrap();
    assert_eq!(verify(&macaroon, &[narrowed]), Err(DischargeError::Signature));
}

#[test]
fn each_discharge_is_asked_for_exactly_once() {
    let macaroon = asking(&[b"x"]);
    let x = macaroon.bind(&discharge(b"x", &[]));
    let other = macaroon.bind(&discharge(b"y", &[]));
    assert_eq!(verify(&macaroon, &[]), Err(DischargeError::Missing));
    assert_eq!(verify(&macaroon, std::slice::from_ref(&other)), Err(DischargeError::Missing));
    assert_eq!(verify(&macaroon, &[x.clone(), other]), Err(DischargeError::Unused));
    assert_eq!(verify(&macaroon, &[x.clone(), x.clone()]), Err(DischargeError::Duplicate));
    let twice = asking(&[b"x", b"x"]);
    let x = twice.bind(&discharge(b"x", &[]));
    assert_eq!(verify(&twice, &[x]), Err(DischargeError::Reused));
    let wrong_root = asking(&[]).verify_discharged(b"another", &[], |_| true);
    assert_eq!(wrong_root, Err(DischargeError::Signature));
}

/// A holder can sign any verification id, and none but a sealed key opens.
#[test]
fn a_verification_id_is_sealed_under_the_signature_before_it() {
    let sound = asking(&[b"x"]);
    let sealed = sound.caveats().find_map(|caveat| caveat.verification_id).unwrap().to_vec();
    let holder = Macaroon::create(ROOT, b"root", None).unwrap();
    for (vid, id) in [(vec![7; 72], b"x"), (sealed, b"x")] {
        let key = holder.signature();
        let pair = [common::hmac(key, &vid), common::hmac(key, id)].concat();
        let signature = common::hmac(key, &pair);
        // Type and length of each field, around the third-party caveat that is spliced in.
        let bytes = [&[2, 2, 4], &b"root"[..], &[0, 2, 1], id, &[4, 72], &vid, &[0, 0, 6, 32]];
        let bytes = [&bytes.concat(), &signature[..]].concat();
        let macaroon = Macaroon::parse(&bytes).unwrap();
        assert!(macaroon.verify_signature(ROOT));
        let x = macaroon.bind(&discharge(b"x", &[]));
        assert_eq!(verify(&macaroon, &[x]), Err(DischargeError::VerificationId));
    }
}

#[test]
fn cycles_of_any_length_end() {
    for length in 1..=4u8 {
        let macaroon = asking(&[&[0]]);
        let ring: Vec<_> = (0..length)
            .map(|i| {
                let next = [(i + 1) % length];
                let mut one = discharge(&[i], &[]);
                one.attenuate_third_party(&next, &next, None, &[i; 24]).unwrap();
                macaroon.bind(&one)
            })
            .collect();
        assert_eq!(verify(&macaroon, &ring), Err(DischargeError::Reused), "{length}");
    }
}

#[test]
fn a_long_row_of_discharges_needs_no_stack() {
    let macaroon = asking(&[b"0"]);
    let row: Vec<_> = (0..5_000u32)
        .map(|i| {
            let mut one = discharge(i.to_string().as_bytes(), &[]);
            let next = (i + 1).to_string();
            if i < 4_999 {
                one.attenuate_third_party(next.as_bytes(), next.as_bytes(), None, &[0; 24])
                    .unwrap();
            }
            macaroon.bind(&one)
        })
        .collect();
    assert_eq!(verify(&macaroon, &row), Ok(()));
}

#[test]
fn what_outgrows_a_limit_leaves_the_macaroon_as_it_was() {
    let mut macaroon = asking(&[]);
    let before = macaroon.clone();
    let long = vec![b'x'; 65_536];
    let refused = macaroon.attenuate_third_party(b"k", &long, None, &[0; 24]);
    assert!(matches!(refused, Err(MacaroonError::FieldTooLong(_))));
    assert_eq!(macaroon, before);
    assert!(before.caveats().len() < MAX_CAVEATS);
}
