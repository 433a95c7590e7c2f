//! The one spelling of a path that routing, price and caveat share (docs/PROTOCOL.md §2).

use alloc::borrow::Cow;

/// What a route takes in a path besides the plain form; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PathRules {
    /// `\` and `%5C`; the first is written as the second.
    pub backslash: bool,
    /// `%00` to `%1F` and `%7F`. Raw control bytes are never taken: a request line can't carry them.
    pub control: bool,
    /// Empty inner segments: `//`.
    pub empty_segments: bool,
    /// `%2F`.
    pub encoded_slash: bool,
    /// `;`.
    pub semicolon: bool,
}

/// Why a path can't be taken. Its message is the `detail` of the `bad_path` answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// `\` or `%5C`.
    #[error("the path has a backslash")]
    Backslash,
    /// A control byte, raw or escaped.
    #[error("the path has a control byte")]
    Control,
    /// A segment that is `.` or `..` once its escapes are decoded.
    #[error("the path has a dot segment")]
    DotSegment,
    /// An empty segment that is not the last.
    #[error("the path has an empty segment")]
    EmptySegment,
    /// `%2F`.
    #[error("the path has an encoded slash")]
    EncodedSlash,
    /// A byte that a path can't hold unescaped (RFC 3986 §3.3).
    #[error("the path has a byte that must be percent-encoded")]
    IllegalByte,
    /// `%` without two hex digits.
    #[error("the path has a malformed escape")]
    MalformedEscape,
    /// The path does not begin with `/`.
    #[error("the path does not begin with a slash")]
    NotAbsolute,
    /// `;`.
    #[error("the path has a semicolon")]
    Semicolon,
}

impl PathError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        "bad_path"
    }
}

/// Writes a target's path (without its query) in the one form that counts.
///
/// # Errors
/// [`PathError`] for what `rules` do not let through.
pub fn normalize_path<'a>(path: &'a str, rules: &PathRules) -> Result<Cow<'a, str>, PathError> {
    let _ = (path, rules);
    todo!()
}
