//! A challenge that only the body holds.

use plannt_core::flow::{Event, Found, Step};

use crate::support::*;

fn reading() -> Call {
    let mut call = Call::new();
    call.load(Found::Nothing).respond(answer(402, None));
    call
}

#[test]
fn a_402_without_a_challenge_in_its_header_has_its_body_read_within_bounds() {
    assert!(matches!(reading().step(), Step::ReadBody { max_bytes: 65_536 }));
}

#[test]
fn a_challenge_in_the_body_counts() {
    let (token, invoice) = (token(1, NOW + 10_000), Invoice::of(1).text());
    let mut call = reading();
    let body = format!(r#"{{"invoice":"{invoice}","macaroon":"{token}"}}"#);
    call.tell(Event::Body(Some(body.into_bytes()))).load(Found::Nothing);
    match call.step() {
        Step::JournalIntent(intent) => assert_eq!((intent.token, intent.invoice), (token, invoice)),
        step => panic!("{step:?}"),
    }
}

#[test]
fn without_a_complete_challenge_the_402_is_handed_back() {
    for body in
        [None, Some(&b""[..]), Some(b"{}"), Some(b"pay me"), Some(br#"{"invoice":"lnbcrt1"}"#)]
    {
        let mut call = reading();
        call.tell(Event::Body(body.map(<[u8]>::to_vec)));
        assert_eq!(call.name(), "Done", "{body:?}");
    }
}
