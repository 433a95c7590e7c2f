//! What a run came to, for people and for CI.

use std::fmt;

use crate::junit::{JunitCase, JunitOutcome, JunitSuite, junit_xml};

/// All suites of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of the run.
    pub suites: Vec<SuiteReport>,
}

/// One suite of a run.
#[derive(Clone, Debug)]
pub struct SuiteReport {
    /// The suite's name.
    pub name: String,
    /// Its cases in order.
    pub cases: Vec<CaseReport>,
}

/// One case of a run.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The case's id.
    pub id: String,
    /// What the case is about.
    pub comment: String,
    /// What it came to.
    pub outcome: Outcome,
}

/// What a case, or a check over the wire, came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not as it must be.
    Failed {
        /// What was seen, and what was expected.
        why: String,
    },
    /// As it must be.
    Passed,
    /// Not asked.
    Skipped {
        /// Why not.
        why: String,
    },
}

impl SuiteReport {
    /// How many cases passed, failed, and were skipped.
    pub fn counts(&self) -> (usize, usize, usize) {
        self.cases.iter().fold((0, 0, 0), |(passed, failed, skipped), case| match case.outcome {
            Outcome::Passed => (passed + 1, failed, skipped),
            Outcome::Failed { .. } => (passed, failed + 1, skipped),
            Outcome::Skipped { .. } => (passed, failed, skipped + 1),
        })
    }
}

impl Report {
    /// Whether no case failed, and at least one was answered.
    pub fn is_success(&self) -> bool {
        let counts = self.suites.iter().map(SuiteReport::counts);
        let (passed, failed) =
            counts.fold((0, 0), |(p, f), (passed, failed, _)| (p + passed, f + failed));
        failed == 0 && passed > 0
    }

    /// The same as JUnit XML.
    pub fn to_junit(&self) -> String {
        let suites: Vec<_> = self.suites.iter().map(SuiteReport::to_junit).collect();
        junit_xml("plannt-conformance", &suites)
    }
}

impl SuiteReport {
    fn to_junit(&self) -> JunitSuite {
        let case = |case: &CaseReport| JunitCase {
            class: self.name.clone(),
            name: format!("{}: {}", case.id, case.comment),
            outcome: match &case.outcome {
                Outcome::Passed => JunitOutcome::Passed,
                Outcome::Failed { why } => JunitOutcome::Failed(why.clone()),
                Outcome::Skipped { why } => JunitOutcome::Skipped(why.clone()),
            },
        };
        JunitSuite { name: self.name.clone(), cases: self.cases.iter().map(case).collect() }
    }
}

impl fmt::Display for Report {
    /// Every failure, then a line for each suite and one for all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in self.suites.iter().flat_map(|suite| &suite.cases) {
            if let Outcome::Failed { why } = &case.outcome {
                writeln!(f, "FAILED {}: {}\n       {why}", case.id, case.comment)?;
            }
        }
        let mut total = (0, 0, 0);
        for suite in &self.suites {
            let counts = suite.counts();
            line(f, &suite.name, counts)?;
            total = (total.0 + counts.0, total.1 + counts.1, total.2 + counts.2);
        }
        line(f, "all", total)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, counts: (usize, usize, usize)) -> fmt::Result {
    let (passed, failed, skipped) = counts;
    let all = passed + failed + skipped;
    writeln!(f, "{name:<22} {all:>5} cases: {passed} passed, {failed} failed, {skipped} skipped")
}
