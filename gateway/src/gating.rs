//! The gate of a gateway: its keyring, its spend store, its node.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use plannt_gate::{Gate, KeyringStore};

use crate::{GatewayConfig, GatewayError};

/// Opens the keyring and the spend store of the data folder, which the first start makes.
pub(crate) async fn open(config: &GatewayConfig) -> Result<Gate, GatewayError> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if config.service.is_empty() || !config.service.bytes().all(is_name) {
        return Err(GatewayError::config("a service's name is [a-z0-9-]+"));
    }
    let limit = NonZeroU32::new(config.challenges_per_minute)
        .ok_or_else(|| GatewayError::config("the challenges a minute must be above 0"))?;
    let (data_dir, network) = (config.data_dir.clone(), config.network);
    // Files are locked, read and synced: not for a thread that serves.
    let opened = tokio::task::spawn_blocking(move || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        KeyringStore::open_or_create(&data_dir, network, now)
    });
    let opened = opened.await.map_err(|error| GatewayError::Start(error.into()))??;
    let gate = Gate::builder(opened.keyring.keyring(), Arc::clone(&config.invoicer), opened.store)
        .challenges_per_minute(limit)
        .build()?;
    Ok(gate)
}
