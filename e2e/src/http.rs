//! HTTPS to a program on this machine that signed its own certificate.

use std::sync::LazyLock;
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

/// The programs are our own children on loopback, with money that is worth nothing: their certificates are not looked at. No
/// connection is kept, since each test has a runtime of its own.
pub(crate) static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    // An error means that another test was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .no_proxy()
        .http1_only()
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
});

/// Sends a request whose answer is JSON; any other status than 200 is an error.
pub(crate) async fn json(request: RequestBuilder) -> Result<Value, String> {
    let response = request.send().await.map_err(|e| format!("{e:?}"))?;
    let status = response.status();
    let body = response.text().await.map_err(|e| format!("{e:?}"))?;
    match status.as_u16() {
        200 => serde_json::from_str(&body).map_err(|e| format!("{e}: {body}")),
        _ => Err(format!("{status}: {body}")),
    }
}
