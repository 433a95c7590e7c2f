//! The gate of a gateway: its keyring, its spend store, its node, and its routes' prices.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use plannt_gate::{Gate, KeyringStore, PoolOptions};

use crate::prices::Prices;
use crate::routes::Routes;
use crate::{GatewayConfig, GatewayError};

/// Opens the keyring, the spend store and the prices of the data folder, which the first start makes.
pub(crate) async fn open(config: &GatewayConfig) -> Result<(Gate, Routes), GatewayError> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if config.service.is_empty() || !config.service.bytes().all(is_name) {
        return Err(GatewayError::config("a service's name is [a-z0-9-]+"));
    }
    let limit = NonZeroU32::new(config.challenges_per_minute)
        .ok_or_else(|| GatewayError::config("the challenges a minute must be above 0"))?;
    let config = config.clone();
    let (invoicer, network) = (Arc::clone(&config.invoicer), config.network);
    let (pool, strict) = (config.invoice_pool, config.strict_settlement);
    // Files are locked, read and synced: not for a thread that serves.
    let opened = tokio::task::spawn_blocking(move || {
        let GatewayConfig { data_dir, offer, service, validity, .. } = &config;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let opened = KeyringStore::open_or_create(data_dir, network, now)?;
        let shelf = if pool > 0 { PoolOptions::SHELF_SECONDS } else { 0 };
        let mut prices = Prices::open(data_dir, service, validity.as_secs(), shelf.into(), now)
            .map_err(GatewayError::Prices)?;
        let routes = Routes::new(offer, service, *validity, config.limits.body, &mut prices);
        prices.save().map_err(GatewayError::Prices)?;
        Ok::<_, GatewayError>((opened, routes))
    });
    let (opened, routes) = opened.await.map_err(|error| GatewayError::Start(error.into()))??;
    let mut builder = Gate::builder(opened.keyring.keyring(), invoicer, opened.store.clone())
        .challenges_per_minute(limit)
        .require_settled(strict);
    if pool > 0 {
        builder = builder.invoice_pool(opened.pool_options(pool));
    }
    let gate = builder.build()?;
    routes.listed().filter_map(|route| route.terms).for_each(|terms| gate.prepare(terms));
    Ok((gate, routes))
}
