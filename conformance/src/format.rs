//! The form of a file of vectors; README.md describes it for readers of other languages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One file: all cases about one thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name, which is the file's.
    pub suite: String,
    /// Of the file: the major number changes with its form, the others with its cases.
    pub version: String,
    /// The file's JSON Schema, relative to the crate.
    pub schema: String,
    /// How many cases there are, over all groups.
    pub number_of_tests: usize,
    /// What each flag that a case carries means.
    pub flags: BTreeMap<String, Flag>,
    /// The cases.
    pub groups: Vec<Group>,
}

impl Suite {
    /// All cases, in order.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.groups.iter().flat_map(|group| &group.tests)
    }
}

/// What a flag means.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// One sentence.
    pub description: String,
    /// The section that decides, such as `docs/PROTOCOL.md §2`.
    pub rule: String,
}

/// Cases that have something in common.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// A short name.
    pub name: String,
    /// What its cases are about.
    pub comment: String,
    /// Who made the bytes.
    pub source: Source,
    /// The cases.
    pub tests: Vec<Case>,
}

/// Who made a group's bytes, and said what is right.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `plannt-oracle`, or a library's name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One question and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique over all suites, and never given to another case.
    pub id: String,
    /// What the case is about.
    pub comment: String,
    /// Names of the suite's flags.
    pub flags: Vec<String>,
    /// Which kind of answer is right.
    pub result: Expected,
    /// The question.
    pub input: Value,
    /// The answer of a valid case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// The stable code with which an invalid case is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Which kind of answer is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// Either kind: what is accepted has the case's output, what is refused the case's error,
    /// where it names one.
    Acceptable,
    /// The case's error.
    Invalid,
    /// The case's output.
    Valid,
}
