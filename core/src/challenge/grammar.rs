//! RFC 9110 §11.6.1: the list of challenges in one `WWW-Authenticate` line.

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// Longest line that is read, in bytes.
pub(crate) const MAX_LINE_BYTES: usize = 65_536;

/// Most parameters that one challenge may have.
pub(crate) const MAX_PARAMS: usize = 64;

/// One challenge of the list, with any scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthChallenge<'a> {
    /// The scheme's name as written; compare it without regard to case.
    pub scheme: &'a str,
    /// What follows the scheme.
    pub data: AuthData<'a>,
}

/// What follows a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthData<'a> {
    /// Parameters in the order of the wire, possibly none.
    Params(Vec<AuthParam<'a>>),
    /// One opaque text.
    Token68(&'a str),
}

/// One `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthParam<'a> {
    /// The name as written; compare it without regard to case.
    pub name: &'a str,
    /// The value with quotes and escapes undone.
    pub value: Cow<'a, [u8]>,
}

/// Where a line stops being a list of challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrammarError {
    /// The line is longer than is read.
    #[error("the line has {bytes} bytes, at most 65536 are read")]
    LineTooLong {
        /// Bytes of the line.
        bytes: usize,
    },
    /// A byte that the grammar does not allow there, or the end where it wants more.
    #[error("not a challenge list at byte {offset}")]
    Syntax {
        /// Offset from the start of the line.
        offset: usize,
    },
    /// One challenge has more parameters than are read.
    #[error("a challenge has more than 64 parameters")]
    TooManyParameters,
}

impl GrammarError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        "challenge_syntax"
    }
}

/// Reads a whole line.
///
/// # Errors
/// [`GrammarError`]; what was readable before it is what [`Challenges`] yields.
pub fn parse_challenges(line: &[u8]) -> Result<Vec<AuthChallenge<'_>>, GrammarError> {
    Challenges::new(line).collect()
}

/// Iterates over a line's challenges; ends after the first error.
#[derive(Clone, Debug)]
pub struct Challenges<'a> {
    line: &'a [u8],
}

impl<'a> Challenges<'a> {
    /// Starts at the line's first byte.
    pub fn new(line: &'a [u8]) -> Self {
        Self { line }
    }
}

impl<'a> Iterator for Challenges<'a> {
    type Item = Result<AuthChallenge<'a>, GrammarError>;

    fn next(&mut self) -> Option<Self::Item> {
        let _ = self.line;
        todo!()
    }
}
