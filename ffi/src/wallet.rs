//! Wallets: those of the Rust backends by URL, and the app's own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plannt_core::{PaymentHash, read_invoice};
use plannt_lightning as lightning;
use plannt_lightning::{PayOutcome, Payer, payer_from_url};

use crate::convert::Convert;
use crate::{LightningError, Msat, Network, PaymentError, Preimage};

/// How long a wallet may take beyond the time that it was told, and for a look-up.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// A Lightning wallet: what `wallet` gives for a URL, or anything of the app's own that can pay an invoice.
#[uniffi::export(with_foreign)]
#[async_trait]
pub trait Wallet: Send + Sync {
    /// A name for this wallet, the same at each start, without secrets; part of the key by which the payments journal finds
    /// an unfinished call.
    fn wallet_id(&self) -> String;

    /// The network that it is on, if that is known.
    fn network(&self) -> Option<Network>;

    /// Whether a maximum fee holds at this wallet. If not, the driver reserves a configured worst case.
    fn limits_fee(&self) -> bool;

    /// Pays an invoice, at most once for a payment hash however often it is called. Throw `Failed` where it was certainly
    /// not paid; after whatever else is thrown the payment counts as made until a look-up says otherwise.
    async fn pay_invoice(&self, request: PayRequest) -> Result<Payment, PaymentError>;

    /// What became of a payment. Answers at once, also for one in flight. Throwing means that nothing is known.
    async fn lookup_payment(
        &self,
        payment_hash: PaymentHash,
    ) -> Result<PaymentState, LightningError>;

    /// What the wallet can spend over its channels, msat; routing fees and channel reserves come out of it. No call asks for
    /// it.
    async fn balance_msat(&self) -> Result<Msat, LightningError>;
}

/// An invoice to pay, and its limits.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct PayRequest {
    /// The invoice's text.
    pub bolt11: String,
    /// Its payment hash.
    pub payment_hash: PaymentHash,
    /// Its amount, msat.
    pub amount_msat: Msat,
    /// The most that routing may cost on top, msat.
    pub max_fee_msat: Msat,
    /// How long the wallet may try, seconds. It bounds the tries, not a payment that is already in flight.
    pub timeout: f64,
}

impl Convert<PayRequest> for lightning::PayRequest {
    fn convert(self) -> PayRequest {
        PayRequest {
            bolt11: self.bolt11,
            payment_hash: self.payment_hash,
            amount_msat: self.amount_msat.convert(),
            max_fee_msat: self.max_fee_msat.convert(),
            timeout: self.timeout.as_secs_f64(),
        }
    }
}

/// A payment that was made.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Payment {
    /// The proof.
    pub preimage: Arc<Preimage>,
    /// What routing cost, msat. Where a wallet tells none, all that is reserved for it is charged.
    pub fee_msat: Option<Msat>,
}

impl Convert<Payment> for lightning::Payment {
    fn convert(self) -> Payment {
        Payment { preimage: self.preimage.convert(), fee_msat: Some(self.fee_msat.convert()) }
    }
}

/// What a wallet knows of a payment.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum PaymentState {
    /// Certainly not paid, and nothing is in flight.
    Failed {
        /// Why, as a stable code, as for a payment that fails.
        failure: String,
        /// The wallet's words, without secrets.
        reason: String,
    },
    /// Under way.
    InFlight,
    /// The wallet has no such payment: that means failed only once the invoice has expired.
    NotFound,
    /// Paid.
    Paid {
        /// The payment.
        payment: Payment,
    },
    /// The wallet could not tell, or it can't look payments up.
    Unknown {
        /// The wallet's words, without secrets.
        reason: String,
    },
}

/// The Lightning wallet behind a URL, such as `lnd://host:8080?cert=FILE&macaroon=FILE`. Nothing is sent to it yet. The
/// error never repeats the URL, which may hold a key.
#[uniffi::export(default(network = None))]
pub fn wallet(url: String, network: Option<Network>) -> Result<Arc<dyn Wallet>, LightningError> {
    let payer = payer_from_url(&url)?;
    let own: Option<Network> = payer.network().convert();
    if let (Some(own), Some(named)) = (own, network)
        && own != named
    {
        let message = format!("the wallet's URL says {}, not {}", own.text(), named.text());
        return Err(lightning::LightningError::Config { message }.into());
    }
    Ok(Arc::new(UrlWallet { payer, network: network.or(own) }))
}

/// A wallet of a Rust backend.
struct UrlWallet {
    payer: Arc<dyn Payer>,
    network: Option<Network>,
}

/// Runs on the runtime that belongs to the package.
async fn in_time<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let work = async { tokio::time::timeout(limit, work).await.ok() };
    uniffi::deps::async_compat::Compat::new(work).await
}

#[async_trait]
impl Wallet for UrlWallet {
    fn wallet_id(&self) -> String {
        self.payer.wallet_id()
    }

    fn network(&self) -> Option<Network> {
        self.network
    }

    fn limits_fee(&self) -> bool {
        self.payer.limits_fee()
    }

    async fn pay_invoice(&self, request: PayRequest) -> Result<Payment, PaymentError> {
        let failed = |failure: lightning::PayFailure| PaymentError::Failed {
            failure: failure.code().into(),
            reason: failure.to_string(),
        };
        let rejected = |message| failed(lightning::PayFailure::Rejected { message });
        let unknown = |error: lightning::LightningError| PaymentError::Unknown {
            failure: error.code().into(),
            reason: error.to_string(),
        };
        // What is paid is what the invoice says, whoever made the request.
        let amount_msat = match read_invoice(&request.bolt11) {
            Err(error) => return Err(rejected(error.to_string())),
            Ok(facts) => facts.amount_msat,
        };
        if amount_msat != Some(request.amount_msat.0) {
            let reason = "the invoice has another amount than the request, or none";
            return Err(rejected(reason.into()));
        }
        let Ok(timeout) = Duration::try_from_secs_f64(request.timeout) else {
            let reason = "the time-out is a number of seconds from 0 on";
            return Err(rejected(reason.into()));
        };
        let request = lightning::PayRequest {
            bolt11: request.bolt11,
            payment_hash: request.payment_hash,
            amount_msat: request.amount_msat.0,
            max_fee_msat: request.max_fee_msat.0,
            timeout,
        };
        match in_time(timeout.saturating_add(GRACE), self.payer.pay(&request)).await {
            Some(PayOutcome::Failed(failure)) => Err(failed(failure)),
            Some(PayOutcome::Paid(payment)) => Ok(payment.convert()),
            Some(PayOutcome::Unknown(error)) => Err(unknown(error)),
            None => Err(unknown(lightning::LightningError::TimeoutUnknown)),
        }
    }

    async fn lookup_payment(
        &self,
        payment_hash: PaymentHash,
    ) -> Result<PaymentState, LightningError> {
        let state = in_time(GRACE, self.payer.look_up_payment(&payment_hash)).await;
        let state = state.unwrap_or(Err(lightning::LightningError::TimeoutUnknown))?;
        Ok(match state {
            lightning::PaymentState::Failed(failure) => {
                PaymentState::Failed { failure: failure.code().into(), reason: failure.to_string() }
            }
            lightning::PaymentState::InFlight => PaymentState::InFlight,
            lightning::PaymentState::NotFound => PaymentState::NotFound,
            lightning::PaymentState::Paid(payment) => {
                PaymentState::Paid { payment: payment.convert() }
            }
        })
    }

    async fn balance_msat(&self) -> Result<Msat, LightningError> {
        let balance = in_time(GRACE, self.payer.balance_msat()).await;
        Ok(Msat(balance.unwrap_or(Err(lightning::LightningError::TimeoutUnknown))?))
    }
}
