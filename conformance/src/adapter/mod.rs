//! Between a case and an implementation.

pub(crate) mod authorization_header;
pub(crate) mod caveats;
pub(crate) mod challenge_header;
pub(crate) mod client_flow;
pub(crate) mod identifier;
mod input;
pub(crate) mod invoice;
pub(crate) mod macaroon;
pub(crate) mod mint;
mod request;
pub(crate) mod verify;

use std::panic::catch_unwind;

use serde_json::Value;

use crate::registry;

/// Answers cases for one implementation.
pub trait Adapter {
    /// Answers one case. `id` is the case's, for messages only.
    fn run(&mut self, id: &str, suite: &str, input: &Value) -> Answer;
}

/// What an implementation says to a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It refuses, with this code.
    Error(String),
    /// It gives no answer: it crashed, or answered something else than the protocol says.
    Failure(String),
    /// It accepts, with this output.
    Output(Value),
    /// It has no such operation; the case is skipped.
    Unsupported,
}

impl Answer {
    /// A refusal with a stable code.
    pub(crate) fn error(code: &str) -> Self {
        Self::Error(code.into())
    }
}

/// This project's own implementation, called in process through its public interface.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess;

impl Adapter for InProcess {
    fn run(&mut self, _id: &str, suite: &str, input: &Value) -> Answer {
        let Some(entry) = registry::entry(suite) else { return Answer::Unsupported };
        // A panic is a defect of ours, and must not hide the cases after it.
        catch_unwind(|| (entry.answer)(input))
            .unwrap_or_else(|_| Answer::Failure("it panicked".into()))
    }
}
