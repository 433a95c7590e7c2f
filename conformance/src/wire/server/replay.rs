//! A payment is one use (or as many as the token says), whatever the credential looks like.

use futures_util::future::join_all;

use super::answers::refused;
use super::checks;
use super::request::authorization;
use super::subject::{Bought, Subject};
use crate::wire::check::{Stop, Verdict, ensure};
use crate::wire::http::Answer;

checks! {
    "server.replay.same" Must "docs/PROTOCOL.md §3" "already spent | 402, fresh challenge, `spent`"
        => |s| replay(s, |bought| Ok(bought.value()));
    "server.replay.upper_case_hex" Must "docs/PROTOCOL.md §4" "A use is one atomic step on the entry of the payment hash"
        => |s| replay(s, |b| Ok(format!("L402 {}:{}", b.offer.token, b.hex().to_uppercase())));
    "server.replay.url_safe" Must "docs/PROTOCOL.md §4" "A use is one atomic step on the entry of the payment hash"
        => |s| replay(s, |b| Ok(b.value_of(&b.offer.token.replace('+', "-").replace('/', "_"))));
    "server.replay.unpadded" Must "docs/PROTOCOL.md §4" "A use is one atomic step on the entry of the payment hash"
        => |s| replay(s, |b| Ok(b.value_of(b.offer.token.trim_end_matches('='))));
    "server.replay.lsat" Must "docs/PROTOCOL.md §4" "A use is one atomic step on the entry of the payment hash"
        => |s| replay(s, |b| Ok(b.value().replacen("L402", "LSAT", 1)));
    "server.replay.lower_case_scheme" Must "docs/PROTOCOL.md §4" "A use is one atomic step on the entry of the payment hash"
        => |s| replay(s, |b| Ok(b.value().replacen("L402", "l402", 1)));
    "server.replay.attenuated" Must "docs/PROTOCOL.md §4" "All attenuations of one `H` share it."
        => |s| replay(s, |b| Ok(b.value_of(&b.attenuated(&["note=again"])?)));
    "server.replay.preimage_caveat" Must "docs/PROTOCOL.md §4" "All attenuations of one `H` share it."
        => |s| replay(s, |b| Ok(b.value_of(&b.attenuated(&[&format!("preimage={}", b.hex())])?)));
    "server.replay.token_list" Must "docs/PROTOCOL.md §4" "All attenuations of one `H` share it."
        => |s| replay(s, |b| Ok(b.value_of(&format!("{0},{0}", b.offer.token))));
    "server.replay.other_format" Must "docs/PROTOCOL.md §4" "A use is one atomic step on the entry of the payment hash"
        => other_format;
    "server.replay.more_uses" Must "docs/PROTOCOL.md §2" "were it left out, a holder could append `uses=1000` exactly where the mint writes it, and no verifier could tell"
        => more_uses;
    "server.replay.refusal_is_payable" Must "docs/PROTOCOL.md §3" "A bare 401 is never sent: deployed clients pay again only on 402."
        => refusal_is_payable;
    "server.replay.pipelined" Must "docs/PROTOCOL.md §4" "It is durable before a byte of the request goes upstream."
        => pipelined;
    "server.replay.race" Must "docs/PROTOCOL.md §4" "Of any number of concurrent presentations, on any number of replicas over one store, exactly `uses` win."
        => race;
    "server.replay.race_of_attenuations" Must "docs/PROTOCOL.md §4" "All attenuations of one `H` share it. Of any number of concurrent presentations, on any number of replicas over one store, exactly `uses` win."
        => race_of_attenuations;
}

/// How many concurrent presentations a race has.
const RACERS: usize = 50;

fn uses(bought: &Bought) -> usize {
    bought.offer.of_service("uses").ok().and_then(|uses| uses.parse().ok()).unwrap_or(1)
}

/// Buys and uses it up.
async fn spent(subject: &Subject) -> Verdict<Bought> {
    let bought = subject.buy(subject.paid()).await?;
    for _ in 0..uses(&bought) {
        let answer = subject.present(subject.paid(), &bought.value()).await?;
        ensure(answer.is_success(), || format!("the first use is answered {}", answer.brief()))?;
    }
    Ok(bought)
}

async fn replay(subject: &Subject, value: fn(&Bought) -> Verdict<String>) -> Verdict {
    let bought = spent(subject).await?;
    let answer = subject.present(subject.paid(), &value(&bought)?).await?;
    refused(&answer, "spent")
}

/// The same macaroon in v1 form: whether that is read or not, it is not another payment.
async fn other_format(subject: &Subject) -> Verdict {
    let bought = spent(subject).await?;
    let v1 = bought.offer.macaroon()?.to_v1();
    let v1 = v1.map_err(|error| Stop::Skipped(format!("it has no v1 form: {error}")))?;
    let value = bought.value_of(&plannt_core::base64::encode(&v1));
    let answer = subject.present(subject.paid(), &value).await?;
    ensure(answer.status == 402, || format!("answered {}", answer.brief()))
}

async fn more_uses(subject: &Subject) -> Verdict {
    let bought = spent(subject).await?;
    let answer = subject.present(subject.paid(), &bought.with("uses", "1000")?).await?;
    ensure(answer.status == 402, || format!("answered {}", answer.brief()))
}

/// The challenge that comes with `spent` can be paid, and opens the route again.
async fn refusal_is_payable(subject: &Subject) -> Verdict {
    let bought = spent(subject).await?;
    let refusal = subject.present(subject.paid(), &bought.value()).await?;
    refused(&refusal, "spent")?;
    let answer = subject.present_challenge(refusal).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

/// Twice in one write, on one connection.
async fn pipelined(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let (target, host) = (&subject.paid().target, subject.host());
    let line = authorization(&bought.value());
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{line}\r\n\r\n");
    let mut connection = subject.connect().await?;
    let mut statuses = Vec::new();
    let total = uses(&bought) + 1;
    let io = |error| Stop::Failed(format!("no answer: {error}"));
    connection.write(request.repeat(total).as_bytes()).await.map_err(io)?;
    for _ in 0..total {
        let Some(answer) = connection.answer("GET").await.map_err(io)? else { break };
        statuses.push(answer.status);
    }
    let won = statuses.iter().filter(|status| **status == 200).count();
    ensure(won < total, || format!("the answers are {statuses:?}"))
}

async fn run_race(subject: &Subject, bought: &Bought, values: &[String]) -> Verdict {
    let lines: Vec<_> = values.iter().map(|value| [authorization(value)]).collect();
    let racers = lines.iter().map(|lines| subject.ask_once(subject.paid(), lines));
    let answers: Vec<Answer> = join_all(racers).await.into_iter().collect::<Verdict<_>>()?;
    let won = answers.iter().filter(|answer| answer.is_success()).count();
    ensure(won == uses(bought), || {
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        format!("{won} of {} won: {statuses:?}", answers.len())
    })?;
    let others = answers.iter().filter(|answer| !answer.is_success());
    for answer in others {
        // A limit of challenges may be reached by so many at once.
        ensure(matches!(answer.status, 402 | 429 | 503), || {
            format!("one that lost is answered {}", answer.brief())
        })?;
    }
    Ok(())
}

async fn race(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    run_race(subject, &bought, &vec![bought.value(); RACERS]).await
}

async fn race_of_attenuations(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let values: Vec<_> = (0..RACERS)
        .map(|i| Ok(bought.value_of(&bought.attenuated(&[&format!("racer={i}")])?)))
        .collect::<Verdict<_>>()?;
    run_race(subject, &bought, &values).await
}
