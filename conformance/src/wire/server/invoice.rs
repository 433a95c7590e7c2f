//! The invoice's own facts.

use super::checks;
use super::subject::{Subject, now};
use crate::wire::check::{Verdict, ensure, skip};

checks! {
    "server.invoice.signed" Must "BOLT 11" "MUST set `signature` to a valid 512-bit secp256k1 signature"
        => signed;
    "server.invoice.amount" Must "docs/PROTOCOL.md §5" "an invoice that does not parse or is not signed right, has no amount or a part of a msat"
        => amount;
    "server.invoice.network" Must "docs/PROTOCOL.md §3" "The server takes hash, amount, network and expiry from the parsed invoice itself, and refuses one that is not what it asked its node for."
        => network;
    "server.invoice.not_expired" Must "docs/PROTOCOL.md §5" "is expired or has less than 30 s left"
        => not_expired;
    "server.invoice.hash_in_token" Must "docs/PROTOCOL.md §5" "a payment hash unlike the macaroon's"
        => hash_in_token;
    "server.invoice.price_in_token" Should "docs/PROTOCOL.md §2" "msat: what this invoice paid"
        => price_in_token;
    "server.invoice.payee" Info "docs/PROTOCOL.md §3" "refuses one that is not what it asked its node for"
        => payee;
}

/// [`Subject::challenge`] fails where it is not.
async fn signed(subject: &Subject) -> Verdict {
    subject.challenge(subject.paid()).await.map(drop)
}

async fn amount(subject: &Subject) -> Verdict {
    let facts = subject.challenge(subject.paid()).await?.facts;
    ensure(facts.amount_msat.is_some(), || "the invoice has no amount".into())
}

async fn network(subject: &Subject) -> Verdict {
    let Some(wanted) = subject.network() else {
        return skip("the wallet does not say its network (--network)");
    };
    let facts = subject.challenge(subject.paid()).await?.facts;
    ensure(facts.network == wanted, || {
        format!("the invoice is for {}, the wallet on {wanted}", facts.network)
    })
}

async fn not_expired(subject: &Subject) -> Verdict {
    let facts = subject.challenge(subject.paid()).await?.facts;
    let left = facts.expires_at.saturating_sub(now());
    ensure(left >= 30, || format!("it has {left} s left"))
}

async fn hash_in_token(subject: &Subject) -> Verdict {
    let offer = subject.challenge(subject.paid()).await?;
    let macaroon = offer.macaroon()?;
    let Ok(identifier) = plannt_core::Identifier::parse(macaroon.identifier()) else {
        return skip("the token's identifier is not the 66 bytes of L402");
    };
    ensure(identifier.payment_hash == offer.hash(), || {
        format!("the token is for {}, the invoice for {}", identifier.payment_hash, offer.hash())
    })
}

async fn price_in_token(subject: &Subject) -> Verdict {
    let offer = subject.challenge(subject.paid()).await?;
    let said = offer.of_service("max_price_msat")?;
    let is = offer.facts.amount_msat.unwrap_or_default().to_string();
    ensure(said == is, || format!("the token says {said}, the invoice {is}"))
}

async fn payee(subject: &Subject) -> Verdict {
    let one = subject.challenge(subject.paid()).await?.facts.payee;
    let other = subject.challenge(subject.paid()).await?.facts.payee;
    ensure(one == other, || "two invoices are of different nodes".into())
}
