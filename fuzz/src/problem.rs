//! Stands in for the gateway's module of this name, of which its framing needs only what a problem is called.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Problem {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    pub(crate) fn request(detail: impl Into<String>) -> Self {
        Self::new("bad_request", detail)
    }

    pub(crate) fn path(detail: impl Into<String>) -> Self {
        Self::new("bad_path", detail)
    }

    pub(crate) fn slow(detail: &'static str) -> Self {
        Self::new("request_timeout", detail)
    }

    pub(crate) fn uri_too_long(limit: usize) -> Self {
        Self::new("uri_too_long", format!("more than {limit} bytes"))
    }

    pub(crate) fn header_too_large(detail: impl Into<String>) -> Self {
        Self::new("header_too_large", detail)
    }
}
