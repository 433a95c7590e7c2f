//! The file of failures that are known: each names a check and says why it fails for now.

use std::collections::BTreeMap;

/// Known failures, by check id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpectedFailures(BTreeMap<String, String>);

/// Why the file can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpectedFailuresError {
    /// A check is listed twice.
    #[error("line {line}: {id} is listed already")]
    Duplicate {
        /// The line's number.
        line: usize,
        /// The check.
        id: String,
    },
    /// A line gives no reason.
    #[error("line {line}: {id} has no reason")]
    NoReason {
        /// The line's number.
        line: usize,
        /// The check.
        id: String,
    },
    /// There is no such check.
    #[error("line {line}: there is no check {id}")]
    Unknown {
        /// The line's number.
        line: usize,
        /// The check.
        id: String,
    },
}

impl ExpectedFailures {
    /// Reads the file: a line is an id, spaces, and the reason; `#` begins a comment line.
    ///
    /// ```
    /// use plannt_conformance::wire::ExpectedFailures;
    ///
    /// let file = ExpectedFailures::parse("# known\nserver.around.page  the pay page comes later\n")?;
    /// assert_eq!(file.reason("server.around.page"), Some("the pay page comes later"));
    /// # Ok::<(), plannt_conformance::wire::ExpectedFailuresError>(())
    /// ```
    ///
    /// # Errors
    /// [`ExpectedFailuresError`]: a line without a reason, twice the same id, an id of no check.
    pub fn parse(text: &str) -> Result<Self, ExpectedFailuresError> {
        let mut all = BTreeMap::new();
        for (index, text) in text.lines().enumerate() {
            let (line, text) = (index + 1, text.trim());
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let (id, reason) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            let (id, reason) = (id.to_owned(), reason.trim().to_owned());
            if !super::all_checks().any(|check| check.id == id) {
                return Err(ExpectedFailuresError::Unknown { line, id });
            }
            if reason.is_empty() {
                return Err(ExpectedFailuresError::NoReason { line, id });
            }
            if all.contains_key(&id) {
                return Err(ExpectedFailuresError::Duplicate { line, id });
            }
            all.insert(id, reason);
        }
        Ok(Self(all))
    }

    /// Why a check is expected to fail, if it is.
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_check_and_a_reason() {
        let parse = ExpectedFailures::parse;
        assert_eq!(parse("\n# nothing\n"), Ok(ExpectedFailures::default()));
        let unknown = ExpectedFailuresError::Unknown { line: 2, id: "server.nothing".into() };
        assert_eq!(parse("#\nserver.nothing because"), Err(unknown));
        let no_reason =
            ExpectedFailuresError::NoReason { line: 1, id: "server.replay.same".into() };
        assert_eq!(parse("server.replay.same  "), Err(no_reason));
        let twice = "server.replay.same a\nserver.replay.same b";
        assert!(matches!(parse(twice), Err(ExpectedFailuresError::Duplicate { line: 2, .. })));
    }
}
