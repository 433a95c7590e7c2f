//! At most one payment, whatever the server answers, and over several runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::checks;
use super::house::{House, Offer, Script, now, script, token};
use super::reply::Reply;
use super::stage::Stage;
use crate::wire::check::{Verdict, ensure};

checks! {
    "client.once.endless_402" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => |s| lost(s, |house| async move { house.offer().await.challenge() });
    "client.once.endless_402_same_invoice" Must "docs/PROTOCOL.md §5" "a hash is paid at most once"
        => |s| lost(s, |house| async move {
            let first = house.offers().first().cloned();
            match first {
                Some(offer) => offer.challenge(),
                None => house.offer().await.challenge(),
            }
        });
    "client.once.invalid_credential" Must "docs/PROTOCOL.md §5" "a 402 to it is `payment_lost` with the receipt"
        => |s| lost(s, |house| async move {
            let lines = [format!("WWW-Authenticate: {}", house.offer().await.line())];
            Reply::new("402 Payment Required", &lines, "{\"code\":\"invalid_credential\"}")
        });
    "client.once.bare_402_when_paid" Must "docs/PROTOCOL.md §5" "a 402 to it is `payment_lost` with the receipt"
        => bare_402_when_paid;
    "client.once.lost_and_run_again" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => lost_and_run_again;
    "client.once.undelivered_then_refused" Must "docs/PROTOCOL.md §5" "a 402 to it is `payment_lost` with the receipt, and that call never pays unless told to"
        => undelivered_then_refused;
    "client.once.hung_up_when_paid" Must "docs/PROTOCOL.md §5" "the next call with the same request key tries it first, one call at a time"
        => |s| undelivered(s, Reply::nothing);
    "client.once.error_when_paid" Must "docs/PROTOCOL.md §5" "Until one answer was 2xx or 3xx it is *undelivered*: the next call with the same request key tries it first"
        => |s| undelivered(s, || Reply::new("500 Internal Server Error", &[], "{}"));
    "client.once.unspent_when_paid" Must "docs/PROTOCOL.md §3" "502 or 504 from the gateway, `x-l402: unspent`: retry the same credential"
        => |s| undelivered(s, || Reply::new("502 Bad Gateway", &["x-l402: unspent".into()], "{}"));
    "client.once.too_many_requests_when_paid" Should "docs/PROTOCOL.md §5" "Unless the answer was a 402 or said `x-l402: spent`, the credential is kept."
        => |s| undelivered(s, || Reply::new("429 Too Many Requests", &["Retry-After: 1".into()], "{}"));
    "client.once.cut_when_paid" Must "docs/PROTOCOL.md §5" "One call pays at most once."
        => cut_when_paid;
    "client.once.kept" Should "docs/PROTOCOL.md §5" "Once delivered without `spent`, it is tried first for its origin"
        => kept;
    "client.once.kept_then_refused" Should "docs/PROTOCOL.md §5" "a 402 to it then drops it, and the call goes on as a new one"
        => kept_then_refused;
    "client.once.spent" Should "docs/PROTOCOL.md §5" "Unless the answer was a 402 or said `x-l402: spent`, the credential is kept."
        => spent;
    "client.once.same_hash_later" Must "docs/PROTOCOL.md §5" "The journal is keyed by payment hash: a hash is paid at most once."
        => same_hash_later;
    "client.once.same_hash_elsewhere" Must "docs/PROTOCOL.md §5" "The journal is keyed by payment hash: a hash is paid at most once."
        => same_hash_elsewhere;
    "client.once.two_at_once" Must "docs/PROTOCOL.md §5" "hold across threads, processes and restarts"
        => two_at_once;
}

/// Whatever is presented is answered by `refuse`: one payment, and an exit code that says so.
async fn lost<F: Future<Output = Reply> + Send + 'static>(
    stage: &Stage,
    refuse: impl Fn(House) -> F + Send + Sync + 'static,
) -> Verdict {
    let play = stage.play(script(move |_, house| refuse(house))).await?;
    let ran = play.run().await?;
    play.pays_at_most(1).await?;
    let count = play.seen().len();
    ensure(count <= 10, || format!("it sent {count} requests"))?;
    ran.refused()
}

async fn bare_402_when_paid(stage: &Stage) -> Verdict {
    let play = stage
        .play(script(|seen, house| async move {
            match house.proven(&seen) {
                Some(_) => Reply::body_challenge("{\"error\":\"Payment Required\"}"),
                None => house.offer().await.challenge(),
            }
        }))
        .await?;
    let ran = play.run().await?;
    play.pays_at_most(1).await?;
    ran.refused()
}

/// Each run may pay once more, and says each time that it brought nothing.
async fn lost_and_run_again(stage: &Stage) -> Verdict {
    let refusing = script(|_, house: House| async move { house.offer().await.challenge() });
    let play = stage.play(refusing).await?;
    for runs in 1..=3 {
        play.run().await?.refused()?;
        play.pays_at_most(runs).await?;
    }
    Ok(())
}

/// Undelivered because the server hung up, and then refused: the run that finds out does not pay.
async fn undelivered_then_refused(stage: &Stage) -> Verdict {
    let script =
        fails_then(1, Reply::nothing, |house| async move { house.offer().await.challenge() });
    let play = stage.play(script).await?;
    play.run().await?;
    play.pays_exactly(1).await?;
    let ran = play.run().await?;
    play.pays_exactly(1).await?;
    ran.refused()
}

/// Answers the first `fails` proven requests by `failure`, and those after them by `then`.
fn fails_then<F: Future<Output = Reply> + Send + 'static>(
    fails: usize,
    failure: fn() -> Reply,
    then: fn(House) -> F,
) -> Script {
    let proven = Arc::new(AtomicUsize::new(0));
    script(move |seen, house: House| {
        let proven = Arc::clone(&proven);
        async move {
            match house.proven(&seen) {
                None => house.offer().await.challenge(),
                Some(_) if proven.fetch_add(1, Ordering::SeqCst) < fails => failure(),
                Some(_) => then(house).await,
            }
        }
    })
}

/// The same, and then it delivers.
fn fails_first(fails: usize, failure: fn() -> Reply) -> Script {
    fails_then(fails, failure, |_| async { Reply::delivered_with(&["x-l402: spent".into()]) })
}

/// Paid, and answered by a failure: the next runs bring it with the same credential.
async fn undelivered(stage: &Stage, failure: fn() -> Reply) -> Verdict {
    let play = stage.play(fails_first(1, failure)).await?;
    let first = play.run().await?;
    play.pays_exactly(1).await?;
    if first.delivered().is_ok() {
        // It tried again by itself.
        return Ok(());
    }
    play.run().await?.delivered()?;
    play.pays_exactly(1).await
}

/// The paid answer breaks off: it was spent, so a second run may pay again, but one run does not.
async fn cut_when_paid(stage: &Stage) -> Verdict {
    let play = stage.play(fails_first(1, || Reply::delivered().cut(20))).await?;
    let ran = play.run().await?;
    play.pays_exactly(1).await?;
    ensure(ran.code != Some(0), || "half an answer is handed over as a whole one".into())
}

fn delivers_with(state: &'static str) -> Script {
    script(move |seen, house: House| async move {
        match house.proven(&seen) {
            Some(_) => Reply::delivered_with(&[format!("x-l402: {state}")]),
            None => house.offer().await.challenge(),
        }
    })
}

/// A credential with uses left is used again.
async fn kept(stage: &Stage) -> Verdict {
    let play = stage.play(delivers_with("valid; remaining=5")).await?;
    play.run().await?.delivered()?;
    play.run().await?.delivered()?;
    play.pays_exactly(1).await
}

/// Kept, and refused the next time: that is no loss, and a new one is bought.
async fn kept_then_refused(stage: &Stage) -> Verdict {
    let uses = Arc::new(AtomicUsize::new(0));
    let script = script(move |seen, house: House| {
        let uses = Arc::clone(&uses);
        async move {
            let proven = house.proven(&seen).is_some();
            // The first credential is good once, and so is the second.
            match proven && uses.fetch_add(1, Ordering::SeqCst) != 1 {
                true => Reply::delivered_with(&["x-l402: valid; remaining=1".into()]),
                false => house.offer().await.challenge(),
            }
        }
    });
    let play = stage.play(script).await?;
    play.run().await?.delivered()?;
    play.run().await?.delivered()?;
    play.pays_at_most(2).await
}

/// A credential that is spent is not presented again.
async fn spent(stage: &Stage) -> Verdict {
    let play = stage.play(delivers_with("spent")).await?;
    play.run().await?.delivered()?;
    let before = play.seen().len();
    play.run().await?.delivered()?;
    play.pays_exactly(2).await?;
    let first = &play.seen()[before];
    ensure(!first.has_credential(), || "the second run begins with a spent credential".into())
}

/// One invoice for everybody, each time with another token.
fn one_invoice() -> Script {
    script(|seen, house: House| async move {
        let offers = house.offers();
        match (house.proven(&seen), offers.first()) {
            (Some(_), _) if offers.len() == 1 => Reply::delivered_with(&["x-l402: spent".into()]),
            (_, Some(first)) => {
                let valid_until = now() + 3_600 + offers.len() as u64;
                let offer = Offer { token: token(first.hash, valid_until), ..first.clone() };
                house.remember(offer).challenge()
            }
            (_, None) => house.offer().await.challenge(),
        }
    })
}

async fn same_hash_later(stage: &Stage) -> Verdict {
    let play = stage.play(one_invoice()).await?;
    play.run().await?.delivered()?;
    play.run().await?;
    let asked = play.asked().len();
    ensure(asked == 1, || format!("the node was asked {asked} times to pay one invoice"))
}

async fn same_hash_elsewhere(stage: &Stage) -> Verdict {
    let play = stage.play(one_invoice()).await?;
    play.run().await?.delivered()?;
    let other = play.house().url(1, "/other");
    play.run_for(&other).await?;
    let asked = play.asked().len();
    ensure(asked == 1, || format!("the node was asked {asked} times to pay one invoice"))
}

/// Two runs at the same time: each is served, no invoice is paid twice.
async fn two_at_once(stage: &Stage) -> Verdict {
    let play = stage.play(delivers_with("spent")).await?;
    let (one, two) = tokio::join!(play.run(), play.run());
    one?.delivered()?;
    two?.delivered()?;
    play.pays_at_most(2).await?;
    let (asked, mut unique) = (play.asked(), play.asked());
    unique.sort();
    unique.dedup();
    ensure(asked.len() == unique.len(), || "an invoice was paid by both".into())
}
