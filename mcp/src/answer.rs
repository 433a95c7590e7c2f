//! From a server's answer to a tool's result: what a model can read, what it can look at, what it can ask for later.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use http::HeaderMap;
use plannt_client::{BodyStream, Response};
use plannt_core::PaymentHash;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::{Map, Value, json};

use crate::config::SizeLimits;
use crate::failure::Failure;
use crate::responses::Responses;
use crate::{redact, text};

/// How much of a long text is shown beside its resource, bytes.
const PREVIEW: usize = 4 << 10;

/// Above this, bytes are looked through beside the async threads.
const MANY: usize = 256 << 10;

/// Turns an answer into a result. `method` and the answer's URL name what is kept as a resource.
pub(crate) async fn result(
    response: Response,
    method: &str,
    sizes: SizeLimits,
    responses: &Responses,
) -> Result<CallToolResult, Failure> {
    let receipt = response.receipt.clone();
    let failed = |failure: Failure| failure.with_receipt(receipt.clone());
    let hashes: Vec<PaymentHash> = receipt.iter().map(|receipt| receipt.payment_hash).collect();
    let mut result = Map::new();
    result.insert("status".into(), json!(response.status.as_u16()));
    result.insert("url".into(), json!(response.url.as_str()));
    result.insert("headers".into(), headers(&response.headers));
    if let Some(x_l402) = response.headers.get("x-l402").and_then(|value| value.to_str().ok()) {
        result.insert("x_l402".into(), json!(x_l402));
    }
    result.insert("paid".into(), json!(response.payment.is_some()));
    // The client presents nothing whose preimage does not prove the payment; the server has taken it.
    let verified = receipt.is_some() && response.status.as_u16() < 400;
    result.insert("verified".into(), json!(verified));
    if let Some(receipt) = &receipt {
        result.insert("receipt".into(), text::receipt(receipt));
    }
    let kind = content_type(&response.headers).map(|kind| redact::text(&kind, &hashes));
    let url = redact::text(response.url.as_str(), &hashes);
    let name = format!("{method} {}", text::cut(&url, 200));
    let (body, incomplete) = read(response.body, sizes.body).await;
    if let Some(reason) = incomplete {
        result.insert("incomplete".into(), json!(reason));
    }
    let body = without_preimages(body, hashes.clone()).await.map_err(failed)?;
    result.insert("bytes".into(), json!(body.len()));
    let shown = show(body, kind, name, sizes, responses).map_err(failed)?;
    result.extend(shown.members);
    let mut structured = Value::Object(result);
    // Every word of it may be the server's: the headers and their names, the URL that a redirect led to, and JSON,
    // which has other ways of writing a digit.
    redact::value(&mut structured, &hashes);
    // The same as text, for clients that know no structured content.
    let mut content = vec![ContentBlock::text(structured.to_string())];
    content.extend(shown.blocks);
    let mut result = CallToolResult::success(content);
    result.structured_content = Some(structured);
    Ok(result)
}

/// A body's place in a result.
#[derive(Default)]
struct Shown {
    members: Map<String, Value>,
    blocks: Vec<ContentBlock>,
}

impl Shown {
    fn body(body: Value) -> Self {
        Self { members: Map::from_iter([("body".into(), body)]), blocks: Vec::new() }
    }

    fn block(block: ContentBlock) -> Self {
        Self { members: Map::new(), blocks: vec![block] }
    }
}

fn show(
    body: Vec<u8>,
    kind: Option<String>,
    name: String,
    sizes: SizeLimits,
    responses: &Responses,
) -> Result<Shown, Failure> {
    if body.is_empty() {
        return Ok(Shown::default());
    }
    let essence = kind.as_deref().unwrap_or_default();
    let is_image = matches!(essence, "image/png" | "image/jpeg" | "image/gif" | "image/webp");
    if body.len() <= sizes.inline_media && (is_image || essence.starts_with("audio/")) {
        let data = STANDARD.encode(&body);
        return Ok(Shown::block(match is_image {
            true => ContentBlock::image(data, essence),
            false => ContentBlock::audio(data, essence),
        }));
    }
    let is_json = essence == "application/json" || essence.ends_with("+json");
    let as_text = std::str::from_utf8(&body).ok().filter(|text| !text.contains('\0'));
    if body.len() <= sizes.inline
        && let Some(text) = as_text
    {
        let value = is_json.then(|| serde_json::from_str(text).ok()).flatten();
        return Ok(Shown::body(value.unwrap_or_else(|| json!(text))));
    }
    let kept = responses.keep(name, kind.clone(), &body);
    let resource = kept.map_err(|error| {
        Failure::new("not_kept", format!("the body could not be kept: {error}"))
    })?;
    let mut shown = Shown::default();
    shown.members.insert("resource".into(), json!(resource.uri));
    if let Some(text) = as_text {
        shown.members.insert("preview".into(), json!(text::cut(text, PREVIEW)));
    }
    if body.len() <= sizes.inline {
        let blob = ResourceContents::blob(STANDARD.encode(&body), resource.uri.clone());
        let blob = match kind {
            Some(kind) => blob.with_mime_type(kind),
            None => blob,
        };
        shown.blocks.push(ContentBlock::resource(blob));
    } else {
        shown.blocks.push(ContentBlock::resource_link(resource));
    }
    Ok(shown)
}

/// A body's first `max` bytes, and why there is no more of it where there could be.
async fn read(mut stream: BodyStream, max: usize) -> (Vec<u8>, Option<String>) {
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) if chunk.len() > max - body.len() => {
                body.extend_from_slice(&chunk[..max - body.len()]);
                return (body, Some(format!("the body is longer than {max} bytes")));
            }
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(error) => return (body, Some(format!("the body broke off: {error}"))),
        }
    }
    (body, None)
}

async fn without_preimages(
    mut body: Vec<u8>,
    hashes: Vec<PaymentHash>,
) -> Result<Vec<u8>, Failure> {
    if body.len() <= MANY {
        redact::preimages(&mut body, &hashes);
        return Ok(body);
    }
    let work = move || {
        redact::preimages(&mut body, &hashes);
        body
    };
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Failure::new("internal", "the body could not be looked through"))
}

/// Lines of one name are joined, as RFC 9110 (5.3) allows; what is not text is shown as far as it is.
fn headers(headers: &HeaderMap) -> Value {
    let mut all = Map::new();
    for name in headers.keys() {
        let lines: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        all.insert(name.as_str().into(), json!(lines.join(", ")));
    }
    Value::Object(all)
}

/// The media type without its parameters, in lower case.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("content-type")?.to_str().ok()?;
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!essence.is_empty()).then_some(essence)
}
