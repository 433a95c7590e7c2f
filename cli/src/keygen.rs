//! `plannt keygen`: the keyring, and the spend store that belongs to it.

use std::time::{SystemTime, UNIX_EPOCH};

use plannt_gate::{KeyringFile, KeyringStore};

use crate::args::KeygenArgs;
use crate::error::CliError;
use crate::home::Home;
use crate::print::{out, time};

/// Prints where the keyring is and how old its keys are, never a key.
pub(crate) fn run(args: &KeygenArgs, home: &Home) -> Result<(), CliError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let folder = home.gateway();
    let path = KeyringStore::keyring_path(&folder);
    let keyring = if args.rotate || args.drop_older {
        let mut keyring = KeyringFile::read(&path)?
            .ok_or_else(|| CliError::Usage(format!("there is no keyring at {}", path.display())))?;
        if args.rotate {
            keyring.rotate(now);
        }
        if args.drop_older {
            keyring.drop_older();
        }
        keyring.write(&path)?;
        keyring
    } else {
        if path.exists() {
            return Err(CliError::Usage(format!(
                "{} exists: --rotate adds a minting key to it",
                path.display()
            )));
        }
        KeyringStore::open_or_create(&folder, args.network, now)?.keyring
    };
    out(&format!("{} ({})", path.display(), keyring.network()))?;
    for (i, created_at) in keyring.created_at().enumerate() {
        let role = if i == 0 { "mints and verifies" } else { "verifies" };
        out(&format!("  key made {}: {role}", time(created_at)))?;
    }
    Ok(())
}
