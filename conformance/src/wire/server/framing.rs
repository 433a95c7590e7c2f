//! Messages that could be read in two ways, and methods that are never served.

use super::checks;
use super::subject::Subject;
use crate::wire::check::{Stop, Verdict, ensure};

checks! {
    "server.framing.length_and_chunked" Must "docs/PROTOCOL.md §3" "Conflicting lengths, or a length with `Transfer-Encoding`, are 400."
        => |s| refused(s, "Content-Length: 4\r\nTransfer-Encoding: chunked");
    "server.framing.chunked_and_length" Must "docs/PROTOCOL.md §3" "Conflicting lengths, or a length with `Transfer-Encoding`, are 400."
        => |s| refused(s, "Transfer-Encoding: chunked\r\nContent-Length: 4");
    "server.framing.two_lengths" Must "docs/PROTOCOL.md §3" "Conflicting lengths, or a length with `Transfer-Encoding`, are 400."
        => |s| refused(s, "Content-Length: 4\r\nContent-Length: 5");
    "server.framing.length_list" Must "docs/PROTOCOL.md §3" "Conflicting lengths, or a length with `Transfer-Encoding`, are 400."
        => |s| refused(s, "Content-Length: 4, 5");
    "server.framing.signed_length" Must "RFC 9110 §8.6" "Content-Length = 1*DIGIT"
        => |s| refused(s, "Content-Length: +4");
    "server.framing.huge_length" Must "RFC 9110 §8.6" "a recipient MUST anticipate potentially large decimal numerals and prevent parsing errors due to integer conversion overflows"
        => |s| refused(s, "Content-Length: 18446744073709551620");
    "server.framing.chunked_twice" Must "RFC 9112 §6.1" "A sender MUST NOT apply the chunked transfer coding more than once to a message body"
        => |s| refused(s, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked");
    "server.framing.unknown_coding" Must "RFC 9112 §6.3" "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not the final encoding, the message body length cannot be determined reliably; the server MUST respond with the 400 (Bad Request) status code and then close the connection."
        => |s| refused(s, "Transfer-Encoding: chunked, identity");
    "server.framing.space_before_colon" Must "RFC 9112 §5.1" "A server MUST reject, with a response status code of 400 (Bad Request), any received request message that contains whitespace between a header field name and colon."
        => |s| refused(s, "Transfer-Encoding : chunked");
    "server.framing.folded_line" Must "RFC 9112 §5.2" "A server that receives an obs-fold in a request message that is not within a \"message/http\" container MUST either reject the message by sending a 400 (Bad Request), preferably with a representation explaining that obsolete line folding is unacceptable, or replace each received obs-fold with one or more SP octets"
        => |s| refused(s, "X-Any: a\r\n Transfer-Encoding: chunked");
    "server.framing.no_smuggling" Must "docs/PROTOCOL.md §3" "Conflicting lengths, or a length with `Transfer-Encoding`, are 400."
        => no_smuggling;
    "server.framing.trace" Should "docs/PROTOCOL.md §3" "TRACE and CONNECT: 405."
        => |s| method(s, "TRACE");
    "server.framing.connect" Should "docs/PROTOCOL.md §3" "TRACE and CONNECT: 405."
        => |s| method(s, "CONNECT");
    "server.framing.lower_case_method" Must "docs/PROTOCOL.md §2" "HTTP method, upper case"
        => lower_case_method;
    "server.framing.upgrade" Info "docs/PROTOCOL.md §3" "`Upgrade` is removed, except `websocket` where a route allows it"
        => upgrade;
}

fn request(subject: &Subject, lines: &str) -> String {
    let (target, host) = (&subject.paid().target, subject.host());
    format!("POST {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n\r\n0\r\n\r\n")
}

async fn refused(subject: &Subject, lines: &str) -> Verdict {
    // Some servers hang up without a word, which is a refusal, too.
    let Some(answer) = subject.raw(request(subject, lines).as_bytes(), "POST").await? else {
        return Ok(());
    };
    ensure([400, 501].contains(&answer.status) && !answer.has_invoice(), || {
        format!("answered {}", answer.brief())
    })
}

/// What follows an ambiguous request is never answered as another one.
async fn no_smuggling(subject: &Subject) -> Verdict {
    let mut bytes = request(subject, "Content-Length: 5\r\nTransfer-Encoding: chunked");
    let (target, host) = (&subject.paid().target, subject.host());
    bytes += &format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let mut connection = subject.connect().await?;
    let io = |error| Stop::Failed(format!("no answer: {error}"));
    connection.write(bytes.as_bytes()).await.map_err(io)?;
    let Some(first) = connection.answer("POST").await.map_err(io)? else { return Ok(()) };
    ensure(first.status == 400, || format!("the first is answered {}", first.brief()))?;
    let second = connection.answer("GET").await.map_err(io)?;
    ensure(second.is_none(), || "what followed was answered as a request".into())
}

async fn method(subject: &Subject, method: &str) -> Verdict {
    let mut target = subject.paid().method(method);
    if method == "CONNECT" {
        target = target.at(subject.host());
    }
    let bytes = target.bytes(&subject.host(), &[]);
    let Some(answer) = subject.raw(&bytes, "GET").await? else { return Ok(()) };
    ensure([400, 405, 501].contains(&answer.status) && !answer.has_invoice(), || {
        format!("{method} is answered {}", answer.brief())
    })
}

async fn lower_case_method(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let answer = subject.present(&subject.paid().method("get"), &bought.value()).await?;
    ensure(!answer.is_success(), || "a credential for GET opened get".into())
}

async fn upgrade(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    let (target, host) = (&subject.paid().target, subject.host());
    let bytes = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nAuthorization: {}\r\n\r\n",
        bought.value()
    );
    let answer = subject.raw(bytes.as_bytes(), "GET").await?;
    let status = answer.map_or(0, |answer| answer.status);
    ensure(status == 200, || format!("a request with Upgrade: h2c is answered {status}"))
}
