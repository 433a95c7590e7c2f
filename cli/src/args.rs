//! The command line: what it takes, and what its help says.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::conformance::ConformanceArgs;

/// Pay for HTTP requests over Lightning, and charge for them.
///
/// `plannt URL` sends the request; where the answer is a 402 with an L402 challenge, it checks the invoice, pays it, and repeats the request
/// with the credential. The response body goes to standard output, everything else to standard error.
#[derive(Debug, Parser)]
#[command(
    name = "plannt",
    version,
    subcommand_negates_reqs = true,
    override_usage = "plannt [OPTIONS] <URL>\n       plannt <COMMAND>",
    after_help = crate::exit::HELP,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) fetch: FetchArgs,

    #[command(flatten)]
    pub(crate) home: HomeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HomeArgs {
    /// Folder of all state: keys, spent set, devnet, payment journal
    /// [default: $XDG_DATA_HOME/plannt or ~/.local/share/plannt]
    #[arg(long, env = "PLANNT_HOME", global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Test vectors for L402, and what runs them
    Conformance(ConformanceArgs),
    /// Show what a challenge, token, credential or invoice says
    Decode(DecodeArgs),
    /// Play one paid request in five steps, on a network of its own
    Demo(DemoArgs),
    /// Run a small Lightning network in this process, for demos and tests
    Devnet(DevnetArgs),
    /// Make a keyring and the spend store it is paired with
    Keygen(KeygenArgs),
    /// Offer paying to agents: a Model Context Protocol server over stdio, or HTTP with --http
    Mcp(Box<McpArgs>),
    /// List what was paid
    Receipts(ReceiptsArgs),
    /// Charge for requests: the demo service, or a reverse proxy
    Serve(Box<ServeArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// What to request; without a scheme, https, and http for a loopback address
    #[arg(required = true)]
    pub(crate) url: Option<String>,

    /// Method [default: GET, or POST with --data]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,

    /// Body; `@file` reads a file, `@-` standard input; several are joined with `&`
    #[arg(short, long, value_name = "DATA", allow_hyphen_values = true)]
    pub(crate) data: Vec<String>,

    /// Header line `Name: value`; `Content-Type:` leaves out the one that --data brings
    #[arg(short = 'H', long, value_name = "LINE")]
    pub(crate) header: Vec<String>,

    /// Write the response's status line and headers before its body
    #[arg(short, long)]
    pub(crate) include: bool,

    /// Ask for the headers only (HEAD); never pays
    #[arg(short = 'I', long, conflicts_with_all = ["data", "request"])]
    pub(crate) head: bool,

    /// Write the body to a file instead of standard output (`-`)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Exit with 22 where the response's status is 400 or more
    #[arg(short, long)]
    pub(crate) fail: bool,

    /// Follow redirects; a service that asks for payment after one is refused
    #[arg(short = 'L', long)]
    pub(crate) location: bool,

    /// Say nothing of the payment on standard error
    #[arg(short, long)]
    pub(crate) silent: bool,

    /// Pay at most this for this call, the fee included
    #[arg(long, value_name = "SATS", default_value_t = 1_000)]
    pub(crate) max_sats: u64,

    /// Pay at most this as routing fee [default: 1% of the price plus 10 sats, and what --max-sats
    /// leaves]
    #[arg(long, value_name = "SATS")]
    pub(crate) max_fee_sats: Option<u64>,

    /// Pay at most this in 24 hours, all calls and processes together
    #[arg(long, value_name = "SATS", env = "PLANNT_MAX_SATS_PER_DAY")]
    pub(crate) max_sats_per_day: Option<u64>,

    /// Show the quote; pay nothing and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Pay again although an earlier payment for this request brought nothing
    #[arg(long)]
    pub(crate) pay_again: bool,

    /// Pay only this host (may be repeated) [default: any]
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<String>,

    /// Pay over plain http too, beyond loopback and .onion
    #[arg(long)]
    pub(crate) allow_http: bool,

    /// Give up waiting for the payment after this; the journal goes on knowing of it
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "60s")]
    pub(crate) payment_timeout: Duration,

    #[command(flatten)]
    pub(crate) wallet: WalletArgs,
}

/// Who pays.
#[derive(Debug, Args)]
pub(crate) struct WalletArgs {
    /// The paying wallet, such as `lnd://host:8080?cert=FILE&macaroon=FILE`; lnd+grpc, cln, phoenixd,
    /// nostr+walletconnect, lnbits and devnet go too (docs/BACKENDS.md)
    /// [default: the devnet's payer under --data-dir]
    #[arg(long, env = "PLANNT_WALLET", hide_env_values = true, value_name = "URL")]
    pub(crate) wallet: Option<String>,

    /// The wallet's network: bitcoin, testnet, signet, regtest, simnet
    /// [default: bitcoin, regtest for the devnet]
    #[arg(long, env = "PLANNT_NETWORK", value_name = "NAME")]
    pub(crate) network: Option<plannt_core::Network>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Offer the demo service: /v1/demo, /v1/data, /status, and /v1/generate with --generate-url;
    /// on a devnet of its own unless --node says otherwise
    #[arg(long, required_unless_present = "upstream")]
    pub(crate) demo: bool,

    /// Sell requests to this service
    #[arg(long, value_name = "URL", requires = "price_sats", conflicts_with_all = ["demo", "generate_url"])]
    pub(crate) upstream: Option<String>,

    /// Price of one request to --upstream
    #[arg(long, value_name = "SATS", requires = "upstream", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) price_sats: Option<u64>,

    /// OpenAI-compatible base URL behind /v1/generate
    #[arg(long, value_name = "URL")]
    pub(crate) generate_url: Option<String>,

    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8402")]
    pub(crate) listen: SocketAddr,

    /// How long a credential stays valid, at least 20m
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "1h")]
    pub(crate) validity: Duration,

    /// Challenges that one client gets in a minute [default: 60, 600 for --demo]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) challenges_per_minute: Option<u32>,

    /// Invoices that are kept ahead of demand for each price, so that a challenge does not wait for the node; 0 is none
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) invoice_pool: usize,

    /// Besides the preimage, ask the node that the invoice is settled
    #[arg(long)]
    pub(crate) strict_settlement: bool,

    /// The receiving node, such as `lnd://host:8080?cert=FILE&macaroon=FILE`; what --wallet takes
    /// goes too, and a Lightning address (docs/BACKENDS.md)
    #[arg(long, env = "PLANNT_NODE", hide_env_values = true, value_name = "URL")]
    pub(crate) node: Option<String>,

    /// Run on a devnet of its own, whose money is worth nothing (--demo implies it without --node)
    #[arg(long, conflicts_with = "node")]
    pub(crate) devnet: bool,

    /// The node's network: bitcoin, testnet, signet, regtest, simnet
    /// [default: bitcoin, regtest for the devnet]
    #[arg(long, env = "PLANNT_NETWORK", value_name = "NAME")]
    pub(crate) network: Option<plannt_core::Network>,
}

#[derive(Debug, Args)]
pub(crate) struct DevnetArgs {
    #[command(subcommand)]
    pub(crate) command: Option<DevnetCommand>,

    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8403")]
    pub(crate) listen: SocketAddr,
}

/// What can be asked of a devnet that runs under --data-dir.
#[derive(Debug, Subcommand)]
pub(crate) enum DevnetCommand {
    /// Clear all faults
    Clear,
    /// Let a payment that is stuck in flight fail
    Fail {
        /// 64 hex digits
        payment_hash: String,
    },
    /// Make it fail as docs/DEVNET.md says; without an argument, list the faults that are set
    Fault {
        /// Such as `{"operation":"pay","kind":"no_route","count":1}`
        json: Option<String>,
    },
    /// List its invoices, one JSON object a line
    Invoices,
    /// List the payments that were asked of it, one JSON object a line
    Payments,
    /// Let a payment that is stuck in flight succeed
    Settle {
        /// 64 hex digits
        payment_hash: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the demo's own service listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct McpArgs {
    #[command(subcommand)]
    pub(crate) command: Option<McpCommand>,

    /// Pay at most this for one call, the fee included
    #[arg(long, value_name = "SATS", default_value_t = 1_000)]
    pub(crate) max_sats: u64,

    /// Pay at most this as routing fee [default: 1% of the price plus 10 sats, and what --max-sats
    /// leaves]
    #[arg(long, value_name = "SATS")]
    pub(crate) max_fee_sats: Option<u64>,

    /// Pay at most this until the server ends, all connections together
    #[arg(long, value_name = "SATS")]
    pub(crate) max_sats_per_session: Option<u64>,

    /// Pay at most this in 24 hours, all calls and processes together
    #[arg(long, value_name = "SATS", env = "PLANNT_MAX_SATS_PER_DAY")]
    pub(crate) max_sats_per_day: Option<u64>,

    /// Ask a person before a call that may cost more than this; where the agent's program can't ask, refuse it
    #[arg(long, value_name = "SATS")]
    pub(crate) confirm_above: Option<u64>,

    /// Pay only this host (may be repeated) [default: any]
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<String>,

    /// Let this host be on this machine or its network (may be repeated), such as `127.0.0.1:8402`
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_private: Vec<String>,

    /// Pay over plain http too, beyond loopback and .onion
    #[arg(long)]
    pub(crate) allow_http: bool,

    /// Give up waiting for a payment after this; the journal goes on knowing of it
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "60s")]
    pub(crate) payment_timeout: Duration,

    /// Serve streamable HTTP at /mcp of this address instead of stdio [default address: 127.0.0.1:8404]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, default_missing_value = "127.0.0.1:8404")]
    pub(crate) http: Option<SocketAddr>,

    /// What a client of --http must show as `Authorization: Bearer`; needed where others can reach the address
    #[arg(
        long,
        env = "PLANNT_MCP_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        requires = "http"
    )]
    pub(crate) token: Option<String>,

    /// Let pages of this origin call --http (may be repeated), such as `http://localhost:6274`; `:*` is any port
    #[arg(long, value_name = "ORIGIN", requires = "http")]
    pub(crate) allow_origin: Vec<String>,

    #[command(flatten)]
    pub(crate) wallet: WalletArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum McpCommand {
    /// Write this server into an agent program's configuration, or print what to write
    Install(McpInstallArgs),
}

#[derive(Debug, Args)]
pub(crate) struct McpInstallArgs {
    /// The agent's program
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) client: crate::mcp::AgentProgram,

    /// Print the configuration and where it belongs; write nothing
    #[arg(long)]
    pub(crate) print: bool,

    /// For the project in this folder instead of the user
    #[arg(long)]
    pub(crate) project: bool,

    /// The name of the entry
    #[arg(long, value_name = "NAME", default_value = "plannt")]
    pub(crate) name: String,

    /// Options of `plannt mcp` to start it with, after `--`, such as `-- --max-sats 100`
    #[arg(last = true, value_name = "OPTIONS")]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DecodeArgs {
    /// A WWW-Authenticate or Authorization value, a token, or an invoice; `-` reads standard input
    pub(crate) text: Vec<String>,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct KeygenArgs {
    /// The network that the root key serves
    #[arg(long, env = "PLANNT_NETWORK", value_name = "NAME", default_value = "bitcoin")]
    pub(crate) network: plannt_core::Network,

    /// Add a new minting key to the existing keyring; the old keys go on verifying
    #[arg(long)]
    pub(crate) rotate: bool,

    /// Drop every key but the minting one: one validity window after a rotation, or at once when
    /// an old key is compromised
    #[arg(long)]
    pub(crate) drop_older: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReceiptsArgs {
    /// The newest so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,

    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}
