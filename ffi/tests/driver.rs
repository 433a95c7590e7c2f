//! What the driver does over a real journal and the devnet's wallet, with HTTP played by the test.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use plannt_core::PaymentHash;
use plannt_ffi::*;
use plannt_lightning::devnet::{Devnet, DevnetConfig, DevnetHandle};
use plannt_lightning::{InvoiceRequest, Invoicer, invoicer_from_url};
use tokio::sync::Notify;

const PRICE_MSAT: u64 = 21_000;
const FEE_MSAT: u64 = 7;

struct World {
    devnet: DevnetHandle,
    folder: tempfile::TempDir,
    invoicer: Arc<dyn Invoicer>,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = DevnetConfig::new(folder.path().join("devnet")).fee_msat(FEE_MSAT);
        let devnet = Devnet::start(config).await.unwrap();
        let invoicer = invoicer_from_url(&devnet.invoicer_url()).unwrap();
        Self { devnet, folder, invoicer }
    }

    fn wallet(&self) -> Arc<dyn Wallet> {
        wallet(self.devnet.payer_url(), Some(Network::Regtest)).unwrap()
    }

    fn journal(&self) -> Arc<Journal> {
        Arc::new(Journal::new(self.folder.path().join("journal.db").display().to_string()))
    }

    fn driver(&self, wallet: Arc<dyn Wallet>) -> Arc<Driver> {
        let policy = driver_policy(Network::Regtest, Msat(100_000), true);
        let options = DriverOptions {
            policy,
            budget: Budget::default(),
            payment_timeout: 60.0,
            lock_wait: 5.0,
        };
        Arc::new(Driver::new(wallet, self.journal(), options).unwrap())
    }

    /// A 402 with a fresh invoice.
    async fn challenge(&self) -> ResponseFacts {
        let request = InvoiceRequest {
            amount_msat: PRICE_MSAT,
            memo: "one call".into(),
            expiry_seconds: 600,
        };
        let invoice = self.invoicer.issue(&request).await.unwrap();
        let line = challenge_header("opaque".into(), invoice);
        answer(402, vec![line.into_bytes()])
    }

    async fn paid(&self) -> usize {
        self.devnet.payments().await.unwrap().len()
    }
}

fn answer(status: u32, www_authenticate: Vec<Vec<u8>>) -> ResponseFacts {
    ResponseFacts { status: StatusCode(status), www_authenticate, x_l402: None, redirected: false }
}

fn request() -> RequestFacts {
    let origin = parse_origin("https://api.example".into()).unwrap();
    request_facts("GET".into(), origin, "/v1/demo".into(), Vec::new())
}

/// Plays a server that sells for each invoice one answer.
async fn drive(world: &World, driver: &Driver, call: &Arc<Call>) -> Result<Outcome, ClientError> {
    loop {
        match driver.next_step(call.clone()).await? {
            HttpStep::Done { outcome, .. } => return Ok(outcome),
            HttpStep::Quoted { quote } => panic!("no dry run: {quote:?}"),
            HttpStep::ReadBody { .. } => call.body_read(None).unwrap(),
            HttpStep::SendRequest { authorization: None } => {
                call.responded(world.challenge().await).unwrap();
            }
            HttpStep::SendRequest { authorization: Some(value) } => {
                assert!(value.0.starts_with("L402 opaque:"));
                assert!(!format!("{value:?}").contains("opaque"));
                call.responded(answer(200, Vec::new())).unwrap();
            }
        }
    }
}

/// A call that nobody drives any more since its wallet began to pay.
async fn left_while_the_wallet_pays(world: &World) -> (Arc<Own>, Arc<Driver>, Arc<Call>) {
    let own = Arc::new(Own { hangs: Some(Notify::new()), ..Own::of(world.wallet()) });
    let driver = world.driver(own.clone());
    let call = driver.call(request(), false).unwrap();
    tokio::select! {
        biased;
        () = own.hangs.as_ref().unwrap().notified() => {}
        ended = drive(world, &driver, &call) => panic!("it ended: {ended:?}"),
    }
    (own, driver, call)
}

/// A wallet as an app has one.
struct Own {
    inner: Arc<dyn Wallet>,
    asked: AtomicU32,
    hangs: Option<Notify>,
    tells_fee: bool,
}

impl Own {
    fn of(inner: Arc<dyn Wallet>) -> Self {
        Self { inner, asked: AtomicU32::new(0), hangs: None, tells_fee: true }
    }
}

#[async_trait]
impl Wallet for Own {
    fn wallet_id(&self) -> String {
        "own".into()
    }

    fn network(&self) -> Option<Network> {
        Some(Network::Regtest)
    }

    fn limits_fee(&self) -> bool {
        true
    }

    async fn pay_invoice(&self, request: PayRequest) -> Result<Payment, PaymentError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut payment = self.inner.pay_invoice(request).await?;
        if let Some(hangs) = &self.hangs {
            hangs.notify_one();
            std::future::pending::<()>().await;
        }
        if !self.tells_fee {
            payment.fee_msat = None;
        }
        Ok(payment)
    }

    async fn lookup_payment(&self, hash: PaymentHash) -> Result<PaymentState, LightningError> {
        self.inner.lookup_payment(hash).await
    }

    async fn balance_msat(&self) -> Result<Msat, LightningError> {
        self.inner.balance_msat().await
    }
}

#[tokio::test]
async fn pays_once_and_keeps_the_receipt() {
    let world = World::new().await;
    let driver = world.driver(world.wallet());
    let call = driver.call(request(), false).unwrap();
    let outcome = drive(&world, &driver, &call).await.unwrap();
    assert_eq!(outcome.credential, CredentialUse::Bought);
    let receipt = outcome.receipt.unwrap();
    assert_eq!(receipt.paid_msat(), Msat(PRICE_MSAT + FEE_MSAT));

    // The credential is good for more, as far as the driver knows.
    let again = driver.call(request(), false).unwrap();
    let outcome = drive(&world, &driver, &again).await.unwrap();
    assert_eq!(outcome.credential, CredentialUse::Kept);
    assert_eq!(world.paid().await, 1);
    let kept = driver.receipts(Count(10)).await.unwrap();
    assert_eq!(kept.iter().map(|r| r.payment_hash).collect::<Vec<_>>(), [receipt.payment_hash]);
    assert!(driver.journal().unresolved("own".into()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_driver_that_is_given_up_while_the_wallet_pays_pays_no_second_time() {
    let world = World::new().await;
    let (own, _driver, call) = left_while_the_wallet_pays(&world).await;
    drop(call);

    let other = world.driver(Arc::new(Own::of(world.wallet())));
    let call = other.call(request(), false).unwrap();
    let outcome = drive(&world, &other, &call).await.unwrap();
    assert_eq!(outcome.credential, CredentialUse::Recovered);
    assert_eq!(own.asked.load(Ordering::SeqCst), 1);
    assert_eq!(world.paid().await, 1);
}

#[tokio::test]
async fn what_was_left_behind_is_recovered_once() {
    let world = World::new().await;
    let (own, driver, call) = left_while_the_wallet_pays(&world).await;

    // The call still holds the request.
    let states = driver.recover().await.unwrap();
    assert_eq!(states.iter().map(|r| r.state.clone()).collect::<Vec<_>>(), [RecoveredState::Busy]);
    call.abandon();
    let error = driver.next_step(call).await.unwrap_err();
    assert_eq!((error.error_code().as_str(), error.receipt()), ("config", None));

    let journal = driver.journal();
    let hash = journal.unresolved("own".into()).await.unwrap()[0];
    let held = journal.unfinished("own".into(), hash).await.unwrap().unwrap();
    assert!(journal.unfinished("own".into(), hash).await.unwrap().is_none());
    let state = own.lookup_payment(hash).await.unwrap();
    assert_eq!(held.resolve(state.clone()).await.unwrap(), Some(RecoveredState::Paid));
    assert_eq!(held.resolve(state).await.unwrap(), None);
    assert!(driver.recover().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_fee_that_is_not_told_is_charged_as_the_maximum() {
    let world = World::new().await;
    let driver = world.driver(Arc::new(Own { tells_fee: false, ..Own::of(world.wallet()) }));
    let call = driver.call(request(), false).unwrap();
    let receipt = drive(&world, &driver, &call).await.unwrap().receipt.unwrap();
    let max = driver.options().policy.max_fee_msat(Msat(PRICE_MSAT));
    assert_eq!(receipt.fee_msat, Some(max));
    assert_eq!(receipt.charged_msat, Msat(PRICE_MSAT + max.0));
}

#[tokio::test]
async fn a_dry_run_tells_the_price_and_makes_no_journal() {
    let world = World::new().await;
    let driver = world.driver(world.wallet());
    let call = driver.call(request(), true).unwrap();
    let step = driver.next_step(call.clone()).await.unwrap();
    assert!(matches!(step, HttpStep::SendRequest { authorization: None }));
    call.responded(world.challenge().await).unwrap();
    let HttpStep::Quoted { quote } = driver.next_step(call).await.unwrap() else { panic!() };
    assert_eq!(quote.amount_msat, Msat(PRICE_MSAT));
    assert!(quote.refusal.is_none());
    assert!(!std::path::Path::new(&driver.journal().path()).exists());
    assert_eq!(world.paid().await, 0);
}

#[tokio::test]
async fn a_limit_refuses_with_its_own_code() {
    let world = World::new().await;
    let policy = driver_policy(Network::Regtest, Msat(20_999), true);
    let options =
        DriverOptions { policy, budget: Budget::default(), payment_timeout: 60.0, lock_wait: 5.0 };
    let driver = Driver::new(world.wallet(), world.journal(), options).unwrap();
    let call = driver.call(request(), false).unwrap();
    let error = drive(&world, &driver, &call).await.unwrap_err();
    assert_eq!(error.error_code(), "above_limit");
    let ClientError::Refused { refusal, receipt: None, .. } = error else { panic!("{error:?}") };
    let RefusalError::AboveLimit { amount_msat, limit_msat, .. } = refusal else { panic!() };
    assert_eq!((amount_msat, limit_msat), (Msat(PRICE_MSAT), Msat(20_999)));
    assert_eq!(world.paid().await, 0);
}

#[tokio::test]
async fn answers_out_of_turn_are_errors() {
    let world = World::new().await;
    let driver = world.driver(world.wallet());
    let call = driver.call(request(), false).unwrap();
    // Before its first step, and to another step.
    for _ in 0..2 {
        let error = call.body_read(None).unwrap_err();
        assert_eq!(error.error_code(), "unexpected_event");
        let step = driver.next_step(call.clone()).await.unwrap();
        assert!(matches!(step, HttpStep::SendRequest { .. }));
    }
    let unknown = PaymentState::Unknown { reason: "nobody asked".into() };
    assert!(call.looked_up(unknown).await.is_err());
}

#[tokio::test]
async fn settings_that_can_not_be_used_are_refused() {
    let world = World::new().await;
    let make = |network, payment_timeout| {
        let policy = driver_policy(network, Msat(1), true);
        let options =
            DriverOptions { policy, budget: Budget::default(), payment_timeout, lock_wait: 5.0 };
        Driver::new(world.wallet(), world.journal(), options).err().map(|e| e.error_message())
    };
    assert_eq!(make(Network::Regtest, 60.0), None);
    assert!(make(Network::Bitcoin, 60.0).unwrap().contains("on regtest, not on bitcoin"));
    for seconds in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
        assert!(make(Network::Regtest, seconds).unwrap().contains("payment_timeout"));
    }
}
