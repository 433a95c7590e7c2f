//! One HTTP/1.1 request head, judged on its bytes.

use std::str;

use http::{Method, Uri};

use super::chunked::BodyTracker;
use crate::problem::Problem;

/// Header lines that one head may have: as many as the HTTP library takes.
const MAX_LINES: usize = 100;

/// What a request head may measure, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// The whole head.
    pub(crate) head: usize,
    /// The request target.
    pub(crate) target: usize,
}

/// What the bytes at the start of a message are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// A whole head of this many bytes, and the body that follows it.
    Complete { len: usize, body: BodyTracker },
    /// Not yet a whole head.
    Partial,
    /// To be answered with this, after which the connection can't go on.
    Refused(Problem),
}

/// Judges the head at the start of `bytes`.
pub(crate) fn inspect(bytes: &[u8], limits: HeadLimits) -> Head {
    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let mut request = httparse::Request::new(&mut lines);
    let len = match request.parse(bytes) {
        Ok(httparse::Status::Complete(len)) if len <= limits.head => len,
        Ok(httparse::Status::Partial) if bytes.len() < limits.head => {
            return match request.path {
                Some(target) if target.len() > limits.target => too_long(limits),
                _ => Head::Partial,
            };
        }
        Ok(_) if request.path.is_none_or(|target| target.len() > limits.target) => {
            return too_long(limits);
        }
        Ok(_) => {
            return Head::Refused(Problem::header_too_large(format!(
                "the header section is longer than {} bytes",
                limits.head
            )));
        }
        Err(error) => return Head::Refused(parse_problem(&request, error)),
    };
    match check(&request, limits) {
        Ok(body) => Head::Complete { len, body },
        Err(problem) => Head::Refused(problem),
    }
}

fn too_long(limits: HeadLimits) -> Head {
    Head::Refused(Problem::uri_too_long(limits.target))
}

fn parse_problem(request: &httparse::Request<'_, '_>, error: httparse::Error) -> Problem {
    match error {
        httparse::Error::Token if request.method.is_some() && request.path.is_none() => {
            Problem::path("the request target holds bytes that no URI has")
        }
        httparse::Error::TooManyHeaders => {
            Problem::header_too_large(format!("more than {MAX_LINES} header lines"))
        }
        httparse::Error::Version => Problem::request("the version is not HTTP/1.0 or HTTP/1.1"),
        _ => Problem::request("the request head is not HTTP"),
    }
}

/// The body that a complete head declares.
fn check(request: &httparse::Request<'_, '_>, limits: HeadLimits) -> Result<BodyTracker, Problem> {
    let method = request.method.unwrap_or_default();
    let target = request.path.unwrap_or_default();
    if target.len() > limits.target {
        return Err(Problem::uri_too_long(limits.target));
    }
    Method::from_bytes(method.as_bytes()).map_err(|_| Problem::request("not a method"))?;
    // The library would cut a fragment off in silence.
    if target.contains('#') || Uri::try_from(target).is_err() {
        return Err(Problem::path("the request target is not a URI"));
    }

    let mut length = None;
    let mut chunked = false;
    for line in request.headers.iter() {
        if line.name.eq_ignore_ascii_case("content-length") {
            let value = content_length(line.value)?;
            if length.is_some_and(|earlier| earlier != value) {
                return Err(Problem::request("the Content-Length lines differ"));
            }
            length = Some(value);
        } else if line.name.eq_ignore_ascii_case("transfer-encoding") {
            if chunked || !line.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(Problem::request("Transfer-Encoding is not one `chunked`"));
            }
            chunked = true;
        }
    }
    match (chunked, length) {
        (true, Some(_)) => Err(Problem::request("both Content-Length and Transfer-Encoding")),
        (true, None) if request.version == Some(0) => {
            Err(Problem::request("Transfer-Encoding in an HTTP/1.0 request"))
        }
        (true, None) => Ok(BodyTracker::chunked()),
        (false, length) => Ok(BodyTracker::Length(length.unwrap_or(0))),
    }
}

/// A length: digits and nothing else.
fn content_length(value: &[u8]) -> Result<u64, Problem> {
    let value = value.trim_ascii();
    str::from_utf8(value)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse::<u64>().ok())
        // The library keeps the last two values for its own use.
        .filter(|length| *length < u64::MAX - 1)
        .ok_or_else(|| Problem::request("Content-Length is not one number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeadLimits = HeadLimits { head: 1024, target: 64 };

    fn code(head: &str) -> &'static str {
        match inspect(head.as_bytes(), LIMITS) {
            Head::Complete { .. } => "complete",
            Head::Partial => "partial",
            Head::Refused(problem) => problem.code,
        }
    }

    #[test]
    fn plain_heads_pass_with_their_bodies() {
        let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
        let body = BodyTracker::Length(5);
        assert_eq!(
            inspect(format!("{head}hello").as_bytes(), LIMITS),
            Head::Complete { len: head.len(), body }
        );
        let head = "POST /a HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n";
        let body = BodyTracker::chunked();
        assert_eq!(inspect(head.as_bytes(), LIMITS), Head::Complete { len: head.len(), body });
        for cut in 0..head.len() {
            assert_eq!(code(&head[..cut]), "partial", "{cut}");
        }
    }

    #[test]
    fn contradictory_lengths_are_refused_in_either_order() {
        for lines in [
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 5, 5",
            "Content-Length: +5",
            "Content-Length: 0x5",
            "Content-Length: -1",
            "Content-Length:",
            "Content-Length: 99999999999999999999999",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding:\x0bchunked",
        ] {
            let got = code(&format!("POST /a HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n"));
            assert_eq!(got, "bad_request", "{lines:?}");
        }
        assert_eq!(code("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "bad_request");
        // The same length twice contradicts nothing; the library forwards one of them.
        assert_eq!(
            code("POST /a HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"),
            "complete"
        );
    }

    #[test]
    fn folded_or_spaced_header_names_are_not_http() {
        for lines in ["Transfer-Encoding : chunked", "A: b\r\n Transfer-Encoding: chunked"] {
            let got = code(&format!("POST /a HTTP/1.1\r\n{lines}\r\n\r\n"));
            assert_eq!(got, "bad_request", "{lines:?}");
        }
    }

    #[test]
    fn sizes_have_codes_of_their_own() {
        let long = "a".repeat(65);
        assert_eq!(code(&format!("GET /{long} HTTP/1.1\r\n\r\n")), "uri_too_long");
        assert_eq!(code(&format!("GET /{}", "a".repeat(1100))), "uri_too_long");
        let header = "b".repeat(1100);
        assert_eq!(code(&format!("GET / HTTP/1.1\r\na: {header}")), "header_too_large");
        assert_eq!(code(&format!("GET / HTTP/1.1\r\na: {header}\r\n\r\n")), "header_too_large");
        let lines = "a: b\r\n".repeat(101);
        assert_eq!(code(&format!("GET / HTTP/1.1\r\n{lines}\r\n")), "header_too_large");
    }

    #[test]
    fn strange_targets_are_bad_paths() {
        assert_eq!(code("GET /a\x01b HTTP/1.1\r\n\r\n"), "bad_path");
        assert_eq!(code("GET /a#b HTTP/1.1\r\n\r\n"), "bad_path");
        assert_eq!(code("GET a HTTP/3.1\r\n\r\n"), "bad_request");
        assert_eq!(code("\x16\x03\x01\x02"), "bad_request");
    }
}
