//! The challenge's body, held against its header and its invoice.

use serde_json::Value;

use super::checks;
use super::subject::{Offer, Subject};
use crate::wire::check::{Stop, Verdict, ensure, fail};

checks! {
    "server.body.json" Should "docs/PROTOCOL.md §3" "`Content-Type: application/json`, and the body"
        => json;
    "server.body.order" Should "docs/PROTOCOL.md §3" "{\"error\":\"Payment Required\",\"invoice\":\"<bolt11>\",\"format\":\"L402 <token>:<preimage>\", …}"
        => order;
    "server.body.same_as_header" Must "docs/PROTOCOL.md §3" "where `<token>` is the real token and `<preimage>` that literal placeholder."
        => same_as_header;
    "server.body.formats" Should "docs/PROTOCOL.md §3" "`macaroon`, `authorization_format` (= `format`)"
        => formats;
    "server.body.payment_hash" Should "docs/PROTOCOL.md §3" "The server takes hash, amount, network and expiry from the parsed invoice itself"
        => payment_hash;
    "server.body.price" Should "docs/PROTOCOL.md §3" "`price_msat` (the invoice's amount), `price_sats` (its ceiling)"
        => price;
    "server.body.expires_at" Should "docs/PROTOCOL.md §3" "`expires_at` (the invoice's, RFC 3339)"
        => expires_at;
    "server.body.service" Should "docs/PROTOCOL.md §3" "`service`, `code` (below), `detail`"
        => service;
    "server.body.code" Should "docs/PROTOCOL.md §3" "402, fresh challenge, `code: payment_required`"
        => code;
}

async fn body(subject: &Subject) -> Verdict<(Offer, Value)> {
    let offer = subject.challenge(subject.paid()).await?;
    match offer.answer.json() {
        Some(body @ Value::Object(_)) => Ok((offer, body)),
        _ => fail("the body is no JSON object"),
    }
}

fn text<'a>(body: &'a Value, member: &str) -> Verdict<&'a str> {
    body.get(member)
        .and_then(Value::as_str)
        .ok_or_else(|| Stop::Failed(format!("{member} is {:?}", body.get(member))))
}

async fn json(subject: &Subject) -> Verdict {
    let (offer, _) = body(subject).await?;
    let media_type = offer.answer.header("content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    ensure(essence.eq_ignore_ascii_case("application/json"), || {
        format!("Content-Type is {media_type:?}")
    })
}

async fn order(subject: &Subject) -> Verdict {
    let (Offer { token, invoice, answer, .. }, _) = body(subject).await?;
    let begins = format!(
        "{{\"error\":\"Payment Required\",\"invoice\":\"{invoice}\",\"format\":\"L402 {token}:<preimage>\","
    );
    let text = answer.text();
    ensure(text.starts_with(&begins), || {
        format!("the body begins {:?}", text.chars().take(80).collect::<String>())
    })
}

async fn same_as_header(subject: &Subject) -> Verdict {
    let (offer, body) = body(subject).await?;
    for (member, wanted) in [
        ("invoice", offer.invoice.clone()),
        ("macaroon", offer.token.clone()),
        ("format", format!("L402 {}:<preimage>", offer.token)),
    ] {
        let found = body.get(member).and_then(Value::as_str);
        // What is not there contradicts nothing.
        let same = found.is_none_or(|found| found == wanted);
        ensure(same, || format!("the body's {member} is not the header's"))?;
    }
    Ok(())
}

async fn formats(subject: &Subject) -> Verdict {
    let (offer, body) = body(subject).await?;
    ensure(text(&body, "macaroon")? == offer.token, || "macaroon is not the token".into())?;
    let (one, other) = (text(&body, "format")?, text(&body, "authorization_format")?);
    ensure(one == other, || format!("{one:?} is not {other:?}"))
}

async fn payment_hash(subject: &Subject) -> Verdict {
    let (offer, body) = body(subject).await?;
    let (said, is) = (text(&body, "payment_hash")?, offer.hash().to_string());
    ensure(said == is, || format!("it says {said}, the invoice {is}"))
}

async fn price(subject: &Subject) -> Verdict {
    let (offer, body) = body(subject).await?;
    let is = offer.facts.amount_msat.unwrap_or_default();
    for (member, wanted) in [("price_msat", is), ("price_sats", is.div_ceil(1_000))] {
        let said = body.get(member);
        ensure(said.and_then(Value::as_u64) == Some(wanted), || {
            format!("{member} is {said:?}, the invoice asks {is} msat")
        })?;
    }
    Ok(())
}

async fn expires_at(subject: &Subject) -> Verdict {
    let (offer, body) = body(subject).await?;
    let said = text(&body, "expires_at")?;
    let time = match humantime::parse_rfc3339(said) {
        Ok(time) => time,
        Err(error) => return fail(format!("{said:?} is not RFC 3339: {error}")),
    };
    let seconds = time.duration_since(std::time::UNIX_EPOCH).map_or(0, |age| age.as_secs());
    ensure(seconds == offer.facts.expires_at, || {
        format!("it says {said}, the invoice expires at {}", offer.facts.expires_at)
    })
}

async fn service(subject: &Subject) -> Verdict {
    let (offer, body) = body(subject).await?;
    let (said, is) = (text(&body, "service")?, offer.service()?);
    ensure(said == is, || format!("it says {said}, the token {is}"))
}

async fn code(subject: &Subject) -> Verdict {
    let (_, body) = body(subject).await?;
    let code = text(&body, "code")?;
    ensure(code == "payment_required", || format!("it is {code}"))
}
