//! `macaroon`: the format alone, in its three encodings, and what holders do with it.

use plannt_core::macaroon::{DischargeError, Macaroon, MacaroonError};
use plannt_core::{Identifier, Preimage, Token, attenuate_token, base64};
use serde_json::{Value, json};

use super::Answer;
use super::input::{bytes, hex, list, optional_text, text, unhex};

pub(crate) fn answer(input: &Value) -> Answer {
    let answered = match text(input, "op") {
        "attenuate" => attenuate(input),
        "bind" => bind(input),
        "create" => create(input),
        "verify" => verify(input),
        "write" => write(input),
        _ => return Answer::Unsupported,
    };
    answered.map_or_else(Answer::error, Answer::Output)
}

type Answered<T = Value> = Result<T, &'static str>;

fn code(error: MacaroonError) -> &'static str {
    error.code()
}

/// Reads an encoding by its name, and by its first byte, which must be the same.
fn read(encoding: &Value) -> Answered<Macaroon> {
    let data = match optional_text(encoding, "hex") {
        Some(hex) => unhex(hex),
        None => text(encoding, "text").as_bytes().to_vec(),
    };
    let read = match text(encoding, "format") {
        "base64" => {
            let text = std::str::from_utf8(&data).expect("a case's text");
            let data = base64::decode(text).map_err(|error| error.code())?;
            return Macaroon::parse(&data).map_err(code);
        }
        "v1" => Macaroon::from_v1(&data),
        "v2" => Macaroon::from_v2(&data),
        "v2json" => Macaroon::from_json(&data),
        format => panic!("unknown format {format}"),
    };
    let sniffed = Macaroon::parse(&data);
    assert_eq!(read.as_ref().ok(), sniffed.as_ref().ok(), "by format, and without");
    read.map_err(code)
}

fn output(macaroon: &Macaroon) -> Value {
    let caveats = macaroon.caveats().map(|caveat| match caveat.verification_id {
        None => json!({ "id": hex(caveat.id) }),
        Some(verification_id) => json!({
            "id": hex(caveat.id),
            "verification_id": hex(verification_id),
            "location": caveat.location.unwrap_or_default(),
        }),
    });
    json!({
        "location": macaroon.location().unwrap_or_default(),
        "identifier": hex(macaroon.identifier()),
        "caveats": caveats.collect::<Vec<_>>(),
        "signature": hex(macaroon.signature()),
    })
}

fn verify(input: &Value) -> Answered {
    let macaroon = read(&input["macaroon"])?;
    let discharges: Vec<_> =
        list(input, "discharges").iter().map(read).collect::<Result<_, _>>()?;
    let root_key = bytes(input, "root_key");
    let satisfied: Option<Vec<_>> = match &input["satisfied"] {
        Value::Array(held) => Some(held.iter().map(|c| unhex(c.as_str().expect("hex"))).collect()),
        _ => None,
    };
    let holds =
        |caveat: &[u8]| satisfied.as_ref().is_none_or(|held| held.iter().any(|c| c == caveat));
    let verified = macaroon.verify_discharged(&root_key, &discharges, holds);
    // The shorter way for macaroons without third parties says the same of the signature.
    let signed = verified != Err(DischargeError::Signature);
    if discharges.is_empty() {
        assert_eq!(macaroon.verify_signature(&root_key), signed);
    }
    verified.map_err(|error| error.code())?;
    if let Some(preimage) = optional_text(input, "preimage") {
        let identifier = Identifier::parse(macaroon.identifier()).map_err(|error| error.code())?;
        let preimage = Preimage::from_hex(preimage).map_err(|error| error.code())?;
        if !preimage.proves(&identifier.payment_hash) {
            return Err("preimage_mismatch");
        }
    }
    Ok(output(&macaroon))
}

fn create(input: &Value) -> Answered {
    let location = optional_text(input, "location");
    let (key, id) = (bytes(input, "root_key"), bytes(input, "identifier"));
    let mut macaroon = Macaroon::create(&key, &id, location).map_err(code)?;
    for caveat in list(input, "caveats") {
        add(&mut macaroon, caveat)?;
    }
    written(&macaroon)
}

/// A first-party caveat is its bytes; a third party's has a key and a nonce.
fn add(macaroon: &mut Macaroon, caveat: &Value) -> Answered<()> {
    let id = bytes(caveat, "id");
    let added = match optional_text(caveat, "key") {
        None => macaroon.attenuate(&id),
        Some(key) => {
            let nonce = super::input::array(caveat, "nonce");
            let location = optional_text(caveat, "location");
            macaroon.attenuate_third_party(&unhex(key), &id, location, &nonce)
        }
    };
    added.map_err(code)
}

fn bind(input: &Value) -> Answered {
    let discharge = read(&input["discharge"])?;
    written(&read(&input["macaroon"])?.bind(&discharge))
}

/// Both binary forms: a macaroon has one spelling in each.
fn written(macaroon: &Macaroon) -> Answered {
    let v1 = macaroon.to_v1().map_err(code)?;
    Ok(json!({ "v1": hex(&v1), "v2": hex(&macaroon.to_v2()) }))
}

/// Reads any form and writes both binary ones; JSON on the way must read back the same.
fn write(input: &Value) -> Answered {
    let macaroon = read(&input["macaroon"])?;
    let json = macaroon.to_json().map_err(code)?;
    assert_eq!(Macaroon::from_json(json.as_bytes()).as_ref(), Ok(&macaroon));
    written(&macaroon)
}

fn attenuate(input: &Value) -> Answered {
    let caveats: Vec<_> =
        list(input, "caveats").iter().map(|c| c.as_str().expect("text")).collect();
    let token = attenuate_token(text(input, "token"), &caveats).map_err(|error| error.code())?;
    Ok(json!({ "token": Token::into_string(token) }))
}
