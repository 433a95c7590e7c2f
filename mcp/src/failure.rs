//! A call that did not work out, as the model is told.

use plannt_client::{ClientError, JournalError, Receipt, TransportError};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::json;

use crate::{redact, text};

/// A tool's error: a stable code, what to do next, and the receipt where money was spent.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    message: String,
    receipt: Option<Box<Receipt>>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), receipt: None }
    }

    pub(crate) fn with_receipt(mut self, receipt: Option<Receipt>) -> Self {
        self.receipt = receipt.map(Box::new);
        self
    }

    /// Not a protocol error: those are shown to no model, and this is for it to act on.
    pub(crate) fn into_result(self) -> CallToolResult {
        let hashes: Vec<_> = self.receipt.iter().map(|receipt| receipt.payment_hash).collect();
        let mut error = json!({
            "code": self.code,
            // It may quote where a redirect led.
            "message": redact::text(&text::printable(&self.message), &hashes),
            "paid": self.receipt.is_some(),
        });
        if let Some(receipt) = &self.receipt {
            error["receipt"] = text::receipt(receipt);
        }
        CallToolResult::error(vec![ContentBlock::text(json!({ "error": error }).to_string())])
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::new(error.code(), error.to_string()).with_receipt(error.receipt().cloned())
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        ClientError::from(error).into()
    }
}

impl From<TransportError> for Failure {
    fn from(error: TransportError) -> Self {
        ClientError::from(error).into()
    }
}
