//! The forms of a credential that are accepted, and what a paid answer says.

use super::answers::refused;
use super::checks;
use super::request::authorization;
use super::subject::{Bought, Subject};
use crate::wire::check::{Verdict, ensure};
use crate::wire::http::Answer;

checks! {
    "server.credential.accepted" Must "docs/PROTOCOL.md §3" "valid | the upstream's answer"
        => |s| accepted(s, |bought| Ok(vec![authorization(&bought.value())]));
    "server.credential.lower_case_scheme" Must "docs/PROTOCOL.md §3" "The scheme is case-insensitive, `LSAT` is the same; hex in either case; base64 in any of the four variants."
        => |s| accepted(s, |bought| Ok(vec![authorization(&bought.value().replacen("L402", "l402", 1))]));
    "server.credential.lsat" Must "docs/PROTOCOL.md §3" "The scheme is case-insensitive, `LSAT` is the same"
        => |s| accepted(s, |bought| Ok(vec![authorization(&bought.value().replacen("L402", "LSAT", 1))]));
    "server.credential.mixed_case_lsat" Should "docs/PROTOCOL.md §3" "The scheme is case-insensitive, `LSAT` is the same"
        => |s| accepted(s, |bought| Ok(vec![authorization(&bought.value().replacen("L402", "lSaT", 1))]));
    "server.credential.upper_case_hex" Must "docs/PROTOCOL.md §3" "hex in either case"
        => |s| accepted(s, |b| Ok(vec![authorization(&format!("L402 {}:{}", b.offer.token, b.hex().to_uppercase()))]));
    "server.credential.unpadded" Should "docs/PROTOCOL.md §3" "base64 in any of the four variants"
        => |s| accepted(s, |b| Ok(vec![authorization(&b.value_of(b.offer.token.trim_end_matches('=')))]));
    "server.credential.url_safe" Should "docs/PROTOCOL.md §3" "base64 in any of the four variants"
        => |s| accepted(s, |b| Ok(vec![authorization(&b.value_of(&url_safe(&b.offer.token)))]));
    "server.credential.url_safe_unpadded" Should "docs/PROTOCOL.md §3" "base64 in any of the four variants"
        => |s| accepted(s, |b| Ok(vec![authorization(&b.value_of(url_safe(&b.offer.token).trim_end_matches('=')))]));
    "server.credential.after_another_scheme" Should "docs/PROTOCOL.md §3" "The first line with that scheme decides, even when malformed."
        => |s| accepted(s, |b| Ok(vec![authorization("Basic dTpw"), authorization(&b.value())]));
    "server.credential.lower_case_header" Must "RFC 9110 §5.1" "Field names are case-insensitive"
        => |s| accepted(s, |b| Ok(vec![format!("authorization: {}", b.value())]));
    "server.credential.preimage_caveat" Must "docs/PROTOCOL.md §2" "stands in for the header's preimage"
        => |s| accepted(s, |b| {
            let token = b.attenuated(&[&format!("preimage={}", b.hex())])?;
            Ok(vec![authorization(&b.value_of(&token))])
        });
    "server.credential.unknown_caveat" Should "docs/PROTOCOL.md §2" "An unknown condition, bytes that are not UTF-8, or a caveat without `=` are skipped (holders attenuate for other systems), unless the verifier is set to strict."
        => |s| accepted(s, |b| {
            let token = b.attenuated(&["other_system_expires=1", "a caveat without a value"])?;
            Ok(vec![authorization(&b.value_of(&token))])
        });
    "server.credential.several_tokens" Should "docs/PROTOCOL.md §3" "Tokens before the colon all carry the same `H`, each passes every check, and together they are one use."
        => |s| accepted(s, |b| {
            let second = b.attenuated(&["note=second"])?;
            Ok(vec![authorization(&b.value_of(&format!("{},{second}", b.offer.token)))])
        });
    "server.credential.several_hashes" Must "docs/PROTOCOL.md §3" "Tokens before the colon all carry the same `H`"
        => several_hashes;
    "server.credential.each_token_is_checked" Must "docs/PROTOCOL.md §3" "each passes every check"
        => each_token_is_checked;
    "server.credential.wrong_preimage_caveat" Must "docs/PROTOCOL.md §2" "| `preimage` | 64 hex | must agree | `SHA256` = `H`"
        => wrong_preimage_caveat;
    "server.credential.x_l402" Should "docs/PROTOCOL.md §3" "plus `x-l402: spent` (single use), or `x-l402: valid; remaining=N`"
        => x_l402;
    "server.credential.private" Should "docs/PROTOCOL.md §3" "a paid answer's `public` and `s-maxage` become `private`"
        => private;
    "server.credential.no_challenge_when_paid" Should "docs/PROTOCOL.md §3" "valid | the upstream's answer"
        => no_challenge_when_paid;
    "server.credential.not_echoed" Must "docs/PROTOCOL.md §3" "A preimage never appears in a challenge, a log, an error or a receipt."
        => not_echoed;
}

fn url_safe(token: &str) -> String {
    token.replace('+', "-").replace('/', "_")
}

/// Buys, presents in some form, and wants what was bought.
async fn accepted(subject: &Subject, lines: fn(&Bought) -> Verdict<Vec<String>>) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let answer = subject.present_lines(subject.paid(), &lines(&bought)?).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn paid(subject: &Subject) -> Verdict<(Bought, Answer)> {
    let bought = subject.buy(subject.paid()).await?;
    let answer = subject.present(subject.paid(), &bought.value()).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))?;
    Ok((bought, answer))
}

async fn several_hashes(subject: &Subject) -> Verdict {
    let (one, other) = (subject.unspent().await?, subject.buy(subject.paid()).await?);
    let tokens = format!("{},{}", one.offer.token, other.offer.token);
    let answer = subject.present(subject.paid(), &one.value_of(&tokens)).await?;
    refused(&answer, "invalid_credential")
}

async fn each_token_is_checked(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let past = format!("{}_valid_until=1", bought.offer.service()?);
    let tokens = format!("{},{}", bought.offer.token, bought.attenuated(&[&past])?);
    let answer = subject.present(subject.paid(), &bought.value_of(&tokens)).await?;
    refused(&answer, "expired")
}

async fn wrong_preimage_caveat(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let token = bought.attenuated(&[&format!("preimage={}", "00".repeat(32))])?;
    let answer = subject.present(subject.paid(), &bought.value_of(&token)).await?;
    refused(&answer, "invalid_credential")
}

async fn x_l402(subject: &Subject) -> Verdict {
    let (bought, answer) = paid(subject).await?;
    let uses = bought.offer.of_service("uses").ok().and_then(|uses| uses.parse().ok());
    let uses: u64 = uses.unwrap_or(1);
    let wanted = match uses {
        1 => "spent".to_owned(),
        uses => format!("valid; remaining={}", uses - 1),
    };
    let said: Vec<_> = answer.all("x-l402").collect();
    ensure(said == [wanted.as_str()], || format!("it says {said:?}, the token is for {uses} uses"))
}

async fn private(subject: &Subject) -> Verdict {
    let (_, answer) = paid(subject).await?;
    let line = answer.all("cache-control").collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let shared = line.split(',').map(str::trim).any(|d| d == "public" || d.starts_with("s-maxage"));
    ensure(!shared, || format!("Cache-Control is {line:?}"))
}

async fn no_challenge_when_paid(subject: &Subject) -> Verdict {
    let (_, answer) = paid(subject).await?;
    ensure(!answer.has_invoice() && answer.header("www-authenticate").is_none(), || {
        "the paid answer has a challenge".into()
    })
}

async fn not_echoed(subject: &Subject) -> Verdict {
    let holds = |answer: &Answer, hex: &str| {
        let lines: String = answer.headers.iter().map(|(_, value)| value.as_str()).collect();
        format!("{lines}{}", answer.text()).to_ascii_lowercase().contains(hex)
    };
    let (bought, answer) = paid(subject).await?;
    ensure(!holds(&answer, &bought.hex()), || "the paid answer repeats the preimage".into())?;
    let again = subject.present(subject.paid(), &bought.value()).await?;
    ensure(!holds(&again, &bought.hex()), || "the refusal repeats the preimage".into())
}
