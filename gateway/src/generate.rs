//! `POST /v1/generate`: what is sent on, where to, and what is refused before any challenge.

use std::fmt;

use http::Uri;
use http::uri::PathAndQuery;
use serde_json::Value;

use crate::GatewayError;

/// Where an OpenAI-compatible server takes prompts.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct GenerateUrl {
    chat: Uri,
    completions: Uri,
}

impl fmt::Debug for GenerateUrl {
    /// Without the query, which may hold a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GenerateUrl").field(&self.chat.authority()).field(&self.chat.path()).finish()
    }
}

/// What a body asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// It has `messages`.
    Chat,
    /// It has `prompt`.
    Completion,
}

impl GenerateUrl {
    pub(crate) fn new(url: Uri) -> Result<Self, GatewayError> {
        let path = url.path().trim_end_matches('/');
        if path.ends_with("/completions") {
            return Ok(Self { chat: url.clone(), completions: url });
        }
        let base = if path.is_empty() { "/v1" } else { path };
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let at = |endpoint: &str| {
            let mut parts = url.clone().into_parts();
            let target = format!("{base}{endpoint}{query}");
            parts.path_and_query = PathAndQuery::try_from(target).ok();
            Uri::from_parts(parts)
                .map_err(|_| GatewayError::config("the generate URL has a path that is none"))
        };
        Ok(Self { chat: at("/chat/completions")?, completions: at("/completions")? })
    }

    pub(crate) fn endpoint(&self, prompt: Prompt) -> &Uri {
        match prompt {
            Prompt::Chat => &self.chat,
            Prompt::Completion => &self.completions,
        }
    }
}

impl Prompt {
    /// Finds the prompt in a request body: `messages`, an array of objects, or `prompt`, a string; neither empty.
    /// The body itself goes on as it came.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn find(body: &[u8]) -> Result<Self, &'static str> {
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else {
            return Err("the body is not a JSON object");
        };
        let completion = match body.get("prompt") {
            None => false,
            Some(Value::String(text)) if text.trim().is_empty() => return Err("`prompt` is empty"),
            Some(Value::String(_)) => true,
            Some(_) => return Err("`prompt` is not a string"),
        };
        match body.get("messages") {
            None if completion => Ok(Self::Completion),
            None => Err("neither `prompt` nor `messages` is there"),
            Some(Value::Array(messages)) if messages.is_empty() => Err("`messages` is empty"),
            Some(Value::Array(messages)) if messages.iter().all(Value::is_object) => Ok(Self::Chat),
            Some(_) => Err("`messages` is not an array of objects"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_base_or_an_endpoint() {
        for (url, chat, completions) in [
            ("http://h:1", "http://h:1/v1/chat/completions", "http://h:1/v1/completions"),
            ("http://h:1/", "http://h:1/v1/chat/completions", "http://h:1/v1/completions"),
            ("https://h/v1", "https://h/v1/chat/completions", "https://h/v1/completions"),
            (
                "https://h/a/v1/?k=1",
                "https://h/a/v1/chat/completions?k=1",
                "https://h/a/v1/completions?k=1",
            ),
            (
                "http://h/x/chat/completions",
                "http://h/x/chat/completions",
                "http://h/x/chat/completions",
            ),
        ] {
            let generate = GenerateUrl::new(url.parse().expect("a URL")).expect("usable");
            assert_eq!(generate.endpoint(Prompt::Chat).to_string(), chat, "{url}");
            assert_eq!(generate.endpoint(Prompt::Completion).to_string(), completions, "{url}");
        }
    }

    #[test]
    fn a_prompt_has_one_of_two_shapes() {
        assert_eq!(Prompt::find(br#"{"prompt":"hi","model":"m"}"#), Ok(Prompt::Completion));
        assert_eq!(
            Prompt::find(br#"{"messages":[{"role":"user","content":"hi"}]}"#),
            Ok(Prompt::Chat)
        );
        for bad in [
            "",
            "null",
            "[]",
            "\"prompt\"",
            "{}",
            "{\"prompt\":null}",
            "{\"prompt\":7}",
            "{\"prompt\":\" \"}",
            "{\"prompt\":[\"a\"]}",
            "{\"messages\":\"hi\"}",
            "{\"messages\":[]}",
            "{\"messages\":[\"hi\"]}",
            "{\"prompt\":7,\"messages\":[{}]}",
            "{\"prompt\":\"a\",\"messages\":7}",
            "{\"prompt\":\"a\"} x",
        ] {
            assert!(Prompt::find(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
