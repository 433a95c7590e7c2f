//! The gate of a gateway: its keyring, its spend store, its node.

use plannt_gate::Gate;

use crate::{GatewayConfig, GatewayError};

/// Opens the keyring and the spend store of the data folder, which the first start makes.
pub(crate) async fn open(config: &GatewayConfig) -> Result<Gate, GatewayError> {
    let _ = config;
    todo!()
}
