//! Spellings of a path: each is the paid one, or it is refused; none opens more than was paid for.

use super::checks;
use super::request::authorization;
use super::subject::Subject;
use crate::wire::check::{Verdict, ensure, skip};

checks! {
    "server.path.dot" Should "docs/PROTOCOL.md §2" "Dot segments (after decoding), empty inner segments, `;`, `\\`, `%2F`, `%5C`, `%00` and control bytes get 400 `bad_path`, and no invoice, unless the route allows them."
        => |s| bad(s, |path| format!("/.{path}"));
    "server.path.dot_dot" Must "docs/PROTOCOL.md §2" "Dot segments (after decoding), empty inner segments, `;`, `\\`, `%2F`, `%5C`, `%00` and control bytes get 400 `bad_path`, and no invoice, unless the route allows them."
        => |s| bad(s, |path| format!("/x/..{path}"));
    "server.path.encoded_dot_dot" Must "docs/PROTOCOL.md §2" "Dot segments (after decoding)"
        => |s| bad(s, |path| format!("/x/%2e%2E{path}"));
    "server.path.half_encoded_dot_dot" Must "docs/PROTOCOL.md §2" "Dot segments (after decoding)"
        => |s| bad(s, |path| format!("/x/.%2e{path}"));
    "server.path.dot_dot_at_end" Must "docs/PROTOCOL.md §2" "Dot segments (after decoding)"
        => |s| bad(s, |path| format!("{path}/x/.."));
    "server.path.double_slash" Should "docs/PROTOCOL.md §2" "Dot segments (after decoding), empty inner segments"
        => |s| bad(s, |path| format!("/{path}"));
    "server.path.semicolon" Should "docs/PROTOCOL.md §2" "`;`, `\\`, `%2F`, `%5C`, `%00` and control bytes get 400 `bad_path`"
        => |s| bad(s, |path| format!("{path};a=b"));
    "server.path.backslash" Should "docs/PROTOCOL.md §2" "`;`, `\\`, `%2F`, `%5C`, `%00` and control bytes get 400 `bad_path`"
        => |s| bad(s, |path| format!("/x\\..{path}"));
    "server.path.encoded_slash" Should "docs/PROTOCOL.md §2" "`;`, `\\`, `%2F`, `%5C`, `%00` and control bytes get 400 `bad_path`"
        => |s| bad(s, |path| format!("/x%2f..{path}"));
    "server.path.encoded_backslash" Should "docs/PROTOCOL.md §2" "`;`, `\\`, `%2F`, `%5C`, `%00` and control bytes get 400 `bad_path`"
        => |s| bad(s, |path| format!("{path}%5Cx"));
    "server.path.nul" Should "docs/PROTOCOL.md §2" "`;`, `\\`, `%2F`, `%5C`, `%00` and control bytes get 400 `bad_path`"
        => |s| bad(s, |path| format!("{path}%00"));
    "server.path.control" Should "docs/PROTOCOL.md §2" "`;`, `\\`, `%2F`, `%5C`, `%00` and control bytes get 400 `bad_path`"
        => |s| bad(s, |path| format!("{path}%0d%0aX:%20y"));
    "server.path.bad_escape" Should "RFC 3986 §2.1" "pct-encoded = \"%\" HEXDIG HEXDIG"
        => |s| bad(s, |path| format!("{path}%zz"));
    "server.path.fragment" Should "RFC 9112 §3.2" "request-target = origin-form / absolute-form / authority-form / asterisk-form"
        => |s| bad(s, |path| format!("{path}#x"));
    "server.path.upper_case" Must "docs/PROTOCOL.md §2" "Case and a trailing slash count."
        => |s| other(s, |path| path.to_ascii_uppercase());
    "server.path.trailing_slash" Must "docs/PROTOCOL.md §2" "Case and a trailing slash count."
        => |s| other(s, |path| format!("{path}/"));
    "server.path.longer" Must "docs/PROTOCOL.md §2" "only a final `*` is special (prefix)"
        => |s| other(s, |path| format!("{path}x"));
    "server.path.star" Must "docs/PROTOCOL.md §2" "a literal `*` written `%2A`"
        => |s| other(s, |path| format!("{path}*"));
    "server.path.unreserved_escapes" Should "docs/PROTOCOL.md §2" "escapes of unreserved characters decoded"
        => unreserved_escapes;
    "server.path.method_override" Must "docs/PROTOCOL.md §3" "Method-override and URL-rewrite headers are removed."
        => method_override;
    "server.path.url_rewrite" Must "docs/PROTOCOL.md §3" "Method-override and URL-rewrite headers are removed."
        => url_rewrite;
    "server.path.not_found" Should "docs/PROTOCOL.md §2" "What matches no route is 404 and never forwarded."
        => not_found;
    "server.path.too_long" Should "docs/PROTOCOL.md §1" "a path too long for that gets 414 before any invoice"
        => too_long;
}

/// A path that is refused: never a success, and no invoice for it. The code is ours.
async fn bad(subject: &Subject, path: fn(&str) -> String) -> Verdict {
    let target = subject.paid().at(path(subject.paid().path()));
    let bought = subject.unspent().await?;
    let answer = subject.present(&target, &bought.value()).await?;
    ensure(answer.status == 400 && !answer.has_invoice(), || {
        format!("{} is answered {}", target.target, answer.brief())
    })?;
    let code = answer.member("code");
    ensure(code.as_deref().is_none_or(|code| code == "bad_path"), || {
        format!("its code is {code:?}")
    })
}

/// A path that is another one: what was paid for the first does not open it.
async fn other(subject: &Subject, path: fn(&str) -> String) -> Verdict {
    let own = subject.paid().path();
    let target = subject.paid().at(path(own));
    if target.target == own {
        return skip("the path has no letter");
    }
    let bought = subject.unspent().await?;
    let answer = subject.present(&target, &bought.value()).await?;
    ensure([400, 402, 404].contains(&answer.status), || {
        format!("{} is answered {}", target.target, answer.brief())
    })
}

async fn unreserved_escapes(subject: &Subject) -> Verdict {
    let path = subject.paid().path();
    let Some(at) = path.rfind(|c: char| c.is_ascii_alphanumeric()) else {
        return skip("the path has no letter");
    };
    let (before, rest) = path.split_at(at);
    let escaped = format!("{before}%{:02x}{}", rest.as_bytes()[0], &rest[1..]);
    let bought = subject.buy(subject.paid()).await?;
    let answer = subject.present(&subject.paid().at(escaped), &bought.value()).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn method_override(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let mut lines = vec![authorization(&bought.value())];
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        lines.push(format!("{name}: DELETE"));
    }
    let answer = subject.present_lines(subject.paid(), &lines).await?;
    ensure(answer.is_success(), || format!("answered {}", answer.brief()))
}

async fn url_rewrite(subject: &Subject) -> Verdict {
    let second = subject.second()?;
    let plain = subject.buy(subject.paid()).await?;
    let plain = subject.present(subject.paid(), &plain.value()).await?;
    let bought = subject.buy(subject.paid()).await?;
    let mut lines = vec![authorization(&bought.value())];
    for name in ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"] {
        lines.push(format!("{name}: {}", second.target));
    }
    let answer = subject.present_lines(subject.paid(), &lines).await?;
    ensure(answer.status == plain.status && answer.body == plain.body, || {
        "with the headers, the answer is another one".into()
    })
}

async fn not_found(subject: &Subject) -> Verdict {
    let Some(missing) = &subject.missing else {
        return skip("it needs a path without a route (--missing-path)");
    };
    let answer = subject.ask(missing, &[]).await?;
    ensure(answer.status == 404 && !answer.has_invoice(), || format!("answered {}", answer.brief()))
}

async fn too_long(subject: &Subject) -> Verdict {
    let target = format!("{}?{}", subject.paid().path(), "q".repeat(9_000));
    let answer = subject.ask(&subject.paid().at(target), &[]).await?;
    ensure(answer.status == 414 && !answer.has_invoice(), || {
        format!("a target of 9,000 bytes is answered {}", answer.brief())
    })
}
