//! What a run over the wire came to, for people and for CI.

use std::fmt;

use super::{Check, ExpectedFailures, Level};
use crate::{JunitCase, JunitOutcome, JunitSuite, Outcome, junit_xml};

/// The checks of one run, in their order.
#[derive(Clone, Debug)]
pub struct WireReport {
    /// What was tested: a URL or a command.
    pub subject: String,
    /// One for each check that was selected.
    pub results: Vec<CheckResult>,
    /// Whether a failed should or info fails the run, too.
    pub strict: bool,
    /// What else there is to say, such as what was paid.
    pub notes: Vec<String>,
}

/// How one check ended.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// What was seen.
    pub outcome: Outcome,
    /// Why it was expected to fail, where it was.
    pub expected_failure: Option<String>,
}

/// What a result means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It fails the run.
    Failure,
    /// It failed, as the file of expected failures says.
    KnownFailure,
    /// It passed.
    Passed,
    /// It could not be asked.
    Skipped,
    /// It failed, and its level does not fail the run.
    Warning,
}

impl WireReport {
    /// Marks the failures that are expected. One of them that passes then fails the run.
    #[must_use]
    pub fn expecting(mut self, failures: &ExpectedFailures) -> Self {
        for result in &mut self.results {
            result.expected_failure = failures.reason(result.check.id).map(str::to_owned);
        }
        self
    }

    /// What `result` means for this run.
    pub fn standing(&self, result: &CheckResult) -> Standing {
        match (&result.outcome, &result.expected_failure) {
            (Outcome::Skipped { .. }, _) => Standing::Skipped,
            (Outcome::Passed, None) => Standing::Passed,
            (Outcome::Passed, Some(_)) => Standing::Failure,
            (Outcome::Failed { .. }, Some(_)) => Standing::KnownFailure,
            (Outcome::Failed { .. }, None) if self.strict || result.check.level == Level::Must => {
                Standing::Failure
            }
            (Outcome::Failed { .. }, None) => Standing::Warning,
        }
    }

    /// Whether nothing fails the run, and at least one check passed.
    pub fn is_success(&self) -> bool {
        let standings: Vec<_> = self.results.iter().map(|result| self.standing(result)).collect();
        !standings.contains(&Standing::Failure) && standings.contains(&Standing::Passed)
    }

    /// The outcome of one check, if it ran.
    pub fn outcome(&self, id: &str) -> Option<&Outcome> {
        self.results.iter().find(|result| result.check.id == id).map(|result| &result.outcome)
    }

    /// The same as JUnit XML.
    pub fn to_junit(&self) -> String {
        let case = |result: &CheckResult| {
            let (group, _) = result.check.id.rsplit_once('.').unwrap_or((result.check.id, ""));
            let why = self.why(result).unwrap_or_default();
            JunitCase {
                class: group.to_owned(),
                name: format!("{}: {}", result.check.id, result.check.requirement),
                outcome: match self.standing(result) {
                    Standing::Failure => JunitOutcome::Failed(why),
                    Standing::Passed => JunitOutcome::Passed,
                    Standing::KnownFailure | Standing::Skipped | Standing::Warning => {
                        JunitOutcome::Skipped(why)
                    }
                },
            }
        };
        let cases = self.results.iter().map(case).collect();
        junit_xml("plannt-conformance", &[JunitSuite { name: self.subject.clone(), cases }])
    }

    fn why(&self, result: &CheckResult) -> Option<String> {
        match (&result.outcome, &result.expected_failure) {
            (Outcome::Passed, None) => None,
            (Outcome::Passed, Some(reason)) => Some(format!(
                "it passes, and was expected to fail ({reason}): take it off the list"
            )),
            (Outcome::Failed { why }, Some(reason)) => Some(format!("{why}; expected: {reason}")),
            (Outcome::Failed { why } | Outcome::Skipped { why }, _) => Some(why.clone()),
        }
    }
}

impl fmt::Display for WireReport {
    /// A line for each check, the requirement and the reason below one that did not pass, and the
    /// sums.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.subject)?;
        let mut counts = [0_usize; 5];
        for result in &self.results {
            let standing = self.standing(result);
            let (index, word) = match standing {
                Standing::Failure => (0, "FAILED"),
                Standing::KnownFailure => (1, "known"),
                Standing::Passed => (2, "passed"),
                Standing::Skipped => (3, "skipped"),
                Standing::Warning => (4, "warning"),
            };
            counts[index] += 1;
            let Check { id, level, requirement, source } = result.check;
            writeln!(f, "  {word:<8}{level:<7}{id}")?;
            if let Some(why) = self.why(result) {
                if standing != Standing::Skipped {
                    writeln!(f, "          {source}: \u{201c}{requirement}\u{201d}")?;
                }
                writeln!(f, "          {why}")?;
            }
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        let [failed, known, passed, skipped, warnings] = counts;
        writeln!(
            f,
            "{} checks: {passed} passed, {failed} failed, {warnings} warnings, {known} known failures, {skipped} skipped",
            self.results.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLAY: &str = "server.replay.same";

    fn report(outcome: Outcome, level: Level, strict: bool) -> WireReport {
        let check = Check { id: REPLAY, level, requirement: "once", source: "here" };
        let other = Check { id: "server.other", ..check };
        let result = |check, outcome| CheckResult { check, outcome, expected_failure: None };
        WireReport {
            subject: "http://host".into(),
            results: vec![result(check, outcome), result(other, Outcome::Passed)],
            strict,
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_level_decides_unless_the_run_is_strict() {
        let failed = || Outcome::Failed { why: "twice".into() };
        assert!(!report(failed(), Level::Must, false).is_success());
        assert!(report(failed(), Level::Should, false).is_success());
        assert!(!report(failed(), Level::Should, true).is_success());
        assert!(report(failed(), Level::Info, false).is_success());
        assert!(report(Outcome::Skipped { why: "no".into() }, Level::Must, true).is_success());
    }

    #[test]
    fn an_expected_failure_that_passes_fails_the_run() {
        let expected = ExpectedFailures::parse("server.replay.same later").expect("a known id");
        let failed = Outcome::Failed { why: "twice".into() };
        let known = report(failed, Level::Must, true).expecting(&expected);
        assert!(known.is_success());
        assert!(known.to_junit().contains("<skipped message=\"twice; expected: later\"/>"));
        let passes = report(Outcome::Passed, Level::Must, false).expecting(&expected);
        assert!(!passes.is_success());
        assert!(passes.to_string().contains("take it off the list"));
    }
}
