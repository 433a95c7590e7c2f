//! What the acceptance tests share: the real binary, run as a user runs it.

pub(crate) mod node;
pub(crate) mod proxy;
pub(crate) mod shop;
pub(crate) mod upstream;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// The binary under test.
pub(crate) fn plannt() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plannt"));
    for name in ["PLANNT_HOME", "PLANNT_NETWORK", "PLANNT_NODE", "PLANNT_WALLET", "RUST_LOG"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// `plannt` with its state under `home`.
pub(crate) fn plannt_at(home: &Path) -> Command {
    let mut command = plannt();
    command.env("PLANNT_HOME", home);
    command
}

/// Runs to the end; the output is text.
pub(crate) fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Ran {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A running `plannt serve …`; killed when dropped.
pub(crate) struct Service {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Service {
    /// `plannt serve --demo` with its state under `home`, on a free port.
    pub(crate) fn demo(home: &Path) -> Self {
        Self::start(home, &["--demo"])
    }

    pub(crate) fn start(home: &Path, args: &[&str]) -> Self {
        let mut command = plannt_at(home);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(args);
        Self::spawn(command)
    }

    /// Starts `command`, which must print `listening on http://ADDR` as its first line.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            let mut stderr = String::new();
            child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
            panic!("the service did not start: {line:?} {stderr}");
        };
        let address = address.parse().unwrap();
        // What it says later is read and dropped, so that it never blocks on a full pipe.
        let mut stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, address }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `kill -9`, and waits for the end.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A raw HTTP/1.1 exchange on a connection of its own.
    pub(crate) fn raw(&self, request: &str) -> Answer {
        raw(self.address, request)
    }

    /// GET (or the like) with an optional Authorization value.
    pub(crate) fn get(&self, path: &str, authorization: Option<&str>) -> Answer {
        request(self.address, "GET", path, authorization, "")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A service under strace is strace's child, and outlives it.
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        for child in children.unwrap_or_default().split_whitespace() {
            let _ = Command::new("kill").args(["-9", child]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response as it stood on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of the first header line with exactly this spelling.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Token and invoice of a 402.
    pub(crate) fn challenge(&self) -> (String, String) {
        assert_eq!(self.status, 402, "{self:?}");
        let body = self.json();
        (
            body["macaroon"].as_str().unwrap().to_owned(),
            body["invoice"].as_str().unwrap().to_owned(),
        )
    }
}

pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    authorization: Option<&str>,
    body: &str,
) -> Answer {
    let authorization =
        authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let length = match body {
        "" => String::new(),
        _ => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
    };
    raw(
        address,
        &format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}{length}Connection: close\r\n\r\n{body}"
        ),
    )
}

pub(crate) fn raw(address: SocketAddr, request: &str) -> Answer {
    try_raw(address, request).unwrap()
}

/// The same of a service that may go away meanwhile.
pub(crate) fn try_raw(address: SocketAddr, request: &str) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.get(9..12).and_then(|s| s.parse().ok()).unwrap_or_default();
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
