//! What stands around the credential: names that are the server's own, pages, free routes.

use super::checks;
use super::request::authorization;
use super::subject::Subject;
use crate::wire::check::{Verdict, ensure, skip};

checks! {
    "server.around.x_l402_from_client" Should "docs/PROTOCOL.md §3" "`x-l402*` from a client or an upstream is removed"
        => x_l402_from_client;
    "server.around.x_l402_opens_nothing" Must "docs/PROTOCOL.md §3" "`x-l402*` from a client or an upstream is removed"
        => x_l402_opens_nothing;
    "server.around.credential_on_free" Should "docs/PROTOCOL.md §3" "Our credential is removed before forwarding (other schemes pass)"
        => credential_on_free;
    "server.around.keep_alive" Should "RFC 9112 §9.3" "HTTP/1.1 defaults to the use of \"persistent connections\", allowing multiple requests and responses to be carried over a single connection."
        => keep_alive;
    "server.around.page" Info "docs/PROTOCOL.md §3" "`Accept: text/html` ahead of JSON gets a page for people with the same headers, where the gateway has one."
        => page;
    "server.around.page_headers" Must "docs/PROTOCOL.md §3" "`Accept: text/html` ahead of JSON gets a page for people with the same headers"
        => page_headers;
}

async fn x_l402_from_client(subject: &Subject) -> Verdict {
    let Some(free) = &subject.free else { return skip("it needs a free path (--free-path)") };
    let answer = subject.ask(free, &["X-L402: spent".to_owned()]).await?;
    ensure(answer.is_success() && answer.header("x-l402").is_none(), || {
        format!("{} with x-l402 {:?}", answer.status, answer.header("x-l402"))
    })
}

async fn x_l402_opens_nothing(subject: &Subject) -> Verdict {
    let lines =
        ["X-L402: valid; remaining=9", "X-L402-Price-Msat: 0", "X-Forwarded-For: 127.0.0.1"];
    let answer = subject.ask(subject.paid(), &lines.map(str::to_owned)).await?;
    ensure(answer.status == 402, || format!("answered {}", answer.brief()))
}

async fn credential_on_free(subject: &Subject) -> Verdict {
    let Some(free) = &subject.free else { return skip("it needs a free path (--free-path)") };
    let bought = subject.buy(subject.paid()).await?;
    let on_free = subject.ask(free, &[authorization(&bought.value())]).await?;
    ensure(on_free.is_success(), || format!("the free path is answered {}", on_free.brief()))?;
    let answer = subject.present(subject.paid(), &bought.value()).await?;
    ensure(answer.is_success(), || {
        format!("after it was shown on a free path, it is answered {}", answer.brief())
    })
}

async fn keep_alive(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let (target, host) = (&subject.paid().target, subject.host());
    let request = |line: &str| format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{line}\r\n");
    let mut connection = subject.connect().await?;
    let mut statuses = Vec::new();
    for line in [String::new(), format!("{}\r\n", authorization(&bought.value())), String::new()] {
        let answered = async {
            connection.write(request(&line).as_bytes()).await?;
            connection.answer("GET").await
        };
        statuses.push(answered.await.ok().flatten().map_or(0, |answer| answer.status));
    }
    ensure(statuses == [402, 200, 402], || {
        format!("on one connection the answers are {statuses:?}")
    })
}

const HTML: &str = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

async fn page(subject: &Subject) -> Verdict {
    let answer = subject.ask(subject.paid(), &[HTML.to_owned()]).await?;
    let media_type = answer.header("content-type").unwrap_or_default();
    ensure(media_type.to_ascii_lowercase().starts_with("text/html"), || {
        format!("a browser gets {media_type:?}")
    })
}

/// With a page or without, a browser's challenge is a challenge.
async fn page_headers(subject: &Subject) -> Verdict {
    let answer = subject.ask(subject.paid(), &[HTML.to_owned()]).await?;
    let line = answer.header("www-authenticate").unwrap_or_default();
    let no_store = answer.header("cache-control").is_some_and(|value| value.contains("no-store"));
    ensure(answer.status == 402 && line.starts_with("L402 ") && no_store, || {
        format!("a browser gets {} with {line:?}", answer.status)
    })
}
