//! Checks of any L402 server, from outside.
//!
//! Two rows of PROTOCOL's table of answers can't be brought about from outside, so no check stands
//! for them: an upstream that is certainly not reached, and a spend store or node that is down.

mod answers;
mod around;
mod attenuation;
mod binding;
mod body;
mod challenge;
mod cors;
mod credential;
mod expiry;
mod forgery;
mod framing;
mod grpc;
mod head;
mod host;
mod invoice;
mod limit;
mod macaroon;
mod paths;
mod purse;
mod replay;
mod request;
mod subject;

use std::future::Future;
use std::pin::Pin;

use plannt_core::Network;
use url::Url;

use self::subject::Subject;
use super::check::{Verdict, is_selected, outcome};
use super::{Check, CheckResult, WireError, WireReport};

/// What to test, and with what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// What is sold for a GET: a URL, or an origin where [`paid`](Self::paid) names targets.
    pub url: Url,
    /// The wallet that pays, as [`payer_from_url`](plannt_lightning::payer_from_url) takes it.
    pub wallet: String,
    /// The wallet's network, where its URL does not say.
    pub network: Option<Network>,
    /// Targets on the same origin that cost something for a GET; a second one is what a credential
    /// for the first must not open.
    pub paid: Vec<String>,
    /// A target that costs something for a POST and binds the body, and a body that it takes.
    pub post: Option<(String, String)>,
    /// A target that costs nothing.
    pub free: Option<String>,
    /// A target that no route matches.
    pub missing: Option<String>,
    /// The most that one invoice may ask, msat.
    pub max_invoice_msat: u64,
    /// The most that the whole run may pay, msat.
    pub max_total_msat: u64,
    /// How many challenges may be asked for to find the limit; without it, that is not tested.
    pub probe_limit: Option<u32>,
    /// Ids, or beginnings of ids, of the checks to run; all when empty.
    pub only: Vec<String>,
    /// Whether a failed should or info fails the run, too.
    pub strict: bool,
}

impl ServerOptions {
    /// With at most 1,000 sat an invoice and 20,000 sat a run.
    pub fn new(url: Url, wallet: impl Into<String>) -> Self {
        Self {
            url,
            wallet: wallet.into(),
            network: None,
            paid: Vec::new(),
            post: None,
            free: None,
            missing: None,
            max_invoice_msat: 1_000_000,
            max_total_msat: 20_000_000,
            probe_limit: None,
            only: Vec::new(),
            strict: false,
        }
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// A check, and what runs it.
struct ServerCheck {
    check: Check,
    run: for<'a> fn(&'a Subject) -> Running<'a>,
}

/// Lists checks: `"id" Level "source" "requirement" => function;`.
macro_rules! checks {
    ($($id:literal $level:ident $source:literal $requirement:literal => $run:expr;)*) => {
        pub(super) const CHECKS: &[$crate::wire::server::ServerCheck] = &[$(
            $crate::wire::server::ServerCheck {
                check: $crate::wire::Check {
                    id: $id,
                    level: $crate::wire::Level::$level,
                    requirement: $requirement,
                    source: $source,
                },
                run: |subject| Box::pin(($run)(subject)),
            },
        )*];
    };
}
use checks;

/// In the order of a run: what is free first, what is slow last.
const GROUPS: &[&[ServerCheck]] = &[
    challenge::CHECKS,
    body::CHECKS,
    invoice::CHECKS,
    macaroon::CHECKS,
    head::CHECKS,
    cors::CHECKS,
    host::CHECKS,
    framing::CHECKS,
    paths::CHECKS,
    answers::CHECKS,
    forgery::CHECKS,
    credential::CHECKS,
    attenuation::CHECKS,
    binding::CHECKS,
    around::CHECKS,
    grpc::CHECKS,
    expiry::CHECKS,
    replay::CHECKS,
    limit::CHECKS,
];

fn all() -> impl Iterator<Item = &'static ServerCheck> {
    GROUPS.iter().flat_map(|group| group.iter())
}

/// All checks of servers.
pub fn server_checks() -> impl Iterator<Item = Check> {
    all().map(|check| check.check)
}

/// Runs the selected checks, one after another.
///
/// # Errors
/// [`WireError`] where nothing could be tested: the URL, the wallet, or the paid target is not one.
pub async fn run_server(options: &ServerOptions) -> Result<WireReport, WireError> {
    let subject = Subject::new(options)?;
    subject.look().await?;
    let mut results = Vec::new();
    for ServerCheck { check, run } in all() {
        if is_selected(check.id, &options.only) {
            let outcome = outcome(run(&subject).await);
            results.push(CheckResult { check: *check, outcome, expected_failure: None });
        }
    }
    Ok(WireReport {
        subject: options.url.to_string(),
        results,
        strict: options.strict,
        notes: vec![subject.purse().statement()],
    })
}
