//! Nostr Wallet Connect (NIP-47), for issuing and for paying.
//!
//! A wallet makes the connection's URI, and lets it do as much as its user allowed: for issuing
//! `make_invoice` and `lookup_invoice`, for paying `pay_invoice`, `lookup_invoice` and
//! `get_balance`, with a budget. Messages are encrypted by NIP-44, or by NIP-04 where the wallet's info
//! event offers nothing newer. A request goes to every relay of the URI at once, as one event.
//!
//! NIP-47 has no fee limit, so [`Payer::limits_fee`] is false. Its
//! `PAYMENT_FAILED` is also said of a payment that is still in flight, so it counts only where
//! `lookup_invoice` says `failed` too.

mod answer;
mod ask;
mod config;
mod relay;

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use plannt_core::{Network, PaymentHash};
use serde_json::json;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use self::answer::{Balance, Paid, Transaction};
use self::ask::{AskError, Encryption};
pub use self::config::NwcConfig;
use crate::http::read_bolt11;
use crate::record::{before, follow};
use crate::settings::wallet_id;
use crate::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, PayRequest,
    Payer, Payment, PaymentState, tls,
};

/// One connection to a wallet, for issuing and for paying, as far as the wallet allows it.
pub struct Nwc {
    config: NwcConfig,
    tls: TlsConnector,
    /// What the wallet reads; asked once.
    encryption: OnceLock<Encryption>,
}

impl Nwc {
    /// Prepares a client; connects at each call.
    ///
    /// # Errors
    /// [`LightningError::Config`] when TLS cannot be set up.
    pub fn new(config: NwcConfig) -> Result<Self, LightningError> {
        let tls = TlsConnector::from(Arc::new(tls::client_config(&[])?));
        Ok(Self { config, tls, encryption: OnceLock::new() })
    }

    /// [`NwcConfig::from_url`], then [`Nwc::new`].
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        Self::new(NwcConfig::from_url(url)?)
    }

    async fn look_up(&self, hash: &PaymentHash) -> Result<Option<Transaction>, LightningError> {
        let parameters = json!({ "payment_hash": hash.to_string() });
        let limit = self.config.request_timeout;
        match self.ask("lookup_invoice", parameters, limit, None).await {
            Ok(transaction) => Ok(Some(transaction)),
            Err(AskError::Refused(refusal)) if refusal.is_not_found() => Ok(None),
            Err(error) => Err(error.into_error()),
        }
    }

    /// A payment that the wallet proves, with its fee.
    async fn paid(&self, request: &PayRequest, paid: Paid) -> PayOutcome {
        let preimage = match paid.proof(&request.payment_hash) {
            Ok(preimage) => preimage,
            Err(error) => return PayOutcome::Unknown(error),
        };
        let fee_msat = match paid.fees_paid {
            Some(fee_msat) => fee_msat,
            // Optional in this answer, though not in that of a look-up. A fee that nobody tells
            // counts as the most that was allowed.
            None => match self.look_up_payment(&request.payment_hash).await {
                Ok(PaymentState::Paid(payment)) => payment.fee_msat,
                _ => request.max_fee_msat,
            },
        };
        PayOutcome::Paid(Payment { preimage, fee_msat })
    }

    /// The wallet says that the payment failed, which may also mean that it took too long.
    async fn refused(
        &self,
        request: &PayRequest,
        failure: PayFailure,
        message: String,
        deadline: Instant,
    ) -> PayOutcome {
        match self.look_up_payment(&request.payment_hash).await {
            Ok(PaymentState::Paid(payment)) => PayOutcome::Paid(payment),
            Ok(PaymentState::Failed(_)) => PayOutcome::Failed(failure),
            Ok(PaymentState::InFlight) => follow(self, &request.payment_hash, deadline).await,
            // Some wallets list only what is settled.
            Ok(PaymentState::NotFound) => {
                PayOutcome::Unknown(LightningError::NodeError { message })
            }
            Err(error) => PayOutcome::Unknown(error),
        }
    }
}

impl fmt::Debug for Nwc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Nwc").field(&self.config).finish()
    }
}

#[async_trait]
impl Invoicer for Nwc {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        request.check()?;
        let parameters = json!({
            "amount": request.amount_msat,
            "description": request.memo,
            "expiry": request.expiry_seconds,
        });
        let limit = self.config.request_timeout;
        let made: Transaction = self
            .ask("make_invoice", parameters, limit, None)
            .await
            .map_err(AskError::into_error)?;
        read_bolt11(made.invoice.unwrap_or_default())
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        match self.look_up(hash).await? {
            None => Ok(InvoiceState::NotFound),
            Some(transaction) => transaction.invoice_state(hash),
        }
    }

    /// The wallet's ([`Payer::wallet_id`]).
    fn invoicer_id(&self) -> String {
        self.wallet_id()
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}

#[async_trait]
impl Payer for Nwc {
    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        if let Some(outcome) = before(self, request).await {
            return outcome;
        }
        let limit = request.timeout.saturating_add(self.config.answer_margin);
        let deadline = Instant::now() + limit;
        let parameters = json!({ "invoice": request.bolt11 });
        // A request that a relay delivers too late must not pay any more.
        let answer = self.ask("pay_invoice", parameters, limit, Some(request.timeout)).await;
        let refusal = match answer {
            Ok(paid) => return self.paid(request, paid).await,
            Err(AskError::NotSent(error)) => return PayOutcome::Failed(error.into()),
            Err(AskError::Unknown(error)) => return PayOutcome::Unknown(error),
            Err(AskError::Refused(refusal)) => refusal,
        };
        match refusal.into_failure() {
            Ok(failure) => PayOutcome::Failed(failure),
            Err((failure, message)) => self.refused(request, failure, message, deadline).await,
        }
    }

    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        match self.look_up(hash).await? {
            None => Ok(PaymentState::NotFound),
            Some(transaction) => transaction.payment_state(hash),
        }
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        let limit = self.config.request_timeout;
        let balance = self.ask("get_balance", json!({}), limit, None).await;
        balance.map(|balance: Balance| balance.balance).map_err(AskError::into_error)
    }

    fn limits_fee(&self) -> bool {
        false
    }

    /// `nwc:` and the configured name, or 16 hex digits of a hash of both public keys.
    fn wallet_id(&self) -> String {
        let name = self.config.wallet.as_deref();
        wallet_id("nwc", name, "connection", &self.config.connection())
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}
