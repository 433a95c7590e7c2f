//! Paying, and asking what became of a payment.
//!
//! The rule that everything here serves: [`PayOutcome::Failed`] is said only on proof.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use plannt_core::PaymentHash;
use reqwest::{Method, Response};
use serde_json::json;

use super::answer::{Refusal, RefusalKind, Update, read_update};
use super::config::LndConfig;
use super::lines::{Line, Lines};
use crate::http::{Body, Connection, Transport, invalid, not_sent, read_all, transport_error};
use crate::{LightningError, PayFailure, PayOutcome, PayRequest, PaymentState};

/// The most that one payment update may have: it lists every attempt with its route.
const MAX_UPDATE_BYTES: usize = 4 << 20;
/// The most updates to read of one payment; with `no_inflight_updates` lnd sends one.
const MAX_UPDATES: usize = 10_000;

pub(super) async fn pay(
    transport: &Transport,
    config: &LndConfig,
    request: &PayRequest,
) -> PayOutcome {
    if let Err(failure) = request.check(config.network) {
        return PayOutcome::Failed(failure);
    }
    let seconds = whole_seconds(request.timeout);
    let body = json!({
        "payment_request": request.bolt11,
        "timeout_seconds": seconds,
        "fee_limit_msat": fee_limit_msat(request.max_fee_msat).to_string(),
        "no_inflight_updates": true,
    });
    let limit = Duration::from_secs(seconds as u64).saturating_add(config.answer_margin);
    let sent = transport
        .send(Connection::Fresh, Method::POST, "/v2/router/send", Body::Json(&body), limit)
        .await;
    let response = match sent {
        Ok(response) => response,
        Err(e) => return not_sent(e).map_or_else(PayOutcome::Unknown, PayOutcome::Failed),
    };
    let told = read_outcome(response, &request.payment_hash).await;
    decide(told, async || look_up(transport, config, &request.payment_hash).await).await
}

/// What the node's answer to a payment means. `look_up` asks it for its record.
pub(super) async fn decide(
    told: Result<Update, LightningError>,
    look_up: impl AsyncFnOnce() -> Result<PaymentState, LightningError>,
) -> PayOutcome {
    let refusal = match told {
        Ok(Update::Payment(PaymentState::Paid(payment))) => return PayOutcome::Paid(payment),
        Ok(Update::Payment(PaymentState::Failed(failure))) => return PayOutcome::Failed(failure),
        Ok(Update::Payment(_)) => return PayOutcome::Unknown(LightningError::PaymentInFlight),
        Ok(Update::Refused(refusal)) => refusal,
        Err(error) => return PayOutcome::Unknown(error),
    };
    let failure = match (refusal.kind, refusal.into_failure()) {
        (RefusalKind::AlreadyPaid, _) => PayFailure::AlreadyPaid,
        // lnd looks at the clock before it looks at its own payments.
        (RefusalKind::Expired, Ok(failure)) => failure,
        (_, Ok(failure)) => return PayOutcome::Failed(failure),
        (_, Err(error)) => return PayOutcome::Unknown(error),
    };
    // That leaves open whether this wallet made the payment before.
    match look_up().await {
        Ok(PaymentState::Paid(payment)) => PayOutcome::Paid(payment),
        Ok(PaymentState::InFlight) => PayOutcome::Unknown(LightningError::PaymentInFlight),
        Ok(PaymentState::Failed(_) | PaymentState::NotFound) => PayOutcome::Failed(failure),
        Err(error) => PayOutcome::Unknown(error),
    }
}

/// A payment's time limit as lnd takes it: whole seconds, where 0 is an error.
pub(super) fn whole_seconds(timeout: Duration) -> i32 {
    let seconds = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0));
    i32::try_from(seconds.max(1)).unwrap_or(i32::MAX)
}

/// A fee limit as lnd takes it. In msat: 1% of 21 sats is 0 sats. A missing limit means 0 to lnd.
pub(super) fn fee_limit_msat(max_fee_msat: u64) -> i64 {
    i64::try_from(max_fee_msat).unwrap_or(i64::MAX)
}

pub(super) async fn look_up(
    transport: &Transport,
    config: &LndConfig,
    hash: &PaymentHash,
) -> Result<PaymentState, LightningError> {
    let path = format!("/v2/router/track/{}", URL_SAFE.encode(hash.as_bytes()));
    let response = transport
        .send(Connection::Pooled, Method::GET, &path, Body::Empty, config.request_timeout)
        .await?;
    let status = response.status();
    let update = if status.is_success() {
        // The first line says how it is now; those that follow would come as it changes.
        let mut updates = Updates::new(response);
        let line = updates.next().await?.ok_or_else(|| invalid("an empty answer"))?;
        read_update(status.as_u16(), &line, hash)?
    } else {
        Update::Refused(Refusal::read(status.as_u16(), &read_all(response).await?)?)
    };
    update.into_state()
}

/// Reads the answer to a payment up to its end: the last update counts. A proof of payment counts
/// at once, whatever happens to the connection after it.
async fn read_outcome(response: Response, hash: &PaymentHash) -> Result<Update, LightningError> {
    let status = response.status();
    if !status.is_success() {
        let body = read_all(response).await?;
        return Refusal::read(status.as_u16(), &body).map(Update::Refused);
    }
    let mut updates = Updates::new(response);
    let mut last = None;
    while let Some(line) = updates.next().await? {
        match (read_update(status.as_u16(), &line, hash)?, &last) {
            (paid @ Update::Payment(PaymentState::Paid(_)), _) => return Ok(paid),
            // An error after an update: the attempt may have been in flight when it came.
            (Update::Refused(refusal), Some(_)) => return Err(refusal.into_error()),
            (update, _) => last = Some(update),
        }
    }
    last.ok_or_else(|| invalid("an empty answer"))
}

struct Updates {
    /// `None` once it has ended.
    response: Option<Response>,
    lines: Option<Lines>,
    count: usize,
}

impl Updates {
    fn new(response: Response) -> Self {
        Self { response: Some(response), lines: Some(Lines::new(MAX_UPDATE_BYTES)), count: 0 }
    }

    async fn next(&mut self) -> Result<Option<Line>, LightningError> {
        loop {
            let Some(lines) = &mut self.lines else { return Ok(None) };
            if let Some(line) = lines.next().map_err(|_| invalid("the answer is too long"))? {
                self.count += 1;
                if self.count > MAX_UPDATES {
                    return Err(invalid("the answer is too long"));
                }
                return Ok(Some(line));
            }
            let Some(response) = &mut self.response else {
                return Ok(self.lines.take().and_then(Lines::finish));
            };
            match response.chunk().await.map_err(transport_error)? {
                Some(chunk) => lines.push(&chunk),
                None => self.response = None,
            }
        }
    }
}
