//! What is presented and is no credential: told what is wrong with it, and challenged anew.

use super::checks;
use super::request::authorization;
use super::subject::Subject;
use crate::wire::check::{Verdict, ensure};
use crate::wire::http::Answer;

checks! {
    "server.answers.other_scheme" Must "docs/PROTOCOL.md §3" "no L402 credential (none, or another scheme) | 402, fresh challenge, `code: payment_required`"
        => other_scheme;
    "server.answers.never_401" Must "docs/PROTOCOL.md §3" "A bare 401 is never sent: deployed clients pay again only on 402."
        => never_401;
    "server.malformed.scheme_alone" Must "docs/PROTOCOL.md §3" "malformed credential | 402, fresh challenge, `malformed_credential`, `detail` says what"
        => |s| malformed(s, |_, _| "L402".into());
    "server.malformed.no_colon" Must "docs/PROTOCOL.md §3" "malformed credential | 402, fresh challenge, `malformed_credential`, `detail` says what"
        => |s| malformed(s, |token, _| format!("L402 {token}"));
    "server.malformed.no_token" Must "docs/PROTOCOL.md §3" "malformed credential | 402, fresh challenge, `malformed_credential`, `detail` says what"
        => |s| malformed(s, |_, hex| format!("L402 :{hex}"));
    "server.malformed.no_preimage" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => |s| malformed(s, |token, _| format!("L402 {token}:"));
    "server.malformed.placeholder" Must "docs/PROTOCOL.md §3" "`<preimage>` that literal placeholder"
        => |s| malformed(s, |token, _| format!("L402 {token}:<preimage>"));
    "server.malformed.short_preimage" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => |s| malformed(s, |token, hex| format!("L402 {token}:{}", &hex[2..]));
    "server.malformed.long_preimage" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => |s| malformed(s, |token, hex| format!("L402 {token}:{hex}00"));
    "server.malformed.preimage_not_hex" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => |s| malformed(s, |token, hex| format!("L402 {token}:g{}", &hex[1..]));
    "server.malformed.prefixed_preimage" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => |s| malformed(s, |token, hex| format!("L402 {token}:0x{hex}"));
    "server.malformed.not_base64" Must "docs/PROTOCOL.md §1" "base64 standard or url-safe, padded or not, one alphabet, zero spare bits"
        => |s| malformed(s, |token, hex| format!("L402 !{token}:{hex}"));
    "server.malformed.mixed_alphabets" Should "docs/PROTOCOL.md §1" "base64 standard or url-safe, padded or not, one alphabet, zero spare bits"
        => |s| malformed(s, |_, hex| format!("L402 AgEE-+//:{hex}"));
    "server.malformed.not_a_macaroon" Must "docs/PROTOCOL.md §1" "Any input gives a value or a typed error."
        => |s| malformed(s, |_, hex| format!("L402 aGVsbG8gd29ybGQ=:{hex}"));
    "server.malformed.json_token" Must "docs/PROTOCOL.md §1" "Parsing is strict and total"
        => |s| malformed(s, |_, hex| format!("L402 eyJ2YWxpZCI6dHJ1ZX0=:{hex}"));
    "server.malformed.empty_token_in_list" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => |s| malformed(s, |token, hex| format!("L402 {token},:{hex}"));
    "server.malformed.junk_after" Must "docs/PROTOCOL.md §1" "no trailing bytes"
        => |s| malformed(s, |token, hex| format!("L402 {token}:{hex} and more"));
    "server.malformed.junk_before" Must "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => |s| malformed(s, |token, hex| format!("L402 x {token}:{hex}"));
    "server.malformed.quoted" Should "docs/PROTOCOL.md §3" "Authorization: L402 <token>[,<token>…]:<64 hex preimage>"
        => |s| malformed(s, |token, hex| format!("L402 \"{token}:{hex}\""));
    "server.malformed.trailing_bytes_in_token" Must "docs/PROTOCOL.md §1" "no trailing bytes, fields in order, minimal varints, no duplicate fields, signature of exactly 32 bytes, bounded sizes"
        => trailing_bytes_in_token;
    "server.malformed.token_too_long" Must "docs/PROTOCOL.md §1" "the L402 layer takes tokens up to 8 KiB and 64 caveats"
        => token_too_long;
    "server.malformed.too_many_caveats" Should "docs/PROTOCOL.md §1" "the L402 layer takes tokens up to 8 KiB and 64 caveats"
        => too_many_caveats;
    "server.malformed.first_line_decides" Should "docs/PROTOCOL.md §3" "The first line with that scheme decides, even when malformed."
        => first_line_decides;
    "server.malformed.header_too_large" Must "docs/PROTOCOL.md §3" "A header above 16 KiB is refused unparsed."
        => header_too_large;
    "server.malformed.huge_head" Should "docs/PROTOCOL.md §3" "a path, header or body that can't be taken | 400 `bad_path`, 414, 431 `header_too_large`, 413 `body_too_large`; no invoice made"
        => huge_head;
    "server.malformed.many_lines" Should "docs/PROTOCOL.md §3" "a path, header or body that can't be taken | 400 `bad_path`, 414, 431 `header_too_large`, 413 `body_too_large`; no invoice made"
        => many_lines;
}

/// A 402 with a challenge that can be paid, and with this code, if codes are told.
pub(super) fn refused(answer: &Answer, code: &str) -> Verdict {
    ensure(answer.status == 402, || format!("answered {}, not 402 {code}", answer.brief()))?;
    ensure(answer.has_invoice(), || "the 402 has no invoice: a client can't pay again".into())?;
    let told = answer.member("code");
    ensure(told.as_deref().is_none_or(|told| told == code), || {
        format!("its code is {}, not {code}", told.unwrap_or_default())
    })
}

async fn other_scheme(subject: &Subject) -> Verdict {
    for value in ["Bearer abc", "Basic dXNlcjpwYXNz", "L402x a:b", "Payment id=\"1\""] {
        let answer = subject.ask(subject.paid(), &[authorization(value)]).await?;
        refused(&answer, "payment_required")?;
    }
    Ok(())
}

async fn never_401(subject: &Subject) -> Verdict {
    let wrong = format!("L402 {}:{}", "AgEE", "00".repeat(32));
    for value in ["Bearer abc", "L402", &wrong] {
        let answer = subject.ask(subject.paid(), &[authorization(value)]).await?;
        ensure(answer.status != 401, || format!("{value:?} is answered 401"))?;
    }
    Ok(())
}

async fn malformed(subject: &Subject, value: fn(&str, &str) -> String) -> Verdict {
    let bought = subject.unspent().await?;
    let answer =
        subject.present(subject.paid(), &value(&bought.offer.token, &bought.hex())).await?;
    is_malformed(&answer)
}

fn is_malformed(answer: &Answer) -> Verdict {
    refused(answer, "malformed_credential")?;
    let told = answer.member("code").is_none() || answer.member("detail").is_some();
    ensure(told, || "it does not say what is malformed".into())
}

async fn trailing_bytes_in_token(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let mut bytes = bought.offer.token_bytes()?;
    bytes.push(0);
    let token = plannt_core::base64::encode(&bytes);
    let answer = subject.present(subject.paid(), &bought.value_of(&token)).await?;
    is_malformed(&answer)
}

async fn token_too_long(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let mut macaroon = bought.offer.macaroon()?;
    while macaroon.to_v2().len() <= 8_192 {
        let caveat = format!("filler={}", "x".repeat(1_000));
        if macaroon.attenuate(caveat.as_bytes()).is_err() {
            break;
        }
    }
    let token = plannt_core::base64::encode(&macaroon.to_v2());
    let answer = subject.present(subject.paid(), &bought.value_of(&token)).await?;
    ensure(matches!(answer.status, 402 | 431), || format!("answered {}", answer.brief()))
}

async fn too_many_caveats(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let mut macaroon = bought.offer.macaroon()?;
    for _ in 0..65 {
        // Short enough for any limit of size.
        let _ = macaroon.attenuate(b"a=b");
    }
    let token = plannt_core::base64::encode(&macaroon.to_v2());
    let answer = subject.present(subject.paid(), &bought.value_of(&token)).await?;
    is_malformed(&answer)
}

async fn first_line_decides(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let lines = [authorization("L402 nonsense"), authorization(&bought.value())];
    let answer = subject.present_lines(subject.paid(), &lines).await?;
    is_malformed(&answer)
}

async fn header_too_large(subject: &Subject) -> Verdict {
    let value = format!("L402 {}:{}", "A".repeat(17_000), "00".repeat(32));
    is_431(subject, &[authorization(&value)]).await
}

async fn huge_head(subject: &Subject) -> Verdict {
    is_431(subject, &[format!("X-Long: {}", "h".repeat(200_000))]).await
}

async fn many_lines(subject: &Subject) -> Verdict {
    let lines: Vec<_> = (0..1_000).map(|i| format!("X-Line-{i}: a")).collect();
    is_431(subject, &lines).await
}

async fn is_431(subject: &Subject, lines: &[String]) -> Verdict {
    let bytes = subject.paid().bytes(&subject.host(), lines);
    let Some(answer) = subject.raw(&bytes, "GET").await? else { return Ok(()) };
    ensure(matches!(answer.status, 400 | 431) && !answer.has_invoice(), || {
        format!("answered {}", answer.brief())
    })
}
