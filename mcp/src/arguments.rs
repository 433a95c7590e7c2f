//! What a model may say, read strictly: an argument that nobody knows is an error, not a wish that is ignored.

use plannt_client::Request;
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

use crate::failure::Failure;

/// The arguments of `fetch` and `quote`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestArguments {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Text as it is, or any other JSON value as `application/json`.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    #[serde(default)]
    pub(crate) max_sats: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscoverArguments {
    pub(crate) host: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReceiptsArguments {
    #[serde(default)]
    pub(crate) limit: Option<u32>,
    #[serde(default)]
    pub(crate) host: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoArguments {}

pub(crate) fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("invalid_arguments", message)
}

pub(crate) fn read<T: DeserializeOwned>(arguments: Option<JsonObject>) -> Result<T, Failure> {
    let value = Value::Object(arguments.unwrap_or_default());
    serde_json::from_value(value).map_err(|error| invalid(error.to_string()))
}

impl RequestArguments {
    /// The method, in upper case, as agents mean it: `GET`, or `POST` with a body.
    pub(crate) fn method(&self) -> String {
        match &self.method {
            Some(method) => method.to_ascii_uppercase(),
            None if self.body.is_some() => "POST".into(),
            None => "GET".into(),
        }
    }

    /// The limit that the agent wants for this call, msat.
    pub(crate) fn max_msat(&self) -> u64 {
        self.max_sats.map_or(u64::MAX, |sats| sats.saturating_mul(1_000))
    }

    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let request = Request::new(&self.method(), &self.url);
        let mut request = request.map_err(|error| invalid(error.to_string()))?;
        for (name, value) in &self.headers {
            request = request
                .header(name, value)
                .map_err(|error| invalid(format!("{error}: {name:?}")))?;
        }
        let Some(body) = &self.body else { return Ok(request) };
        let (bytes, kind) = match body {
            Value::String(text) => (text.clone().into_bytes(), "text/plain; charset=utf-8"),
            value => (value.to_string().into_bytes(), "application/json"),
        };
        if !request.headers.contains_key("content-type") {
            request =
                request.header("content-type", kind).map_err(|error| invalid(error.to_string()))?;
        }
        Ok(request.body(bytes))
    }

    /// What a person agrees to when they agree to this call.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let whole =
            serde_json::json!([self.method(), self.url, self.headers, self.body, self.max_sats]);
        Sha256::digest(whole.to_string()).into()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use serde_json::json;

    fn arguments(value: Value) -> Result<RequestArguments, Failure> {
        read(value.as_object().cloned())
    }

    #[test]
    fn a_body_is_text_or_json() {
        let request = arguments(json!({"url": "https://a.example/", "body": {"a": [1, "é"]}}));
        let request = request.unwrap().request().unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!(request.headers["content-type"], "application/json");
        let own = json!({"url": "https://a.example/", "method": "put", "body": "a=b",
            "headers": {"Content-Type": "application/x-www-form-urlencoded"}});
        let request = arguments(own).unwrap().request().unwrap();
        assert_eq!(request.method, "PUT");
        assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(request.headers.get_all("content-type").iter().count(), 1);
    }

    #[test]
    fn what_is_not_known_or_not_sendable_is_an_error() {
        for value in [
            json!({}),
            json!({"url": 1}),
            json!({"url": "https://a.example/", "max_price": 5}),
            json!({"url": "https://a.example/", "max_sats": -1}),
            json!({"url": "https://a.example/", "max_sats": 1.5}),
            json!({"url": "a.example"}),
            json!({"url": "https://a.example/", "method": "A B"}),
            json!({"url": "https://a.example/", "headers": {"a b": "c"}}),
            json!({"url": "https://a.example/", "headers": {"a": "b\r\nc: d"}}),
        ] {
            let failure = arguments(value.clone()).and_then(|a| a.request()).unwrap_err();
            assert_eq!(failure.code, "invalid_arguments", "{value}");
        }
    }

    #[test]
    fn another_call_has_another_digest() {
        let digest = |value| arguments(value).unwrap().digest();
        let one = digest(json!({"url": "https://a.example/", "body": "x"}));
        assert_eq!(
            one,
            digest(json!({"url": "https://a.example/", "method": "POST", "body": "x"}))
        );
        assert_ne!(one, digest(json!({"url": "https://a.example/", "body": "y"})));
        assert_ne!(one, digest(json!({"url": "https://a.example/", "body": "x", "max_sats": 5})));
    }
}
