//! Stands where a wallet would.

use async_trait::async_trait;
use plannt_core::PaymentHash;
use plannt_lightning::{LightningError, PayFailure, PayOutcome, PayRequest, Payer, PaymentState};

/// A payer for clients that pay nothing: whatever it is asked, it does not pay.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWallet;

impl NoWallet {
    fn error() -> LightningError {
        LightningError::Config { message: "no wallet is configured".into() }
    }
}

#[async_trait]
impl Payer for NoWallet {
    async fn pay(&self, _: &PayRequest) -> PayOutcome {
        PayOutcome::Failed(PayFailure::NotSent(Self::error()))
    }

    async fn look_up_payment(&self, _: &PaymentHash) -> Result<PaymentState, LightningError> {
        Err(Self::error())
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        Err(Self::error())
    }

    fn wallet_id(&self) -> String {
        "none".into()
    }
}
