//! What is on the disk before what goes over the wire, as the kernel saw it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::common::node::Node;
use crate::common::{Service, plannt};

/// Syscalls that sync a file, that read, and that write to a socket.
const TRACED: &str =
    "trace=fsync,fdatasync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,connect";

#[test]
fn a_use_is_synced_before_the_first_byte_to_the_upstream() {
    if !strace_works() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let upstream = upstream();
    let trace = folder.path().join("trace");
    let mut command = traced(&trace);
    command.env("PLANNT_HOME", folder.path()).args(["serve", "--listen", "127.0.0.1:0"]);
    command.args(["--node", &node.devnet.invoicer_url(), "--network", "regtest"]);
    command.args(["--upstream", &format!("http://127.0.0.1:{upstream}"), "--price-sats", "5"]);
    let service = Service::spawn(command);
    let credential = node.buy(&service.get("/paid", None));
    let granted = service.get("/paid", Some(&credential));
    assert_eq!(granted.status, 200, "{granted:?}");
    drop(service);

    let events = Events::read(&trace);
    let presented = events.first(|e| e.is_read() && e.text.contains("uthorization: L402 "));
    let forwarded = events.first(|e| e.is_write_to(upstream));
    let synced = events.first_after(presented, |e| e.is_sync_of("spends.sqlite"));
    assert!(presented < synced && synced < forwarded, "{presented} {synced} {forwarded}");
}

#[test]
fn an_intent_is_synced_before_the_pay_request() {
    if !strace_works() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let trace = folder.path().join("trace");
    let status = traced(&trace)
        .env("PLANNT_HOME", folder.path())
        .args(["--wallet", &node.devnet.payer_url(), "--network", "regtest"])
        .arg(service.url("/v1/demo"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());

    let wallet = node.devnet.local_addr().port();
    let events = Events::read(&trace);
    let challenged = events.first(|e| e.is_read() && e.text.contains("402 Payment Required"));
    // TLS hides the pay request itself; nothing at all goes to the wallet before the intent is safe.
    let paying = events.first(|e| e.is_write_to(wallet));
    let synced = events.first_after(challenged, |e| e.is_sync_of("journal.db"));
    assert!(challenged < synced && synced < paying, "{challenged} {synced} {paying}");
}

fn traced(trace: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-yy", "-s", "4096", "-e", TRACED, "-o"]).arg(trace);
    command.arg("--").arg(plannt().get_program()).stdin(Stdio::null());
    command
}

/// An HTTP server that answers everything with an empty 200.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 16 * 1024]);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    port
}

pub(crate) fn strace_works() -> bool {
    let works = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        println!("SKIPPED strace: it is not on PATH, or may not trace here");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "strace is needed with CI=true");
    }
    works
}

/// System calls in the order of their ends.
struct Events(Vec<Call>);

struct Call {
    name: String,
    text: String,
}

impl Events {
    fn read(trace: &Path) -> Self {
        let text = std::fs::read_to_string(trace).unwrap();
        let mut begun = std::collections::HashMap::new();
        let mut calls = Vec::new();
        for line in text.lines() {
            let (pid, rest) = line.split_once(' ').unwrap_or_default();
            let rest = rest.trim_start();
            let text = if let Some(resumed) = rest.strip_prefix("<... ") {
                let first: String = begun.remove(pid).unwrap_or_default();
                let (_, end) = resumed.split_once(" resumed>").unwrap_or_default();
                format!("{first}{end}")
            } else if let Some(first) = rest.strip_suffix(" <unfinished ...>") {
                // A write counts from its beginning: its bytes may be out before it ends.
                let name = first.split('(').next().unwrap_or_default();
                if is_write(name) {
                    calls.push(Call { name: name.to_owned(), text: first.to_owned() });
                } else {
                    begun.insert(pid.to_owned(), first.to_owned());
                }
                continue;
            } else {
                rest.to_owned()
            };
            let name = text.split('(').next().unwrap_or_default().to_owned();
            calls.push(Call { name, text });
        }
        Self(calls)
    }

    fn first(&self, is: impl Fn(&Call) -> bool) -> usize {
        self.first_after(0, is)
    }

    fn first_after(&self, start: usize, is: impl Fn(&Call) -> bool) -> usize {
        let found = self.0.iter().skip(start).position(is);
        start + found.expect("the call is in the trace")
    }
}

impl Call {
    fn is_read(&self) -> bool {
        self.name.starts_with("read") || self.name.starts_with("recv")
    }

    /// A sync that succeeded, of the file or its write-ahead log.
    fn is_sync_of(&self, file: &str) -> bool {
        self.name.ends_with("sync") && self.text.contains(file) && self.text.ends_with("= 0")
    }

    fn is_write_to(&self, port: u16) -> bool {
        is_write(&self.name) && self.text.contains(&format!("->127.0.0.1:{port}]"))
    }
}

fn is_write(name: &str) -> bool {
    name.starts_with("write") || name.starts_with("send")
}
