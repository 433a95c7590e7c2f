//! Checks of any command that pays for a URL.

use std::ffi::OsString;
use std::time::Duration;

use super::{Check, WireError, WireReport};

/// What to test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// How long one run of it may take.
    pub timeout: Duration,
    /// Ids, or beginnings of ids, of the checks to run; all when empty.
    pub only: Vec<String>,
    /// Whether a failed should or info fails the run, too.
    pub strict: bool,
}

impl ClientOptions {
    /// With a minute for each run.
    pub fn new(command: Vec<OsString>) -> Self {
        Self { command, timeout: Duration::from_secs(60), only: Vec::new(), strict: false }
    }
}

/// All checks of clients.
pub fn client_checks() -> impl Iterator<Item = Check> {
    [].into_iter()
}

/// Runs the selected checks, one after another.
///
/// # Errors
/// [`WireError`] where nothing could be tested.
pub async fn run_client(_: &ClientOptions) -> Result<WireReport, WireError> {
    Err(WireError::command("there are no checks of clients yet"))
}
