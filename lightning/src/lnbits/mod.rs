//! LNbits (1.x) over its payments API, for issuing and for paying.
//!
//! To issue, the wallet's invoice key is enough; to pay, it takes its admin key. Give the keys of a
//! wallet of its own that holds no more than it should lose. Invoices are in whole satoshis.
//! LNbits reserves fees by its own settings and takes no limit from a call, so
//! [`Payer::limits_fee`] is false.
//!
//! LNbits answers that a payment is pending after some seconds of its own (5 unless set); this
//! client then asks it until the payment has ended, or the payment's time is over.
//!
//! Source: LNbits 1.6.2, its OpenAPI page and `core/services/payments.py`.

mod answer;

use std::fmt;

use async_trait::async_trait;
use plannt_core::{Network, PaymentHash};
use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;

use self::answer::{Record, Refusal, Told};
use crate::http::{Answer, Body, Defaults, ServiceConfig, Tls, Transport, read_bolt11, whole_sats};
use crate::record::{before, confirm, follow};
use crate::settings::wallet_id;
use crate::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, PayRequest,
    Payer, PaymentState,
};

const DEFAULTS: Defaults = Defaults {
    scheme: "lnbits",
    port: 5000,
    // Behind TLS there is a proxy.
    tls_port: 443,
    tls: Tls::UnlessLocal,
    secret: "key",
    path: true,
};
const PAYMENTS: &str = "/api/v1/payments";

/// One wallet of an LNbits, for issuing and for paying, as far as its key allows.
pub struct Lnbits {
    config: ServiceConfig,
    transport: Transport,
}

impl Lnbits {
    /// Prepares a client; connects at the first call.
    ///
    /// # Errors
    /// [`LightningError::Config`] when TLS cannot be set up.
    pub fn new(config: ServiceConfig) -> Result<Self, LightningError> {
        Ok(Self { transport: config.transport("x-api-key", config.secret())?, config })
    }

    /// Reads `lnbits://host[:port][/path]?key=<secret>[&tls=on|off][&cert=<path>][&network=<name>][&wallet=<name>]`.
    ///
    /// A secret is itself, `file:PATH` or `env:NAME`. Without `tls` or `cert`, TLS is used except
    /// on this machine. The port is 443 with TLS and 5000 without, unless the URL has one.
    ///
    /// # Errors
    /// [`LightningError::Config`], never with a value of the URL in it.
    pub fn config_from_url(url: &str) -> Result<ServiceConfig, LightningError> {
        ServiceConfig::from_url(url, &DEFAULTS)
    }

    /// [`Lnbits::config_from_url`], then [`Lnbits::new`].
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        Self::new(Self::config_from_url(url)?)
    }

    async fn get(&self, path: &str) -> Result<Answer, LightningError> {
        let limit = self.config.request_timeout;
        self.transport.call(Method::GET, path, Body::Empty, limit).await
    }

    /// What this wallet has of a payment hash, in or out.
    async fn record(&self, hash: &PaymentHash) -> Result<Option<Record>, LightningError> {
        let answer = self.get(&format!("{PAYMENTS}/{hash}")).await?;
        if answer.is_success() {
            return answer.json::<Record>("a payment of LNbits").map(Some);
        }
        match Refusal::read(&answer) {
            Ok(refusal) if refusal.is_not_found() => Ok(None),
            Ok(refusal) => Err(refusal.into_error()),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for Lnbits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lnbits").field(&self.config).finish()
    }
}

#[async_trait]
impl Invoicer for Lnbits {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        request.check()?;
        let body = json!({
            "out": false,
            "amount": whole_sats(request.amount_msat)?,
            "unit": "sat",
            "memo": request.memo,
            "expiry": request.expiry_seconds,
        });
        let limit = self.config.request_timeout;
        let answer = self.transport.call(Method::POST, PAYMENTS, Body::Json(&body), limit).await?;
        if !answer.is_success() {
            return Err(Refusal::read(&answer)?.into_error());
        }
        // The answer holds the preimage too; nothing reads it.
        read_bolt11(answer.json::<answer::Issued>("an invoice")?.bolt11)
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        match self.record(hash).await? {
            None => Ok(InvoiceState::NotFound),
            Some(record) => record.invoice_state(hash),
        }
    }

    fn unit_msat(&self) -> u64 {
        1_000
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
impl Payer for Lnbits {
    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        if let Some(outcome) = before(self, request).await {
            return outcome;
        }
        let hash = &request.payment_hash;
        let limit = self.config.payment_limit(request.timeout);
        let deadline = Instant::now() + limit;
        let body = json!({ "out": true, "bolt11": request.bolt11 });
        let answer = match self.transport.pay(PAYMENTS, Body::Json(&body), limit).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        if !answer.is_success() {
            return match Refusal::read(&answer).and_then(Refusal::into_told) {
                Ok(Told::NotSent(failure)) => PayOutcome::Failed(failure),
                Ok(Told::Failed(failure)) => confirm(self, hash, failure).await,
                Ok(Told::Pending) => follow(self, hash, deadline).await,
                Ok(Told::PaidBefore) => confirm(self, hash, PayFailure::AlreadyPaid).await,
                Err(error) => PayOutcome::Unknown(error),
            };
        }
        match answer.json::<answer::Paid>("a payment of LNbits").and_then(|paid| paid.state(hash)) {
            Ok(PaymentState::Paid(payment)) => PayOutcome::Paid(payment),
            Ok(PaymentState::InFlight) => follow(self, hash, deadline).await,
            // LNbits answers so where its record says "failed" and its node "pending".
            Ok(_) => PayOutcome::Unknown(LightningError::PaymentInFlight),
            Err(error) => PayOutcome::Unknown(error),
        }
    }

    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        match self.record(hash).await? {
            None => Ok(PaymentState::NotFound),
            Some(record) => record.payment_state(hash),
        }
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        let answer = self.get("/api/v1/wallet").await?;
        if !answer.is_success() {
            return Err(Refusal::read(&answer)?.into_error());
        }
        answer.json::<answer::Wallet>("a wallet of LNbits").map(|wallet| wallet.balance.0)
    }

    fn limits_fee(&self) -> bool {
        false
    }

    /// `lnbits:` and the configured name, or 16 hex digits of a hash of the key.
    fn wallet_id(&self) -> String {
        wallet_id("lnbits", self.config.wallet.as_deref(), "key", self.config.secret())
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}
