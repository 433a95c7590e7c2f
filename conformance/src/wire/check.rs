//! What a check is, and how one ends.

use std::fmt;

use crate::Outcome;

/// How much a check weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Told, and never a failure by itself: what this project does beyond what it asks of others.
    Info,
    /// Money, secrecy, or that deployed peers understand it, hangs on it.
    Must,
    /// Asked for; a failure where the run is strict.
    Should,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Must => "must",
            Self::Should => "should",
        })
    }
}

/// One requirement that is tested over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Permanent and dotted, such as `server.replay.same`.
    pub id: &'static str,
    /// How much it weighs.
    pub level: Level,
    /// The sentence that it stands for.
    pub requirement: &'static str,
    /// Where the sentence stands, such as `docs/PROTOCOL.md §3`.
    pub source: &'static str,
}

/// Why a check ends early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The requirement is not met.
    Failed(String),
    /// It could not be asked of this subject.
    Skipped(String),
}

/// How a check, or a step of one, ends.
pub(crate) type Verdict<T = ()> = Result<T, Stop>;

/// Ends a check as failed unless `holds`.
pub(crate) fn ensure(holds: bool, why: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Stop::Failed(why())) }
}

/// Ends a check as failed.
pub(crate) fn fail<T>(why: impl Into<String>) -> Verdict<T> {
    Err(Stop::Failed(why.into()))
}

/// Ends a check as skipped.
pub(crate) fn skip<T>(why: impl Into<String>) -> Verdict<T> {
    Err(Stop::Skipped(why.into()))
}

pub(crate) fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Ok(()) => Outcome::Passed,
        Err(Stop::Failed(why)) => Outcome::Failed { why },
        Err(Stop::Skipped(why)) => Outcome::Skipped { why },
    }
}

/// Which checks to run: those whose id is one of these or lies under one; all where there are none.
pub(crate) fn is_selected(id: &str, only: &[String]) -> bool {
    let under = |prefix: &str| {
        id.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || prefix.ends_with('.'))
    };
    only.is_empty() || only.iter().any(|prefix| under(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_selected_by_their_beginnings() {
        let only = |list: &[&str]| list.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert!(is_selected("server.replay.same", &[]));
        assert!(is_selected("server.replay.same", &only(&["server.head", "server.replay"])));
        assert!(is_selected("server.replay.same", &only(&["server.replay."])));
        assert!(!is_selected("server.replay.same", &only(&["server.rep"])));
    }
}
