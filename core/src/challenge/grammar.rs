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

/// Reads a whole line: challenges separated by commas, empty elements skipped, `BWS` around `=`.
///
/// One thing goes beyond the RFC, because deployed servers send base64 without quotes: an unquoted
/// value may hold `/` and end in `=`.
///
/// ```
/// use plannt_core::challenge::{AuthData, parse_challenges};
///
/// let list = parse_challenges(br#"Basic realm="a, b", L402 macaroon=AgE=, invoice="lnbc1""#)?;
/// assert_eq!(list.len(), 2);
/// let AuthData::Params(params) = &list[1].data else { unreachable!() };
/// assert_eq!((params[0].name, &*params[0].value), ("macaroon", &b"AgE="[..]));
/// # Ok::<(), plannt_core::challenge::GrammarError>(())
/// ```
///
/// # Errors
/// [`GrammarError`]; what was readable before it is what [`Challenges`] yields.
pub fn parse_challenges(line: &[u8]) -> Result<Vec<AuthChallenge<'_>>, GrammarError> {
    Challenges::new(line).collect()
}

/// Iterates over a line's challenges; ends after the first error.
///
/// A challenge is yielded once it is known to be over: at the line's end, or where another scheme
/// begins. One that holds the error is not yielded.
#[derive(Clone, Debug)]
pub struct Challenges<'a> {
    line: &'a [u8],
    at: usize,
    done: bool,
}

impl<'a> Challenges<'a> {
    /// Starts at the line's first byte.
    pub fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0, done: false }
    }

    fn challenge(&mut self) -> Result<Option<AuthChallenge<'a>>, GrammarError> {
        if self.line.len() > MAX_LINE_BYTES {
            return Err(GrammarError::LineTooLong { bytes: self.line.len() });
        }
        self.skip_separators();
        if self.peek().is_none() {
            return Ok(None);
        }
        let scheme = self.token().ok_or_else(|| self.syntax())?;
        let spaced = self.skip_whitespace();
        if !self.at_element_end() {
            if !spaced {
                return Err(self.syntax());
            }
            if let Some(param) = self.param()? {
                return self.params(scheme, param).map(Some);
            }
            let text = self.token68().ok_or_else(|| self.syntax())?;
            self.end_element()?;
            return Ok(Some(AuthChallenge { scheme, data: AuthData::Token68(text) }));
        }
        // A scheme on its own; after empty elements its parameters may still follow.
        self.skip_separators();
        match self.param()? {
            Some(param) => self.params(scheme, param).map(Some),
            None => Ok(Some(AuthChallenge { scheme, data: AuthData::Params(Vec::new()) })),
        }
    }

    /// The rest of a challenge whose first parameter is read.
    fn params(
        &mut self,
        scheme: &'a str,
        first: AuthParam<'a>,
    ) -> Result<AuthChallenge<'a>, GrammarError> {
        let mut params = Vec::from([first]);
        loop {
            self.skip_separators();
            // What is no parameter is the next challenge's scheme, or nothing.
            let Some(param) = self.param()? else { break };
            if params.len() == MAX_PARAMS {
                return Err(GrammarError::TooManyParameters);
            }
            params.push(param);
        }
        Ok(AuthChallenge { scheme, data: AuthData::Params(params) })
    }

    /// `token BWS "=" BWS ( token / quoted-string )` up to the element's end; `None`, with nothing
    /// consumed, where no parameter begins.
    fn param(&mut self) -> Result<Option<AuthParam<'a>>, GrammarError> {
        let start = self.at;
        if let Some(name) = self.token() {
            self.skip_whitespace();
            if self.peek() == Some(b'=') {
                self.at += 1;
                self.skip_whitespace();
                let value = match self.peek() {
                    Some(b'"') => Some(self.quoted()?),
                    _ => self.unquoted().map(Cow::Borrowed),
                };
                if let Some(value) = value {
                    self.end_element()?;
                    return Ok(Some(AuthParam { name, value }));
                }
            }
        }
        self.at = start;
        Ok(None)
    }

    fn quoted(&mut self) -> Result<Cow<'a, [u8]>, GrammarError> {
        self.at += 1;
        let start = self.at;
        let mut unescaped: Option<Vec<u8>> = None;
        loop {
            let byte = self.peek().ok_or_else(|| self.syntax())?;
            let byte = match byte {
                b'"' => {
                    let raw = &self.line[start..self.at];
                    self.at += 1;
                    return Ok(unescaped.map_or(Cow::Borrowed(raw), Cow::Owned));
                }
                b'\\' => {
                    unescaped.get_or_insert_with(|| self.line[start..self.at].to_vec());
                    self.at += 1;
                    self.peek().ok_or_else(|| self.syntax())?
                }
                byte => byte,
            };
            if byte != b'\t' && (byte < b' ' || byte == 0x7f) {
                return Err(self.syntax());
            }
            if let Some(text) = &mut unescaped {
                text.push(byte);
            }
            self.at += 1;
        }
    }

    /// A token, or base64 that a server did not quote.
    fn unquoted(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        self.skip_while(|b| is_token_byte(b) || b == b'/');
        if self.at == start {
            return None;
        }
        self.skip_while(|b| b == b'=');
        Some(&self.line[start..self.at])
    }

    fn token(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.skip_while(is_token_byte);
        self.text_since(start)
    }

    fn token68(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.skip_while(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
        if self.at != start {
            self.skip_while(|b| b == b'=');
        }
        self.text_since(start)
    }

    /// What was read since `start`, which is ASCII; `None` when it is nothing.
    fn text_since(&self, start: usize) -> Option<&'a str> {
        core::str::from_utf8(&self.line[start..self.at]).ok().filter(|text| !text.is_empty())
    }

    fn end_element(&mut self) -> Result<(), GrammarError> {
        self.skip_whitespace();
        if self.at_element_end() { Ok(()) } else { Err(self.syntax()) }
    }

    fn at_element_end(&self) -> bool {
        matches!(self.peek(), None | Some(b','))
    }

    fn skip_separators(&mut self) {
        self.skip_while(|b| matches!(b, b',' | b' ' | b'\t'));
    }

    fn skip_whitespace(&mut self) -> bool {
        let start = self.at;
        self.skip_while(|b| matches!(b, b' ' | b'\t'));
        self.at != start
    }

    fn skip_while(&mut self, mut keep: impl FnMut(u8) -> bool) {
        while self.peek().is_some_and(&mut keep) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn syntax(&self) -> GrammarError {
        GrammarError::Syntax { offset: self.at }
    }
}

impl<'a> Iterator for Challenges<'a> {
    type Item = Result<AuthChallenge<'a>, GrammarError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.challenge().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

/// RFC 9110's `tchar`.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    fn show(line: &str) -> Vec<(&str, Vec<(String, String)>)> {
        let text = |v: &[u8]| String::from_utf8_lossy(v).into_owned();
        Challenges::new(line.as_bytes())
            .map(|challenge| match challenge {
                Ok(AuthChallenge { scheme, data: AuthData::Token68(t) }) => {
                    (scheme, vec![("token68".into(), t.into())])
                }
                Ok(AuthChallenge { scheme, data: AuthData::Params(params) }) => {
                    (scheme, params.iter().map(|p| (p.name.into(), text(&p.value))).collect())
                }
                Err(GrammarError::Syntax { offset }) => {
                    ("error", vec![("at".into(), alloc::format!("{offset}"))])
                }
                Err(_) => ("error", vec![]),
            })
            .collect()
    }

    fn params(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|&(n, v)| (n.into(), v.into())).collect()
    }

    #[test]
    fn reads_lists_as_rfc_9110_has_them() {
        // The example of RFC 9110 §11.6.1.
        assert_eq!(
            show(
                r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#
            ),
            [
                ("Basic", params(&[("realm", "simple")])),
                (
                    "Newauth",
                    params(&[("realm", "apps"), ("type", "1"), ("title", "Login to \"apps\"")])
                ),
            ]
        );
        assert_eq!(
            show("Negotiate,,\t, NTLM TlRM== ,L402 a =\t1 , , b= \"\" ,"),
            [
                ("Negotiate", vec![]),
                ("NTLM", params(&[("token68", "TlRM==")])),
                ("L402", params(&[("a", "1"), ("b", "")])),
            ]
        );
        assert_eq!(show("L402 , a=1"), [("L402", params(&[("a", "1")]))]);
        assert_eq!(show("L402 a=b+/c=="), [("L402", params(&[("a", "b+/c==")]))]);
        assert_eq!(show("L402 price-only"), [("L402", params(&[("token68", "price-only")]))]);
        assert_eq!(show(r#"X a="\\\,""#), [("X", params(&[("a", "\\,")]))]);
        for nothing in ["", " ", ",", " ,\t, "] {
            assert_eq!(show(nothing), []);
        }
    }

    #[test]
    fn stops_at_the_first_error_and_drops_the_challenge_that_holds_it() {
        let error = |at: &str| ("error", params(&[("at", at)]));
        for (line, at) in [
            ("a=1", "1"),
            ("=", "0"),
            ("\"x\"", "0"),
            ("L402 a=\"x", "9"),
            ("L402 a=\"x\\", "10"),
            ("L402 a=\"x\"y", "10"),
            ("L402 a=x y", "9"),
            ("L402 a=x=y", "9"),
            ("L402 a=\"\u{1}\"", "8"),
            ("L402 a=\"\\\r\"", "9"),
            ("L402\u{a0}a=1", "4"),
            ("L402 a=1, b=\"", "13"),
            ("L402(a=1)", "4"),
        ] {
            assert_eq!(show(line), [error(at)], "{line:?}");
        }
        assert_eq!(show("A a=1, B b=\"2"), [("A", params(&[("a", "1")])), error("13")]);
        assert_eq!(show("A abc, b=1"), [("A", params(&[("token68", "abc")])), error("8")]);
    }

    #[test]
    fn bounds_lines_and_parameters() {
        let line = vec![b','; MAX_LINE_BYTES + 1];
        assert_eq!(parse_challenges(&line[1..]), Ok(vec![]));
        let bytes = line.len();
        assert_eq!(parse_challenges(&line), Err(GrammarError::LineTooLong { bytes }));
        let with = |n: usize| alloc::format!("A {}", "a=1,".repeat(n));
        assert!(parse_challenges(with(MAX_PARAMS).as_bytes()).is_ok());
        assert_eq!(
            parse_challenges(with(MAX_PARAMS + 1).as_bytes()),
            Err(GrammarError::TooManyParameters)
        );
    }

    proptest! {
        #[test]
        fn any_line_gives_challenges_or_an_error(
            line in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                "[aL402= ,\t\"\\\\]{0,60}".prop_map(String::into_bytes),
            ]
        ) {
            let list: Vec<_> = Challenges::new(&line).collect();
            let errors = list.iter().filter(|c| c.is_err()).count();
            prop_assert!(errors <= 1 && list.iter().rev().skip(1).all(Result::is_ok));
            if let Some(Err(GrammarError::Syntax { offset })) = list.last() {
                prop_assert!(*offset <= line.len());
            }
        }
    }
}
