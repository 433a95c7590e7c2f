//! An HTTP server behind the service: says what it was asked for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Starts one; it serves until the test ends.
pub(crate) fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || serve(client));
        }
    });
    address
}

/// Answers request after request with its first line, marked as public for caches.
fn serve(mut client: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    loop {
        let (mut first, mut length, mut chunked) = (String::new(), 0, false);
        for index in 0.. {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            match line.to_ascii_lowercase().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().ok()?,
                Some(("transfer-encoding", _)) => chunked = true,
                _ if index == 0 => first = line,
                _ => {}
            }
        }
        while chunked {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = u64::from_str_radix(size.trim(), 16).ok()?;
            std::io::copy(&mut reader.by_ref().take(size + 2), &mut std::io::sink()).ok()?;
            chunked = size > 0;
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).ok()?;
        let body = format!("{{\"asked\":{first:?}}}");
        let head = "HTTP/1.1 200 OK\r\nCache-Control: public, s-maxage=60, max-age=60\r\nx-l402: valid; remaining=99\r\n";
        let length = if first.starts_with("HEAD") { 0 } else { body.len() };
        let rest = format!("Content-Length: {length}\r\n\r\n{}", &body[..length]);
        client.write_all(format!("{head}{rest}").as_bytes()).ok()?;
    }
}
