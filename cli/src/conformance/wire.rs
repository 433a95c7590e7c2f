//! `plannt conformance server|client`: the checks over the wire.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use plannt_conformance::wire::{
    Check, ClientOptions, ExpectedFailures, ServerOptions, WireReport, client_checks, run_client,
    run_server, server_checks,
};
use plannt_core::Network;
use url::Url;

use crate::error::CliError;
use crate::exit;
use crate::print::out;

#[derive(Debug, Args)]
struct RunArgs {
    /// Only this check, or those whose id begins so (may be repeated) [default: all]
    #[arg(long, value_name = "ID")]
    only: Vec<String>,

    /// A failed should or info fails the run, too
    #[arg(long)]
    strict: bool,

    /// Failures that are known: lines of an id and a reason; one that passes fails the run
    #[arg(long, value_name = "FILE")]
    expected_failures: Option<PathBuf>,

    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// List the checks and the sentences that they stand for, and run nothing
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// What is sold for a GET, or an origin with --paid-path
    #[arg(required_unless_present = "list")]
    url: Option<Url>,

    /// The wallet that pays, such as `lnd://host:8080?cert=FILE&macaroon=FILE`
    #[arg(
        long,
        env = "PLANNT_WALLET",
        hide_env_values = true,
        value_name = "URL",
        required_unless_present = "list"
    )]
    wallet: Option<String>,

    /// The wallet's network, where its URL does not say
    #[arg(long, env = "PLANNT_NETWORK", value_name = "NAME")]
    network: Option<Network>,

    /// A path that costs something for a GET (may be repeated); two of them test each other
    #[arg(long, value_name = "PATH")]
    paid_path: Vec<String>,

    /// A path that costs something for a POST and binds its body
    #[arg(long, value_name = "PATH", requires = "post_body")]
    post_path: Option<String>,

    /// A JSON body that --post-path takes
    #[arg(long, value_name = "JSON", requires = "post_path")]
    post_body: Option<String>,

    /// A path that is free
    #[arg(long, value_name = "PATH")]
    free_path: Option<String>,

    /// A path that no route matches
    #[arg(long, value_name = "PATH")]
    missing_path: Option<String>,

    /// Ask for up to this many challenges to find the limit of them
    #[arg(long, value_name = "N")]
    probe_limit: Option<u32>,

    /// Pay at most this for one invoice
    #[arg(long, value_name = "SATS", default_value_t = 1_000)]
    max_sats: u64,

    /// Pay at most this in all
    #[arg(long, value_name = "SATS", default_value_t = 20_000)]
    max_total_sats: u64,

    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Args)]
pub(super) struct ClientArgs {
    /// How long one run of the command may take
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "60s")]
    timeout: Duration,

    #[command(flatten)]
    run: RunArgs,

    /// The client: `{url}` stands for the URL, `{wallet}` for the wallet's; conformance/WIRE.md lists the
    /// environment that it gets
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "list")]
    command: Vec<OsString>,
}

/// Returns the exit code.
pub(super) async fn server(args: &ServerArgs) -> Result<u8, CliError> {
    let (Some(url), Some(wallet), false) = (&args.url, &args.wallet, args.run.list) else {
        return list(server_checks());
    };
    let msat = |sats: u64| {
        sats.checked_mul(1_000).ok_or_else(|| CliError::Usage("the limit is out of range".into()))
    };
    let mut options = ServerOptions::new(url.clone(), wallet);
    options.network = args.network;
    options.paid.clone_from(&args.paid_path);
    options.post = args.post_path.clone().zip(args.post_body.clone());
    options.free.clone_from(&args.free_path);
    options.missing.clone_from(&args.missing_path);
    options.probe_limit = args.probe_limit;
    options.max_invoice_msat = msat(args.max_sats)?;
    options.max_total_msat = msat(args.max_total_sats)?;
    options.only.clone_from(&args.run.only);
    options.strict = args.run.strict;
    let expected = expected(&args.run)?;
    finish(run_server(&options).await?.expecting(&expected), &args.run)
}

/// Returns the exit code.
pub(super) async fn client(args: &ClientArgs) -> Result<u8, CliError> {
    if args.run.list {
        return list(client_checks());
    }
    let mut options = ClientOptions::new(args.command.clone());
    options.timeout = args.timeout;
    options.only.clone_from(&args.run.only);
    options.strict = args.run.strict;
    let expected = expected(&args.run)?;
    finish(run_client(&options).await?.expecting(&expected), &args.run)
}

fn expected(args: &RunArgs) -> Result<ExpectedFailures, CliError> {
    let Some(file) = &args.expected_failures else { return Ok(ExpectedFailures::default()) };
    let text = std::fs::read_to_string(file).map_err(CliError::io(&reading(file)))?;
    ExpectedFailures::parse(&text)
        .map_err(|error| CliError::Usage(format!("{}: {error}", file.display())))
}

fn reading(file: &Path) -> String {
    format!("read {}", file.display())
}

fn finish(report: WireReport, args: &RunArgs) -> Result<u8, CliError> {
    out(report.to_string().trim_end())?;
    if let Some(file) = &args.junit {
        let doing = format!("write {}", file.display());
        std::fs::write(file, report.to_junit()).map_err(CliError::io(&doing))?;
    }
    Ok(if report.is_success() { exit::OK } else { exit::OTHER })
}

fn list(checks: impl Iterator<Item = Check>) -> Result<u8, CliError> {
    for Check { id, level, requirement, source } in checks {
        out(&format!("{level:<7}{id}\n       {source}: \u{201c}{requirement}\u{201d}"))?;
    }
    Ok(exit::OK)
}
