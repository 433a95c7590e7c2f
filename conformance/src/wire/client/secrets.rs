//! What must not get out.

use super::checks;
use super::house::{House, Offer, script};
use super::reply::Reply;
use super::stage::{Play, Ran, Stage, TARGET};
use crate::wire::check::{Verdict, ensure};

checks! {
    "client.secrets.not_printed" Must "docs/PROTOCOL.md §3" "A preimage never appears in a challenge, a log, an error or a receipt."
        => not_printed;
    "client.secrets.not_printed_when_lost" Must "docs/PROTOCOL.md §3" "A preimage never appears in a challenge, a log, an error or a receipt."
        => not_printed_when_lost;
    "client.secrets.not_for_another_origin" Must "docs/PROTOCOL.md §5" "it is tried first for its origin, within its readable caveats"
        => not_for_another_origin;
    "client.secrets.not_in_the_url" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => not_in_the_url;
    "client.secrets.wallet_not_sent" Must "docs/PROTOCOL.md §5" "Send the request."
        => wallet_not_sent;
}

/// The preimages that the servers got.
fn preimages(play: &Play<'_>) -> Vec<String> {
    let all = play.credentials();
    all.iter()
        .flat_map(|seen| seen.credentials())
        .filter_map(|value| value.rsplit_once(':'))
        .map(|(_, preimage)| preimage.to_ascii_lowercase())
        .collect()
}

fn prints_none(play: &Play<'_>, ran: &Ran) -> Verdict {
    let printed = format!("{}{}", ran.stdout, ran.stderr).to_ascii_lowercase();
    let found = preimages(play).iter().any(|preimage| printed.contains(preimage));
    ensure(!found, || "it prints the preimage".into())
}

async fn not_printed(stage: &Stage) -> Verdict {
    let play = stage.sells(Offer::challenge).await?;
    let ran = play.run().await?;
    ran.delivered()?;
    prints_none(&play, &ran)
}

async fn not_printed_when_lost(stage: &Stage) -> Verdict {
    let lost = script(|_, house: House| async move { house.offer().await.challenge() });
    let play = stage.play(lost).await?;
    for _ in 0..2 {
        let ran = play.run().await?;
        prints_none(&play, &ran)?;
    }
    Ok(())
}

/// A credential that is kept is not shown to others.
async fn not_for_another_origin(stage: &Stage) -> Verdict {
    let play = stage
        .play(script(|seen, house: House| async move {
            match house.proven(&seen) {
                Some(_) => Reply::delivered_with(&["x-l402: valid; remaining=5".into()]),
                None => house.offer().await.challenge(),
            }
        }))
        .await?;
    play.run().await?.delivered()?;
    let other = play.house().url(1, TARGET);
    play.run_for(&other).await?;
    let seen = play.seen();
    let first = seen.iter().find(|seen| seen.origin == 1);
    ensure(first.is_some_and(|seen| !seen.has_credential()), || {
        "the other origin was shown a credential before it asked for one".into()
    })
}

async fn not_in_the_url(stage: &Stage) -> Verdict {
    let play = stage.sells(Offer::challenge).await?;
    play.buys().await?;
    let preimages = preimages(&play);
    for seen in play.seen() {
        let elsewhere =
            seen.headers.iter().filter(|(n, _)| !n.eq_ignore_ascii_case("authorization"));
        let lines: String = elsewhere.map(|(_, value)| value.as_str()).collect();
        let all = format!("{}{lines}", seen.target).to_ascii_lowercase();
        let found = preimages.iter().any(|preimage| all.contains(preimage));
        ensure(!found, || "the preimage stands elsewhere than in Authorization".into())?;
    }
    Ok(())
}

async fn wallet_not_sent(stage: &Stage) -> Verdict {
    let play = stage.sells(Offer::challenge).await?;
    play.buys().await?;
    for seen in play.seen() {
        for (name, value) in &seen.headers {
            ensure(!value.contains("lnd://") && !value.contains("macaroon="), || {
                format!("{name} holds the wallet's URL")
            })?;
        }
    }
    Ok(())
}
