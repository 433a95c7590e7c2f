//! `client_flow`: a call told as a dialogue between the flow and its driver.

mod read;
mod write;

use plannt_core::flow::{Flow, Step};
use serde_json::{Value, json};

use super::Answer;
use super::input::{list, number, text};

/// Plays the script: each entry's step must be the flow's own, and its event is what the flow is told.
pub(crate) fn answer(input: &Value) -> Answer {
    let policy = read::policy(&input["policy"]);
    let request = match read::request(&input["request"]) {
        Ok(request) => request,
        Err(error) => return Answer::error(error.code()),
    };
    let wallet = text(input, "wallet").to_owned();
    let mut flow = match input["dry_run"].as_bool().expect("dry_run is a bool") {
        true => Flow::dry_run(policy, request, wallet),
        false => Flow::new(policy, request, wallet),
    };
    for (at, entry) in list(input, "script").iter().enumerate() {
        let step = write::step(&flow.next());
        if step != entry["step"] {
            return Answer::Output(json!({ "unexpected": { "entry": at, "step": step } }));
        }
        let Some(event) = entry.get("event") else { break };
        if flow.handle(read::event(event), number(entry, "now")).is_err() {
            return Answer::error("unexpected_event");
        }
    }
    match flow.next() {
        Step::Refused(refusal) => Answer::error(refusal.code()),
        step => Answer::Output(write::step(&step)),
    }
}
