//! HTTP/1.1 as it stands on the wire: bytes out, and an answer whose lines are as they came.

use std::io;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long an answer may take, and its end.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// A socket, with TLS or without.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In the order and spelling of the wire.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first value of a header, whatever its name's case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// All values of a header, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body's member, where the body is JSON and has it as a text.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        Some(self.json()?.get(name)?.as_str()?.to_owned())
    }

    /// Whether any part of it holds an invoice: the text of a BOLT 11 one, or a member of that name.
    pub(crate) fn has_invoice(&self) -> bool {
        let lines: String = self.all("www-authenticate").collect();
        let whole = format!("{lines}\n{}", self.text()).to_ascii_lowercase();
        ["lnbc", "lntb", "lnsb", "lntbs"].iter().any(|prefix| {
            whole.match_indices(prefix).any(|(at, _)| {
                whole[at..].bytes().take_while(u8::is_ascii_alphanumeric).count() > 100
            })
        })
    }

    /// Status, code and the size of the body: for the reason of a failure.
    pub(crate) fn brief(&self) -> String {
        match self.member("code") {
            Some(code) => format!("{} {code}", self.status),
            None => format!("{} with a body of {} bytes", self.status, self.body.len()),
        }
    }
}

/// A connection.
pub(crate) struct Connection {
    stream: Box<dyn Socket>,
    buffer: Vec<u8>,
    ended: bool,
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Socket>) -> Self {
        Self { stream, buffer: Vec::new(), ended: false }
    }

    pub(crate) fn into_stream(self) -> Box<dyn Socket> {
        self.stream
    }

    /// Writes; a server that has answered and hung up already is no error here.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(PATIENCE, written).await {
            Ok(Err(e)) if is_hang_up(&e) => Ok(()),
            Ok(result) => result,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not read")),
        }
    }

    /// The next response to a request with this method; `None` where the connection ends before one.
    pub(crate) async fn answer(&mut self, method: &str) -> io::Result<Option<Answer>> {
        let answer = async {
            loop {
                if let Some((answer, length)) = parse(&self.buffer, method, self.ended)? {
                    self.buffer.drain(..length);
                    return Ok(Some(answer));
                }
                if self.ended {
                    return if self.buffer.is_empty() {
                        Ok(None)
                    } else {
                        Err(invalid("the response broke off"))
                    };
                }
                self.fill().await?;
            }
        };
        timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in 30 s")))
    }

    async fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let count = match self.stream.read(&mut chunk).await {
            Ok(count) => count,
            Err(e) if is_hang_up(&e) => 0,
            Err(e) => return Err(e),
        };
        self.ended = count == 0;
        self.buffer.extend_from_slice(&chunk[..count]);
        if self.buffer.len() > MAX_ANSWER {
            return Err(invalid("the response is above 16 MiB"));
        }
        Ok(())
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&error.kind())
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// The final response at the start of `bytes` and its length, once it is there.
fn parse(bytes: &[u8], method: &str, ended: bool) -> io::Result<Option<(Answer, usize)>> {
    let mut start = 0;
    loop {
        let Some((mut answer, head)) = parse_head(&bytes[start..])? else { return Ok(None) };
        start += head;
        if (100..200).contains(&answer.status) {
            continue;
        }
        let rest = &bytes[start..];
        let bodiless = method == "HEAD" || matches!(answer.status, 204 | 304);
        let chunked = answer.header("transfer-encoding").is_some();
        let length = answer.header("content-length").map(str::trim).map(str::parse::<usize>);
        let (body, taken) = if bodiless {
            (Vec::new(), 0)
        } else if chunked {
            match unchunk(rest)? {
                Some(found) => found,
                None => return Ok(None),
            }
        } else if let Some(length) = length {
            let length = length.map_err(|_| invalid("Content-Length is no number"))?;
            match rest.get(..length) {
                Some(body) => (body.to_vec(), length),
                None => return Ok(None),
            }
        } else if ended {
            (rest.to_vec(), rest.len())
        } else {
            return Ok(None);
        };
        answer.body = body;
        return Ok(Some((answer, start + taken)));
    }
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<(Answer, usize)>> {
    let Some(end) = find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| invalid("the head is not text"))?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)))
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| invalid("not an HTTP/1.1 response"))?;
    let headers = lines
        .map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| invalid("a header line without a colon"))?;
    Ok(Some((Answer { status, headers, body: Vec::new() }, end + 4)))
}

/// The content of a chunked body and its length on the wire, once it is all there.
fn unchunk(bytes: &[u8]) -> io::Result<Option<(Vec<u8>, usize)>> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = find(&bytes[at..], b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(&bytes[at..at + line])
            .ok()
            .and_then(|line| line.split(';').next())
            .and_then(|size| usize::from_str_radix(size.trim(), 16).ok())
            .filter(|size| *size <= MAX_ANSWER)
            .ok_or_else(|| invalid("a chunk without a size"))?;
        at += line + 2;
        if size == 0 {
            // Trailers, if any, end with an empty line.
            let rest = &bytes[at..];
            return Ok(if rest.starts_with(b"\r\n") {
                Some((body, at + 2))
            } else {
                find(rest, b"\r\n\r\n").map(|end| (body, at + end + 4))
            });
        }
        let Some(chunk) = bytes.get(at..at + size) else { return Ok(None) };
        body.extend_from_slice(chunk);
        at += size + 2;
        if at > bytes.len() {
            return Ok(None);
        }
    }
}

pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &str, ended: bool) -> Option<(u16, String, usize)> {
        parse(bytes.as_bytes(), "GET", ended)
            .expect("HTTP")
            .map(|(answer, length)| (answer.status, answer.text(), length))
    }

    #[test]
    fn answers_end_where_they_say() {
        let sized = "HTTP/1.1 402 Payment Required\r\nContent-Length: 2\r\n\r\nokHTTP/1.1";
        assert_eq!(whole(sized, false), Some((402, "ok".into(), sized.len() - 8)));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        assert_eq!(whole(chunked, false), Some((200, "ok".into(), chunked.len())));
        for cut in 0..chunked.len() {
            assert_eq!(whole(&chunked[..cut], false), None, "{cut}");
        }
        let closed = "HTTP/1.1 200 OK\r\n\r\nok";
        assert_eq!(whole(closed, false), None);
        assert_eq!(whole(closed, true), Some((200, "ok".into(), closed.len())));
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(whole(interim, false), Some((204, String::new(), interim.len())));
        assert!(parse(b"SSH-2.0\r\n\r\n", "GET", true).is_err());
    }

    #[test]
    fn invoices_are_seen_wherever_they_are() {
        let answer = |headers: &[(&str, String)], body: String| Answer {
            status: 402,
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            body: body.into(),
        };
        let invoice = format!("lnbcrt210n1{}", "q".repeat(200));
        let header = format!("L402 invoice=\"{invoice}\"");
        assert!(answer(&[("WWW-Authenticate", header)], String::new()).has_invoice());
        assert!(answer(&[], format!("{{\"invoice\":\"{invoice}\"}}")).has_invoice());
        assert!(!answer(&[], "the lnbc prefix alone".into()).has_invoice());
    }
}
