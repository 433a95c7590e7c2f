//! gRPC, over HTTP/2 and over HTTP/1.1.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use plannt_core::{grpc_metadata_value, read_challenge};

use super::checks;
use super::request::authorization;
use super::subject::{Bought, Subject};
use crate::wire::check::{Stop, Verdict, ensure, skip};

checks! {
    "server.grpc.challenge" Should "docs/PROTOCOL.md §3" "gRPC gets one Trailers-Only response: HTTP 200, `grpc-status: 13`, `grpc-message: payment required`, and the challenge header"
        => challenge;
    "server.grpc.trailers_only" Should "docs/PROTOCOL.md §3" "gRPC gets one Trailers-Only response"
        => trailers_only;
    "server.grpc.challenge_http1" Info "docs/PROTOCOL.md §3" "gRPC gets one Trailers-Only response: HTTP 200, `grpc-status: 13`, `grpc-message: payment required`, and the challenge header"
        => challenge_http1;
    "server.grpc.metadata" Should "docs/PROTOCOL.md §3" "gRPC metadata `token` or `macaroon` (hex, preimage as a caveat) is read only for `application/grpc*` without such a line."
        => |s| metadata(s, "macaroon");
    "server.grpc.metadata_token" Should "docs/PROTOCOL.md §3" "gRPC metadata `token` or `macaroon` (hex, preimage as a caveat) is read only for `application/grpc*` without such a line."
        => |s| metadata(s, "token");
    "server.grpc.metadata_only_in_grpc" Must "docs/PROTOCOL.md §3" "is read only for `application/grpc*` without such a line"
        => metadata_only_in_grpc;
    "server.grpc.authorization_decides" Must "docs/PROTOCOL.md §3" "is read only for `application/grpc*` without such a line"
        => authorization_decides;
    "server.grpc.metadata_spent" Must "docs/PROTOCOL.md §4" "All attenuations of one `H` share it."
        => metadata_spent;
    "server.http2.challenge" Should "docs/PROTOCOL.md §3" "`402 Payment Required`, with exactly this header first"
        => http2_challenge;
    "server.http2.authority" Must "docs/PROTOCOL.md §3" "A `Host` that is repeated, missing or unlike `:authority` is 400"
        => http2_authority;
    "server.http2.replay" Must "docs/PROTOCOL.md §4" "Of any number of concurrent presentations, on any number of replicas over one store, exactly `uses` win."
        => http2_replay;
}

type Lines<'a> = &'a [(&'a str, &'a str)];

const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");

/// One GET over HTTP/2, on a connection of its own.
async fn http2(subject: &Subject, lines: Lines<'_>) -> Verdict<Response<Incoming>> {
    let target = &subject.paid().target;
    let mut request = Request::get(format!("{}://{}{target}", subject.scheme(), subject.host()));
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::<Bytes>::default())
        .map_err(|error| Stop::Skipped(format!("no request: {error}")))?;
    let io = TokioIo::new(subject.connect_h2().await?.into_stream());
    let no_h2 = |error| Stop::Skipped(format!("no HTTP/2 by prior knowledge: {error}"));
    let (mut send, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.map_err(no_h2)?;
    let driven = tokio::spawn(connection);
    let answer = send.send_request(request).await;
    drop(send);
    drop(driven);
    answer.map_err(no_h2)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether the server knows gRPC: one that forwards it as it is, or answers it as plain HTTP, is not
/// asked the rest.
async fn grpc(subject: &Subject, lines: Lines<'_>) -> Verdict<Response<Incoming>> {
    let mut all = vec![GRPC, ("te", "trailers")];
    all.extend_from_slice(lines);
    http2(subject, &all).await
}

async fn challenge(subject: &Subject) -> Verdict {
    let answer = grpc(subject, &[]).await?;
    is_grpc_challenge(answer.status().as_u16(), answer.headers())
}

fn is_grpc_challenge(status: u16, headers: &HeaderMap) -> Verdict {
    let (code, message) = (text(headers, "grpc-status"), text(headers, "grpc-message"));
    let said = || format!("HTTP {status}, grpc-status {code:?}, grpc-message {message:?}");
    ensure(status == 200 && code == "13" && message == "payment required", said)?;
    ensure(text(headers, "content-type").starts_with("application/grpc"), said)?;
    let line = text(headers, "www-authenticate");
    let challenge = read_challenge([line.as_bytes()], None);
    ensure(matches!(challenge, Ok(Some(_))), || format!("the challenge is {line:?}"))
}

async fn trailers_only(subject: &Subject) -> Verdict {
    let answer = grpc(subject, &[]).await?;
    if text(answer.headers(), "grpc-status").is_empty() {
        return skip("gRPC is not answered as gRPC");
    }
    ensure(answer.body().is_end_stream(), || "the headers do not end the stream".into())
}

async fn challenge_http1(subject: &Subject) -> Verdict {
    let lines = ["Content-Type: application/grpc".to_owned()];
    let answer = subject.ask(subject.paid(), &lines).await?;
    let mut headers = HeaderMap::new();
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
            headers.append(name, value);
        }
    }
    is_grpc_challenge(answer.status, &headers)?;
    ensure(answer.body.is_empty(), || "it has a body".into())
}

fn hex(bought: &Bought) -> Verdict<String> {
    match grpc_metadata_value(&bought.offer.token, &bought.preimage) {
        Ok(value) => Ok(value.to_string()),
        Err(error) => skip(format!("the token can't be metadata: {error}")),
    }
}

fn is_let_in(answer: &Response<Incoming>) -> bool {
    answer.status().is_success() && text(answer.headers(), "www-authenticate").is_empty()
}

fn said(answer: &Response<Incoming>) -> String {
    format!("{}, grpc-status {:?}", answer.status(), text(answer.headers(), "grpc-status"))
}

async fn metadata(subject: &Subject, name: &str) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let answer = grpc(subject, &[(name, &hex(&bought)?)]).await?;
    ensure(is_let_in(&answer), || format!("answered {}", said(&answer)))
}

async fn metadata_only_in_grpc(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let answer = http2(subject, &[("macaroon", &hex(&bought)?)]).await?;
    ensure(answer.status().as_u16() == 402, || format!("answered {}", said(&answer)))
}

async fn authorization_decides(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let lines = [("authorization", "L402 nonsense"), ("macaroon", &*hex(&bought)?)];
    let answer = grpc(subject, &lines).await?;
    ensure(!is_let_in(&answer), || "metadata counts beside a malformed line".into())
}

async fn metadata_spent(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let plain = subject.present(subject.paid(), &bought.value()).await?;
    ensure(plain.is_success(), || format!("answered {}", plain.brief()))?;
    let uses: u32 = bought.offer.of_service("uses").map_or(1, |uses| uses.parse().unwrap_or(1));
    for _ in 1..uses {
        subject.present(subject.paid(), &bought.value()).await?;
    }
    let answer = grpc(subject, &[("macaroon", &hex(&bought)?)]).await?;
    ensure(!is_let_in(&answer), || "what was spent over HTTP opens gRPC".into())
}

async fn http2_challenge(subject: &Subject) -> Verdict {
    let answer = http2(subject, &[]).await?;
    let line = text(answer.headers(), "www-authenticate");
    ensure(answer.status().as_u16() == 402 && line.starts_with("L402 macaroon="), || {
        format!("{} with {line:?}", answer.status())
    })
}

async fn http2_authority(subject: &Subject) -> Verdict {
    match http2(subject, &[("host", "other.example")]).await {
        // A stream that is reset is a refusal, too.
        Err(Stop::Skipped(_)) => http2(subject, &[]).await.map(drop),
        Err(stop) => Err(stop),
        Ok(answer) => {
            let status = answer.status().as_u16();
            ensure(status == 400, || format!("answered {status}"))
        }
    }
}

/// A credential that was used over HTTP/1.1 opens nothing over HTTP/2.
async fn http2_replay(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let first = http2(subject, &[("authorization", &bought.value())]).await?;
    ensure(is_let_in(&first), || format!("over HTTP/2 it is answered {}", said(&first)))?;
    let uses: u32 = bought.offer.of_service("uses").map_or(1, |uses| uses.parse().unwrap_or(1));
    for _ in 1..uses {
        subject.present(subject.paid(), &bought.value()).await?;
    }
    let lines = [authorization(&bought.value())];
    let again = subject.present_lines(subject.paid(), &lines).await?;
    ensure(again.status == 402, || format!("over HTTP/1.1 it is then answered {}", again.brief()))
}
