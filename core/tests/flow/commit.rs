//! After the payment is journaled, the same request goes out once more.

use plannt_core::flow::{CredentialUse, Step};

use crate::support::*;

#[test]
fn the_request_is_repeated_once_with_the_credential() {
    let mut call = Call::presenting(1);
    assert_eq!(call.authorization(), Some(credential(1)));
    call.respond(answer(500, None));
    match call.step() {
        Step::Done(outcome) => assert_eq!(outcome.credential, CredentialUse::Bought),
        step => panic!("{step:?}"),
    }
}

#[test]
fn nothing_that_prints_shows_a_secret() {
    let call = Call::presenting(1);
    let text = format!("{:?} {:?}", call.step(), call.flow);
    assert!(!text.contains(preimage(1).expose_hex().as_str()));
    assert!(!text.contains(&token(1, NOW + 10_000)));
}
