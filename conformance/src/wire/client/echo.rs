//! The second request: the first one again, with the credential.

use super::checks;
use super::house::Offer;
use super::stage::{Play, Stage, TARGET};
use crate::wire::check::{Verdict, ensure};

checks! {
    "client.echo.two_requests" Should "docs/PROTOCOL.md §5" "repeat the URL, method and body that were challenged, once, with the credential"
        => two_requests;
    "client.echo.same_request" Must "docs/PROTOCOL.md §5" "repeat the URL, method and body that were challenged, once, with the credential"
        => same_request;
    "client.echo.no_credential_at_first" Must "docs/PROTOCOL.md §5" "Send the request. Anything but a 402 with a complete challenge is handed back untouched."
        => no_credential_at_first;
    "client.echo.one_authorization" Must "docs/PROTOCOL.md §3" "The first line with that scheme decides, even when malformed."
        => one_authorization;
    "client.echo.form" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => form;
    "client.echo.token" Should "docs/PROTOCOL.md §1" "A client treats a token as opaque and echoes the exact text"
        => token;
}

async fn bought(stage: &Stage) -> Verdict<Play<'_>> {
    let play = stage.sells(Offer::challenge).await?;
    play.buys().await?;
    Ok(play)
}

async fn two_requests(stage: &Stage) -> Verdict {
    let seen = bought(stage).await?.seen();
    ensure(seen.len() == 2, || format!("{} requests", seen.len()))
}

async fn same_request(stage: &Stage) -> Verdict {
    for seen in bought(stage).await?.seen() {
        ensure(seen.method == "GET" && seen.target == TARGET, || {
            format!("{} {}, not GET {TARGET}", seen.method, seen.target)
        })?;
    }
    Ok(())
}

async fn no_credential_at_first(stage: &Stage) -> Verdict {
    let seen = bought(stage).await?.seen();
    ensure(!seen[0].has_credential(), || "the first request has a credential".into())
}

async fn one_authorization(stage: &Stage) -> Verdict {
    for seen in bought(stage).await?.credentials() {
        let lines = seen.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("authorization"));
        let count = lines.count();
        ensure(count == 1, || format!("{count} Authorization lines"))?;
    }
    Ok(())
}

async fn form(stage: &Stage) -> Verdict {
    for seen in bought(stage).await?.credentials() {
        let value = seen.credentials()[0].to_owned();
        let preimage = value.rsplit_once(':').map_or("", |(_, preimage)| preimage);
        let hex = preimage.len() == 64 && preimage.bytes().all(|byte| byte.is_ascii_hexdigit());
        ensure(hex, || format!("after the colon stand {} characters", preimage.len()))?;
    }
    Ok(())
}

async fn token(stage: &Stage) -> Verdict {
    let play = bought(stage).await?;
    let offers = play.house().offers();
    for seen in play.credentials() {
        let pair = seen.credentials()[0].split_once(' ').map_or("", |(_, pair)| pair).to_owned();
        let token = pair.rsplit_once(':').map_or("", |(token, _)| token);
        ensure(offers.iter().any(|offer| offer.token == token), || {
            "the token is another text than the challenge's".into()
        })?;
    }
    Ok(())
}
