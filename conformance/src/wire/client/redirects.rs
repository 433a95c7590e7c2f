//! Redirects before a payment and after one.

use super::checks;
use super::house::{House, Seen, script};
use super::reply::Reply;
use super::stage::Stage;
use crate::wire::check::{Verdict, ensure};

checks! {
    "client.redirect.to_a_challenge_elsewhere" Must "docs/PROTOCOL.md §5" "a 402 after a redirect"
        => |s| to_a_challenge(s, "302 Found", 1);
    "client.redirect.to_a_challenge_here" Must "docs/PROTOCOL.md §5" "a 402 after a redirect"
        => |s| to_a_challenge(s, "302 Found", 0);
    "client.redirect.permanent_to_a_challenge" Must "docs/PROTOCOL.md §5" "a 402 after a redirect"
        => |s| to_a_challenge(s, "301 Moved Permanently", 1);
    "client.redirect.temporary_to_a_challenge" Must "docs/PROTOCOL.md §5" "a 402 after a redirect"
        => |s| to_a_challenge(s, "307 Temporary Redirect", 1);
    "client.redirect.chain_to_a_challenge" Must "docs/PROTOCOL.md §5" "a 402 after a redirect"
        => chain_to_a_challenge;
    "client.redirect.loop" Must "RFC 9110 §15.4" "A client SHOULD detect and intervene in cyclical redirections"
        => cycle;
    "client.redirect.credential_elsewhere" Must "docs/PROTOCOL.md §5" "The credential never follows a redirect, and an answer that came after one is no answer to it: the redirect was."
        => |s| credential(s, "302 Found", 1);
    "client.redirect.credential_here" Should "docs/PROTOCOL.md §5" "The credential never follows a redirect, and an answer that came after one is no answer to it: the redirect was."
        => |s| credential(s, "302 Found", 0);
    "client.redirect.credential_temporary" Must "docs/PROTOCOL.md §5" "The credential never follows a redirect, and an answer that came after one is no answer to it: the redirect was."
        => |s| credential(s, "307 Temporary Redirect", 1);
    "client.redirect.challenge_with_location" Must "RFC 9110 §10.2.2" "The \"Location\" header field is used in some responses to refer to a specific resource in relation to the response."
        => challenge_with_location;
}

fn is_moved(seen: &Seen) -> bool {
    seen.target == "/moved"
}

/// The URL redirects to what is sold. The command may hand back the redirect or follow it; it does
/// not pay.
async fn to_a_challenge(stage: &Stage, status: &'static str, origin: usize) -> Verdict {
    let script = script(move |seen, house: House| async move {
        match is_moved(&seen) {
            true if house.proven(&seen).is_some() => Reply::delivered(),
            true => house.offer().await.challenge(),
            false => Reply::redirect(status, &house.url(origin, "/moved")),
        }
    });
    let play = stage.play(script).await?;
    play.run().await?;
    play.never_pays()
}

async fn chain_to_a_challenge(stage: &Stage) -> Verdict {
    let script = script(|seen: Seen, house: House| async move {
        match &*seen.target {
            "/moved" => Reply::redirect("302 Found", &house.url(1, "/again")),
            "/again" => Reply::redirect("302 Found", &house.url(0, "/sold")),
            "/sold" => house.offer().await.challenge(),
            _ => Reply::redirect("302 Found", &house.url(0, "/moved")),
        }
    });
    let play = stage.play(script).await?;
    play.run().await?;
    play.never_pays()
}

/// It ends by itself, without a payment.
async fn cycle(stage: &Stage) -> Verdict {
    let script =
        script(
            |_, house: House| async move { Reply::redirect("302 Found", &house.url(0, "/moved")) },
        );
    let play = stage.play(script).await?;
    play.run().await?;
    play.never_pays()?;
    let count = play.seen().len();
    ensure(count <= 50, || format!("{count} requests"))
}

/// The paid answer is a redirect: where it leads, no credential arrives, and nothing is paid again.
async fn credential(stage: &Stage, status: &'static str, origin: usize) -> Verdict {
    let script = script(move |seen, house: House| async move {
        match (is_moved(&seen), house.proven(&seen)) {
            (true, _) => Reply::delivered(),
            (false, Some(_)) => Reply::redirect(status, &house.url(origin, "/moved")),
            (false, None) => house.offer().await.challenge(),
        }
    });
    let play = stage.play(script).await?;
    play.run().await?;
    play.pays_exactly(1).await?;
    let leaked = play.seen().iter().any(|seen| is_moved(seen) && seen.has_credential());
    ensure(!leaked, || "the credential followed the redirect".into())
}

/// A 402 is no redirect, even with a `Location`.
async fn challenge_with_location(stage: &Stage) -> Verdict {
    let script = script(|seen, house: House| async move {
        if house.proven(&seen).is_some() {
            return Reply::delivered();
        }
        let lines = [
            format!("WWW-Authenticate: {}", house.offer().await.line()),
            format!("Location: {}", house.url(1, "/moved")),
        ];
        Reply::new("402 Payment Required", &lines, "{}")
    });
    let play = stage.play(script).await?;
    play.buys().await?;
    ensure(play.seen().iter().all(|seen| seen.origin == 0), || "the other origin was asked".into())
}
