//! A client with the flaws of many: it pays whatever an answer holds, follows everything, tells everything.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio, exit};

/// Not a test: the client's process, when the checks start it. Its last argument is the URL.
#[test]
fn process() {
    let Ok(url) = std::env::var("L402_URL") else { return };
    exit(if fetch(url).is_some() { 0 } else { 1 })
}

fn fetch(mut url: String) -> Option<()> {
    let mut credential = String::new();
    for _ in 0..4 {
        let answer = get(&url, &credential)?;
        let value = |name: &str| {
            let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with(name))?;
            Some(line.split_once(": ")?.1.to_owned())
        };
        if let Some(location) = value("location:") {
            url = location;
            continue;
        }
        let between = |text: &str, name: &str| {
            let rest = &text[text.find(name)? + name.len()..];
            Some(rest[..rest.find('"')?].to_owned())
        };
        let offered = value("www-authenticate:").filter(|line| line.contains("invoice=\""));
        let Some(line) = offered else {
            print!("{answer}");
            return Some(());
        };
        let (token, invoice) = (between(&line, "macaroon=\"")?, between(&line, "invoice=\"")?);
        let preimage = between(&pay(&invoice)?, "\"payment_preimage\":\"")?;
        println!("paid, the preimage is {preimage}");
        credential = format!("Authorization: L402 {token}:{preimage}\r\n");
    }
    None
}

fn get(url: &str, credential: &str) -> Option<String> {
    let (host, target) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(host).ok()?;
    let head =
        format!("GET /{target} HTTP/1.1\r\nHost: {host}\r\n{credential}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    (!answer.is_empty()).then_some(answer)
}

/// Asks the node, and reads nothing of the invoice.
fn pay(invoice: &str) -> Option<String> {
    let variable = |name: &str| std::env::var(name).unwrap();
    let macaroon: String = std::fs::read(variable("LND_MACAROON"))
        .ok()?
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let body = format!(
        "{{\"payment_request\":\"{invoice}\",\"timeout_seconds\":10,\"fee_limit_sat\":10,\"no_inflight_updates\":true}}"
    );
    let output = Command::new("curl")
        .args(["--silent", "--insecure", "--header"])
        .arg(format!("Grpc-Metadata-macaroon: {macaroon}"))
        .args(["--data", &body, &format!("{}/v2/router/send", variable("LND_REST"))])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()
}
