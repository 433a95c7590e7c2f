//! Core Lightning over clnrest, with a rune, for issuing and for paying.
//!
//! A rune that issues: `lightning-cli createrune restrictions='[["method=invoice","method=listinvoices"]]'`.
//! One that pays: `lightning-cli createrune restrictions='[["method=pay","method=listpays","method=listpeerchannels"]]'`.
//! clnrest signs its certificate itself: pin `server.pem` of its certificates' folder.
//!
//! Source: <https://docs.corelightning.org/docs/rest> and the pages of the commands named above.
//! Tested by answers of that shape, not by a node.

mod answer;

use std::fmt;

use async_trait::async_trait;
use plannt_core::{Network, PaymentHash};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use self::answer::{Refusal, Told};
use crate::http::{Answer, Body, Defaults, ServiceConfig, Tls, Transport, read_bolt11};
use crate::record::{before, confirm, follow};
use crate::settings::{hex, wallet_id};
use crate::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayOutcome, PayRequest, Payer,
    PaymentState,
};

const DEFAULTS: Defaults = Defaults {
    scheme: "cln",
    port: 3010,
    tls_port: 3010,
    tls: Tls::Always,
    secret: "rune",
    path: false,
};

/// One Core Lightning node, for issuing and for paying, as far as its rune allows.
pub struct Cln {
    config: ServiceConfig,
    transport: Transport,
}

impl Cln {
    /// Prepares a client; connects at the first call.
    ///
    /// # Errors
    /// [`LightningError::Config`] when TLS cannot be set up.
    pub fn new(config: ServiceConfig) -> Result<Self, LightningError> {
        Ok(Self { transport: config.transport("rune", config.secret())?, config })
    }

    /// Reads `cln://host[:3010]?rune=<secret>[&cert=<path>][&tls=off][&network=<name>][&wallet=<name>]`.
    ///
    /// A secret is itself, `file:PATH` or `env:NAME`.
    ///
    /// # Errors
    /// [`LightningError::Config`], never with a value of the URL in it.
    pub fn config_from_url(url: &str) -> Result<ServiceConfig, LightningError> {
        ServiceConfig::from_url(url, &DEFAULTS)
    }

    /// [`Cln::config_from_url`], then [`Cln::new`].
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        Self::new(Self::config_from_url(url)?)
    }

    /// Runs a command that moves no money.
    async fn run(&self, command: &str, arguments: &Value) -> Result<Answer, LightningError> {
        let (path, limit) = (format!("/v1/{command}"), self.config.request_timeout);
        let answer = self.transport.call(Method::POST, &path, Body::Json(arguments), limit).await?;
        if answer.is_success() { Ok(answer) } else { Err(Refusal::read(&answer)?.into_error()) }
    }
}

impl fmt::Debug for Cln {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cln").field(&self.config).finish()
    }
}

#[async_trait]
impl Invoicer for Cln {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        request.check()?;
        // The node wants a name of its own for each invoice.
        let mut label = [0; 16];
        getrandom::fill(&mut label)
            .map_err(|_| LightningError::NodeError { message: "no randomness here".into() })?;
        let arguments = json!({
            "amount_msat": request.amount_msat,
            "label": format!("plannt-{}", hex(&label)),
            "description": request.memo,
            "expiry": request.expiry_seconds,
        });
        let answer = self.run("invoice", &arguments).await?;
        read_bolt11(answer.json::<answer::Issued>("an invoice")?.bolt11)
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        let arguments = json!({ "payment_hash": hash.to_string() });
        let answer = self.run("listinvoices", &arguments).await?;
        answer.json::<answer::Invoices>("a list of invoices")?.state(hash)
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
impl Payer for Cln {
    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        if let Some(outcome) = before(self, request).await {
            return outcome;
        }
        let hash = &request.payment_hash;
        let limit = self.config.payment_limit(request.timeout);
        let deadline = Instant::now() + limit;
        let seconds = request.timeout.as_secs().max(1);
        let arguments = json!({
            "bolt11": request.bolt11,
            "maxfee": request.max_fee_msat,
            "retry_for": u32::try_from(seconds).unwrap_or(u32::MAX),
        });
        let answer = match self.transport.pay("/v1/pay", Body::Json(&arguments), limit).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        if !answer.is_success() {
            return match Refusal::read(&answer) {
                Ok(refusal) => match refusal.into_failure() {
                    // No command ran.
                    Ok((failure, true)) => PayOutcome::Failed(failure),
                    // A part may still be under way.
                    Ok((failure, false)) => confirm(self, hash, failure).await,
                    Err(LightningError::PaymentInFlight) => follow(self, hash, deadline).await,
                    Err(error) => PayOutcome::Unknown(error),
                },
                Err(error) => PayOutcome::Unknown(error),
            };
        }
        match answer::read_paid(&answer, hash) {
            Ok(Told::Paid(payment)) => PayOutcome::Paid(payment),
            Ok(Told::Pending) => follow(self, hash, deadline).await,
            Err(error) => PayOutcome::Unknown(error),
        }
    }

    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        let arguments = json!({ "payment_hash": hash.to_string() });
        let answer = self.run("listpays", &arguments).await?;
        answer.json::<answer::Pays>("a list of payments")?.state(hash)
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        let answer = self.run("listpeerchannels", &json!({})).await?;
        answer.json::<answer::Channels>("a list of channels")?.spendable_msat()
    }

    /// `cln:` and the configured name, or 16 hex digits of a hash of the rune.
    fn wallet_id(&self) -> String {
        wallet_id("cln", self.config.wallet.as_deref(), "rune", self.config.secret())
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}
