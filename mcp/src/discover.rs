//! `discover`: what a host says that it sells, from the places where hosts say so.
//!
//! `/.well-known/l402.json` (docs/DISCOVERY.md; other servers' manifests are read as far as they agree), prices in
//! `/openapi.json` (`x-payment-info`, or a response 402), and the beginning of `/llms.txt`. All of it is a claim: the
//! challenge has the last word, and what a call may cost is not decided here.

use std::time::Duration;

use futures_util::StreamExt;
use plannt_client::{BodyStream, Request};
use rmcp::model::JsonObject;
use serde_json::{Map, Value, json};
use url::{Host, Url};

use crate::arguments::{DiscoverArguments, invalid, read};
use crate::failure::Failure;
use crate::handler::Inner;
use crate::text;

/// The longest document that is read, bytes.
const MAX_DOCUMENT: usize = 1 << 20;

/// How many routes are listed.
const MAX_ROUTES: usize = 100;

/// How much of llms.txt is shown, bytes.
const MAX_LLMS: usize = 4 << 10;

/// How long all documents together may take.
const TIMEOUT: Duration = Duration::from_secs(15);

const MANIFESTS: [&str; 2] = ["/.well-known/l402.json", "/.well-known/l402"];

pub(crate) async fn call(server: &Inner, arguments: Option<JsonObject>) -> Result<Value, Failure> {
    let DiscoverArguments { host } = read(arguments)?;
    let base = base(&host)?;
    let documents = async {
        let manifest = async {
            match get(server, &base, MANIFESTS[0]).await {
                Ok(None) => get(server, &base, MANIFESTS[1]).await,
                found => found,
            }
        };
        let openapi = get(server, &base, "/openapi.json");
        tokio::join!(manifest, openapi, get(server, &base, "/llms.txt"))
    };
    let documents = tokio::time::timeout(TIMEOUT, documents).await;
    let (manifest, openapi, llms) =
        documents.map_err(|_| Failure::new("timeout", "the host did not answer in time"))?;
    if manifest.is_err() && openapi.is_err() && llms.is_err() {
        manifest
            .as_ref()
            .map_err(|failure| Failure::new(failure.code, "the host can't be reached"))?;
    }
    let mut found = Found::default();
    if let Some(manifest) = parsed(manifest) {
        found.manifest(&manifest);
    }
    if let Some(openapi) = parsed(openapi) {
        found.openapi(&openapi);
    }
    Ok(found.told(&base, llms.ok().flatten()))
}

fn parsed(document: Result<Option<String>, Failure>) -> Option<Value> {
    serde_json::from_str(&document.ok()??).ok()
}

/// The root of a host: `https`, or `http` where it stays on this machine, unless the caller says.
fn base(host: &str) -> Result<Url, Failure> {
    let parse = |text: &str| Url::parse(text).map_err(|error| invalid(format!("host: {error}")));
    let mut url = if host.contains("://") {
        parse(host)?
    } else {
        let url = parse(&format!("http://{host}"))?;
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if is_local { url } else { parse(&format!("https://{host}"))? }
    };
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// A document's text; none where the host has no such document.
async fn get(server: &Inner, base: &Url, path: &str) -> Result<Option<String>, Failure> {
    let url = base.join(path).map_err(|error| invalid(error.to_string()))?;
    let request = Request::get(url.as_str()).map_err(|error| invalid(error.to_string()))?;
    let response = server.client.send_unpaid(request).await?;
    let kind = response.headers.get("content-type").and_then(|value| value.to_str().ok());
    // Many sites answer any path with a page.
    if response.status != 200 || kind.is_some_and(|kind| kind.starts_with("text/html")) {
        return Ok(None);
    }
    Ok(body(response.body).await)
}

async fn body(mut stream: BodyStream) -> Option<String> {
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.ok()?);
        if body.len() > MAX_DOCUMENT {
            return None;
        }
    }
    String::from_utf8(body).ok()
}

#[derive(Default)]
struct Found {
    routes: Vec<Value>,
    network: Option<String>,
    sources: Vec<&'static str>,
    more: bool,
}

impl Found {
    /// Ours says `routes`; others say `endpoints`.
    fn manifest(&mut self, manifest: &Value) {
        let lists =
            ["routes", "endpoints"].into_iter().filter_map(|name| manifest[name].as_array());
        for route in lists.flatten() {
            let Some(path) = route["path"].as_str() else { continue };
            let mut told = Map::new();
            told.insert("method".into(), json!(words(&route["method"]).unwrap_or("GET".into())));
            told.insert("path".into(), json!(short(path)));
            if let Some(msat) = price_msat(route) {
                told.insert("price_sats".into(), text::sats(msat));
            }
            for name in ["service", "description"] {
                if let Some(words) = words(&route[name]) {
                    told.insert(name.into(), json!(words));
                }
            }
            for name in ["uses", "valid_seconds"] {
                if let Some(number) = route[name].as_u64() {
                    told.insert(name.into(), json!(number));
                }
            }
            if let Some(binds) = route["binds"].as_array() {
                let binds: Vec<_> = binds.iter().take(8).filter_map(words).collect();
                told.insert("binds".into(), json!(binds));
            }
            self.add(told, "l402.json");
        }
        self.network = words(&manifest["network"]);
    }

    /// Operations that say what they cost, or that they cost something.
    fn openapi(&mut self, document: &Value) {
        let Some(paths) = document["paths"].as_object() else { return };
        for (path, item) in paths {
            for method in ["get", "put", "post", "delete", "patch"] {
                let operation = &item[method];
                let info = &operation["x-payment-info"];
                if !operation.is_object()
                    || (info.is_null() && operation["responses"]["402"].is_null())
                {
                    continue;
                }
                let method = method.to_ascii_uppercase();
                // The manifest is the more exact of the two.
                let is_known =
                    self.routes.iter().any(|r| r["path"] == **path && r["method"] == *method);
                if is_known {
                    continue;
                }
                let mut told = Map::new();
                told.insert("method".into(), json!(method));
                told.insert("path".into(), json!(short(path)));
                told.extend(payment_info(info));
                if let Some(words) = words(&operation["summary"]) {
                    told.insert("description".into(), json!(words));
                }
                self.add(told, "openapi.json");
            }
        }
    }

    fn add(&mut self, route: Map<String, Value>, source: &'static str) {
        if !self.sources.contains(&source) {
            self.sources.push(source);
        }
        if self.routes.len() < MAX_ROUTES {
            self.routes.push(Value::Object(route));
        } else {
            self.more = true;
        }
    }

    fn told(mut self, base: &Url, llms: Option<String>) -> Value {
        let mut told = json!({"host": base.as_str().trim_end_matches('/'), "routes": self.routes});
        if let Some(network) = self.network {
            told["network"] = json!(network);
        }
        if let Some(llms) = llms {
            self.sources.push("llms.txt");
            told["llms_txt"] = json!(text::cut(&llms, MAX_LLMS));
        }
        if self.more {
            told["more_routes"] = json!(true);
        }
        told["sources"] = json!(self.sources);
        told
    }
}

/// A price in msat, by the names that are in use for it.
fn price_msat(route: &Value) -> Option<u64> {
    let sats = || ["price_sats", "priceSats"].into_iter().find_map(|name| route[name].as_u64());
    route["price_msat"].as_u64().or_else(|| sats()?.checked_mul(1_000))
}

/// `x-payment-info`: a price in bitcoin's units becomes `price_sats`, any other is told as it is.
fn payment_info(info: &Value) -> Map<String, Value> {
    let text_of = |value: &Value| match value {
        Value::String(text) => Some(short(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut told = Map::new();
    let price = &info["price"];
    let currency = text_of(&price["currency"]).unwrap_or_default();
    if let Some(amount) = text_of(&price["amount"]) {
        let whole = amount.parse::<u64>().ok();
        let msat = match (currency.to_ascii_lowercase().as_str(), whole) {
            ("msat" | "msats", Some(amount)) => Some(amount),
            ("sat" | "sats", Some(amount)) => amount.checked_mul(1_000),
            _ => None,
        };
        match msat {
            Some(msat) => told.insert("price_sats".into(), text::sats(msat)),
            None => told.insert("price".into(), json!(format!("{amount} {currency}").trim())),
        };
    } else if let (Some(least), Some(most)) =
        (text_of(&info["minPrice"]), text_of(&info["maxPrice"]))
    {
        told.insert("price".into(), json!(format!("{least} to {most}")));
    }
    told
}

fn words(value: &Value) -> Option<String> {
    value.as_str().map(short)
}

/// Somebody else's words, short enough for a list.
fn short(words: &str) -> String {
    text::printable(text::cut(words, 200))
}
