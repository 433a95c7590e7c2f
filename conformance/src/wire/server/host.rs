//! Which service a request is for.

use super::checks;
use super::request::authorization;
use super::subject::Subject;
use crate::wire::check::{Verdict, ensure};
use crate::wire::http::Answer;

checks! {
    "server.host.missing" Must "docs/PROTOCOL.md §3" "A `Host` that is repeated, missing or unlike `:authority` is 400"
        => |s| refused(s, |_| Vec::new());
    "server.host.repeated" Must "docs/PROTOCOL.md §3" "A `Host` that is repeated, missing or unlike `:authority` is 400"
        => |s| refused(s, |host| vec![format!("Host: {host}"), format!("Host: {host}")]);
    "server.host.repeated_other" Must "docs/PROTOCOL.md §3" "A `Host` that is repeated, missing or unlike `:authority` is 400"
        => |s| refused(s, |host| vec![format!("Host: {host}"), "Host: other.example".into()]);
    "server.host.two_in_one" Must "RFC 9112 §3.2" "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header field and to any request message that contains more than one Host header field line or a Host header field with an invalid field value."
        => |s| refused(s, |host| vec![format!("Host: {host}, other.example")]);
    "server.host.empty" Should "RFC 9112 §3.2" "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks a Host header field and to any request message that contains more than one Host header field line or a Host header field with an invalid field value."
        => |s| refused(s, |_| vec!["Host:".into()]);
    "server.host.user" Should "docs/PROTOCOL.md §3" "The service is chosen by the request's authority."
        => |s| refused(s, |host| vec![format!("Host: user@{host}")]);
    "server.host.unlike_target" Must "docs/PROTOCOL.md §3" "A `Host` that is repeated, missing or unlike `:authority` is 400"
        => unlike_target;
    "server.host.absolute_form" Should "RFC 9112 §3.2.2" "a server MUST accept the absolute-form in requests"
        => absolute_form;
    "server.host.forwarded_host" Must "docs/PROTOCOL.md §3" "`X-Forwarded-Host` is never used."
        => forwarded_host;
    "server.host.unknown" Info "docs/PROTOCOL.md §3" "an unknown one 421 (a service may be configured as the default for any)"
        => unknown;
}

async fn send(subject: &Subject, target: &str, lines: &[String]) -> Verdict<Option<Answer>> {
    let mut lines = lines.to_vec();
    lines.push("Connection: close".into());
    let bytes = format!("GET {target} HTTP/1.1\r\n{}\r\n\r\n", lines.join("\r\n"));
    subject.raw(bytes.as_bytes(), "GET").await
}

async fn refused(subject: &Subject, hosts: fn(&str) -> Vec<String>) -> Verdict {
    let answer = send(subject, &subject.paid().target, &hosts(&subject.host())).await?;
    is_400(answer)
}

fn is_400(answer: Option<Answer>) -> Verdict {
    let Some(answer) = answer else { return Ok(()) };
    ensure(answer.status == 400 && !answer.has_invoice(), || format!("answered {}", answer.brief()))
}

async fn unlike_target(subject: &Subject) -> Verdict {
    let target = format!("{}://{}{}", subject.scheme(), subject.host(), subject.paid().target);
    is_400(send(subject, &target, &["Host: other.example".to_owned()]).await?)
}

async fn absolute_form(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let target = format!("{}://{}{}", subject.scheme(), subject.host(), subject.paid().target);
    let answer = subject.present(&subject.paid().at(target), &bought.value()).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

/// A credential opens what it opens, whatever that header says.
async fn forwarded_host(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let lines = [
        authorization(&bought.value()),
        "X-Forwarded-Host: other.example".to_owned(),
        "Forwarded: host=other.example".to_owned(),
    ];
    let answer = subject.present_lines(subject.paid(), &lines).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn unknown(subject: &Subject) -> Verdict {
    let lines = ["Host: no-such-host.example".to_owned()];
    let answer = send(subject, &subject.paid().target, &lines).await?;
    let status = answer.map_or(421, |answer| answer.status);
    ensure([402, 404, 421].contains(&status), || format!("answered {status}"))
}
