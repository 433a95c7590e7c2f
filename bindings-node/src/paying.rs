//! Wallets of the Rust backends, the journal, and the paying call step by step. What waits runs off Node's event loop.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use napi::bindgen_prelude::within_runtime_if_available;
use napi::{Error, Result};
use napi_derive::napi;
use plannt_client::{
    Call as ClientCall, CallStep, ClientError, Clock, DriverOptions, Journal as ClientJournal,
    JournalError, RecoveredState, SystemClock, TransportError, Unfinished as ClientUnfinished,
};
use plannt_core::flow::UnexpectedEventError;
use plannt_core::{PaymentHash, Preimage, read_invoice};
use plannt_lightning::{
    LightningError, PayFailure, PayOutcome, PayRequest, Payer, Payment, PaymentState,
    payer_from_url,
};
use serde_json::{Value, json};

use crate::error::{Raise, raise, raise_as, type_error};
use crate::flow::read_response;
use crate::plain::{
    self, amount, member, msat, optional, optional_text, outcome, owned, parse, quote, receipt,
    seconds, text, write_rule,
};

/// How long a wallet may take beyond the time that it was told, and for a look-up.
const GRACE: Duration = Duration::from_secs(30);

/// Blocking work beside the event loop.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let panicked = |_| raise_as("InternalError", "internal", "a defect of this package", json!({}));
    tokio::task::spawn_blocking(work).await.map_err(panicked)?
}

#[napi]
pub struct Wallet {
    payer: Arc<dyn Payer>,
}

#[napi]
impl Wallet {
    #[napi(constructor, catch_unwind)]
    pub fn new(url: String) -> Result<Self> {
        let payer = within_runtime_if_available(|| payer_from_url(&url)).map_err(raise)?;
        Ok(Self { payer })
    }

    /// Id, network and whether it limits fees, as JSON.
    #[napi(catch_unwind)]
    pub fn facts(&self) -> String {
        json!({
            "walletId": self.payer.wallet_id(),
            "network": self.payer.network().map(|network| network.name()),
            "limitsFee": self.payer.limits_fee(),
        })
        .to_string()
    }

    #[napi]
    pub async fn pay_invoice(
        &self,
        bolt11: String,
        max_fee_msat: String,
        timeout: f64,
    ) -> Result<String> {
        let timeout = seconds(timeout)?;
        let facts = read_invoice(&bolt11).map_err(raise)?;
        let amount_msat = facts.amount_msat.ok_or_else(|| {
            let message = "the invoice has no amount to limit";
            raise_as("PaymentFailedError", "rejected", message, json!({}))
        })?;
        let request = PayRequest {
            bolt11,
            payment_hash: facts.payment_hash,
            amount_msat,
            max_fee_msat: max_fee_msat.parse().map_err(type_error)?,
            timeout,
        };
        let paid = tokio::time::timeout(timeout.saturating_add(GRACE), self.payer.pay(&request));
        match paid.await.unwrap_or(PayOutcome::Unknown(LightningError::TimeoutUnknown)) {
            PayOutcome::Failed(failure) => Err(raise(failure)),
            PayOutcome::Paid(payment) => Ok(write_payment(&payment).to_string()),
            PayOutcome::Unknown(error) => {
                let code = Raise::code(&error);
                Err(raise_as("PaymentUnknownError", &code, &error.to_string(), json!({})))
            }
        }
    }

    #[napi]
    pub async fn lookup_payment(&self, payment_hash: String) -> Result<String> {
        let hash: PaymentHash = payment_hash.parse().map_err(raise)?;
        let state = tokio::time::timeout(GRACE, self.payer.look_up_payment(&hash)).await;
        let told = match state.unwrap_or(Err(LightningError::TimeoutUnknown)).map_err(raise)? {
            PaymentState::Failed(failure) => {
                json!({ "status": "failed", "failure": failure.code() })
            }
            PaymentState::InFlight => json!({ "status": "in_flight" }),
            PaymentState::NotFound => json!({ "status": "not_found" }),
            PaymentState::Paid(payment) => {
                let mut told = write_payment(&payment);
                told["status"] = "paid".into();
                told
            }
        };
        Ok(told.to_string())
    }

    #[napi]
    pub async fn balance_msat(&self) -> Result<String> {
        let balance = tokio::time::timeout(GRACE, self.payer.balance_msat()).await;
        balance.unwrap_or(Err(LightningError::TimeoutUnknown)).map(msat).map_err(raise)
    }
}

fn write_payment(payment: &Payment) -> Value {
    json!({
        "preimage": payment.preimage.expose_hex().as_str(),
        "feeMsat": msat(payment.fee_msat),
    })
}

#[napi]
#[derive(Clone)]
pub struct Journal {
    inner: Arc<OpenOnUse>,
}

struct OpenOnUse {
    path: PathBuf,
    journal: OnceLock<Arc<ClientJournal>>,
}

impl OpenOnUse {
    fn open(&self) -> std::result::Result<Arc<ClientJournal>, JournalError> {
        if let Some(open) = self.journal.get() {
            return Ok(open.clone());
        }
        let opened = Arc::new(ClientJournal::open(&self.path)?);
        Ok(self.journal.get_or_init(|| opened).clone())
    }
}

impl Journal {
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ClientJournal) -> std::result::Result<T, JournalError> + Send + 'static,
    ) -> Result<T> {
        let inner = self.inner.clone();
        blocking(move || inner.open().and_then(|journal| work(&journal)).map_err(raise)).await
    }
}

#[napi]
impl Journal {
    #[napi(constructor, catch_unwind)]
    pub fn new(path: String) -> Self {
        Self { inner: Arc::new(OpenOnUse { path: path.into(), journal: OnceLock::new() }) }
    }

    #[napi(catch_unwind)]
    pub fn path(&self) -> String {
        self.inner.path.display().to_string()
    }

    #[napi]
    pub async fn receipts(&self, limit: u32) -> Result<String> {
        let receipts = self.with(move |journal| journal.receipts(limit as usize)).await?;
        Ok(json!(receipts.iter().map(receipt).collect::<Vec<_>>()).to_string())
    }

    #[napi]
    pub async fn receipt(&self, payment_hash: String) -> Result<String> {
        let hash: PaymentHash = payment_hash.parse().map_err(raise)?;
        let found = self.with(move |journal| journal.receipt(&hash)).await?;
        Ok(json!(found.as_ref().map(receipt)).to_string())
    }

    #[napi]
    pub async fn set_budget(&self, budget: String) -> Result<()> {
        let budget = plain::budget(&parse(&budget)?)?;
        self.with(move |journal| journal.set_budget(&budget)).await
    }

    #[napi]
    pub async fn budget_status(&self, network: String, budget: String) -> Result<String> {
        let network = network.parse().map_err(raise)?;
        let budget = plain::budget(&parse(&budget)?)?;
        let now = SystemClock.now();
        let statuses =
            self.with(move |journal| journal.budget_status(network, &budget, now)).await?;
        let told = statuses.iter().map(|status| {
            json!({
                "rule": write_rule(&status.rule),
                "spentMsat": msat(status.spent_msat),
                "reservedMsat": msat(status.reserved_msat),
                "leftMsat": msat(status.left_msat),
            })
        });
        Ok(json!(told.collect::<Vec<_>>()).to_string())
    }

    #[napi]
    pub async fn unresolved(&self, wallet: String) -> Result<Vec<String>> {
        let intents = self.with(move |journal| journal.unresolved(&wallet)).await?;
        Ok(intents.iter().map(|intent| intent.payment_hash.to_string()).collect())
    }

    #[napi]
    pub async fn unfinished(
        &self,
        wallet: String,
        payment_hash: String,
    ) -> Result<Option<Unfinished>> {
        let hash: PaymentHash = payment_hash.parse().map_err(raise)?;
        let inner = self.inner.clone();
        let begun = blocking(move || {
            let journal = inner.open().map_err(raise)?;
            let intents = journal.unresolved(&wallet).map_err(raise)?;
            let intent = intents.into_iter().find(|intent| intent.payment_hash == hash);
            let held = intent.map(|intent| ClientUnfinished::begin(journal.clone(), intent));
            let held = held.transpose().map_err(raise)?.flatten();
            Ok(held.map(|held| (held, journal)))
        });
        Ok(begun
            .await?
            .map(|(held, journal)| Unfinished { held: Arc::new(Mutex::new(Some(held))), journal }))
    }
}

#[napi]
pub struct Unfinished {
    journal: Arc<ClientJournal>,
    held: Arc<Mutex<Option<ClientUnfinished>>>,
}

#[napi]
impl Unfinished {
    #[napi]
    pub async fn resolve(&self, answer: String) -> Result<&'static str> {
        let (held, journal) = (self.held.clone(), self.journal.clone());
        blocking(move || {
            let answer = read_answer(&parse(&answer)?, &journal)?;
            let held = held.lock().unwrap_or_else(PoisonError::into_inner).take();
            let held = held.ok_or_else(|| raise(UnexpectedEventError))?;
            Ok(match held.resolve(answer, SystemClock.now()).map_err(raise)? {
                RecoveredState::Busy => "busy",
                RecoveredState::Failed => "failed",
                RecoveredState::Paid => "paid",
                _ => "unresolved",
            })
        })
        .await
    }
}

/// What a wallet knows of a payment, as the package's own loop puts it.
fn read_answer(
    value: &Value,
    journal: &ClientJournal,
) -> Result<std::result::Result<PaymentState, LightningError>> {
    let message = optional_text(value, "message")?.unwrap_or_default();
    Ok(match text(value, "status")? {
        "failed" => Ok(PaymentState::Failed(PayFailure::from_code(&message, message.as_str()))),
        "in_flight" => Ok(PaymentState::InFlight),
        "not_found" => Ok(PaymentState::NotFound),
        "paid" => Ok(PaymentState::Paid(read_payment(value, journal)?)),
        _ => Err(LightningError::NodeError { message }),
    })
}

/// A payment as a wallet tells it. Where it tells no fee, all that is reserved for it is charged.
fn read_payment(value: &Value, journal: &ClientJournal) -> Result<Payment> {
    let preimage: Preimage = plain::preimage(value)?;
    let fee_msat = match optional(value, "feeMsat") {
        Some(_) => amount(value, "feeMsat")?,
        None => journal.reserved_fee_msat(&preimage.payment_hash()).map_err(raise)?,
    };
    Ok(Payment { preimage, fee_msat })
}

#[napi]
pub struct Call {
    call: Arc<Mutex<Option<ClientCall>>>,
    journal: Arc<ClientJournal>,
}

/// Begins a call; `settings` are its policy, budget, wallet and times, as JSON.
#[napi]
pub async fn begin_call(journal: &Journal, settings: String, request: String) -> Result<Call> {
    let inner = journal.inner.clone();
    blocking(move || {
        let (settings, request) = (parse(&settings)?, plain::request(&parse(&request)?)?);
        let time = |name: &str| {
            let time = member(&settings, name)?.as_f64();
            seconds(time.ok_or_else(|| type_error(format!("{name} is no number")))?)
        };
        let options = DriverOptions {
            policy: plain::policy(member(&settings, "policy")?)?,
            budget: plain::budget(member(&settings, "budget")?)?,
            payment_timeout: time("paymentTimeout")?,
            lock_wait: time("lockWait")?,
            clock: Arc::new(SystemClock),
        };
        let (wallet, dry_run) = (owned(&settings, "walletId")?, plain::flag(&settings, "dryRun")?);
        // Asking for a price writes nothing, not even an empty journal.
        let journal = match dry_run && !inner.path.exists() {
            true => ClientJournal::empty().map(Arc::new),
            false => inner.open(),
        };
        let journal = journal.map_err(|error| raise(ClientError::Journal(error)))?;
        let call = match dry_run {
            true => ClientCall::dry_run(journal.clone(), wallet, options, request),
            false => ClientCall::new(journal.clone(), wallet, options, request),
        };
        Ok(Call { call: Arc::new(Mutex::new(Some(call))), journal })
    })
    .await
}

fn closed() -> Error {
    raise_as("UnexpectedEventError", "unexpected_event", "the call is closed", json!({}))
}

#[napi]
impl Call {
    #[napi]
    pub async fn advance(&self) -> Result<String> {
        let call = self.call.clone();
        blocking(move || {
            let mut call = call.lock().unwrap_or_else(PoisonError::into_inner);
            let step = call.as_mut().ok_or_else(closed)?.advance().map_err(raise)?;
            Ok(write_step(step).to_string())
        })
        .await
    }

    /// What came of a step, as JSON.
    #[napi]
    pub async fn answer(&self, answer: String) -> Result<()> {
        let (call, journal) = (self.call.clone(), self.journal.clone());
        blocking(move || {
            let answer = parse(&answer)?;
            let mut call = call.lock().unwrap_or_else(PoisonError::into_inner);
            let call = call.as_mut().ok_or_else(closed)?;
            let message = optional_text(&answer, "message")?.unwrap_or_default();
            let taken = match text(&answer, "type")? {
                "responded" => call.responded(read_response(&answer)?),
                "send_failed" => call.send_failed(TransportError::new("transport", message)),
                "body_read" => {
                    let body = optional(&answer, "body").map(|_| text(&answer, "body"));
                    let wrong = || type_error("body is no bytes");
                    let body = body.transpose()?.map(|hex| plain::unhex(hex).ok_or_else(wrong));
                    call.body_read(body.transpose()?)
                }
                "paid" => call.paid(PayOutcome::Paid(read_payment(&answer, &journal)?)),
                "payment_failed" => {
                    let code = optional_text(&answer, "code")?.unwrap_or_default();
                    call.paid(PayOutcome::Failed(PayFailure::from_code(&code, message)))
                }
                "payment_unknown" => {
                    call.paid(PayOutcome::Unknown(LightningError::NodeError { message }))
                }
                "looked_up" => call.looked_up(read_answer(&answer, &journal)?),
                other => return Err(type_error(format!("{other} is no answer"))),
            };
            taken.map_err(raise)
        })
        .await
    }

    /// Gives the request's key back to other calls.
    #[napi]
    pub async fn close(&self) -> Result<()> {
        let call = self.call.clone();
        blocking(move || {
            *call.lock().unwrap_or_else(PoisonError::into_inner) = None;
            Ok(())
        })
        .await
    }
}

fn write_step(step: CallStep) -> Value {
    match step {
        CallStep::Done(driven) => json!({
            "type": "done",
            "outcome": outcome(&driven.outcome),
            "paymentTook": driven.payment_took.map(|took| took.as_secs_f64()),
        }),
        CallStep::LookUpPayment { payment_hash } => {
            json!({ "type": "look_up_payment", "paymentHash": payment_hash.to_string() })
        }
        CallStep::Pay(request) => json!({
            "type": "pay",
            "bolt11": request.bolt11,
            "paymentHash": request.payment_hash.to_string(),
            "amountMsat": msat(request.amount_msat),
            "maxFeeMsat": msat(request.max_fee_msat),
            "timeout": request.timeout.as_secs_f64(),
        }),
        CallStep::Quoted(of) => json!({ "type": "quoted", "quote": quote(&of) }),
        CallStep::ReadBody { max_bytes } => json!({ "type": "read_body", "maxBytes": max_bytes }),
        CallStep::SendRequest { authorization } => json!({
            "type": "send_request",
            "authorization": authorization.as_ref().map(|value| value.expose()),
        }),
        CallStep::Wait(pause) => json!({ "type": "wait", "seconds": pause.as_secs_f64() }),
        _ => json!({ "type": "unknown" }),
    }
}

/// Checks what a driver is set up with, so that a fault is told then and not at the first call.
#[napi(catch_unwind)]
pub fn check_settings(settings: String) -> Result<()> {
    let settings = parse(&settings)?;
    plain::policy(member(&settings, "policy")?)?;
    plain::budget(member(&settings, "budget")?)?;
    Ok(())
}
