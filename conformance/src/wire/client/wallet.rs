//! A wallet that fails, or lies.

use plannt_lightning::devnet::{FaultKind, Operation};

use super::checks;
use super::house::Offer;
use super::stage::{Play, Stage};
use crate::wire::check::{Verdict, ensure};

checks! {
    "client.wallet.wrong_preimage" Must "docs/PROTOCOL.md §5" "Check `SHA256(preimage) == H`, journal it, and repeat the URL, method and body that were challenged, once, with the credential."
        => wrong_preimage;
    "client.wallet.no_route" Must "docs/PROTOCOL.md §5" "Check `SHA256(preimage) == H`"
        => |s| fails(s, FaultKind::NoRoute);
    "client.wallet.no_balance" Must "docs/PROTOCOL.md §5" "Check `SHA256(preimage) == H`"
        => |s| fails(s, FaultKind::NoBalance);
    "client.wallet.timeout" Must "docs/PROTOCOL.md §5" "Check `SHA256(preimage) == H`"
        => |s| fails(s, FaultKind::Timeout);
    "client.wallet.down" Must "docs/PROTOCOL.md §5" "While an intent with that key is unresolved, a call resolves it by asking the wallet, and takes no new challenge"
        => |s| fails(s, FaultKind::Down);
    "client.wallet.reply_lost" Must "docs/PROTOCOL.md §5" "While an intent with that key is unresolved, a call resolves it by asking the wallet, and takes no new challenge; if it proves paid, its token is the credential."
        => |s| unknown(s, FaultKind::ReplyLost);
    "client.wallet.nonsense" Must "docs/PROTOCOL.md §5" "While an intent with that key is unresolved, a call resolves it by asking the wallet, and takes no new challenge; if it proves paid, its token is the credential."
        => |s| unknown(s, FaultKind::Nonsense);
    "client.wallet.slow" Should "docs/PROTOCOL.md §5" "One call pays at most once."
        => slow;
    "client.wallet.failed_then_well" Should "docs/PROTOCOL.md §5" "\"Not found\" means failed only once the invoice has expired."
        => failed_then_well;
}

async fn sold(stage: &Stage) -> Verdict<Play<'_>> {
    stage.sells(Offer::challenge).await
}

/// A preimage that proves nothing is not presented, and nothing else is paid in its place.
async fn wrong_preimage(stage: &Stage) -> Verdict {
    let play = sold(stage).await?;
    let faults = stage.devnet.faults();
    faults.always(Operation::Pay, FaultKind::WrongPreimage);
    faults.always(Operation::LookUpPayment, FaultKind::WrongPreimage);
    for _ in 0..2 {
        play.run().await?.refused()?;
        ensure(play.credentials().is_empty(), || "a preimage that proves nothing was sent".into())?;
        play.pays_at_most(1).await?;
    }
    Ok(())
}

/// Not paid, and said so.
async fn fails(stage: &Stage, fault: FaultKind) -> Verdict {
    let play = sold(stage).await?;
    stage.devnet.faults().always(Operation::Pay, fault);
    play.run().await?.refused()?;
    ensure(play.credentials().is_empty(), || "a credential was sent".into())?;
    let asked = play.asked().len();
    ensure(asked <= 1, || format!("{asked} invoices were tried"))
}

/// Paid, and the answer lost: it is asked for, in this run or in the next, and never paid again.
async fn unknown(stage: &Stage, fault: FaultKind) -> Verdict {
    let play = sold(stage).await?;
    stage.devnet.faults().once(Operation::Pay, fault);
    let first = play.run().await?;
    play.pays_exactly(1).await?;
    if first.delivered().is_err() {
        play.run().await?.delivered()?;
    }
    play.pays_exactly(1).await
}

async fn slow(stage: &Stage) -> Verdict {
    let play = sold(stage).await?;
    stage.devnet.faults().once(Operation::Pay, FaultKind::Slow { ms: 2_500 });
    play.buys().await
}

/// A payment that failed for certain is tried again by the next run, with a fresh challenge.
async fn failed_then_well(stage: &Stage) -> Verdict {
    let play = sold(stage).await?;
    stage.devnet.faults().once(Operation::Pay, FaultKind::NoRoute);
    play.run().await?.refused()?;
    play.run().await?.delivered()?;
    play.pays_at_most(2).await?;
    let paid = play.paid().await?;
    ensure(paid.len() == 1, || format!("{} payments", paid.len()))
}
