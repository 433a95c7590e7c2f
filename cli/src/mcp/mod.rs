//! `plannt mcp`: paying, for agents.

mod install;

use plannt_client::{Budget, BudgetRule, FeeLimit, Hosts};
use plannt_mcp::{BearerToken, HttpConfig, McpConfig, PlanntMcp};

use crate::args::{HomeArgs, McpArgs, McpCommand};
use crate::error::CliError;
use crate::fetch::msat;
use crate::home::Home;
use crate::print::err;
use crate::serve::stop_signal;
use crate::wallet::Wallet;

pub(crate) use install::AgentProgram;

pub(crate) async fn run(args: &McpArgs, home: &HomeArgs) -> Result<(), CliError> {
    if let Some(McpCommand::Install(install)) = &args.command {
        return install::run(install, home);
    }
    let server = PlanntMcp::new(config(args, &Home::new(home)?)?)?;
    let Some(listen) = args.http else {
        return tokio::select! {
            ended = server.serve_stdio() => Ok(ended?),
            () = stop_signal() => Ok(()),
        };
    };
    let mut http = HttpConfig::default();
    http.listen = listen;
    http.token = args.token.clone().map(BearerToken::new).transpose()?;
    http.origins = args.allow_origin.clone();
    let bound = server.bind_http(http).await?;
    // Standard output is a client's only over stdio; the line is the same as `serve`'s.
    crate::print::out(&format!("listening on http://{}/mcp", bound.local_addr()))?;
    bound.serve(stop_signal()).await;
    Ok(())
}

fn config(args: &McpArgs, home: &Home) -> Result<McpConfig, CliError> {
    let wallet = Wallet::find(&args.wallet, home)?;
    let network = wallet.network();
    let payer = wallet.into_payer();
    if payer.is_none() {
        err("plannt: no wallet, so nothing is paid: give --wallet (or PLANNT_WALLET)\n");
    }
    let mut config = McpConfig::new(payer, network, home.journal());
    config.max_payment_msat = msat(args.max_sats)?;
    if let Some(sats) = args.max_fee_sats {
        config.max_fee = FeeLimit::fixed(msat(sats)?);
        config.fit_fee = false;
    }
    config.session_limit_msat = args.max_sats_per_session.map(msat).transpose()?;
    if let Some(sats) = args.max_sats_per_day {
        config.budget = Budget::new([BudgetRule::per_day(msat(sats)?)]);
    }
    config.confirm_above_msat = args.confirm_above.map(msat).transpose()?;
    if !args.allow_host.is_empty() {
        config.allowed_hosts = Hosts::listed(&args.allow_host);
    }
    if args.allow_http {
        config.plain_http_hosts = Hosts::Any;
    }
    config.private_hosts = Hosts::listed(&args.allow_private);
    config.payment_timeout = args.payment_timeout;
    Ok(config)
}
