//! `plannt decode`: what a challenge, token, credential or invoice says.

use std::fmt::Write;
use std::io::Read;

use plannt_core::decode::decode_any;
use serde_json::Value;

use crate::args::DecodeArgs;
use crate::error::CliError;
use crate::print::{out, printable, sats, time};

pub(crate) fn run(args: &DecodeArgs) -> Result<(), CliError> {
    let text = match args.text.as_slice() {
        [] => read_stdin()?,
        [dash] if dash == "-" => read_stdin()?,
        // An unquoted `L402 token:preimage` arrives in two arguments.
        words => words.join(" "),
    };
    let decoded = decode_any(&text).map_err(|e| CliError::Decode(e.to_string()))?;
    let value = serde_json::to_value(&decoded).map_err(|e| CliError::Decode(e.to_string()))?;
    if args.json {
        return out(&format!("{value:#}"));
    }
    let mut text = String::new();
    lines(&mut text, 0, &value);
    out(&text)
}

fn read_stdin() -> Result<String, CliError> {
    let mut text = String::new();
    // More than any header, token or invoice holds.
    std::io::stdin()
        .take(1 << 20)
        .read_to_string(&mut text)
        .map_err(CliError::io("read standard input"))?;
    Ok(text)
}

/// One line a member, those of an inner object further to the right.
fn lines(text: &mut String, indent: usize, value: &Value) {
    let Value::Object(members) = value else {
        let _ = writeln!(text, "{:indent$}{}", "", plain("", value));
        return;
    };
    for (name, value) in members {
        match value {
            Value::Null => {}
            Value::Object(_) => {
                let _ = writeln!(text, "{:indent$}{name}:", "");
                lines(text, indent + 2, value);
            }
            Value::Array(items) => {
                let _ = writeln!(text, "{:indent$}{name}:", "");
                for item in items {
                    match item {
                        // A caveat reads as it stands in the macaroon.
                        Value::Object(caveat) if caveat.contains_key("condition") => {
                            let condition = plain("", &caveat["condition"]);
                            let value = plain("", &caveat["value"]);
                            let _ = writeln!(text, "{:indent$}  {condition}={value}", "");
                        }
                        _ => lines(text, indent + 2, item),
                    }
                }
            }
            _ => {
                let _ = writeln!(text, "{:indent$}{name}: {}", "", plain(name, value));
            }
        }
    }
}

fn plain(name: &str, value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_u64() {
            Some(at) if name.ends_with("_at") || name.ends_with("valid_until") => {
                format!("{} ({at})", time(at))
            }
            Some(msat) if name.ends_with("_msat") => format!("{msat} ({})", sats(msat)),
            _ => number.to_string(),
        },
        Value::String(text) => printable(text),
        other => other.to_string(),
    }
}
