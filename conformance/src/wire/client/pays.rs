//! Challenges that deployed servers send, each of which can be paid.

use super::checks;
use super::house::{Offer, now, script, token};
use super::reply::Reply;
use super::stage::Stage;
use crate::wire::check::{Verdict, ensure};

checks! {
    "client.pays.protocol" Must "docs/PROTOCOL.md §3" "WWW-Authenticate: L402 macaroon=\"<token>\", invoice=\"<bolt11>\", version=\"0\", token=\"<token>\""
        => |s| line(s, Offer::line);
    "client.pays.specification" Must "L402 protocol-specification" "WWW-Authenticate: L402 version=\"0\", token=\"…\", invoice=\"…\""
        => |s| line(s, |o| format!("L402 version=\"0\", token=\"{}\", invoice=\"{}\"", o.token, o.invoice));
    "client.pays.macaroon_and_invoice" Must "docs/PROTOCOL.md §5" "`L402` or `LSAT`, `token=` or `macaroon=`, quoted or not, any order, unknown parameters skipped"
        => |s| line(s, plain);
    "client.pays.invoice_first" Must "docs/PROTOCOL.md §5" "quoted or not, any order, unknown parameters skipped"
        => |s| line(s, |o| format!("L402 invoice=\"{}\", macaroon=\"{}\"", o.invoice, o.token));
    "client.pays.all_parameters" Should "docs/PROTOCOL.md §5" "quoted or not, any order, unknown parameters skipped"
        => |s| line(s, |o| format!("L402 version=\"0\", token=\"{0}\", macaroon=\"{0}\", invoice=\"{1}\"", o.token, o.invoice));
    "client.pays.unknown_parameters" Should "docs/PROTOCOL.md §5" "unknown parameters skipped"
        => |s| line(s, |o| format!("L402 realm=\"a, b\", macaroon=\"{}\", price=21, invoice=\"{}\", x-note=\"\\\"\"", o.token, o.invoice));
    "client.pays.unquoted" Should "docs/PROTOCOL.md §5" "quoted or not, any order"
        => |s| line(s, |o| format!("L402 macaroon={}, invoice={}", o.token, o.invoice));
    "client.pays.lsat" Must "docs/PROTOCOL.md §5" "`L402` or `LSAT`"
        => |s| line(s, |o| format!("LSAT macaroon=\"{}\", invoice=\"{}\"", o.token, o.invoice));
    "client.pays.lower_case" Should "RFC 9110 §11.1" "It uses a case-insensitive token to identify the authentication scheme"
        => |s| line(s, |o| format!("l402 MACAROON=\"{}\", Invoice=\"{}\"", o.token, o.invoice));
    "client.pays.no_space_after_comma" Should "RFC 9110 §5.6.1" "#element => [ 1#element ]"
        => |s| line(s, |o| format!("L402 macaroon=\"{}\",invoice=\"{}\"", o.token, o.invoice));
    "client.pays.spaces_around_equals" Info "RFC 9110 §11.2" "auth-param = token BWS \"=\" BWS ( token / quoted-string )"
        => |s| line(s, |o| format!("L402 macaroon = \"{}\" ,  invoice\t=\"{}\"", o.token, o.invoice));
    "client.pays.two_lines" Must "docs/PROTOCOL.md §5" "every `WWW-Authenticate` line and comma-joined challenge"
        => |s| lines(s, |o| vec![format!("LSAT macaroon=\"{}\", invoice=\"{}\"", o.token, o.invoice), plain(o)]);
    "client.pays.two_lines_reversed" Must "docs/PROTOCOL.md §5" "every `WWW-Authenticate` line and comma-joined challenge"
        => |s| lines(s, |o| vec![plain(o), format!("LSAT macaroon=\"{}\", invoice=\"{}\"", o.token, o.invoice)]);
    "client.pays.after_another_line" Should "docs/PROTOCOL.md §5" "every `WWW-Authenticate` line and comma-joined challenge"
        => |s| lines(s, |o| vec!["Basic realm=\"shop\"".into(), "Negotiate YWJj".into(), plain(o)]);
    "client.pays.comma_joined" Should "docs/PROTOCOL.md §5" "every `WWW-Authenticate` line and comma-joined challenge"
        => |s| line(s, |o| format!("Payment id=\"1\", method=\"x, y\", {}", plain(o)));
    "client.pays.before_another_scheme" Should "docs/PROTOCOL.md §5" "every `WWW-Authenticate` line and comma-joined challenge"
        => |s| line(s, |o| format!("{}, Payment id=\"1\", Basic", plain(o)));
    "client.pays.first_complete" Should "docs/PROTOCOL.md §5" "The first complete one counts, header before body, parts never mixed"
        => |s| lines(s, |o| vec![format!("L402 macaroon=\"{}\", invoice=\"\"", o.token), plain(o)]);
    "client.pays.html_body" Should "docs/PROTOCOL.md §5" "header before body"
        => |s| reply(s, |o| {
            let lines = [format!("WWW-Authenticate: {}", plain(o)), "Content-Type: text/html".into()];
            Reply::new("402 Payment Required", &lines, "<html>Pay!</html>")
        });
    "client.pays.body_macaroon" Should "docs/PROTOCOL.md §5" "else the JSON body's `invoice` with `macaroon`, `format` or `authorization_format`"
        => |s| reply(s, |o| Reply::body_challenge(&format!("{{\"macaroon\":\"{}\",\"invoice\":\"{}\",\"priceSats\":21}}", o.token, o.invoice)));
    "client.pays.body_authorization_format" Should "docs/PROTOCOL.md §5" "else the JSON body's `invoice` with `macaroon`, `format` or `authorization_format`"
        => |s| reply(s, |o| Reply::body_challenge(&format!("{{\"invoice\":\"{}\",\"authorization_format\":\"L402 {}:<preimage>\"}}", o.invoice, o.token)));
    "client.pays.body_format" Should "docs/PROTOCOL.md §5" "else the JSON body's `invoice` with `macaroon`, `format` or `authorization_format`"
        => |s| reply(s, |o| Reply::body_challenge(&format!("{{\"error\":\"Payment Required\",\"invoice\":\"{}\",\"format\":\"L402 {}:<preimage>\"}}", o.invoice, o.token)));
    "client.pays.header_before_body" Must "docs/PROTOCOL.md §5" "The first complete one counts, header before body, parts never mixed"
        => header_before_body;
    "client.pays.opaque_token" Should "docs/PROTOCOL.md §1" "A client treats a token as opaque and echoes the exact text"
        => opaque_token;
    "client.pays.url_safe_token" Should "docs/PROTOCOL.md §1" "base64 standard or url-safe, padded or not, one alphabet, zero spare bits"
        => url_safe_token;
    "client.pays.chunked" Must "RFC 9112 §7.1" "A recipient MUST be able to parse and decode the chunked transfer coding."
        => |s| reply(s, |o| Reply::bytes(format!(
            "HTTP/1.1 402 Payment Required\r\nWWW-Authenticate: {}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n", plain(o))));
    "client.pays.no_reason_phrase" Info "RFC 9112 §4" "A client SHOULD ignore the reason-phrase content"
        => |s| reply(s, |o| Reply::bytes(format!(
            "HTTP/1.1 402 \r\nwww-authenticate: {}\r\ncontent-length: 0\r\n\r\n", plain(o))));
    "client.pays.interim_answer" Info "RFC 9110 §15.2" "A client MUST be able to parse one or more 1xx responses received prior to a final response"
        => |s| reply(s, |o| Reply::bytes(format!(
            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 402 Payment Required\r\nWWW-Authenticate: {}\r\nContent-Length: 0\r\n\r\n", plain(o))));
    "client.pays.below_a_satoshi" Info "docs/PROTOCOL.md §5" "Budgets are in msat"
        => below_a_satoshi;
}

pub(super) fn plain(offer: &Offer) -> String {
    format!("L402 macaroon=\"{}\", invoice=\"{}\"", offer.token, offer.invoice)
}

async fn reply(stage: &Stage, challenge: fn(&Offer) -> Reply) -> Verdict {
    stage.sells(challenge).await?.buys().await
}

async fn line(stage: &Stage, line: fn(&Offer) -> String) -> Verdict {
    stage.sells(move |offer| Reply::challenge(&[line(offer)])).await?.buys().await
}

async fn lines(stage: &Stage, lines: fn(&Offer) -> Vec<String>) -> Verdict {
    stage.sells(move |offer| Reply::challenge(&lines(offer))).await?.buys().await
}

/// The body offers another invoice and token; those of the header are taken, together.
async fn header_before_body(stage: &Stage) -> Verdict {
    let play = stage
        .play(script(|seen, house| async move {
            if house.proven(&seen).is_some() {
                return Reply::delivered();
            }
            let (header, body) = (house.offer().await, house.offer().await);
            let lines = [format!("WWW-Authenticate: {}", header.line())];
            let body =
                format!("{{\"macaroon\":\"{}\",\"invoice\":\"{}\"}}", body.token, body.invoice);
            Reply::new("402 Payment Required", &lines, &body)
        }))
        .await?;
    play.buys().await?;
    let (asked, offers) = (play.asked(), play.house().offers());
    ensure(asked.iter().all(|invoice| *invoice == offers[0].invoice), || {
        "the body's invoice was paid and not the header's".into()
    })
}

/// A token that is no macaroon: its text comes back as it was.
async fn opaque_token(stage: &Stage) -> Verdict {
    sells_token(stage, |_, index| format!("eyJpZCI6{index}Wx9_-~.x")).await
}

async fn url_safe_token(stage: &Stage) -> Verdict {
    sells_token(stage, |offer, _| {
        let token = offer.token.replace('+', "-").replace('/', "_");
        token.trim_end_matches('=').to_owned()
    })
    .await
}

async fn sells_token(stage: &Stage, token: fn(&Offer, usize) -> String) -> Verdict {
    let play = stage
        .play(script(move |seen, house| async move {
            if house.proven(&seen).is_some() {
                return Reply::delivered();
            }
            let offer = house.offer().await;
            let token = token(&offer, house.offers().len());
            house.remember(Offer { token, ..offer }).challenge()
        }))
        .await?;
    play.buys().await?;
    let offers = play.house().offers();
    let echoed = play.credentials().iter().all(|seen| {
        seen.credentials().iter().all(|value| {
            offers.iter().skip(1).step_by(2).any(|offer| {
                value.split_once(' ').is_some_and(|(_, pair)| pair.starts_with(&offer.token))
            })
        })
    });
    ensure(echoed, || "the token came back as another text".into())
}

/// It may be paid or not; if it is, then half a satoshi and not more.
async fn below_a_satoshi(stage: &Stage) -> Verdict {
    let play = stage
        .play(script(|seen, house| async move {
            if house.proven(&seen).is_some() {
                return Reply::delivered();
            }
            let offer = house.offer_of(500, 600).await;
            let token = token(offer.hash, now() + 3_600);
            house.remember(Offer { token, ..offer }).challenge()
        }))
        .await?;
    let ran = play.run().await?;
    play.pays_at_most(1).await?;
    match &play.paid().await?[..] {
        [] => ran.refused(),
        paid => ensure(paid == [500], || format!("it paid {paid:?} msat")),
    }
}
