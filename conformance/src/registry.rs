//! The suites there are: the one list that a new suite is added to.

use crate::adapter::{self, Answer};
use crate::format::Suite;
use serde_json::Value;

/// A suite with its files and this project's own answers.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) vectors: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) answer: fn(&Value) -> Answer,
}

macro_rules! entry {
    ($suite:ident) => {
        Entry {
            name: stringify!($suite),
            vectors: include_str!(concat!("../vectors/", stringify!($suite), ".json")),
            schema: include_str!(concat!("../schemas/", stringify!($suite), ".schema.json")),
            answer: adapter::$suite::answer,
        }
    };
}

/// In alphabetical order.
#[rustfmt::skip]
pub(crate) const SUITES: &[Entry] = &[
    entry!(authorization_header),
    entry!(caveats),
    entry!(challenge_header),
    entry!(client_flow),
    entry!(identifier),
    entry!(invoice),
    entry!(macaroon),
    entry!(mint),
    entry!(verify),
];

/// What all schemas share, by the name that they refer to it by.
const COMMON_SCHEMA: &str = include_str!("../schemas/common.schema.json");

pub(crate) fn entry(suite: &str) -> Option<&'static Entry> {
    SUITES.iter().find(|entry| entry.name == suite)
}

/// The names of all suites.
pub fn suite_names() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|entry| entry.name)
}

/// All vectors, read.
pub fn vectors() -> Vec<Suite> {
    let read = |entry: &Entry| {
        serde_json::from_str(entry.vectors).expect("the tests hold every file to its schema")
    };
    SUITES.iter().map(read).collect()
}

/// A suite's file as it is; `None` for an unknown suite.
pub fn vectors_json(suite: &str) -> Option<&'static str> {
    entry(suite).map(|entry| entry.vectors)
}

/// A suite's JSON Schema, or the shared definitions for `common`; `None` for an unknown suite.
pub fn schema(suite: &str) -> Option<&'static str> {
    if suite == "common" { Some(COMMON_SCHEMA) } else { entry(suite).map(|entry| entry.schema) }
}
