//! Reading from pages of other origins.

use super::checks;
use super::subject::Subject;
use crate::wire::check::{Verdict, ensure, skip};
use crate::wire::http::Answer;

checks! {
    "server.cors.preflight" Should "docs/PROTOCOL.md §3" "With CORS on, the gateway answers preflights itself and never challenges them"
        => preflight;
    "server.cors.allows" Should "docs/PROTOCOL.md §3" "allows `Authorization` and `Accept-Authenticate`"
        => allows;
    "server.cors.exposes" Should "docs/PROTOCOL.md §3" "exposes `WWW-Authenticate`, `x-l402`, `x-l402-price-msat`, `Retry-After`"
        => exposes;
    "server.cors.exposes_when_paid" Should "docs/PROTOCOL.md §3" "exposes `WWW-Authenticate`, `x-l402`, `x-l402-price-msat`, `Retry-After`"
        => exposes_when_paid;
}

const ORIGIN: &str = "Origin: https://page.example";

async fn ask(subject: &Subject) -> Verdict<Answer> {
    let lines = [
        ORIGIN.to_owned(),
        "Access-Control-Request-Method: GET".to_owned(),
        "Access-Control-Request-Headers: authorization".to_owned(),
    ];
    let answer = subject.ask(&subject.paid().method("OPTIONS"), &lines).await?;
    let challenge = subject.ask(subject.paid(), &[ORIGIN.to_owned()]).await?;
    if challenge.header("access-control-allow-origin").is_none() {
        return skip("CORS is off here");
    }
    Ok(answer)
}

async fn preflight(subject: &Subject) -> Verdict {
    let answer = ask(subject).await?;
    ensure(answer.is_success(), || format!("a preflight is answered {}", answer.brief()))?;
    ensure(answer.header("access-control-allow-origin").is_some(), || "no origin is allowed".into())
}

async fn allows(subject: &Subject) -> Verdict {
    let answer = ask(subject).await?;
    lists(&answer, "access-control-allow-headers", &["authorization", "accept-authenticate"])
}

const EXPOSED: [&str; 4] = ["www-authenticate", "x-l402", "x-l402-price-msat", "retry-after"];

async fn exposes(subject: &Subject) -> Verdict {
    ask(subject).await?;
    let answer = subject.ask(subject.paid(), &[ORIGIN.to_owned()]).await?;
    lists(&answer, "access-control-expose-headers", &EXPOSED)
}

async fn exposes_when_paid(subject: &Subject) -> Verdict {
    ask(subject).await?;
    let bought = subject.buy(subject.paid()).await?;
    let lines = [ORIGIN.to_owned(), super::request::authorization(&bought.value())];
    let answer = subject.present_lines(subject.paid(), &lines).await?;
    lists(&answer, "access-control-expose-headers", &EXPOSED)
}

fn lists(answer: &Answer, header: &str, wanted: &[&str]) -> Verdict {
    let line = answer.all(header).collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let listed: Vec<_> = line.split(',').map(str::trim).collect();
    for name in wanted {
        ensure(listed.contains(name), || format!("{header} is {line:?}, without {name}"))?;
    }
    Ok(())
}
