//! A flow driven by hand over the journal, as a binding does it, without any HTTP client.

use std::sync::Arc;

use plannt_client::{Budget, CredentialUse, Session};
use plannt_core::flow::ResponseFacts;
use plannt_core::flow::{Event, Flow, LookUp, PaymentResult, Policy, Step};
use plannt_core::{Network, challenge_header};

use crate::support::*;

/// A signed regtest invoice over 21 sat for [`preimage`]`(1)`.
fn invoice() -> String {
    use bitcoin::hashes::{Hash, sha256};
    use bitcoin::secp256k1::{Secp256k1, SecretKey};
    use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
    InvoiceBuilder::new(Currency::Regtest)
        .description("one call".into())
        .payment_hash(sha256::Hash::from_byte_array(*hash(1).as_bytes()))
        .payment_secret(PaymentSecret([8; 32]))
        .duration_since_epoch(std::time::Duration::from_secs(NOW))
        .min_final_cltv_expiry_delta(18)
        .amount_milli_satoshis(AMOUNT_MSAT)
        .build_signed(|m| {
            Secp256k1::new().sign_ecdsa_recoverable(m, &SecretKey::from_slice(&[0x42; 32]).unwrap())
        })
        .unwrap()
        .to_string()
}

struct Run {
    flow: Flow,
    session: Session,
    /// The names of the steps, in their order.
    steps: Vec<String>,
}

impl Run {
    fn new(home: &Home) -> Self {
        let flow =
            Flow::new(Policy::new(Network::Regtest, 1_000_000), request("/"), "wallet".into());
        let session = Session::new(Arc::new(home.journal()), Network::Regtest, Budget::unlimited());
        Self { flow, session, steps: Vec::new() }
    }

    /// Lets the session do what it can, and returns the first step that it can't.
    fn until_outside(&mut self) -> Step {
        loop {
            let step = self.flow.next();
            let name = format!("{step:?}");
            self.steps.push(name.split([' ', '(', '{']).next().unwrap().into());
            match self.session.perform(&step, NOW).unwrap() {
                Some(event) => self.flow.handle(event, NOW).unwrap(),
                None => return step,
            }
        }
    }

    fn tell(&mut self, event: Event) -> Step {
        self.flow.handle(event, NOW).unwrap();
        self.until_outside()
    }
}

fn answer(status: u16) -> Event {
    Event::Responded(ResponseFacts { status, ..Default::default() })
}

fn challenge() -> Event {
    Event::Responded(ResponseFacts {
        status: 402,
        www_authenticate: vec![challenge_header("opaque", &invoice()).into_bytes()],
        ..Default::default()
    })
}

#[test]
fn a_binding_needs_no_more_than_flow_and_session() {
    let home = Home::new();
    let mut run = Run::new(&home);
    run.until_outside();
    assert!(matches!(run.tell(challenge()), Step::Pay(_)));
    let paid = PaymentResult::Paid { preimage: preimage(1), fee_msat: 7 };
    let sending = run.tell(Event::Payment(paid));
    assert!(matches!(sending, Step::SendRequest { authorization: Some(_) }));
    match run.tell(answer(200)) {
        Step::Done(outcome) => assert_eq!(outcome.credential, CredentialUse::Bought),
        step => panic!("{step:?}"),
    }
    assert_eq!(
        run.steps,
        [
            "LoadCredential",
            "SendRequest",
            "LoadCredential",
            "JournalIntent",
            "Pay",
            "Commit",
            "SendRequest",
            "StoreCredential",
            "Done"
        ]
    );
}

#[test]
fn a_run_that_ends_anywhere_is_picked_up_by_the_next() {
    let home = Home::new();
    // Ends between the intent and the wallet's answer.
    let mut run = Run::new(&home);
    run.until_outside();
    run.tell(challenge());
    drop(run);
    // Asks the wallet; ends before the answer to the credential.
    let mut run = Run::new(&home);
    assert!(matches!(run.until_outside(), Step::LookUpPayment { .. }));
    let paid = LookUp::Paid { preimage: preimage(1), fee_msat: 7 };
    assert!(matches!(
        run.tell(Event::LookedUp(paid)),
        Step::SendRequest { authorization: Some(_) }
    ));
    drop(run);
    // Presents it at once.
    let mut run = Run::new(&home);
    assert!(matches!(run.until_outside(), Step::SendRequest { authorization: Some(_) }));
    match run.tell(answer(200)) {
        Step::Done(outcome) => assert_eq!(outcome.credential, CredentialUse::Recovered),
        step => panic!("{step:?}"),
    }
}

#[test]
fn two_sessions_on_one_key_wait_for_each_other() {
    let home = Home::new();
    let mut first = Run::new(&home);
    first.until_outside();
    assert!(matches!(first.tell(challenge()), Step::Pay(_)));

    let mut second = Run::new(&home);
    let step = second.flow.next();
    let found = second.session.perform(&step, NOW).unwrap().unwrap();
    second.flow.handle(found, NOW).unwrap();
    let exclusive = second.flow.next();
    let busy = second.session.perform(&exclusive, NOW).unwrap();
    assert!(matches!(busy, Some(Event::Busy)));
    drop(first);
    assert!(matches!(second.until_outside(), Step::LookUpPayment { .. }));
}
