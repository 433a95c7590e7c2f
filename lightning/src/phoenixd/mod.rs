//! phoenixd over its HTTP API (0.5 or newer), for issuing and for paying.
//!
//! To issue, the password `http-password-limited-access` is enough; to pay, it takes
//! `http-password`. Both are in `phoenix.conf`. Invoices are in whole satoshis, with at most 128
//! characters of description. phoenixd takes no fee limit: it charges what its own fee schedule
//! says, so [`Payer::limits_fee`] is false.
//!
//! Source: <https://phoenix.acinq.co/server/api>. Tested by answers of that shape, not by a node.

mod answer;

use std::fmt;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plannt_core::{Network, PaymentHash};
use reqwest::Method;
use tokio::time::Instant;
use zeroize::Zeroizing;

use self::answer::{Told, has_outgoing_by_hash, refusal};
use crate::http::{
    Answer, Body, Defaults, ServiceConfig, Tls, Transport, read_bolt11, sats, whole_sats,
};
use crate::record::{before, confirm, follow};
use crate::settings::wallet_id;
use crate::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, PayFailure, PayOutcome, PayRequest,
    Payer, PaymentState,
};

const DEFAULTS: Defaults = Defaults {
    scheme: "phoenixd",
    port: 9740,
    tls_port: 9740,
    tls: Tls::UnlessLocal,
    secret: "password",
    path: false,
};
/// The longest description that phoenixd takes, in characters.
const MAX_MEMO_CHARS: usize = 128;

/// One phoenixd, for issuing and for paying, as far as its password allows.
pub struct Phoenixd {
    config: ServiceConfig,
    transport: Transport,
}

impl Phoenixd {
    /// Prepares a client; connects at the first call.
    ///
    /// # Errors
    /// [`LightningError::Config`] when TLS cannot be set up.
    pub fn new(config: ServiceConfig) -> Result<Self, LightningError> {
        let pair = Zeroizing::new(format!(":{}", config.secret()));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
        Ok(Self { transport: config.transport("authorization", &basic)?, config })
    }

    /// Reads `phoenixd://host[:9740]?password=<secret>[&tls=on|off][&cert=<path>][&network=<name>][&wallet=<name>]`.
    ///
    /// A secret is itself, `file:PATH` or `env:NAME`. Without `tls` or `cert`, TLS is used except
    /// on this machine, where phoenixd listens without it.
    ///
    /// # Errors
    /// [`LightningError::Config`], never with a value of the URL in it.
    pub fn config_from_url(url: &str) -> Result<ServiceConfig, LightningError> {
        ServiceConfig::from_url(url, &DEFAULTS)
    }

    /// [`Phoenixd::config_from_url`], then [`Phoenixd::new`].
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

    /// phoenixd answers 404 for a payment that it does not have, and older ones for a path that
    /// they do not have.
    async fn not_found(&self) -> Result<PaymentState, LightningError> {
        let info = self.get("/getinfo").await?;
        if !info.is_success() {
            return Err(refusal(&info));
        }
        if has_outgoing_by_hash(&info)? {
            return Ok(PaymentState::NotFound);
        }
        let message = "looking payments up needs phoenixd 0.5 or newer".into();
        Err(LightningError::Unsupported { message })
    }
}

impl fmt::Debug for Phoenixd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Phoenixd").field(&self.config).finish()
    }
}

#[async_trait]
impl Invoicer for Phoenixd {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        request.check()?;
        if request.memo.chars().count() > MAX_MEMO_CHARS {
            let message = "phoenixd takes a memo of at most 128 characters".into();
            return Err(LightningError::InvalidRequest { message });
        }
        let amount = whole_sats(request.amount_msat)?.to_string();
        let expiry = request.expiry_seconds.to_string();
        let form = [
            ("amountSat", amount.as_str()),
            ("description", request.memo.as_str()),
            ("expirySeconds", expiry.as_str()),
        ];
        let limit = self.config.request_timeout;
        let answer =
            self.transport.call(Method::POST, "/createinvoice", Body::Form(&form), limit).await?;
        if !answer.is_success() {
            return Err(refusal(&answer));
        }
        read_bolt11(answer.json::<answer::Issued>("an invoice")?.serialized)
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        let answer = self.get(&format!("/payments/incoming/{hash}")).await?;
        match answer.status {
            404 => Ok(InvoiceState::NotFound),
            _ if answer.is_success() => {
                answer.json::<answer::Incoming>("an incoming payment")?.state(hash)
            }
            _ => Err(refusal(&answer)),
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
impl Payer for Phoenixd {
    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        if let Some(outcome) = before(self, request).await {
            return outcome;
        }
        let hash = &request.payment_hash;
        let limit = self.config.payment_limit(request.timeout);
        let deadline = Instant::now() + limit;
        let form = [("invoice", request.bolt11.as_str())];
        let answer = match self.transport.pay("/payinvoice", Body::Form(&form), limit).await {
            Ok(answer) => answer,
            Err(outcome) => return outcome,
        };
        if answer.status == 400 {
            return PayOutcome::Failed(PayFailure::Rejected { message: answer.words() });
        }
        if !answer.is_success() {
            let error = refusal(&answer);
            // No handler saw these; all else may come from one that broke while it paid.
            return match answer.status {
                401 | 403 | 404 | 405 => PayOutcome::Failed(error.into()),
                _ => PayOutcome::Unknown(error),
            };
        }
        match answer::read_paid(&answer, hash) {
            Ok(Told::Paid(payment)) => PayOutcome::Paid(payment),
            Ok(Told::InProgress) => follow(self, hash, deadline).await,
            Ok(Told::Failed(failure)) => confirm(self, hash, failure).await,
            Err(error) => PayOutcome::Unknown(error),
        }
    }

    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        let answer = self.get(&format!("/payments/outgoingbyhash/{hash}")).await?;
        match answer.status {
            404 => self.not_found().await,
            _ if answer.is_success() => {
                answer.json::<answer::Outgoing>("an outgoing payment")?.state(hash)
            }
            _ => Err(refusal(&answer)),
        }
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        let answer = self.get("/getbalance").await?;
        if !answer.is_success() {
            return Err(refusal(&answer));
        }
        sats(answer.json::<answer::Balance>("a balance")?.balance_sat)
    }

    fn limits_fee(&self) -> bool {
        false
    }

    /// `phoenixd:` and the configured name, or 16 hex digits of a hash of the password.
    fn wallet_id(&self) -> String {
        wallet_id("phoenixd", self.config.wallet.as_deref(), "password", self.config.secret())
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}
