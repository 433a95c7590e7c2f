//! Asks a person before a payment above the limit that they set.
//!
//! Up to protocol 2025-11-25 the server asks during the call (`elicitation/create`). From 2026-07-28 on the call ends
//! with the question, and the client calls again with the answer (SEP-2322): what was asked is kept here meanwhile, so
//! that an answer counts once, for the same call and the same amount.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use plannt_client::Quote;
use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema,
    InputRequest, InputRequiredResult, InputResponses, ProtocolVersion,
};
use rmcp::service::{RequestContext, ServiceError};

use crate::failure::Failure;
use crate::text;

/// How many questions may be open at a time; the oldest give way.
const MAX_OPEN: usize = 64;

/// How long a description that the server wrote may be, bytes.
const MAX_WORDS: usize = 120;

/// The name of the one question.
const QUESTION: &str = "pay";

/// What became of a question.
pub(crate) enum Consent {
    Given,
    /// The client has to ask, and call again.
    Later(Box<InputRequiredResult>),
}

/// The questions whose answers come with another call.
#[derive(Default)]
pub(crate) struct Questions(Mutex<VecDeque<Question>>);

struct Question {
    id: String,
    call: [u8; 32],
    total_msat: u64,
    until: Instant,
}

impl Questions {
    /// What a person agreed to, msat, where this call brings their answer.
    pub(crate) fn answered(
        &self,
        call: &[u8; 32],
        state: Option<&str>,
        answers: Option<&InputResponses>,
    ) -> Result<Option<u64>, Failure> {
        let Some(state) = state else { return Ok(None) };
        let expired = || {
            Failure::new(
                "confirmation_expired",
                "that question is not open any more, or was about another call: call again without its state",
            )
        };
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = open.iter().position(|question| question.id == state).ok_or_else(expired)?;
        // It is gone, whatever the answer is.
        let question = open.remove(at).ok_or_else(expired)?;
        drop(open);
        if question.call != *call || question.until <= Instant::now() {
            return Err(expired());
        }
        let answer = answers.and_then(|answers| answers.get(QUESTION)).cloned();
        let answer = answer.and_then(|value| serde_json::from_value::<ElicitResult>(value).ok());
        match answer {
            Some(answer) => agreed(&answer).map(|()| Some(question.total_msat)),
            None => Err(unanswered()),
        }
    }

    /// Asks, now or by way of the client.
    pub(crate) async fn ask(
        &self,
        call: [u8; 32],
        quote: &Quote,
        total_msat: u64,
        timeout: Duration,
        context: &RequestContext<RoleServer>,
    ) -> Result<Consent, Failure> {
        if !can_ask(context) {
            return Err(Failure::new(
                "confirmation_unavailable",
                format!(
                    "it would cost up to {}, a person has to agree to that, and this client can't ask one: nothing was paid",
                    text::sats_text(total_msat)
                ),
            ));
        }
        let params = ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: message(quote, total_msat),
            requested_schema: ElicitationSchema::new(Default::default()),
        };
        let asks_by_result = context
            .protocol_version()
            .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
        if asks_by_result {
            let id = self.open(call, total_msat, timeout)?;
            let request = InputRequest::Elicitation(ElicitRequest::new(params));
            let requests = [(QUESTION.to_owned(), request)].into();
            return Ok(Consent::Later(Box::new(InputRequiredResult::new(
                Some(requests),
                Some(id),
            ))));
        }
        match context.peer.create_elicitation_with_timeout(params, Some(timeout)).await {
            Ok(answer) => agreed(&answer).map(|()| Consent::Given),
            Err(ServiceError::Timeout { .. }) => Err(unanswered()),
            Err(error) => Err(Failure::new(
                "confirmation_unavailable",
                format!("the client could not ask ({error}): nothing was paid"),
            )),
        }
    }

    fn open(&self, call: [u8; 32], total_msat: u64, timeout: Duration) -> Result<String, Failure> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| Failure::new("internal", error.to_string()))?;
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        open.retain(|question| question.until > now);
        while open.len() >= MAX_OPEN {
            open.pop_front();
        }
        open.push_back(Question { id: id.clone(), call, total_msat, until: now + timeout });
        Ok(id)
    }
}

fn agreed(answer: &ElicitResult) -> Result<(), Failure> {
    match answer.action {
        ElicitationAction::Accept => Ok(()),
        _ => Err(Failure::new(
            "declined",
            "the person who was asked did not agree: nothing was paid",
        )),
    }
}

fn unanswered() -> Failure {
    Failure::new("confirmation_expired", "nobody answered in time: nothing was paid")
}

fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let capabilities = context.client_capabilities();
    capabilities
        .and_then(|capabilities| capabilities.elicitation)
        // Without a mode it is a form.
        .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none())
}

/// Our own words first; the server's are quoted, short, and said to be the server's.
fn message(quote: &Quote, total_msat: u64) -> String {
    let mut message = format!(
        "Pay {} to {}? At most {} with the fee.",
        text::sats_text(quote.amount_msat),
        text::host(&quote.origin),
        text::sats_text(total_msat),
    );
    if let Some(payee) = quote.payee_hex() {
        message.push_str(&format!(" Node {payee}."));
    }
    if let Some(words) = quote.description.as_deref().filter(|words| !words.is_empty()) {
        let words = text::printable(text::cut(words, MAX_WORDS));
        message.push_str(&format!(" The seller's own words: {words:?}."));
    }
    message
}
