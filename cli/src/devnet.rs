//! `plannt devnet`: a Lightning network in one process.

use plannt_core::PaymentHash;
use plannt_lightning::devnet::{Control, Devnet, DevnetConfig, DevnetFile, Fault};
use plannt_lightning::payer_from_url;
use serde::Serialize;

use crate::args::{DevnetArgs, DevnetCommand};
use crate::error::CliError;
use crate::home::Home;
use crate::print::out;
use crate::serve::stop_signal;

pub(crate) async fn run(args: &DevnetArgs, home: &Home) -> Result<(), CliError> {
    let Some(command) = &args.command else { return serve(args, home).await };
    let control = Control::open(&home.devnet())?;
    match command {
        DevnetCommand::Clear => control.clear_faults().await?,
        DevnetCommand::Fail { payment_hash } => control.fail(&hash(payment_hash)?).await?,
        DevnetCommand::Fault { json } => {
            if let Some(json) = json {
                control.set_fault(&fault(json)?).await?;
            }
            list(&control.faults().await?)?;
        }
        DevnetCommand::Invoices => list(&control.invoices().await?)?,
        DevnetCommand::Payments => list(&control.payments().await?)?,
        DevnetCommand::Settle { payment_hash } => control.settle(&hash(payment_hash)?).await?,
    }
    Ok(())
}

async fn serve(args: &DevnetArgs, home: &Home) -> Result<(), CliError> {
    let mut config = DevnetConfig::new(home.devnet());
    config.listen = args.listen;
    let devnet = Devnet::start(config).await?;
    out(&format!(
        "listening on https://{}\nwallet: {}\nnode:   {}",
        devnet.local_addr(),
        devnet.payer_url(),
        devnet.invoicer_url()
    ))?;
    stop_signal().await;
    devnet.shutdown().await;
    Ok(())
}

/// The devnet that runs under `home`, if one does. A file is left behind by one that was killed,
/// so it is asked.
pub(crate) async fn running(home: &Home) -> Option<DevnetFile> {
    let file = DevnetFile::read(&home.devnet())?;
    let wallet = payer_from_url(&file.payer_url).ok()?;
    wallet.balance_msat().await.ok().map(|_| file)
}

fn fault(json: &str) -> Result<Fault, CliError> {
    serde_json::from_str(json).map_err(|e| CliError::Usage(format!("no fault of the devnet: {e}")))
}

fn hash(text: &str) -> Result<PaymentHash, CliError> {
    text.parse().map_err(|e| CliError::Usage(format!("no payment hash: {e}")))
}

/// One JSON object a line.
fn list<T: Serialize>(items: &[T]) -> Result<(), CliError> {
    for item in items {
        let line = serde_json::to_string(item).map_err(|e| CliError::Decode(e.to_string()))?;
        out(&line)?;
    }
    Ok(())
}
