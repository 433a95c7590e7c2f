//! What the running service refuses and grants, over raw sockets.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::common::node::Node;
use crate::common::{Service, plannt_at, request, run};

#[test]
fn a_credential_opens_its_own_route_once() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let credential = node.buy(&service.get("/v1/demo", None));

    let elsewhere = service.get("/v1/data", Some(&credential));
    assert_eq!((elsewhere.status, elsewhere.code().as_str()), (402, "out_of_scope"));
    // Neither the path's spelling nor the method's makes it another route's.
    for (path, status) in [
        ("/v1/%64emo", 200),
        ("/v1/%2e/demo", 400),
        ("//v1/demo", 400),
        ("/v1//demo", 400),
        ("/v1/x/%2e%2e/demo", 400),
        ("/v1/../v1/demo", 400),
        ("/v1/demo;x", 400),
        ("/v1%2fdemo", 400),
        ("/V1/demo", 404),
        ("/v1/Demo", 404),
        ("/v1/demo/", 404),
    ] {
        let fresh = match status {
            200 => node.buy(&service.get("/v1/demo", None)),
            _ => credential.clone(),
        };
        let answer = service.get(path, Some(&fresh));
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    let post = request(service.address, "POST", "/v1/demo", Some(&credential), "{}");
    assert!([404, 405].contains(&post.status), "{post:?}");
    let overridden = service.raw(&format!(
        "GET /v1/demo HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: POST\r\nX-Original-URL: /v1/data\r\n\
         Authorization: {credential}\r\nConnection: close\r\n\r\n"
    ));
    assert_eq!(overridden.status, 200, "{overridden:?}");
    assert_eq!(overridden.json()["result"], "verified");

    let again = service.get("/v1/demo", Some(&credential));
    assert_eq!((again.status, again.code().as_str()), (402, "spent"));
    // The hex's case makes no other credential.
    let (token, preimage) = credential.rsplit_once(':').unwrap();
    let again = service.get("/v1/demo", Some(&format!("{token}:{}", preimage.to_uppercase())));
    assert_eq!((again.status, again.code().as_str()), (402, "spent"));
}

#[test]
fn two_hundred_at_once_with_one_credential_get_one_200() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    let credential = node.buy(&service.get("/v1/demo", None));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let calls: Vec<_> = (0..200)
            .map(|_| scope.spawn(|| service.get("/v1/demo", Some(&credential)).status))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|s| **s == 402).count(), 199, "{statuses:?}");
}

#[test]
fn a_prompt_reaches_the_model_server_intact_and_binds_its_credential() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let (model, requests) = model_server();
    let service = node.serve(folder.path(), &["--demo", "--generate-url", &model]);
    let prompt = r#"{"model":"m",  "messages":[{"role":"user","content":"hé\u0000llo"}]}"#;

    let refused = request(service.address, "POST", "/v1/generate", None, r#"{"prompt":7}"#);
    assert_eq!(refused.status, 400, "{refused:?}");
    let credential = node.buy(&request(service.address, "POST", "/v1/generate", None, prompt));
    let other = prompt.replace("model", "m0del");
    let other = request(service.address, "POST", "/v1/generate", Some(&credential), &other);
    assert_eq!((other.status, other.code().as_str()), (402, "out_of_scope"));

    let granted = request(service.address, "POST", "/v1/generate", Some(&credential), prompt);
    assert_eq!(granted.status, 200, "{granted:?}");
    assert_eq!(granted.header("x-l402"), Some("spent"));
    let seen = requests.recv().unwrap();
    assert!(seen.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{seen}");
    assert!(seen.ends_with(prompt), "{seen}");
    assert!(!seen.to_ascii_lowercase().contains("l402"), "the credential went upstream: {seen}");

    let ran = run(plannt_at(folder.path())
        .args(["--wallet", &node.devnet.payer_url(), "--network", "regtest"])
        .args(["-H", "Content-Type: application/json", "-d", r#"{"prompt":"x"}"#])
        .arg(service.url("/v1/generate")));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("choices"), "{ran:?}");
    assert!(requests.recv().unwrap().ends_with(r#"{"prompt":"x"}"#));

    // Without a URL the route is not there.
    let plain = node.serve(&folder.path().join("plain"), &["--demo"]);
    assert_eq!(request(plain.address, "POST", "/v1/generate", None, prompt).status, 404);
}

#[test]
fn the_reverse_proxy_sells_every_path_of_its_upstream() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let (upstream, requests) = model_server();
    let service = node.serve(folder.path(), &["--upstream", &upstream, "--price-sats", "5"]);
    let challenge = service.get("/any/path?x=1", None);
    assert_eq!(challenge.json()["price_msat"], 5_000);
    let granted = service.get("/any/path?x=1", Some(&node.buy(&challenge)));
    assert_eq!((granted.status, granted.header("x-l402")), (200, Some("spent")));
    assert!(requests.recv().unwrap().starts_with("GET /any/path?x=1 HTTP/1.1\r\n"));
}

#[test]
fn the_first_start_makes_a_private_keyring_and_a_used_one_needs_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&folder.path().join("node"));
    let service = node.serve(folder.path(), &["--demo"]);
    node.buy(&service.get("/v1/demo", None));
    let keyring = folder.path().join("gateway/keyring.json");
    assert_eq!(std::fs::metadata(&keyring).unwrap().permissions().mode() & 0o777, 0o600);
    service.kill();

    for entry in std::fs::read_dir(folder.path().join("gateway")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("spends.sqlite") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let ran = run(plannt_at(folder.path())
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--network", "regtest"])
        .args(["--node", &node.devnet.invoicer_url()]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("spend store") && ran.stderr.contains("missing"), "{ran:?}");
    assert_eq!(ran.stdout, "");
}

/// An OpenAI-compatible server, as far as this test goes: it tells what it was asked, and answers.
fn model_server() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, tell) = (stream.unwrap(), tell.clone());
            thread::spawn(move || {
                let mut seen = Vec::new();
                let mut chunk = [0; 4096];
                while !is_whole(&seen) {
                    match stream.read(&mut chunk) {
                        Ok(n @ 1..) => seen.extend_from_slice(&chunk[..n]),
                        _ => return,
                    }
                }
                tell.send(String::from_utf8(seen).unwrap()).unwrap();
                let body = r#"{"choices":[{"message":{"content":"ok"}}]}"#;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{body}",
                    body.len()
                );
                stream.write_all(answer.as_bytes()).unwrap();
            });
        }
    });
    (url, requests)
}

/// Whether a request is there to its end; it has a length or no body.
fn is_whole(seen: &[u8]) -> bool {
    let Some(end) = seen.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&seen[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |n| n.trim().parse::<usize>().unwrap());
    seen.len() >= end + 4 + length
}

#[test]
fn the_devnet_takes_orders_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::demo(folder.path());
    let devnet = |args: &[&str]| {
        let ran = run(plannt_at(folder.path()).arg("devnet").args(args));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.stdout
    };
    let set = devnet(&["fault", r#"{"operation":"pay","kind":"stuck","count":1}"#]);
    assert_eq!(set.trim(), r#"{"operation":"pay","kind":"stuck","count":1}"#);
    let fetch = || {
        run(plannt_at(folder.path()).args(["--payment-timeout", "1s"]).arg(service.url("/v1/demo")))
    };
    assert_eq!(fetch().code, Some(5));
    let payment: serde_json::Value = serde_json::from_str(&devnet(&["payments"])).unwrap();
    assert_eq!(payment["status"], "IN_FLIGHT");
    devnet(&["settle", payment["payment_hash"].as_str().unwrap()]);
    assert_eq!(fetch().code, Some(0));

    devnet(&["fault", r#"{"operation":"issue","kind":"down"}"#]);
    assert_eq!(service.get("/v1/demo", None).status, 503);
    devnet(&["clear"]);
    assert_eq!(service.get("/v1/demo", None).status, 402);
    assert_eq!(devnet(&["invoices"]).lines().count(), 2);
}
