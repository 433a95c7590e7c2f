//! Challenges that say two things at once, or one thing in two parts.

use super::checks;
use super::house::{House, Offer, script};
use super::reply::Reply;
use super::stage::Stage;
use crate::wire::check::Verdict;

checks! {
    "client.ambiguous.invoice_twice" Must "docs/PROTOCOL.md §5" "a repeated parameter, or `token` that differs from `macaroon`, is refused"
        => |s| refused(s, |one, two| Reply::challenge(&[format!(
            "L402 macaroon=\"{}\", invoice=\"{}\", invoice=\"{}\"", one.token, one.invoice, two.invoice)]));
    "client.ambiguous.macaroon_twice" Must "docs/PROTOCOL.md §5" "a repeated parameter, or `token` that differs from `macaroon`, is refused"
        => |s| refused(s, |one, two| Reply::challenge(&[format!(
            "L402 macaroon=\"{}\", invoice=\"{}\", macaroon=\"{}\"", one.token, one.invoice, two.token)]));
    "client.ambiguous.token_unlike_macaroon" Must "docs/PROTOCOL.md §5" "a repeated parameter, or `token` that differs from `macaroon`, is refused"
        => |s| refused(s, |one, two| Reply::challenge(&[format!(
            "L402 macaroon=\"{}\", invoice=\"{}\", version=\"0\", token=\"{}\"", one.token, one.invoice, two.token)]));
    "client.ambiguous.repeated_member" Should "docs/PROTOCOL.md §5" "a repeated parameter, or `token` that differs from `macaroon`, is refused"
        => |s| refused(s, |one, two| Reply::body_challenge(&format!(
            "{{\"macaroon\":\"{}\",\"invoice\":\"{}\",\"invoice\":\"{}\"}}", one.token, one.invoice, two.invoice)));
    "client.ambiguous.format_unlike_macaroon" Should "docs/PROTOCOL.md §5" "a repeated parameter, or `token` that differs from `macaroon`, is refused"
        => |s| refused(s, |one, two| Reply::body_challenge(&format!(
            "{{\"macaroon\":\"{}\",\"invoice\":\"{}\",\"format\":\"L402 {}:<preimage>\"}}", one.token, one.invoice, two.token)));
    "client.ambiguous.parts_in_two_lines" Must "docs/PROTOCOL.md §5" "The first complete one counts, header before body, parts never mixed"
        => |s| never_paid(s, |one, _| Reply::challenge(&[
            format!("L402 macaroon=\"{}\"", one.token), format!("L402 invoice=\"{}\"", one.invoice)]));
    "client.ambiguous.parts_in_two_challenges" Must "docs/PROTOCOL.md §5" "The first complete one counts, header before body, parts never mixed"
        => |s| never_paid(s, |one, _| Reply::challenge(&[format!(
            "L402 macaroon=\"{}\", Basic realm=\"x\", LSAT invoice=\"{}\"", one.token, one.invoice)]));
    "client.ambiguous.parts_in_header_and_body" Must "docs/PROTOCOL.md §5" "The first complete one counts, header before body, parts never mixed"
        => |s| never_paid(s, |one, _| {
            let lines = [format!("WWW-Authenticate: L402 macaroon=\"{}\"", one.token)];
            Reply::new("402 Payment Required", &lines, &format!("{{\"invoice\":\"{}\"}}", one.invoice))
        });
    "client.ambiguous.parameters_of_another_scheme" Must "docs/PROTOCOL.md §5" "every `WWW-Authenticate` line and comma-joined challenge, `L402` or `LSAT`"
        => |s| never_paid(s, |one, _| Reply::challenge(&[format!(
            "Payment macaroon=\"{}\", invoice=\"{}\"", one.token, one.invoice)]));
    "client.ambiguous.quoted_challenge" Must "RFC 9110 §5.6.4" "A string of text is parsed as a single value if it is quoted using double-quote marks."
        => |s| never_paid(s, |one, _| Reply::challenge(&[format!(
            "Basic realm=\"L402 macaroon={}, invoice={}\"", one.token, one.invoice)]));
}

async fn ends(stage: &Stage, challenge: fn(&Offer, &Offer) -> Reply, must_refuse: bool) -> Verdict {
    let offers = |house: House| async move { (house.offer().await, house.offer().await) };
    let script = script(move |_, house| async move {
        let (one, two) = offers(house).await;
        challenge(&one, &two)
    });
    let play = stage.play(script).await?;
    let ran = play.run().await?;
    play.never_pays()?;
    if must_refuse { ran.refused() } else { Ok(()) }
}

/// A challenge that is there and is refused.
async fn refused(stage: &Stage, challenge: fn(&Offer, &Offer) -> Reply) -> Verdict {
    ends(stage, challenge, true).await
}

/// A 402 without a complete challenge, which may be handed back as it is.
async fn never_paid(stage: &Stage, challenge: fn(&Offer, &Offer) -> Reply) -> Verdict {
    ends(stage, challenge, false).await
}
