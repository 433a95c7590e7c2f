//! `challenge_header`: a 402's challenge, read and written.

use plannt_core::{ChallengeSource, challenge_header, read_challenge};
use serde_json::{Value, json};

use super::Answer;
use super::input::{header_values, optional_text, text};

pub(crate) fn answer(input: &Value) -> Answer {
    match text(input, "op") {
        "read" => read(input),
        "write" => {
            let value = challenge_header(text(input, "token"), text(input, "invoice"));
            Answer::Output(json!({ "value": value }))
        }
        _ => Answer::Unsupported,
    }
}

fn read(input: &Value) -> Answer {
    let lines = header_values(input, "www-authenticate");
    let body = optional_text(input, "body").map(str::as_bytes);
    match read_challenge(lines.iter().map(Vec::as_slice), body) {
        Ok(Some(challenge)) => Answer::Output(json!({
            "scheme": challenge.scheme.as_str(),
            "token": challenge.token,
            "invoice": challenge.invoice,
            "source": match challenge.source {
                ChallengeSource::Body => "body",
                _ => "header",
            },
        })),
        // Not an error here: the response is the caller's, untouched.
        Ok(None) => Answer::error("no_challenge"),
        Err(error) => Answer::error(error.code()),
    }
}
