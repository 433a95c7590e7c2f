//! Checks of any command that pays for a URL: each plays a server to it, honest, odd or hostile, in
//! front of a devnet of its own, and judges by what that server and its node saw.

mod ambiguous;
mod echo;
mod house;
mod invoices;
mod once;
mod pays;
mod redirects;
mod refuses;
mod reply;
mod secrets;
mod stage;
mod transport;
mod untouched;
mod wallet;

use std::ffi::OsString;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use self::stage::Stage;
use super::check::{Verdict, is_selected, outcome};
use super::{Check, CheckResult, WireError, WireReport};

/// What to test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientOptions {
    /// The command and its arguments. In each, `{url}`, `{wallet}` and `{home}` are replaced: what
    /// to request, the wallet as `plannt` takes it, and a folder for the command's state.
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

type Running<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// A check, and what runs it.
struct ClientCheck {
    check: Check,
    run: for<'a> fn(&'a Stage) -> Running<'a>,
}

/// Lists checks: `"id" Level "source" "requirement" => function;`.
macro_rules! checks {
    ($($id:literal $level:ident $source:literal $requirement:literal => $run:expr;)*) => {
        pub(super) const CHECKS: &[$crate::wire::client::ClientCheck] = &[$(
            $crate::wire::client::ClientCheck {
                check: $crate::wire::Check {
                    id: $id,
                    level: $crate::wire::Level::$level,
                    requirement: $requirement,
                    source: $source,
                },
                run: |stage| Box::pin(($run)(stage)),
            },
        )*];
    };
}
use checks;

/// In the order of a run.
const GROUPS: &[&[ClientCheck]] = &[
    pays::CHECKS,
    echo::CHECKS,
    refuses::CHECKS,
    ambiguous::CHECKS,
    untouched::CHECKS,
    redirects::CHECKS,
    once::CHECKS,
    transport::CHECKS,
    wallet::CHECKS,
    secrets::CHECKS,
];

fn all() -> impl Iterator<Item = &'static ClientCheck> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// All checks of clients.
pub fn client_checks() -> impl Iterator<Item = Check> {
    all().map(|check| check.check)
}

/// Runs the selected checks, one after another, each with the command at least once.
///
/// # Errors
/// [`WireError`] where nothing could be tested: the command is none, or the devnet does not start.
pub async fn run_client(options: &ClientOptions) -> Result<WireReport, WireError> {
    let stage = Stage::new(options).await?;
    let mut results = Vec::new();
    for ClientCheck { check, run } in all() {
        if is_selected(check.id, &options.only) {
            let outcome = outcome(run(&stage).await);
            results.push(CheckResult { check: *check, outcome, expected_failure: None });
        }
    }
    let notes = vec![format!("{} runs of the command", stage.runs())];
    let subject = stage.command();
    stage.end().await;
    Ok(WireReport { subject, results, strict: options.strict, notes })
}
