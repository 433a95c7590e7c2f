//! Invoices and tokens that must not be paid.

use plannt_core::PaymentHash;

use super::checks;
use super::house::{House, Offer, PRICE_MSAT, now, script, token};
use super::invoices::{Currency, Odd, SiPrefix};
use super::stage::Stage;
use crate::wire::check::Verdict;

checks! {
    "client.refuses.whole_bitcoin" Must "docs/PROTOCOL.md §5" "above a limit or the budget left (every limit counts amount plus the maximum fee; for a wallet that takes no fee limit, a configured worst case is reserved and any excess charged)"
        => |s| odd(s, |invoice| Odd { amount: Some(1), unit: None, ..invoice });
    "client.refuses.many_bitcoin" Must "docs/PROTOCOL.md §5" "above a limit or the budget left"
        => |s| odd(s, |invoice| Odd { amount: Some(18_446_745), unit: None, ..invoice });
    "client.refuses.milli_bitcoin" Must "docs/PROTOCOL.md §5" "above a limit or the budget left"
        => |s| odd(s, |invoice| Odd { amount: Some(100), unit: Some(SiPrefix::Milli), ..invoice });
    "client.refuses.dear_and_payable" Must "docs/PROTOCOL.md §5" "above a limit or the budget left"
        => dear_and_payable;
    "client.refuses.part_of_a_msat" Must "docs/PROTOCOL.md §5" "has no amount or a part of a msat"
        => |s| odd(s, |invoice| Odd { amount: Some(210_001), unit: Some(SiPrefix::Pico), ..invoice });
    "client.refuses.no_amount" Must "docs/PROTOCOL.md §5" "has no amount or a part of a msat"
        => |s| odd(s, |invoice| Odd { amount: None, unit: None, ..invoice });
    "client.refuses.zero_amount" Must "docs/PROTOCOL.md §5" "has no amount or a part of a msat"
        => |s| odd(s, |invoice| Odd { amount: Some(0), unit: Some(SiPrefix::Nano), ..invoice });
    "client.refuses.expired" Must "docs/PROTOCOL.md §5" "is expired or has less than 30 s left"
        => |s| odd(s, |invoice| Odd { issued_at: now() - 7_200, expiry: Some(3_600), ..invoice });
    "client.refuses.expired_by_default" Must "BOLT 11" "`expiry` time in seconds (big-endian). Default is 3600 (1 hour) if not specified."
        => |s| odd(s, |invoice| Odd { issued_at: now() - 3_601, expiry: None, ..invoice });
    "client.refuses.about_to_expire" Must "docs/PROTOCOL.md §5" "is expired or has less than 30 s left"
        => about_to_expire;
    "client.refuses.bitcoin_network" Must "docs/PROTOCOL.md §5" "is for another network than the wallet's"
        => |s| odd(s, |invoice| Odd { currency: Currency::Bitcoin, ..invoice });
    "client.refuses.testnet" Must "docs/PROTOCOL.md §5" "is for another network than the wallet's"
        => |s| odd(s, |invoice| Odd { currency: Currency::BitcoinTestnet, ..invoice });
    "client.refuses.signet" Must "docs/PROTOCOL.md §5" "is for another network than the wallet's"
        => |s| odd(s, |invoice| Odd { currency: Currency::Signet, ..invoice });
    "client.refuses.hash_unlike_macaroon" Must "docs/PROTOCOL.md §5" "a payment hash unlike the macaroon's, or a `valid_until` already past (where the token has the 66-byte identifier)"
        => hash_unlike_macaroon;
    "client.refuses.token_already_expired" Should "docs/PROTOCOL.md §5" "or a `valid_until` already past (where the token has the 66-byte identifier)"
        => token_already_expired;
    "client.refuses.wrong_checksum" Must "docs/PROTOCOL.md §5" "an invoice that does not parse or is not signed right"
        => |s| text(s, |invoice| {
            let last = if invoice.ends_with('q') { "p" } else { "q" };
            format!("{}{last}", &invoice[..invoice.len() - 1])
        });
    "client.refuses.truncated" Must "docs/PROTOCOL.md §5" "an invoice that does not parse or is not signed right"
        => |s| text(s, |invoice| invoice[..invoice.len() / 2].to_owned());
    "client.refuses.changed_amount" Must "docs/PROTOCOL.md §5" "an invoice that does not parse or is not signed right"
        => |s| text(s, |invoice| invoice.replacen("lnbcrt210n", "lnbcrt10n", 1));
    "client.refuses.not_an_invoice" Must "docs/PROTOCOL.md §5" "an invoice that does not parse or is not signed right"
        => |s| text(s, |_| "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080".into());
    "client.refuses.lightning_prefix" Info "docs/PROTOCOL.md §5" "an invoice that does not parse or is not signed right"
        => |s| text(s, |invoice| format!("lightning:{invoice}"));
}

/// Challenges with what `make` makes, and wants no payment and an exit code that says so.
async fn refused<F: Future<Output = Offer> + Send + 'static>(
    stage: &Stage,
    make: impl Fn(House) -> F + Send + Sync + 'static,
) -> Verdict {
    let script = script(move |_, house| {
        let offer = make(house);
        async move { offer.await.challenge() }
    });
    let play = stage.play(script).await?;
    let ran = play.run().await?;
    play.never_pays()?;
    ran.refused()
}

/// An invoice of a node that nobody knows, with a token that is right.
async fn odd(stage: &Stage, make: fn(Odd) -> Odd) -> Verdict {
    refused(stage, move |house| async move {
        let hash = house.offer().await.hash;
        let invoice = make(Odd::new(hash)).sign();
        Offer { token: token(hash, now() + 3_600), invoice, hash }
    })
    .await
}

async fn text(stage: &Stage, change: fn(&str) -> String) -> Verdict {
    refused(stage, move |house| async move {
        let offer = house.offer().await;
        Offer { invoice: change(&offer.invoice), ..offer }
    })
    .await
}

/// Two bitcoin, of a node that would take them from a wallet that has them.
async fn dear_and_payable(stage: &Stage) -> Verdict {
    refused(stage, |house| async move { house.offer_of(200_000_000_000, 600).await }).await
}

async fn about_to_expire(stage: &Stage) -> Verdict {
    refused(stage, |house| async move { house.offer_of(PRICE_MSAT, 12).await }).await
}

async fn hash_unlike_macaroon(stage: &Stage) -> Verdict {
    refused(stage, |house| async move {
        let offer = house.offer().await;
        Offer { token: token(PaymentHash::from_bytes([9; 32]), now() + 3_600), ..offer }
    })
    .await
}

async fn token_already_expired(stage: &Stage) -> Verdict {
    refused(stage, |house| async move {
        let offer = house.offer().await;
        Offer { token: token(offer.hash, now() - 60), ..offer }
    })
    .await
}
