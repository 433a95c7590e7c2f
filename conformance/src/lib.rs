//! Conformance vectors for L402, and what runs them.
//!
//! The vectors (`vectors/*.json`) are written by an oracle that is not the code under test, in a
//! form that every language reads; [`vectors`] has them embedded. An [`Adapter`] stands between a
//! case and an implementation: [`InProcess`] for this project's own, [`Process`] for any program
//! that speaks JSON lines (README.md). [`run`] asks an adapter every case and makes a [`Report`].
#![forbid(unsafe_code)]

mod adapter;
mod format;
mod junit;
mod process;
mod registry;
mod report;
mod runner;
#[cfg(feature = "wire")]
pub mod wire;

pub use adapter::{Adapter, Answer, InProcess};
pub use format::{Case, Expected, Flag, Group, Source, Suite};
pub use junit::{JunitCase, JunitOutcome, JunitSuite, junit_xml};
pub use process::{Process, ProcessError};
pub use registry::{schema, suite_names, vectors, vectors_json};
pub use report::{CaseReport, Outcome, Report, SuiteReport};
pub use runner::{RunOptions, run, run_suite};
