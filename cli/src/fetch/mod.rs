//! `plannt <url>`: sends a request, pays for it, and writes the response.

mod output;
mod request;

use std::sync::Arc;
use std::time::Duration;

use plannt_client::{
    Budget, BudgetRule, Client, ClientError, FeeLimit, Hosts, Journal, Quoted, Refusal, Response,
};

use crate::args::FetchArgs;
use crate::error::CliError;
use crate::exit;
use crate::home::Home;
use crate::print;
use crate::wallet::Wallet;
use output::Output;

/// The fee limit where none was given: 10 sats and 1% of the price.
const DEFAULT_FEE: FeeLimit = FeeLimit { base_msat: 10_000, parts_per_million: 10_000 };

/// How long a call may be held up by what earlier ones left.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);

/// Returns the exit code.
pub(crate) async fn run(args: &FetchArgs, home: &Home) -> Result<u8, CliError> {
    let request = request::build(args)?;
    let wallet = Wallet::find(&args.wallet, home)?;
    // The headers of an answer are no goods.
    let is_head = request.method == "HEAD";
    let pays = wallet.can_pay() && !args.dry_run && !is_head;
    let client = client(args, home, &wallet, pays)?;
    if is_head {
        let output = Output::open(args)?;
        let response = client.send_unpaid(request).await?;
        return finish(args, output, response).await;
    }
    if !pays {
        return match client.quote(request).await? {
            Quoted::Free(response) => finish(args, Output::open(args)?, response).await,
            Quoted::Charged(quote) => {
                print::err(&print::quote(&quote));
                if args.dry_run { Ok(exit::OK) } else { Err(CliError::NoWallet) }
            }
            _ => Err(CliError::Usage("this answer is of a kind that is not known here".into())),
        };
    }
    let output = Output::open(args)?;
    recover(&client).await;
    let response = client.send(request).await?;
    if !args.silent {
        print::err(&print::payment(&response));
    }
    finish(args, output, response).await
}

/// Asks the wallet what became of payments that earlier runs left unfinished, whatever they were for: a crash must not
/// hold on to the budget. What it can't tell in time stays as it is, and the journal's own errors come with the call.
async fn recover(client: &Client) {
    match tokio::time::timeout(RECOVERY_LIMIT, client.recover()).await {
        Ok(Ok(recovered)) => {
            for payment in recovered {
                tracing::info!(hash = %payment.payment_hash, state = ?payment.state, "looked up");
            }
        }
        Ok(Err(error)) => tracing::warn!(code = error.code(), "no recovery"),
        Err(_) => tracing::warn!("the wallet did not say in time what became of earlier payments"),
    }
}

async fn finish(args: &FetchArgs, output: Output, response: Response) -> Result<u8, CliError> {
    let status = response.status;
    output.write(args, response).await?;
    Ok(if args.fail && status.as_u16() >= 400 { exit::HTTP_ERROR } else { exit::OK })
}

fn client(args: &FetchArgs, home: &Home, wallet: &Wallet, pays: bool) -> Result<Client, CliError> {
    let fee = match args.max_fee_sats {
        Some(sats) => FeeLimit::fixed(msat(sats)?),
        None => DEFAULT_FEE,
    };
    let mut builder = Client::builder(wallet.payer(), wallet.network())
        .max_payment_msat(msat(args.max_sats)?)
        .max_fee(fee)
        // `--max-sats 21` pays 21 sats where that can be done without a fee.
        .fit_fee(args.max_fee_sats.is_none())
        .payment_timeout(args.payment_timeout)
        .pay_after_loss(args.pay_again);
    let path = home.journal();
    builder = if pays || path.exists() {
        builder.journal_path(path)
    } else {
        // Asking for a price makes no journal.
        builder.journal(Arc::new(Journal::empty().map_err(ClientError::from)?))
    };
    if let Some(sats) = args.max_sats_per_day {
        builder = builder.budget(Budget::new([BudgetRule::per_day(msat(sats)?)]));
    }
    if !args.allow_host.is_empty() {
        builder = builder.allowed_hosts(Hosts::listed(&args.allow_host));
    }
    if args.allow_http {
        builder = builder.plain_http_hosts(Hosts::Any);
    }
    Ok(builder.follow_redirects(args.location).build()?)
}

/// A limit in sats, in msat.
pub(crate) fn msat(sats: u64) -> Result<u64, CliError> {
    sats.checked_mul(1_000).ok_or_else(|| CliError::Usage("the limit is out of range".into()))
}

/// See [`exit`].
pub(crate) fn exit_code(error: &ClientError) -> u8 {
    match error {
        ClientError::Config { .. } | ClientError::Request { .. } => exit::USAGE,
        ClientError::Journal(_) => exit::JOURNAL,
        ClientError::NotDelivered { .. }
        | ClientError::RedirectFailed { .. }
        | ClientError::Transport(_) => exit::NETWORK,
        ClientError::NotJournaled { .. } => exit::UNKNOWN,
        // It paid, and then was asked for more.
        ClientError::Refused { receipt: Some(_), .. } => exit::LOST,
        ClientError::Refused { refusal, .. } => match refusal {
            Refusal::Journal => exit::JOURNAL,
            Refusal::PaymentFailed { .. } => exit::NOT_PAID,
            Refusal::PaymentLost(_) => exit::LOST,
            Refusal::Busy
            | Refusal::JournalAfterPayment { .. }
            | Refusal::PaymentUnresolved { .. }
            | Refusal::PreimageMismatch { .. } => exit::UNKNOWN,
            _ => exit::REFUSED,
        },
        _ => exit::OTHER,
    }
}
