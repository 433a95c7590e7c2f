//! What a holder may add: narrower is taken, wider is refused, and nothing is compared as text.

use super::answers::refused;
use super::checks;
use super::subject::{Subject, now};
use crate::wire::check::{Verdict, ensure};

checks! {
    "server.attenuation.same_again" Should "docs/PROTOCOL.md §2" "a duplicate never widens"
        => same_again;
    "server.attenuation.narrower_time" Must "docs/PROTOCOL.md §2" "| `<service>_valid_until` | unix seconds | ≤ | now < value |"
        => narrower_time;
    "server.attenuation.wider_time" Must "docs/PROTOCOL.md §2" "| `<service>_valid_until` | unix seconds | ≤ | now < value |"
        => wider_time;
    "server.attenuation.wider_after_narrower_time" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text; a duplicate never widens."
        => wider_after_narrower_time;
    "server.attenuation.more_uses" Must "docs/PROTOCOL.md §2" "| `<service>_uses` | ≥ 1; absent means 1 | ≤ | uses so far < value |"
        => |s| out_of_scope(s, "uses", |uses| format!("{}", uses.parse::<u64>().unwrap_or(1) + 1_000));
    "server.attenuation.no_uses" Must "docs/PROTOCOL.md §2" "| `<service>_uses` | ≥ 1; absent means 1 | ≤ | uses so far < value |"
        => |s| out_of_scope(s, "uses", |_| "0".into());
    "server.attenuation.signed_uses" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| out_of_scope(s, "uses", |_| "-1".into());
    "server.attenuation.higher_price" Must "docs/PROTOCOL.md §2" "| `<service>_max_price_msat` | msat: what this invoice paid | ≤ |"
        => |s| out_of_scope(s, "max_price_msat", |price| format!("{price}0"));
    "server.attenuation.lower_price" Must "docs/PROTOCOL.md §2" "≥ the lowest price that this request had during the last validity window"
        => |s| out_of_scope(s, "max_price_msat", |_| "1".into());
    "server.attenuation.other_method" Must "docs/PROTOCOL.md §2" "| `<service>_method` | HTTP method, upper case | equal | equals the request's |"
        => |s| out_of_scope(s, "method", |_| "DELETE".into());
    "server.attenuation.other_path" Must "docs/PROTOCOL.md §2" "same, or begins with the old prefix"
        => |s| out_of_scope(s, "path", |path| format!("{path}/other"));
    "server.attenuation.any_path" Must "docs/PROTOCOL.md §2" "same, or begins with the old prefix"
        => |s| out_of_scope(s, "path", |_| "/*".into());
    "server.attenuation.path_prefix" Must "docs/PROTOCOL.md §2" "same, or begins with the old prefix"
        => |s| out_of_scope(s, "path", |path| format!("{path}*"));
    "server.attenuation.other_query" Must "docs/PROTOCOL.md §2" "| `<service>_query` | SHA-256 hex of the bytes after the first `?` (absent = empty) | equal | matches |"
        => |s| added(s, |service| format!("{service}_query={}", "00".repeat(32)));
    "server.attenuation.other_digest" Must "docs/PROTOCOL.md §2" "| `<service>_digest` | RFC 9530 `sha-256=:…:` of the content after transfer decoding | equal | matches |"
        => |s| added(s, |service| format!("{service}_digest=sha-256=:{}=:", "A".repeat(43)));
    "server.attenuation.other_service" Must "docs/PROTOCOL.md §2" "| subset of the pairs | holds the pair asked for |"
        => |s| added(s, |_| "services=another-service:0".into());
    "server.attenuation.other_tier" Must "docs/PROTOCOL.md §2" "| subset of the pairs | holds the pair asked for |"
        => |s| added(s, |service| format!("services={service}:255"));
    "server.attenuation.more_services" Must "docs/PROTOCOL.md §2" "| subset of the pairs | holds the pair asked for |"
        => |s| added(s, |service| format!("services={service}:0,another-service:0"));
    "server.attenuation.spaces" Must "docs/PROTOCOL.md §2" "spaces around it are trimmed when reading and never written"
        => |s| added(s, |service| format!(" {service}_max_price_msat = 1 "));
    "server.attenuation.empty_value" Must "docs/PROTOCOL.md §2" "Numbers are bounded integers and never compared as text"
        => |s| added(s, |service| format!("{service}_max_price_msat="));
    "server.attenuation.another_services_caveat" Should "docs/PROTOCOL.md §2" "An unknown condition, bytes that are not UTF-8, or a caveat without `=` are skipped"
        => another_services_caveat;
    "server.attenuation.detail" Info "docs/PROTOCOL.md §3" "402, fresh challenge, `out_of_scope`, `detail` names the caveat"
        => detail;
    "server.attenuation.spends_nothing" Must "docs/PROTOCOL.md §4" "All attenuations of one `H` share it."
        => spends_nothing;
}

async fn same_again(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let all = bought.offer.caveats()?;
    let all: Vec<_> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let token = bought.attenuated(&all.iter().map(String::as_str).collect::<Vec<_>>())?;
    let answer = subject.present(subject.paid(), &bought.value_of(&token)).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn narrower_time(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let value = bought.with("valid_until", &(now() + 120).to_string())?;
    let answer = subject.present(subject.paid(), &value).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn wider_time(subject: &Subject) -> Verdict {
    out_of_scope(subject, "valid_until", |time| format!("{}", time.parse::<u64>().unwrap_or(0) + 1))
        .await
}

async fn wider_after_narrower_time(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let (service, minted) = (bought.offer.service()?, bought.offer.of_service("valid_until")?);
    let narrow = format!("{service}_valid_until={}", now() + 60);
    let wide = format!("{service}_valid_until={minted}");
    let token = bought.attenuated(&[&narrow, &wide])?;
    refused(&subject.present(subject.paid(), &bought.value_of(&token)).await?, "out_of_scope")
}

/// Appends a caveat of the token's own service, with a value made of the minted one.
async fn out_of_scope(subject: &Subject, name: &str, value: fn(&str) -> String) -> Verdict {
    let bought = subject.unspent().await?;
    let value = value(&bought.offer.of_service(name)?);
    let answer = subject.present(subject.paid(), &bought.with(name, &value)?).await?;
    refused(&answer, "out_of_scope")
}

/// Appends a caveat, and wants it refused as one that does not allow the request.
async fn added(subject: &Subject, caveat: fn(&str) -> String) -> Verdict {
    let bought = subject.unspent().await?;
    let token = bought.attenuated(&[&caveat(&bought.offer.service()?)])?;
    refused(&subject.present(subject.paid(), &bought.value_of(&token)).await?, "out_of_scope")
}

async fn another_services_caveat(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let caveat = format!("not-{}_valid_until=1", bought.offer.service()?);
    let token = bought.attenuated(&[&caveat])?;
    let answer = subject.present(subject.paid(), &bought.value_of(&token)).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn detail(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let condition = format!("{}_max_price_msat", bought.offer.service()?);
    let answer = subject.present(subject.paid(), &bought.with("max_price_msat", "1")?).await?;
    let detail = answer.member("detail").unwrap_or_default();
    ensure(detail.contains(&condition), || format!("detail is {detail:?}"))
}

async fn spends_nothing(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    for (name, value) in [("max_price_msat", "1"), ("valid_until", "1"), ("method", "DELETE")] {
        subject.present(subject.paid(), &bought.with(name, value)?).await?;
    }
    let answer = subject.present(subject.paid(), &bought.value()).await?;
    ensure(answer.is_success(), || {
        format!("the unattenuated one is then answered {}", answer.brief())
    })
}
