//! The limit of challenges, last because it is used up.

use super::checks;
use super::subject::Subject;
use crate::wire::check::{Verdict, ensure, fail, skip};
use crate::wire::http::Answer;

checks! {
    "server.limit.credential_passes" Must "docs/PROTOCOL.md §3" "Node and rate limit matter only where a challenge is due: they never stop a valid credential."
        => credential_passes;
    "server.limit.too_many_challenges" Should "docs/PROTOCOL.md §3" "too many challenges from one client | 429, `Retry-After`, no invoice made"
        => too_many_challenges;
    "server.limit.forwarded_for" Must "docs/PROTOCOL.md §3" "A client, for limits, is the peer address (IPv6: /64), or what a configured trusted proxy reports"
        => forwarded_for;
    "server.limit.grpc" Should "docs/PROTOCOL.md §3" "429 is `grpc-status: 8`"
        => grpc;
    "server.limit.burst" Info "docs/PROTOCOL.md §3" "the default burst allows three challenges a payment"
        => burst;
}

/// Asks until it is too much; how many challenges there were, and the answer that ended them.
async fn exhaust(subject: &Subject, lines: &[String]) -> Verdict<(u32, Answer)> {
    let Some(most) = subject.probe_limit else {
        return skip("it asks for many challenges (--probe-limit N)");
    };
    for asked in 0..most {
        let answer = subject.ask_once(subject.paid(), lines).await?;
        if answer.status != 402 {
            return Ok((asked, answer));
        }
    }
    fail(format!("{most} challenges, and no limit"))
}

async fn too_many_challenges(subject: &Subject) -> Verdict {
    let (_, answer) = exhaust(subject, &[]).await?;
    ensure(answer.status == 429 && !answer.has_invoice(), || {
        format!("answered {}", answer.brief())
    })?;
    let wait: Option<u64> = answer.header("retry-after").and_then(|text| text.parse().ok());
    ensure(wait.is_some_and(|wait| wait > 0), || {
        format!("Retry-After is {:?}", answer.header("retry-after"))
    })?;
    let code = answer.member("code");
    ensure(code.as_deref().is_none_or(|code| code == "too_many_challenges"), || {
        format!("its code is {code:?}")
    })
}

/// A header that a client writes makes it no other client.
async fn forwarded_for(subject: &Subject) -> Verdict {
    exhaust(subject, &[]).await?;
    let lines = |i: usize| {
        let address = format!("203.0.113.{i}");
        vec![
            format!("X-Forwarded-For: {address}"),
            format!("X-Real-IP: {address}"),
            format!("Forwarded: for={address}"),
            format!("CF-Connecting-IP: {address}"),
        ]
    };
    let mut challenges = 0;
    for i in 1..=10 {
        challenges += u32::from(subject.ask_once(subject.paid(), &lines(i)).await?.status == 402);
    }
    // One or two more may have come due by then.
    ensure(challenges < 8, || format!("{challenges} of 10 got a challenge under another address"))
}

async fn grpc(subject: &Subject) -> Verdict {
    let lines = ["Content-Type: application/grpc".to_owned()];
    for _ in 0..3 {
        exhaust(subject, &[]).await?;
        let answer = subject.ask_once(subject.paid(), &lines).await?;
        match answer.header("grpc-status") {
            None => return skip("gRPC is not answered as gRPC"),
            // One more came due in between.
            Some("13") => {}
            status => return ensure(status == Some("8"), || format!("grpc-status is {status:?}")),
        }
    }
    skip("the limit lets one more in each time")
}

async fn credential_passes(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    exhaust(subject, &[]).await?;
    let answer = subject.present(subject.paid(), &bought.value()).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn burst(subject: &Subject) -> Verdict {
    let (_, answer) = exhaust(subject, &[]).await?;
    let wait: u64 = answer.header("retry-after").and_then(|text| text.parse().ok()).unwrap_or(0);
    ensure(wait <= 120, || format!("a client that asked too often waits {wait} s"))
}
