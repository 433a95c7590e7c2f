//! Asks an adapter every case, and compares.

use crate::adapter::{Adapter, Answer};
use crate::format::{Case, Expected, Suite};
use crate::report::{CaseReport, Outcome, Report, SuiteReport};

/// How strictly answers are compared.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct RunOptions {
    /// Whether a refusal must carry the case's own error code. Codes are this project's; another
    /// implementation conforms when it refuses.
    pub codes: bool,
}

impl RunOptions {
    /// Refusals count whatever their code.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refusals must carry the case's code.
    #[must_use]
    pub fn with_codes(self, codes: bool) -> Self {
        Self { codes }
    }
}

/// Runs all cases of all `suites`.
pub fn run(suites: &[Suite], adapter: &mut dyn Adapter, options: &RunOptions) -> Report {
    Report { suites: suites.iter().map(|suite| run_suite(suite, adapter, options)).collect() }
}

/// Runs all cases of one suite.
pub fn run_suite(suite: &Suite, adapter: &mut dyn Adapter, options: &RunOptions) -> SuiteReport {
    let run_case = |case: &Case| CaseReport {
        id: case.id.clone(),
        comment: case.comment.clone(),
        outcome: compare(case, adapter.run(&case.id, &suite.suite, &case.input), options),
    };
    SuiteReport { name: suite.suite.clone(), cases: suite.cases().map(run_case).collect() }
}

fn compare(case: &Case, answer: Answer, options: &RunOptions) -> Outcome {
    let failed = |why: String| Outcome::Failed { why };
    match answer {
        Answer::Unsupported => Outcome::Skipped { why: "unsupported by the adapter".into() },
        Answer::Failure(why) => failed(why),
        Answer::Output(output) => match (case.result, &case.output) {
            (Expected::Invalid, _) => {
                failed(format!("accepted with {output}, to be refused with {}", code(case)))
            }
            (_, Some(expected)) if *expected != output => {
                failed(format!("output {output}, expected {expected}"))
            }
            _ => Outcome::Passed,
        },
        Answer::Error(error) => match (case.result, &case.error) {
            (Expected::Valid, _) => failed(format!("refused with {error}, to be accepted")),
            (_, Some(expected)) if options.codes && *expected != error => {
                failed(format!("refused with {error}, expected {expected}"))
            }
            _ => Outcome::Passed,
        },
    }
}

fn code(case: &Case) -> &str {
    case.error.as_deref().unwrap_or("any code")
}
