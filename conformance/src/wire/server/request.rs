//! Requests, written out to the byte.

/// What is asked for: a method, a target as it goes into the request line, and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: String,
}

impl Target {
    pub(super) fn get(target: &str) -> Self {
        Self { method: "GET".into(), target: target.into(), body: String::new() }
    }

    pub(super) fn method(&self, method: &str) -> Self {
        Self { method: method.into(), ..self.clone() }
    }

    pub(super) fn at(&self, target: impl Into<String>) -> Self {
        Self { target: target.into(), ..self.clone() }
    }

    pub(super) fn body(&self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self.clone() }
    }

    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The bytes of the request, with these lines more. The connection ends with it.
    pub(super) fn bytes(&self, host: &str, lines: &[String]) -> Vec<u8> {
        let mut all = vec![format!("Host: {host}"), "Connection: close".into()];
        all.extend(lines.iter().cloned());
        if !self.body.is_empty() {
            all.push("Content-Type: application/json".into());
            all.push(format!("Content-Length: {}", self.body.len()));
        }
        let head =
            format!("{} {} HTTP/1.1\r\n{}\r\n\r\n", self.method, self.target, all.join("\r\n"));
        [head.as_bytes(), self.body.as_bytes()].concat()
    }
}

/// The line that presents a credential.
pub(super) fn authorization(value: &str) -> String {
    format!("Authorization: {value}")
}
