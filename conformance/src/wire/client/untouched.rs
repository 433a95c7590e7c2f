//! Answers that are no challenge, whatever they hold.

use super::checks;
use super::house::{Offer, script};
use super::reply::{DELIVERED, Reply};
use super::stage::{Play, Ran, Stage};
use crate::wire::check::{Verdict, ensure};

checks! {
    "client.untouched.free" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => free;
    "client.untouched.challenge_on_200" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => challenge_on_200;
    "client.untouched.challenge_on_401" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| on_status(s, "401 Unauthorized");
    "client.untouched.challenge_on_403" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| on_status(s, "403 Forbidden");
    "client.untouched.challenge_on_407" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| on_status(s, "407 Proxy Authentication Required");
    "client.untouched.challenge_on_429" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| on_status(s, "429 Too Many Requests");
    "client.untouched.challenge_on_500" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| on_status(s, "500 Internal Server Error");
    "client.untouched.challenge_on_503" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| on_status(s, "503 Service Unavailable");
    "client.untouched.bare_402" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| body_402(s, |_| Reply::body_challenge("{\"error\":\"Payment Required\"}"));
    "client.untouched.other_protocol" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| body_402(s, |_| Reply::body_challenge(
            "{\"x402Version\":1,\"accepts\":[{\"scheme\":\"exact\",\"network\":\"base\",\"maxAmountRequired\":\"10000\"}]}"));
    "client.untouched.price_only" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| body_402(s, |_| Reply::challenge(&["L402 price=21".into()]));
    "client.untouched.empty_invoice" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| body_402(s, |offer| Reply::challenge(&[format!("L402 macaroon=\"{}\", invoice=\"\"", offer.token)]));
    "client.untouched.proxy_header" Must "docs/PROTOCOL.md §5" "every `WWW-Authenticate` line and comma-joined challenge"
        => |s| body_402(s, |offer| {
            Reply::new("402 Payment Required", &[format!("Proxy-Authenticate: {}", offer.line())], "{}")
        });
    "client.untouched.body_not_json" Must "docs/PROTOCOL.md §5" "else the JSON body's `invoice`"
        => |s| body_402(s, |offer| Reply::body_challenge(&format!("macaroon={}&invoice={}", offer.token, offer.invoice)));
    "client.untouched.nested_body" Should "docs/PROTOCOL.md §5" "else the JSON body's `invoice` with `macaroon`, `format` or `authorization_format`"
        => |s| body_402(s, |offer| Reply::body_challenge(&format!(
            "{{\"data\":{{\"macaroon\":\"{}\",\"invoice\":\"{}\"}}}}", offer.token, offer.invoice)));
    "client.untouched.not_found" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| on_status(s, "404 Not Found");
}

async fn ran(stage: &Stage, answer: fn(&Offer) -> Reply) -> Verdict<(Play<'_>, Ran)> {
    let script = script(move |_, house| async move { answer(&house.offer().await) });
    let play = stage.play(script).await?;
    let ran = play.run().await?;
    play.never_pays()?;
    Ok((play, ran))
}

async fn free(stage: &Stage) -> Verdict {
    let (play, ran) = ran(stage, |_| Reply::delivered()).await?;
    ran.delivered()?;
    let count = play.seen().len();
    ensure(count == 1, || format!("{count} requests for what is free"))
}

async fn challenge_on_200(stage: &Stage) -> Verdict {
    let (_, ran) =
        ran(stage, |offer| Reply::delivered_with(&[format!("WWW-Authenticate: {}", offer.line())]))
            .await?;
    ran.delivered()
}

async fn on_status(stage: &Stage, status: &'static str) -> Verdict {
    let script = script(move |_, house| async move {
        let lines = [format!("WWW-Authenticate: {}", house.offer().await.line())];
        Reply::new(status, &lines, "{\"error\":\"no\"}")
    });
    let play = stage.play(script).await?;
    play.run().await?;
    play.never_pays()
}

/// A 402 that can't be paid. What the command makes of it is its own; it does not claim to have
/// bought something.
async fn body_402(stage: &Stage, answer: fn(&Offer) -> Reply) -> Verdict {
    let (_, ran) = ran(stage, answer).await?;
    ensure(!ran.stdout.contains(DELIVERED), || "it handed over what was not sold".into())
}
