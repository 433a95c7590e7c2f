//! LNbits on the node, with a wallet of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use plannt_e2e::{Lnd, Process, free_port, wait_for};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::Way;

/// What the wallet owns as far as LNbits counts; the node's channel has as much.
const SATS: u64 = 2_000_000;

/// Each node has one, which starts in some seconds and serves all tests.
static OF_ALICE: OnceCell<Lnbits> = OnceCell::const_new();
static OF_BOB: OnceCell<Lnbits> = OnceCell::const_new();

struct Lnbits {
    url: String,
    _process: Process,
}

pub(crate) async fn lnbits(node: &Lnd) -> Way {
    let cell = if node.name() == "alice" { &OF_ALICE } else { &OF_BOB };
    let lnbits = cell.get_or_init(async || start(node).await).await;
    Way { url: lnbits.url.clone(), _through: Box::new(()) }
}

async fn start(node: &Lnd) -> Lnbits {
    let installed = std::env::var_os("PLANNT_LNBITS").map(PathBuf::from);
    let installed = installed.expect("PLANNT_LNBITS: run e2e/run, which installs it");
    let folder = node.folder().join("lnbits");
    std::fs::create_dir_all(&folder).unwrap();
    let port = free_port();
    let mut command = Command::new(installed.join("bin/lnbits"));
    command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    // It looks for its pages where it runs.
    command.current_dir(packages(&installed));
    for (name, value) in [
        ("LNBITS_DATA_FOLDER", folder.display().to_string()),
        ("LNBITS_EXTENSIONS_PATH", folder.display().to_string()),
        ("LNBITS_BACKEND_WALLET_CLASS", "LndRestWallet".into()),
        ("LND_REST_ENDPOINT", format!("https://127.0.0.1:{}", node.rest_port())),
        ("LND_REST_CERT", node.certificate().display().to_string()),
        ("LND_REST_MACAROON", node.macaroon().display().to_string()),
        ("LNBITS_ADMIN_UI", "true".into()),
        ("LNBITS_RATE_LIMIT_NO", "100000".into()),
        ("AUTH_SECRET_KEY", "e2e".into()),
    ] {
        command.env(name, value);
    }
    let mut process = Process::start(command, &folder.join("log"));
    let service = Service { base: format!("http://127.0.0.1:{port}"), client: client() };
    let password = "only for this test";
    let owner = json!({"username": "owner", "password": password, "password_repeat": password});
    // Before there is an owner, it serves nothing else.
    let owner = wait_for("LNbits", async || {
        assert!(!process.has_ended(), "LNbits has ended:\n{}", process.last_words());
        service.send(Method::PUT, "/api/v1/auth/first_install", None, &owner).await
    })
    .await;
    let owner = owner["access_token"].as_str().unwrap().to_owned();
    let wallet = service.send(Method::POST, "/api/v1/account", None, &json!({"name": "e2e"})).await;
    let wallet = wallet.unwrap();
    let credit = json!({"id": wallet["id"], "amount": SATS.to_string()});
    service.send(Method::PUT, "/users/api/v1/balance", Some(&owner), &credit).await.unwrap();
    let key = wallet["adminkey"].as_str().unwrap();
    Lnbits {
        url: format!("lnbits://127.0.0.1:{port}?key={key}&network=regtest"),
        _process: process,
    }
}

struct Service {
    base: String,
    client: Client,
}

impl Service {
    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> Result<Value, String> {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).json(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(|e| format!("{e:?}"))?;
        let status = response.status();
        let text = response.text().await.map_err(|e| format!("{e:?}"))?;
        match status.is_success() {
            true => serde_json::from_str(&text).map_err(|e| format!("{e}: {text}")),
            false => Err(format!("{path}: {status}: {text}")),
        }
    }
}

fn client() -> Client {
    // An error means that another was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(30));
    client.pool_max_idle_per_host(0).build().unwrap()
}

/// The folder of an environment's packages.
fn packages(installed: &Path) -> PathBuf {
    let mut versions = std::fs::read_dir(installed.join("lib")).unwrap();
    versions.next().unwrap().unwrap().path().join("site-packages")
}
