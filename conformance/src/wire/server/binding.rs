//! What was paid for one thing opens nothing else.

use super::answers::refused;
use super::checks;
use super::request::Target;
use super::subject::{Bought, Subject};
use crate::wire::check::{Verdict, ensure, skip};

checks! {
    "server.binding.path" Must "docs/PROTOCOL.md §3" "for another service, method, path, query, body, a lower price, or a chain that widens | 402, fresh challenge, `out_of_scope`, `detail` names the caveat"
        => path;
    "server.binding.method" Must "docs/PROTOCOL.md §3" "for another service, method, path, query, body, a lower price, or a chain that widens | 402, fresh challenge, `out_of_scope`, `detail` names the caveat"
        => method;
    "server.binding.query" Must "docs/PROTOCOL.md §2" "| `<service>_query` | SHA-256 hex of the bytes after the first `?` (absent = empty) | equal | matches |"
        => query;
    "server.binding.query_bytes" Should "docs/PROTOCOL.md §2" "SHA-256 hex of the bytes after the first `?` (absent = empty)"
        => query_bytes;
    "server.binding.body" Must "docs/PROTOCOL.md §3" "for another service, method, path, query, body, a lower price, or a chain that widens | 402, fresh challenge, `out_of_scope`, `detail` names the caveat"
        => body;
    "server.binding.body_accepted" Must "docs/PROTOCOL.md §2" "RFC 9530 `sha-256=:…:` of the content after transfer decoding"
        => body_accepted;
    "server.binding.body_chunked" Should "docs/PROTOCOL.md §2" "RFC 9530 `sha-256=:…:` of the content after transfer decoding"
        => body_chunked;
    "server.binding.body_in_token" Should "docs/PROTOCOL.md §2" "`query`, `digest`, `capabilities` where the route binds or sells them"
        => body_in_token;
    "server.binding.body_too_large" Should "docs/PROTOCOL.md §3" "A bound body is read whole first (413 above its limit)."
        => body_too_large;
    "server.binding.keeps" Must "docs/PROTOCOL.md §3" "The first failure decides, in this order"
        => keeps;
}

async fn path(subject: &Subject) -> Verdict {
    let second = subject.second()?;
    let bought = subject.unspent().await?;
    refused(&subject.present(second, &bought.value()).await?, "out_of_scope")?;
    let other = subject.buy(second).await?;
    let answer = subject.present(subject.paid(), &other.value()).await?;
    refused(&answer, "out_of_scope")
}

async fn method(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let answer = subject.present(&subject.paid().method(method), &bought.value()).await?;
        ensure([400, 402, 404, 405].contains(&answer.status), || {
            format!("{method} is answered {}", answer.brief())
        })?;
    }
    Ok(())
}

fn with_query(target: &Target, more: &str) -> Target {
    let separator = if target.target.contains('?') { '&' } else { '?' };
    target.at(format!("{}{separator}{more}", target.target))
}

/// Something bought on a route that binds the query.
async fn bound_query(subject: &Subject) -> Verdict<(Bought, Target)> {
    let target = with_query(subject.paid(), "q=one");
    let bought = subject.buy(&target).await?;
    if bought.offer.of_service("query").is_err() {
        return skip("the route does not bind the query");
    }
    Ok((bought, target))
}

async fn query(subject: &Subject) -> Verdict {
    let (bought, target) = bound_query(subject).await?;
    for other in [
        subject.paid().clone(),
        with_query(subject.paid(), "q=two"),
        with_query(subject.paid(), "q=one&"),
        with_query(&target, "more=1"),
    ] {
        let answer = subject.present(&other, &bought.value()).await?;
        refused(&answer, "out_of_scope")?;
    }
    let answer = subject.present(&target, &bought.value()).await?;
    ensure(answer.is_success(), || format!("the same query is answered {}", answer.brief()))
}

/// Another spelling of the same query is another query.
async fn query_bytes(subject: &Subject) -> Verdict {
    let (bought, _) = bound_query(subject).await?;
    let answer = subject.present(&with_query(subject.paid(), "q=%6fne"), &bought.value()).await?;
    refused(&answer, "out_of_scope")
}

fn post(subject: &Subject) -> Verdict<&Target> {
    match &subject.post {
        Some(post) => Ok(post),
        None => skip("it needs a paid POST (--post)"),
    }
}

async fn body(subject: &Subject) -> Verdict {
    let post = post(subject)?;
    let bought = subject.buy(post).await?;
    for other in [format!("{} ", post.body), post.body.replacen(':', ": ", 1)] {
        let answer = subject.present(&post.body(other), &bought.value()).await?;
        refused(&answer, "out_of_scope")?;
    }
    Ok(())
}

async fn body_accepted(subject: &Subject) -> Verdict {
    let post = post(subject)?;
    let bought = subject.buy(post).await?;
    let answer = subject.present(post, &bought.value()).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn body_chunked(subject: &Subject) -> Verdict {
    let post = post(subject)?;
    let bought = subject.buy(post).await?;
    let (first, rest) = post.body.split_at(post.body.len() / 2);
    let chunks = [first, rest].map(|part| format!("{:x}\r\n{part}\r\n", part.len())).concat();
    let bytes = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nAuthorization: {}\r\n\r\n{chunks}0\r\n\r\n",
        post.target,
        subject.host(),
        bought.value()
    );
    let answer = subject.raw(bytes.as_bytes(), "POST").await?;
    let status = answer.map_or(0, |answer| answer.status);
    ensure((200..300).contains(&status), || format!("the same body in chunks is answered {status}"))
}

async fn body_in_token(subject: &Subject) -> Verdict {
    let post = post(subject)?;
    let offer = subject.challenge(post).await?;
    let digest =
        plannt_core::content_digest_text(&plannt_core::content_digest(post.body.as_bytes()));
    match offer.of_service("digest") {
        Ok(said) => {
            ensure(said == digest, || format!("the token says {said}, the body is {digest}"))
        }
        Err(_) => skip("the route does not bind the body"),
    }
}

async fn body_too_large(subject: &Subject) -> Verdict {
    let post = post(subject)?;
    let huge = post.body(format!("{}{}", post.body, " ".repeat(4 * 1024 * 1024)));
    let answer = subject.ask(&huge, &[]).await?;
    ensure(answer.status == 413 && !answer.has_invoice(), || {
        format!("a body of 4 MiB is answered {}", answer.brief())
    })
}

/// Being refused elsewhere spends nothing.
async fn keeps(subject: &Subject) -> Verdict {
    let second = subject.second()?;
    let bought = subject.buy(subject.paid()).await?;
    subject.present(second, &bought.value()).await?;
    subject.present(&subject.paid().method("POST"), &bought.value()).await?;
    let answer = subject.present(subject.paid(), &bought.value()).await?;
    ensure(answer.is_success(), || format!("at home it is then answered {}", answer.brief()))
}
