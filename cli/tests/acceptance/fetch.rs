//! `plannt URL` as who knows curl uses it: where the body goes, what is said, and what is never paid.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::node::Node;
use crate::common::shop::{Reply, Shop};
use crate::common::{Service, plannt_at, run};

const OK: Reply =
    Reply::Bytes("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\ngoods");

struct World {
    folder: tempfile::TempDir,
    node: Node,
    service: Service,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::start(&folder.path().join("node"));
        let service = node.serve(folder.path(), &["--demo"]);
        Self { folder, node, service }
    }

    fn plannt(&self) -> Command {
        let mut command = plannt_at(self.folder.path());
        command.env("PLANNT_WALLET", self.node.devnet.payer_url());
        command.env("PLANNT_NETWORK", "regtest");
        command
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

#[test]
fn the_output_is_opened_before_anything_is_paid() {
    let world = World::new();
    let url = world.service.url("/v1/demo");
    for path in ["no/such/folder", "node"] {
        let ran = run(world.plannt().arg("-o").arg(world.path(path)).arg(&url));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("could not write to"), "{ran:?}");
    }
    assert_eq!(world.node.payments().len(), 0);

    // A call that brings nothing leaves the file as it was, and makes none.
    let kept = world.path("kept");
    std::fs::write(&kept, "something longer than the response").unwrap();
    let made = world.path("made");
    for path in [&kept, &made] {
        let ran = run(world.plannt().args(["--max-sats", "1", "-o"]).arg(path).arg(&url));
        assert_eq!(ran.code, Some(3), "{ran:?}");
    }
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "something longer than the response");
    assert!(!made.exists());

    for path in [&kept, &made] {
        assert_eq!(run(world.plannt().arg("-o").arg(path).arg(&url)).code, Some(0));
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"result\":\"verified\"}");
    }
    #[cfg(unix)]
    {
        let (link, target) = (world.path("link"), world.path("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(run(world.plannt().arg("-o").arg(&link).arg(&url)).code, Some(0));
        assert_eq!(std::fs::read_to_string(target).unwrap(), "{\"result\":\"verified\"}");
    }
    let ran = run(world.plannt().args(["-o", "-"]).arg(&url));
    assert!(ran.stdout.contains("verified"), "{ran:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_error_costs_nobody_the_response() {
    let world = World::new();
    for log in ["warn", "trace"] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut command = world.plannt();
        let output = command
            .env("RUST_LOG", log)
            .arg(world.service.url("/v1/demo"))
            .stderr(full)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(output.stdout, b"{\"result\":\"verified\"}");
    }
    // And an error is still told by the exit code.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = world.plannt();
    command.args(["--max-sats", "1"]).arg(world.service.url("/v1/demo")).stderr(full);
    assert_eq!(command.status().unwrap().code(), Some(3));
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let world = World::new();
    let shop = Shop::start(world.service.address, |asked| match asked.path {
        "/" => Reply::Endless("HTTP/1.1 200 OK\r\n\r\n"),
        _ => OK,
    });
    let mut child = world.plannt().arg(shop.url("/")).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 5]).unwrap();
    drop(stdout);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_has_arrived_is_written_at_once() {
    let world = World::new();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::Write;
        let (mut client, _) = listener.accept().unwrap();
        let _ = client.read(&mut [0; 16 * 1024]);
        client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst").unwrap();
        // The rest comes only once the first part was seen.
        wait.lock().unwrap().recv().unwrap();
        client.write_all(b"other").unwrap();
    });
    let mut child = world.plannt().arg(url).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 5];
    stdout.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first");
    go_on.send(()).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("other", Some(0)));
}

#[test]
fn headers_alone_are_never_paid_for() {
    let world = World::new();
    let shop = Shop::start(world.service.address, |_| Reply::Challenge);
    for args in [["-I", "-s"], ["-X", "HEAD"]] {
        let ran = run(world.plannt().args(args).arg(shop.url("/")));
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    let ran = run(world.plannt().arg("-I").arg(shop.url("/")));
    assert!(ran.stdout.starts_with("HTTP/1.1 402 Payment Required\r\n"), "{ran:?}");
    assert_eq!(world.node.payments().len(), 0);
}

#[test]
fn a_dry_run_pays_nothing_and_writes_nothing() {
    let world = World::new();
    let ran = run(world.plannt().arg("--dry-run").arg(world.service.url("/v1/demo")));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stderr.contains("price     21 sat"), "{ran:?}");
    assert!(!world.path("client").exists());
    assert_eq!(world.node.payments().len(), 0);

    // With a journal there, it says what the call would do, and does none of it.
    let shop = Shop::start(world.service.address, |asked| match asked.has_credential {
        true => Reply::Bytes("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        false => Reply::Challenge,
    });
    let ran = run(world.plannt().arg(shop.url("/")));
    assert!(ran.stderr.contains("run the same command again"), "{ran:?}");
    let before = run(world.plannt().args(["receipts", "--json"])).stdout;
    let ran = run(world.plannt().arg("--dry-run").arg(shop.url("/")));
    assert!(ran.stderr.contains("21 sat was paid for this already"), "{ran:?}");
    assert_eq!(run(world.plannt().args(["receipts", "--json"])).stdout, before);
    assert_eq!(world.node.payments().len(), 1);
}

#[test]
fn what_was_paid_for_nothing_comes_with_its_receipt_and_exit_code() {
    let world = World::new();
    let shop = Shop::start(world.service.address, |asked| {
        match (asked.path, asked.has_credential) {
            (_, false) | ("/lost", _) => Reply::Challenge,
            ("/more", _) => Reply::Bytes(
                "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
            _ => Reply::Bytes(
                "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
        }
    });
    for (path, exit_code, code) in [
        ("/lost", 6, "[payment_lost]"),
        ("/more", 6, "[challenge_after_redirect]"),
        ("/nowhere", 7, "[redirect_failed]"),
    ] {
        let ran = run(world.plannt().arg("-L").arg(shop.url(path)));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(exit_code), ""), "{ran:?}");
        assert!(ran.stderr.contains(code) && ran.stderr.contains("receipt: "), "{ran:?}");
        assert!(!ran.stderr.contains("nothing was paid"), "{ran:?}");
    }
}

#[test]
fn no_log_holds_a_secret() {
    let world = World::new();
    let mut said = String::new();
    for path in ["/v1/demo", "/v1/data"] {
        let ran = run(world.plannt().env("RUST_LOG", "trace").arg(world.service.url(path)));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(!ran.stderr.contains('\x1b'), "no colours outside of a terminal");
        said += &ran.stderr;
    }
    assert!(said.contains("TRACE"));
    let journal = std::fs::read(world.path("client/journal.db")).unwrap();
    let macaroon = std::fs::read(world.path("node/payer.macaroon")).unwrap();
    let mut secrets = vec![macaroon];
    // Each invoice of the node, with its preimage and the token that the journal holds for it.
    let rows = preimages_and_tokens(&world.path("client/journal.db"));
    assert_eq!(rows.len(), 2, "{} bytes of journal", journal.len());
    secrets.extend(rows.into_iter().flatten());
    for secret in secrets {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!said.contains(&hex));
        if let Ok(text) = String::from_utf8(secret) {
            assert!(!said.contains(&text));
        }
    }
}

/// As they stand in the file.
fn preimages_and_tokens(path: &Path) -> Vec<[Vec<u8>; 2]> {
    let file = rusqlite::Connection::open(path).unwrap();
    let mut rows = file.prepare("SELECT preimage, token FROM payments").unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get::<_, String>(1)?.into_bytes()]);
    rows.query_map([], read).unwrap().map(Result::unwrap).collect()
}

#[test]
fn processes_together_never_pass_the_budget() {
    let world = World::new();
    let children: Vec<_> = (0..8)
        .map(|n| {
            let mut command = world.plannt();
            command.args(["--max-sats-per-day", "63", "--max-fee-sats", "0"]);
            command.arg(world.service.url(&format!("/v1/demo?{n}")));
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let codes = children.into_iter().map(|mut child| child.wait().unwrap().code());
    let mut codes: Vec<_> = codes.collect();
    codes.sort_unstable();
    assert_eq!(codes[..3], [Some(0); 3], "{codes:?}");
    assert_eq!(codes[3..], [Some(3); 5], "{codes:?}");
    assert_eq!(world.node.paid_msat(), [21_000; 3]);
}
