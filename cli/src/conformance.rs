//! `plannt conformance`: the vectors for any implementation, and the run of them against one.

mod wire;

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use plannt_conformance::{
    Adapter, Expected, InProcess, Process, Report, RunOptions, Suite, suite_names, vectors,
    vectors_json,
};

use crate::error::CliError;
use crate::exit;
use crate::print::out;

#[derive(Debug, Args)]
pub(crate) struct ConformanceArgs {
    #[command(subcommand)]
    command: ConformanceCommand,
}

#[derive(Debug, Subcommand)]
enum ConformanceCommand {
    /// Play servers, honest, odd and hostile, to the command after `--`, and watch what it pays
    Client(wire::ClientArgs),
    /// Ask an implementation every case: this one, or the adapter program after `--`
    Run(RunArgs),
    /// Test an L402 server from outside, and buy from it
    Server(Box<wire::ServerArgs>),
    /// Hand out the cases
    Vectors(VectorsArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Only this suite (may be repeated) [default: all]
    #[arg(long, value_name = "NAME", value_parser = suite_name)]
    suite: Vec<String>,

    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Refusals must carry the case's error code; without it, whatever code will do
    #[arg(long)]
    codes: bool,

    /// How long the adapter may take for one answer
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "30s")]
    time_limit: Duration,

    /// A program that answers JSON lines, as conformance/README.md says, and its arguments
    #[arg(last = true, value_name = "ADAPTER")]
    adapter: Vec<OsString>,
}

#[derive(Debug, Args)]
struct VectorsArgs {
    /// Only this suite (may be repeated) [default: all]
    #[arg(long, value_name = "NAME", value_parser = suite_name)]
    suite: Vec<String>,

    /// `json`: one suite's file as it is, or an array of several; `text`: the suites and their sizes
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Text,
}

fn suite_name(text: &str) -> Result<String, String> {
    let names: Vec<_> = suite_names().collect();
    let known = names.contains(&text);
    known.then(|| text.to_owned()).ok_or_else(|| format!("the suites are {}", names.join(", ")))
}

/// Returns the exit code: a run with a failure ends with 1.
pub(crate) async fn run(args: &ConformanceArgs) -> Result<u8, CliError> {
    match &args.command {
        ConformanceCommand::Client(args) => wire::client(args).await,
        ConformanceCommand::Run(args) => run_vectors(args),
        ConformanceCommand::Server(args) => wire::server(args).await,
        ConformanceCommand::Vectors(args) => hand_out(args).map(|()| exit::OK),
    }
}

fn run_vectors(args: &RunArgs) -> Result<u8, CliError> {
    let suites: Vec<Suite> =
        vectors().into_iter().filter(|s| is_chosen(&args.suite, &s.suite)).collect();
    let mut adapter: Box<dyn Adapter> = match args.adapter.split_first() {
        None => Box::new(InProcess),
        Some((program, arguments)) => {
            let process = Process::start(program, arguments);
            let process = process.map_err(|e| CliError::Usage(e.to_string()))?;
            Box::new(process.with_time_limit(args.time_limit))
        }
    };
    let options = RunOptions::new().with_codes(args.codes);
    let report = plannt_conformance::run(&suites, adapter.as_mut(), &options);
    finish(&report, args.junit.as_deref())
}

fn finish(report: &Report, junit: Option<&Path>) -> Result<u8, CliError> {
    if let Some(path) = junit {
        std::fs::write(path, report.to_junit())
            .map_err(CliError::io(&format!("write {}", path.display())))?;
    }
    out(report.to_string().trim_end())?;
    Ok(if report.is_success() { exit::OK } else { exit::OTHER })
}

fn hand_out(args: &VectorsArgs) -> Result<(), CliError> {
    match args.format {
        Format::Json => {
            let files: Vec<_> = suite_names()
                .filter(|name| is_chosen(&args.suite, name))
                .filter_map(vectors_json)
                .map(str::trim_end)
                .collect();
            match (files.as_slice(), args.suite.as_slice()) {
                ([file], [_]) => out(file),
                _ => out(&format!("[{}]", files.join(",\n"))),
            }
        }
        Format::Text => {
            let mut text = String::new();
            for suite in vectors().iter().filter(|s| is_chosen(&args.suite, &s.suite)) {
                let invalid = suite.cases().filter(|c| c.result == Expected::Invalid).count();
                let (name, all) = (&suite.suite, suite.number_of_tests);
                let _ = writeln!(text, "{name:<22} {all:>5} cases, {invalid} of them invalid");
            }
            out(text.trim_end())
        }
    }
}

fn is_chosen(chosen: &[String], name: &str) -> bool {
    chosen.is_empty() || chosen.iter().any(|c| c == name)
}
