//! Slow, cut and huge answers.

use std::time::Duration;

use super::checks;
use super::house::{House, Offer, Script, script};
use super::pays::plain;
use super::reply::{DELIVERED, Reply};
use super::stage::Stage;
use crate::wire::check::{Verdict, ensure};

checks! {
    "client.transport.slow_challenge" Should "docs/PROTOCOL.md §5" "Read the challenge"
        => |s| buys(s, |o| o.challenge().slowly(64, Duration::from_millis(60)), Reply::delivered);
    "client.transport.slow_answer" Should "docs/PROTOCOL.md §5" "Check `SHA256(preimage) == H`, journal it, and repeat the URL"
        => |s| buys(s, Offer::challenge, || Reply::delivered().slowly(8, Duration::from_millis(60)));
    "client.transport.large_answer" Must "RFC 9110 §8.6" "Content-Length = 1*DIGIT"
        => |s| buys(s, Offer::challenge, || Reply::new("200 OK", &[], &format!("{}{DELIVERED}", "x".repeat(8_000_000))));
    "client.transport.cut_challenge_head" Must "RFC 9112 §8" "A client that receives an incomplete response message, which can occur when a connection is closed prematurely or when decoding a supposedly chunked transfer coding fails, MUST record the message as incomplete."
        => |s| never_pays(s, |o| Reply::bytes(format!("HTTP/1.1 402 Payment Required\r\nWWW-Authenticate: {}\r\n", plain(o))));
    "client.transport.cut_challenge_body" Should "docs/PROTOCOL.md §5" "header before body"
        => |s| at_most_once(s, |o| o.challenge().cut(10));
    "client.transport.cut_body_challenge" Must "RFC 9112 §8" "A client that receives an incomplete response message, which can occur when a connection is closed prematurely or when decoding a supposedly chunked transfer coding fails, MUST record the message as incomplete."
        => |s| never_pays(s, |o| {
            let body = format!("{{\"macaroon\":\"{}\",\"invoice\":\"{}\"}}", o.token, o.invoice);
            Reply::body_challenge(&body).cut(1)
        });
    "client.transport.endless_challenge_body" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => endless_challenge_body;
    "client.transport.huge_challenge_body" Should "docs/PROTOCOL.md §5" "One call pays at most once."
        => |s| at_most_once(s, |o| {
            let lines = [format!("WWW-Authenticate: {}", plain(o))];
            Reply::new("402 Payment Required", &lines, &"x".repeat(8_000_000))
        });
    "client.transport.huge_json_challenge" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => |s| at_most_once(s, |o| {
            let filler = "x".repeat(8_000_000);
            let body = format!("{{\"x\":\"{filler}\",\"macaroon\":\"{}\",\"invoice\":\"{}\"}}", o.token, o.invoice);
            Reply::body_challenge(&body)
        });
    "client.transport.deep_json" Must "docs/PROTOCOL.md §5" "Anything but a 402 with a complete challenge is handed back untouched."
        => |s| never_pays(s, |_| Reply::body_challenge(&"[".repeat(200_000)));
    "client.transport.huge_header" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => |s| at_most_once(s, |o| {
            let lines = [format!("X-Long: {}", "h".repeat(1_000_000)), format!("WWW-Authenticate: {}", plain(o))];
            Reply::new("402 Payment Required", &lines, "{}")
        });
    "client.transport.many_lines" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => |s| at_most_once(s, |o| {
            let mut lines: Vec<_> = (0..500).map(|i| format!("Basic realm=\"{i}\"")).collect();
            lines.push(plain(o));
            Reply::challenge(&lines)
        });
    "client.transport.many_challenges_in_a_line" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => |s| at_most_once(s, |o| Reply::challenge(&[format!("{}{}", "Basic realm=\"x\", ".repeat(500), plain(o))]));
    "client.transport.huge_token" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => |s| at_most_once(s, |o| Reply::challenge(&[format!("L402 macaroon=\"{}\", invoice=\"{}\"", "A".repeat(200_000), o.invoice)]));
    "client.transport.huge_invoice" Must "docs/PROTOCOL.md §5" "an invoice that does not parse or is not signed right"
        => |s| never_pays(s, |o| Reply::challenge(&[format!("L402 macaroon=\"{}\", invoice=\"lnbcrt210n1{}\"", o.token, "q".repeat(30_000))]));
    "client.transport.no_answer" Must "docs/PROTOCOL.md §5" "Send the request."
        => |s| refused(s, |_| Reply::nothing());
    "client.transport.not_http" Must "docs/PROTOCOL.md §5" "Send the request."
        => |s| refused(s, |_| Reply::bytes("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
    "client.transport.control_bytes" Must "RFC 9110 §5.5" "a recipient of CR, LF, or NUL within a field value MUST either reject the message or replace each of those characters with SP before further processing or forwarding of that message"
        => |s| never_pays(s, |o| Reply::challenge(&[format!("L402 macaroon=\"{}\0\", invoice=\"{}\"", o.token, o.invoice)]));
    "client.transport.line_break_in_token" Must "docs/PROTOCOL.md §5" "`token=` or `macaroon=`, quoted or not"
        => |s| never_pays(s, |o| Reply::body_challenge(&format!(
            "{{\"macaroon\":\"{}\\r\\nX-Injected: 1\",\"invoice\":\"{}\"}}", o.token, o.invoice)));
    "client.transport.plain_http" Must "docs/PROTOCOL.md §5" "plain `http` (but loopback, `.onion`, or where allowed)"
        => plain_http;
}

fn challenges(challenge: fn(&Offer) -> Reply, delivered: fn() -> Reply) -> Script {
    script(move |seen, house: House| async move {
        match house.proven(&seen) {
            Some(_) => delivered(),
            None => challenge(&house.offer().await),
        }
    })
}

async fn buys(stage: &Stage, challenge: fn(&Offer) -> Reply, delivered: fn() -> Reply) -> Verdict {
    stage.play(challenges(challenge, delivered)).await?.buys().await
}

/// It may be paid or not, and it ends.
async fn at_most_once(stage: &Stage, challenge: fn(&Offer) -> Reply) -> Verdict {
    let play = stage.play(challenges(challenge, Reply::delivered)).await?;
    let ran = play.run().await?;
    play.pays_at_most(1).await?;
    ensure(ran.code.is_some(), || format!("it crashed: {}", ran.brief()))
}

async fn never_pays(stage: &Stage, challenge: fn(&Offer) -> Reply) -> Verdict {
    let play = stage.play(challenges(challenge, Reply::delivered)).await?;
    let ran = play.run().await?;
    play.never_pays()?;
    ensure(ran.code.is_some(), || format!("it crashed: {}", ran.brief()))
}

async fn refused(stage: &Stage, challenge: fn(&Offer) -> Reply) -> Verdict {
    let play = stage.play(challenges(challenge, Reply::delivered)).await?;
    let ran = play.run().await?;
    play.never_pays()?;
    ran.refused()
}

/// A body without an end, a piece every 100 ms for as long as a run may take.
async fn endless_challenge_body(stage: &Stage) -> Verdict {
    let script = script(|seen, house: House| async move {
        if house.proven(&seen).is_some() {
            return Reply::delivered();
        }
        let line = plain(&house.offer().await);
        let head = format!(
            "HTTP/1.1 402 Payment Required\r\nWWW-Authenticate: {line}\r\nConnection: close\r\n\r\n"
        );
        let mut pieces = vec![head.into_bytes()];
        pieces.resize(10_000, vec![b' '; 1_000]);
        Reply { pieces, pause: Duration::from_millis(100) }
    });
    let play = stage.play(script).await?;
    play.run().await?;
    play.pays_at_most(1).await
}

#[allow(clippy::unused_async, reason = "every check is a future")]
async fn plain_http(_: &Stage) -> Verdict {
    crate::wire::check::skip("the played servers are on loopback, where plain http is allowed")
}
