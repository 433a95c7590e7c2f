//! `HEAD` on what is sold.

use super::checks;
use super::subject::Subject;
use crate::wire::check::{Verdict, ensure, skip};

checks! {
    "server.head.quote" Should "docs/PROTOCOL.md §3" "`HEAD` on a paid route answers 402 with `x-l402-price-msat`, makes no invoice, and never spends."
        => quote;
    "server.head.no_invoice" Should "docs/PROTOCOL.md §3" "makes no invoice, and never spends"
        => no_invoice;
    "server.head.never_spends" Must "docs/PROTOCOL.md §3" "makes no invoice, and never spends"
        => never_spends;
    "server.head.free" Info "RFC 9110 §9.3.2" "The HEAD method is identical to GET except that the server MUST NOT send content in the response."
        => free;
}

async fn quote(subject: &Subject) -> Verdict {
    let answer = subject.ask(&subject.paid().method("HEAD"), &[]).await?;
    let price = subject.challenge(subject.paid()).await?.facts.amount_msat.unwrap_or_default();
    let said = answer.header("x-l402-price-msat").map(str::to_owned);
    ensure(answer.status == 402 && said == Some(price.to_string()), || {
        format!("{} with x-l402-price-msat {said:?}, a GET costs {price}", answer.status)
    })
}

async fn no_invoice(subject: &Subject) -> Verdict {
    let answer = subject.ask(&subject.paid().method("HEAD"), &[]).await?;
    ensure(!answer.has_invoice(), || "the answer to HEAD has an invoice".into())
}

async fn never_spends(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let head = subject.present(&subject.paid().method("HEAD"), &bought.value()).await?;
    let answer = subject.present(subject.paid(), &bought.value()).await?;
    ensure(answer.is_success(), || {
        format!("after a HEAD ({}), the credential is answered {}", head.status, answer.brief())
    })
}

async fn free(subject: &Subject) -> Verdict {
    let Some(free) = &subject.free else { return skip("it needs a free path (--free-path)") };
    let answer = subject.ask(&free.method("HEAD"), &[]).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}
