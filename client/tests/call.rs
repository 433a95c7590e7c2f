//! A call that is driven step by step, as another language's driver does it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
use plannt_client::{
    BodyFacts, Budget, BudgetRule, Call, CallStep, Clock, CredentialUse, DriverOptions,
    IntentState, Journal, Origin, Policy, RequestFacts, ResponseFacts, TransportError,
};
use plannt_core::{Network, PaymentHash, Preimage, challenge_header};
use plannt_lightning::{LightningError, PayFailure, PayOutcome, Payment, PaymentState};

const NOW: u64 = 1_764_000_000;

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> u64 {
        NOW
    }
}

fn preimage(seed: u8) -> Preimage {
    Preimage::from_bytes([seed; 32])
}

fn hash(seed: u8) -> PaymentHash {
    preimage(seed).payment_hash()
}

fn challenged(seed: u8) -> ResponseFacts {
    let node = SecretKey::from_slice(&[0x42; 32]).unwrap();
    let invoice = InvoiceBuilder::new(Currency::Regtest)
        .description("one call".into())
        .payment_hash(sha256::Hash::from_byte_array(*hash(seed).as_bytes()))
        .payment_secret(PaymentSecret([8; 32]))
        .amount_milli_satoshis(21_000)
        .duration_since_epoch(Duration::from_secs(NOW))
        .expiry_time(Duration::from_secs(600))
        .min_final_cltv_expiry_delta(18)
        .build_signed(|message| Secp256k1::new().sign_ecdsa_recoverable(message, &node))
        .unwrap()
        .to_string();
    let line = challenge_header("opaque", &invoice);
    ResponseFacts { status: 402, www_authenticate: vec![line.into_bytes()], ..Default::default() }
}

fn answered(status: u16) -> ResponseFacts {
    ResponseFacts { status, ..Default::default() }
}

struct World {
    _folder: tempfile::TempDir,
    journal: Arc<Journal>,
    lock_wait: Duration,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(Journal::open(folder.path().join("journal.db")).unwrap());
        Self { _folder: folder, journal, lock_wait: Duration::from_secs(3_600) }
    }

    fn options(&self) -> DriverOptions {
        DriverOptions {
            policy: Policy::new(Network::Regtest, 100_000),
            budget: Budget::new([BudgetRule::per_day(200_000)]),
            payment_timeout: Duration::from_secs(60),
            lock_wait: self.lock_wait,
            clock: Arc::new(FixedClock),
        }
    }

    fn request() -> RequestFacts {
        RequestFacts {
            method: "GET".into(),
            origin: Origin::parse("https://api.example").unwrap(),
            target: "/v1/demo".into(),
            body: BodyFacts::of(b""),
        }
    }

    fn call(&self) -> Call {
        Call::new(self.journal.clone(), "wallet".into(), self.options(), Self::request())
    }

    /// A call whose wallet was asked to pay.
    fn at_pay(&self, seed: u8) -> Call {
        let mut call = self.call();
        assert_eq!(sends(&mut call), None);
        call.responded(challenged(seed)).unwrap();
        let CallStep::Pay(request) = call.advance().unwrap() else { panic!("no payment") };
        assert_eq!((request.payment_hash, request.amount_msat), (hash(seed), 21_000));
        assert_eq!(request.max_fee_msat, 5_210);
        assert_eq!(request.timeout, Duration::from_secs(60));
        call
    }

    fn state(&self, seed: u8) -> IntentState {
        self.journal.receipt(&hash(seed)).unwrap().unwrap().state
    }

    fn left_msat(&self) -> u64 {
        let budget = Budget::new([BudgetRule::per_day(200_000)]);
        self.journal.budget_status(Network::Regtest, &budget, NOW).unwrap()[0].left_msat
    }
}

/// What the call wants to send.
fn sends(call: &mut Call) -> Option<String> {
    match call.advance().unwrap() {
        CallStep::SendRequest { authorization } => authorization.map(|a| a.expose().to_owned()),
        step => panic!("{step:?}"),
    }
}

fn paid(seed: u8) -> PayOutcome {
    PayOutcome::Paid(Payment { preimage: preimage(seed), fee_msat: 7 })
}

#[test]
fn a_paid_call_ends_with_its_receipt() {
    let world = World::new();
    let mut call = world.at_pay(1);
    call.paid(paid(1)).unwrap();
    let expected = format!("L402 opaque:{}", preimage(1).expose_hex().as_str());
    assert_eq!(sends(&mut call), Some(expected));
    // Durably, before the credential is shown to anyone.
    assert_eq!(world.state(1), IntentState::Paid);
    call.responded(answered(200)).unwrap();
    let CallStep::Done(driven) = call.advance().unwrap() else { panic!("not done") };
    assert_eq!(driven.outcome.credential, CredentialUse::Bought);
    assert_eq!(driven.outcome.receipt.unwrap().paid_msat(), 21_007);
    assert!(driven.payment_took.is_some());
    assert_eq!(world.left_msat(), 200_000 - 21_007);
}

#[test]
fn a_lost_answer_of_the_wallet_is_looked_up_and_never_paid_again() {
    let world = World::new();
    let mut call = world.at_pay(1);
    let CallStep::LookUpPayment { payment_hash } = call.advance().unwrap() else {
        panic!("no look-up")
    };
    assert_eq!(payment_hash, hash(1));
    call.looked_up(Ok(PaymentState::InFlight)).unwrap();
    assert_eq!(call.advance().unwrap_err().code(), "payment_unresolved");
    assert_eq!(world.left_msat(), 200_000 - 26_210, "it keeps its reservation");

    // The next call asks, takes no new challenge, and presents what was paid.
    drop(call);
    let mut next = world.call();
    assert!(matches!(next.advance(), Ok(CallStep::LookUpPayment { .. })));
    let payment = Payment { preimage: preimage(1), fee_msat: 0 };
    next.looked_up(Ok(PaymentState::Paid(payment))).unwrap();
    assert!(sends(&mut next).is_some());
}

#[test]
fn an_unknown_outcome_keeps_the_wallets_words() {
    let world = World::new();
    let mut call = world.at_pay(1);
    let words = LightningError::NodeError { message: "on fire".into() };
    call.paid(PayOutcome::Unknown(words)).unwrap();
    assert!(matches!(call.advance(), Ok(CallStep::LookUpPayment { .. })));
    call.looked_up(Ok(PaymentState::NotFound)).unwrap();
    let error = call.advance().unwrap_err();
    assert!(error.to_string().ends_with("the wallet says: the node reports an error: on fire"));
    assert_eq!(world.state(1), IntentState::Unknown);
}

#[test]
fn a_failed_payment_frees_its_reservation() {
    let world = World::new();
    let mut call = world.at_pay(1);
    call.paid(PayOutcome::Failed(PayFailure::NoRoute)).unwrap();
    assert_eq!(call.advance().unwrap_err().code(), "payment_failed");
    assert_eq!(world.left_msat(), 200_000);
}

#[test]
fn an_answer_to_another_step_changes_nothing() {
    let world = World::new();
    let mut call = world.call();
    assert_eq!(sends(&mut call), None);
    assert!(call.paid(paid(1)).is_err());
    assert!(call.looked_up(Ok(PaymentState::NotFound)).is_err());
    assert!(call.body_read(None).is_err());
    assert_eq!(sends(&mut call), None);
    call.send_failed(TransportError::new("connect", "refused")).unwrap();
    assert!(call.responded(answered(200)).is_err());
    let error = call.advance().unwrap_err();
    assert_eq!((error.code(), error.receipt()), ("connect", None));
}

#[test]
fn a_paid_call_without_an_answer_tells_of_the_money() {
    let world = World::new();
    let mut call = world.at_pay(1);
    call.paid(paid(1)).unwrap();
    assert!(sends(&mut call).is_some());
    call.send_failed(TransportError::new("timeout", "no answer in time")).unwrap();
    let error = call.advance().unwrap_err();
    assert_eq!((error.code(), error.receipt().unwrap().paid_msat()), ("not_delivered", 21_007));
}

#[test]
fn calls_with_one_request_wait_for_each_other() {
    let mut world = World::new();
    let first = world.at_pay(1);
    // Its intent is unresolved, and it is being worked on.
    let mut second = world.call();
    let CallStep::Wait(pause) = second.advance().unwrap() else { panic!("no waiting") };
    assert!(pause > Duration::ZERO);
    world.lock_wait = Duration::ZERO;
    assert_eq!(world.call().advance().unwrap_err().code(), "busy");
    // Dropped, as when its task is cancelled: the key is free, and the payment is not forgotten.
    drop(first);
    assert!(matches!(second.advance(), Ok(CallStep::LookUpPayment { .. })));
}

#[test]
fn a_dry_run_ends_in_a_quote_and_writes_nothing() {
    let world = World::new();
    let mut call =
        Call::dry_run(world.journal.clone(), "wallet".into(), world.options(), World::request());
    assert_eq!(sends(&mut call), None);
    call.responded(challenged(1)).unwrap();
    let CallStep::Quoted(quote) = call.advance().unwrap() else { panic!("no quote") };
    assert_eq!(quote.total_msat(), Some(26_210));
    assert!(world.journal.receipts(10).unwrap().is_empty());
}
