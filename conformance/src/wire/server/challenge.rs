//! The challenge: status, header lines, and that each is new.

use plannt_core::challenge::{AuthData, parse_challenges};
use sha2::{Digest, Sha256};

use super::checks;
use super::subject::{Offer, Subject, now};
use crate::wire::check::{Verdict, ensure, fail};

checks! {
    "server.challenge.status" Must "docs/PROTOCOL.md §3" "no L402 credential (none, or another scheme) | 402, fresh challenge"
        => status;
    "server.challenge.complete" Must "docs/PROTOCOL.md §3" "`402 Payment Required`, with exactly this header first, on a line of its own (the order matters to deployed clients)"
        => complete;
    "server.challenge.first_line" Must "docs/PROTOCOL.md §3" "with exactly this header first, on a line of its own"
        => first_line;
    "server.challenge.first_header" Should "docs/PROTOCOL.md §3" "with exactly this header first"
        => first_header;
    "server.challenge.order" Must "docs/PROTOCOL.md §3" "the order matters to deployed clients"
        => order;
    "server.challenge.exact" Should "docs/PROTOCOL.md §3" "WWW-Authenticate: L402 macaroon=\"<token>\", invoice=\"<bolt11>\", version=\"0\", token=\"<token>\""
        => exact;
    "server.challenge.grammar" Must "RFC 9110 §11.6.1" "WWW-Authenticate = #challenge"
        => grammar;
    "server.challenge.spelling" Should "docs/PROTOCOL.md §3" "On HTTP/1.1 the header's name is written `WWW-Authenticate`: some clients look for that spelling."
        => spelling;
    "server.challenge.no_store" Must "docs/PROTOCOL.md §3" "`Cache-Control: no-store`"
        => no_store;
    "server.challenge.fresh" Must "docs/PROTOCOL.md §3" "An invoice appears in one challenge, ever."
        => fresh;
    "server.challenge.no_preimage" Must "docs/PROTOCOL.md §3" "A preimage never appears in a challenge, a log, an error or a receipt."
        => no_preimage;
    "server.challenge.no_x_l402" Info "docs/PROTOCOL.md §3" "the upstream's answer, plus `x-l402: spent` (single use), or `x-l402: valid; remaining=N`"
        => no_x_l402;
    "server.challenge.payable_time" Should "docs/PROTOCOL.md §3" "`expires_at` is at least 5 minutes ahead when handed out, and `valid_until` at least 10 minutes after it."
        => payable_time;
}

async fn offer(subject: &Subject) -> Verdict<Offer> {
    subject.challenge(subject.paid()).await
}

async fn status(subject: &Subject) -> Verdict {
    let answer = subject.ask(subject.paid(), &[]).await?;
    ensure(answer.status == 402, || format!("answered {}", answer.brief()))
}

async fn complete(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let line = offer.answer.header("www-authenticate");
    ensure(line.is_some_and(|line| line.contains(&offer.invoice)), || {
        format!("the header is {line:?} and has no invoice of its own")
    })
}

async fn first_line(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let line = offer.answer.header("www-authenticate").unwrap_or_default();
    let challenges = parse_challenges(line.as_bytes()).unwrap_or_default();
    ensure(challenges.len() == 1 && challenges[0].scheme == "L402", || {
        let schemes: Vec<_> = challenges.iter().map(|challenge| challenge.scheme).collect();
        format!("the first line holds the schemes {schemes:?}")
    })
}

async fn first_header(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let first = offer.answer.headers.first().map(|(name, _)| name.to_ascii_lowercase());
    ensure(first.as_deref() == Some("www-authenticate"), || format!("the first is {first:?}"))
}

async fn order(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let line = offer.answer.header("www-authenticate").unwrap_or_default();
    let begins = format!("L402 macaroon=\"{}\", invoice=\"{}\"", offer.token, offer.invoice);
    ensure(line.starts_with(&begins), || format!("the line is {line:?}"))
}

async fn exact(subject: &Subject) -> Verdict {
    let Offer { token, invoice, answer, .. } = offer(subject).await?;
    let lines: Vec<_> = answer.all("www-authenticate").collect();
    let wanted = format!(
        "L402 macaroon=\"{token}\", invoice=\"{invoice}\", version=\"0\", token=\"{token}\""
    );
    ensure(lines.contains(&wanted.as_str()), || format!("the lines are {lines:?}"))
}

async fn grammar(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    for line in offer.answer.all("www-authenticate") {
        let challenges = match parse_challenges(line.as_bytes()) {
            Ok(challenges) => challenges,
            Err(error) => return fail(format!("{error} in {line:?}")),
        };
        for challenge in &challenges {
            let AuthData::Params(params) = &challenge.data else { continue };
            let names: Vec<_> = params.iter().map(|p| p.name.to_ascii_lowercase()).collect();
            let repeated = names.iter().any(|name| names.iter().filter(|n| *n == name).count() > 1);
            ensure(!repeated, || format!("a parameter is repeated: {names:?}"))?;
        }
    }
    Ok(())
}

async fn spelling(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let spelled = offer.answer.headers.iter().find(|(name, _)| {
        name.eq_ignore_ascii_case("www-authenticate") && name != "WWW-Authenticate"
    });
    ensure(spelled.is_none(), || format!("it is written {spelled:?}"))
}

async fn no_store(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let lines: Vec<_> = offer.answer.all("cache-control").collect();
    let all = lines.join(",").to_ascii_lowercase();
    ensure(all.split(',').any(|directive| directive.trim() == "no-store"), || {
        format!("Cache-Control is {lines:?}")
    })
}

async fn fresh(subject: &Subject) -> Verdict {
    let (one, other) = (offer(subject).await?, offer(subject).await?);
    ensure(one.invoice != other.invoice && one.hash() != other.hash(), || {
        "two requests got the same invoice or payment hash".into()
    })?;
    ensure(one.token != other.token, || "two invoices come with the same token".into())
}

/// Looks at everything in the answer that could be 32 bytes in hex.
async fn no_preimage(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let mut text: String =
        offer.answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    text += &offer.answer.text();
    text += &String::from_utf8_lossy(&offer.token_bytes().unwrap_or_default());
    ensure(!holds_preimage(text.as_bytes(), offer.hash().as_bytes()), || {
        "the preimage of the invoice's payment hash stands in the answer".into()
    })
}

fn holds_preimage(text: &[u8], hash: &[u8; 32]) -> bool {
    text.windows(64).any(|hex| {
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks(2)) {
            let Some(value) = hex_byte(pair) else { return false };
            *byte = value;
        }
        Sha256::digest(bytes).as_slice() == hash
    })
}

fn hex_byte(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(pair[0])? << 4 | digit(pair[1])?)
}

async fn no_x_l402(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let state = offer.answer.header("x-l402");
    ensure(state.is_none(), || format!("a challenge says x-l402: {state:?}"))
}

async fn payable_time(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    // A few seconds for the way here.
    let left = offer.facts.expires_at.saturating_sub(now());
    ensure(left >= 295, || format!("the invoice expires in {left} s"))?;
    let Ok(valid_until) = offer.of_service("valid_until")?.parse::<u64>() else {
        return fail("valid_until is no number");
    };
    let after = valid_until.saturating_sub(offer.facts.expires_at);
    ensure(after >= 600, || format!("the token is valid for {after} s after the invoice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preimage_is_found_in_either_case() {
        let preimage = [0xab; 32];
        let hash: [u8; 32] = Sha256::digest(preimage).into();
        for text in [format!("x{}y", "ab".repeat(32)), "AB".repeat(32)] {
            assert!(holds_preimage(text.as_bytes(), &hash));
        }
        assert!(!holds_preimage("ac".repeat(40).as_bytes(), &hash));
        assert!(!holds_preimage(b"short", &hash));
    }
}
