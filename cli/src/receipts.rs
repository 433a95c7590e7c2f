//! `plannt receipts`: what was paid.

use plannt_client::Journal;

use crate::args::ReceiptsArgs;
use crate::error::CliError;
use crate::home::Home;
use crate::print;

pub(crate) fn run(args: &ReceiptsArgs, home: &Home) -> Result<(), CliError> {
    let path = home.journal();
    // Looking makes no journal.
    if !path.exists() {
        return Ok(());
    }
    let journal = Journal::open(path).map_err(plannt_client::ClientError::from)?;
    let receipts = journal.receipts(args.limit).map_err(plannt_client::ClientError::from)?;
    // The oldest first, as a ledger is read.
    for receipt in receipts.iter().rev() {
        let line = match args.json {
            true => print::receipt_json(receipt).to_string(),
            false => print::receipt(receipt),
        };
        print::out(&line)?;
    }
    Ok(())
}
