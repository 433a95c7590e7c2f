//! `plannt`: pay for HTTP requests over Lightning, and charge for them.
#![forbid(unsafe_code)]

mod args;
mod conformance;
mod decode;
mod demo;
mod devnet;
mod error;
mod exit;
mod fetch;
mod home;
mod keygen;
mod mcp;
mod print;
mod receipts;
mod serve;
mod wallet;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use args::{Cli, Command};
use error::CliError;
use home::Home;

/// How long work that nobody waits for may take to its end.
const SHUTDOWN: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Logs go to standard error, so that standard output holds the response alone.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // Standard error may be closed or full, and that must not end a call that paid.
        .log_internal_errors(false)
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::err(&format!("plannt: could not start: {error}\n"));
            return ExitCode::from(exit::OTHER);
        }
    };
    let result = runtime.block_on(run(&cli));
    // A read of standard input that nobody can cancel must not hold the process up.
    runtime.shutdown_timeout(SHUTDOWN);
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print::err(&print::error(&error));
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(cli: &Cli) -> Result<u8, CliError> {
    let home = || Home::new(&cli.home);
    match &cli.command {
        None => return fetch::run(&cli.fetch, &home()?).await,
        Some(Command::Conformance(args)) => return conformance::run(args).await,
        Some(Command::Decode(args)) => decode::run(args)?,
        Some(Command::Demo(args)) => demo::run(args).await?,
        Some(Command::Devnet(args)) => devnet::run(args, &home()?).await?,
        Some(Command::Keygen(args)) => keygen::run(args, &home()?)?,
        Some(Command::Mcp(args)) => mcp::run(args, &cli.home).await?,
        Some(Command::Receipts(args)) => receipts::run(args, &home()?)?,
        Some(Command::Serve(args)) => serve::run(args, &home()?).await?,
    }
    Ok(exit::OK)
}
