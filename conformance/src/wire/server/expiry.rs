//! The end of a credential's time, by attenuation to a time that is past or near.

use std::time::Duration;

use super::answers::refused;
use super::checks;
use super::subject::{Subject, now};
use crate::wire::check::{Verdict, ensure};

checks! {
    "server.expiry.past" Must "docs/PROTOCOL.md §3" "expired | 402, fresh challenge, `expired`"
        => |s| expired(s, |now| (now - 1).to_string());
    "server.expiry.now" Must "docs/PROTOCOL.md §2" "| `<service>_valid_until` | unix seconds | ≤ | now < value |"
        => |s| expired(s, |now| now.to_string());
    "server.expiry.compared_as_number" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| expired(s, |_| "9".into());
    "server.expiry.zero" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| expired(s, |_| "0".into());
    "server.expiry.overflow" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| not_a_time(s, "18446744073709551617");
    "server.expiry.negative" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| not_a_time(s, "-1");
    "server.expiry.fraction" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| not_a_time(s, "1.5");
    "server.expiry.words" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| not_a_time(s, "never");
    "server.expiry.empty" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| not_a_time(s, "");
    "server.expiry.spends_nothing" Must "docs/PROTOCOL.md §3" "expiry; store; spent."
        => spends_nothing;
    "server.expiry.scope_before_expiry" Should "docs/PROTOCOL.md §3" "narrowing, values, strict unknowns, scope; expiry; store; spent."
        => scope_before_expiry;
    "server.expiry.near" Must "docs/PROTOCOL.md §2" "| `<service>_valid_until` | unix seconds | ≤ | now < value |"
        => near;
}

async fn expired(subject: &Subject, time: fn(u64) -> String) -> Verdict {
    let bought = subject.unspent().await?;
    let answer =
        subject.present(subject.paid(), &bought.with("valid_until", &time(now()))?).await?;
    refused(&answer, "expired")
}

/// A value that is no time is refused; it is a matter of scope.
async fn not_a_time(subject: &Subject, value: &str) -> Verdict {
    let bought = subject.unspent().await?;
    let answer = subject.present(subject.paid(), &bought.with("valid_until", value)?).await?;
    refused(&answer, "out_of_scope")
}

async fn spends_nothing(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    subject.present(subject.paid(), &bought.with("valid_until", "1")?).await?;
    let answer = subject.present(subject.paid(), &bought.value()).await?;
    ensure(answer.is_success(), || {
        format!("after an expired attenuation, it is answered {}", answer.brief())
    })
}

async fn scope_before_expiry(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let service = bought.offer.service()?;
    let caveats = [format!("{service}_valid_until=1"), format!("{service}_method=DELETE")];
    let token = bought.attenuated(&[&caveats[0], &caveats[1]])?;
    refused(&subject.present(subject.paid(), &bought.value_of(&token)).await?, "out_of_scope")
}

/// Good until a second that is near, and not after it; both ends leave room for the clocks.
async fn near(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let value = bought.with("valid_until", &(now() + 2).to_string())?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    refused(&subject.present(subject.paid(), &value).await?, "expired")?;
    // Its holder still has the one that was minted.
    let value = bought.with("valid_until", &(now() + 60).to_string())?;
    let answer = subject.present(subject.paid(), &value).await?;
    ensure(answer.is_success(), || format!("with a minute left, it is answered {}", answer.brief()))
}
