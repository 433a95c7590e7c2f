//! The paying flow: the core's state machine, whose steps and events are JSON here.

use std::sync::{Mutex, MutexGuard, PoisonError};

use napi::Result;
use napi_derive::napi;
use plannt_core::flow::{
    self as core, Event, Found, Loaded, LookUp, PaymentResult, Reservation, Resolution,
    ResponseFacts, Step,
};
use serde_json::{Value, json};

use crate::credential::latin1;
use crate::error::{raise, raise_as, told, type_error};
use crate::plain::{
    self, amount, credential, flag, intent, member, msat, number, optional, optional_amount,
    optional_text, outcome, owned, parse, preimage, quote, text, write_intent, write_request,
    write_request_key,
};

#[napi]
pub struct Flow(Mutex<core::Flow>);

impl Flow {
    fn lock(&self) -> MutexGuard<'_, core::Flow> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[napi]
impl Flow {
    #[napi(constructor, catch_unwind)]
    pub fn new(policy: String, request: String, wallet: String, dry_run: bool) -> Result<Self> {
        let (policy, request) =
            (plain::policy(&parse(&policy)?)?, plain::request(&parse(&request)?)?);
        Ok(Self(Mutex::new(match dry_run {
            true => core::Flow::dry_run(policy, request, wallet),
            false => core::Flow::new(policy, request, wallet),
        })))
    }

    #[napi(catch_unwind)]
    pub fn next(&self) -> Result<String> {
        let next = self.lock().next();
        Ok(step(next)?.to_string())
    }

    #[napi(catch_unwind)]
    pub fn handle(&self, event: String, now: f64) -> Result<()> {
        let event = read_event(&parse(&event)?)?;
        self.lock().handle(event, now as u64).map_err(raise)
    }
}

fn step(step: Step) -> Result<Value> {
    Ok(match step {
        Step::Commit { payment_hash, preimage, fee_msat } => json!({
            "type": "commit",
            "paymentHash": payment_hash.to_string(),
            "preimage": preimage.expose_hex().as_str(),
            "feeMsat": msat(fee_msat),
        }),
        Step::Done(end) => json!({ "type": "done", "outcome": outcome(&end) }),
        Step::Hold { payment_hash, state } => json!({
            "type": "hold",
            "paymentHash": payment_hash.to_string(),
            "state": state.name(),
        }),
        Step::JournalIntent(of) => json!({ "type": "journal_intent", "intent": write_intent(&of) }),
        Step::LoadCredential { request, key, exclusive } => json!({
            "type": "load_credential",
            "request": write_request(&request),
            "key": key.as_ref().map(write_request_key),
            "exclusive": exclusive,
        }),
        Step::LookUpPayment { payment_hash } => {
            json!({ "type": "look_up_payment", "paymentHash": payment_hash.to_string() })
        }
        Step::Pay(of) => json!({ "type": "pay", "intent": write_intent(&of) }),
        Step::Quoted(of) => json!({ "type": "quoted", "quote": quote(&of) }),
        Step::ReadBody { max_bytes } => json!({ "type": "read_body", "maxBytes": max_bytes }),
        Step::Refused(refusal) => json!({ "type": "refused", "refusal": told(&refusal) }),
        Step::Release { payment_hash, failure } => json!({
            "type": "release",
            "paymentHash": payment_hash.to_string(),
            "failure": failure,
        }),
        Step::SendRequest { authorization } => json!({
            "type": "send_request",
            "authorization": authorization.as_ref().map(|value| value.expose()),
        }),
        Step::StoreCredential { payment_hash, state } => json!({
            "type": "store_credential",
            "paymentHash": payment_hash.to_string(),
            "state": state.name(),
        }),
        Step::Unanswered(end) => json!({ "type": "unanswered", "outcome": outcome(&end) }),
        // `ReadInvoice`: this core reads invoices itself.
        _ => {
            return Err(raise_as(
                "InternalError",
                "internal",
                "a step that is not known",
                json!({}),
            ));
        }
    })
}

fn unknown<T>(wanted: &str, name: &str) -> Result<T> {
    Err(type_error(format!("{wanted} is wanted, not {name}")))
}

fn read_event(value: &Value) -> Result<Event> {
    Ok(match text(value, "type")? {
        "body" => {
            let bytes = optional(value, "body").map(|_| text(value, "body")).transpose()?;
            let wrong = || type_error("body is no bytes");
            Event::Body(bytes.map(|hex| plain::unhex(hex).ok_or_else(wrong)).transpose()?)
        }
        "busy" => Event::Busy,
        "journal_failed" => Event::JournalFailed,
        "loaded" => {
            let loaded = member(value, "loaded")?;
            Event::Loaded(Loaded {
                found: read_found(member(loaded, "found")?)?,
                budget_left_msat: optional_amount(loaded, "budgetLeftMsat")?,
            })
        }
        "looked_up" => Event::LookedUp(read_look_up(member(value, "lookUp")?)?),
        "payment" => Event::Payment(read_result(member(value, "result")?)?),
        "reserved" => Event::Reserved(read_reservation(member(value, "reservation")?)?),
        "responded" => Event::Responded(read_response(member(value, "facts")?)?),
        "send_failed" => Event::SendFailed,
        "stored" => Event::Stored,
        other => return unknown("an event", other),
    })
}

fn read_found(value: &Value) -> Result<Found> {
    Ok(match text(value, "type")? {
        "delivered" => Found::Delivered(credential(member(value, "credential")?)?),
        "nothing" => Found::Nothing,
        "undelivered" => Found::Undelivered(credential(member(value, "credential")?)?),
        "unresolved" => Found::Unresolved(intent(member(value, "intent")?)?),
        other => return unknown("a find", other),
    })
}

fn read_look_up(value: &Value) -> Result<LookUp> {
    Ok(match text(value, "type")? {
        "failed" => LookUp::Failed { failure: owned(value, "failure")? },
        "in_flight" => LookUp::InFlight,
        "not_found" => LookUp::NotFound,
        "paid" => LookUp::Paid { preimage: preimage(value)?, fee_msat: amount(value, "feeMsat")? },
        "unknown" => LookUp::Unknown,
        other => return unknown("a look-up", other),
    })
}

fn read_result(value: &Value) -> Result<PaymentResult> {
    Ok(match text(value, "type")? {
        "failed" => PaymentResult::Failed { failure: owned(value, "failure")? },
        "paid" => {
            PaymentResult::Paid { preimage: preimage(value)?, fee_msat: amount(value, "feeMsat")? }
        }
        "unknown" => PaymentResult::Unknown,
        other => return unknown("a payment's result", other),
    })
}

fn read_reservation(value: &Value) -> Result<Reservation> {
    Ok(match text(value, "type")? {
        "granted" => Reservation::Granted,
        "hash_known" => Reservation::HashKnown,
        "key_busy" => Reservation::KeyBusy,
        "over_budget" => Reservation::OverBudget { left_msat: amount(value, "leftMsat")? },
        other => return unknown("a reservation", other),
    })
}

pub(crate) fn read_response(value: &Value) -> Result<ResponseFacts> {
    let wrong = || type_error("wwwAuthenticate is a list of strings");
    let lines = member(value, "wwwAuthenticate")?.as_array().ok_or_else(wrong)?;
    let lines = lines.iter().map(|line| latin1(line.as_str().ok_or_else(wrong)?.to_owned()));
    let status = number(value, "status")?;
    Ok(ResponseFacts {
        status: u16::try_from(status).map_err(|_| type_error("status is no HTTP status"))?,
        www_authenticate: lines.collect::<Result<_>>()?,
        x_l402: optional_text(value, "xL402")?.map(latin1).transpose()?,
        redirected: flag(value, "redirected")?,
    })
}

#[napi(catch_unwind)]
pub fn resolve(
    answer: String,
    payment_hash: String,
    invoice_expires_at: f64,
    now: f64,
) -> Result<String> {
    let answer = read_look_up(&parse(&answer)?)?;
    let hash = payment_hash.parse().map_err(raise)?;
    let told = match core::resolve(answer, &hash, invoice_expires_at as u64, now as u64) {
        Resolution::Failed { failure } => json!({ "type": "failed", "failure": failure }),
        Resolution::Paid { preimage, fee_msat } => json!({
            "type": "paid",
            "preimage": preimage.expose_hex().as_str(),
            "feeMsat": msat(fee_msat),
        }),
        Resolution::Unresolved(state) => json!({ "type": "unresolved", "state": state.name() }),
        // And whatever is added: it keeps its reservation.
        _ => json!({ "type": "unproven" }),
    };
    Ok(told.to_string())
}
