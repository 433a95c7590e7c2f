//! lnd over its REST interface ([`Lnd`]; lnd 0.20, and what speaks like it, such as the devnet) and
//! over gRPC (`LndGrpc`, feature `lnd-grpc`).
//!
//! The least that a macaroon needs: `invoices:read` and `invoices:write` to issue;
//! `uri:/routerrpc.Router/SendPaymentV2`, `uri:/routerrpc.Router/TrackPaymentV2` and
//! `uri:/lnrpc.Lightning/ChannelBalance` to pay.

mod answer;
mod config;
#[cfg(feature = "lnd-grpc")]
mod grpc;
mod lines;
mod news;
mod payments;

use std::fmt;

use async_trait::async_trait;
use plannt_core::{Network, PaymentHash};
use reqwest::Method;
use serde_json::json;
use zeroize::Zeroizing;

use self::answer::{Refusal, RefusalKind, read_balance, read_invoice, read_issued};
pub use self::config::LndConfig;
#[cfg(feature = "lnd-grpc")]
pub use self::grpc::LndGrpc;
use crate::http::{Body, Transport};
use crate::settings::wallet_id;
use crate::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, OnSettled, PayOutcome, PayRequest,
    Payer, PaymentState,
};

/// One lnd node, for issuing and for paying, as far as its macaroon allows.
pub struct Lnd {
    config: LndConfig,
    transport: Transport,
}

impl Lnd {
    /// Prepares a client; connects at the first call.
    ///
    /// # Errors
    /// [`LightningError::Config`] when TLS cannot be set up.
    pub fn new(config: LndConfig) -> Result<Self, LightningError> {
        Ok(Self { transport: Transport::new(config.endpoint()?)?, config })
    }

    /// [`LndConfig::from_url`], then [`Lnd::new`].
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        Self::new(LndConfig::from_url(url)?)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Body<'_>,
    ) -> Result<Result<Zeroizing<Vec<u8>>, Refusal>, LightningError> {
        let answer = self.transport.call(method, path, body, self.config.request_timeout).await?;
        if (200..300).contains(&answer.status) {
            return Ok(Ok(answer.body));
        }
        Refusal::read(answer.status, &answer.body).map(Err)
    }

    /// Calls anything that the node serves; `None` when it knows no such thing.
    #[cfg(feature = "devnet")]
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Option<Vec<u8>>, LightningError> {
        match self.ask(method, path, body.map_or(Body::Empty, Body::Json)).await? {
            Ok(body) => Ok(Some(body.to_vec())),
            Err(refusal) if refusal.kind == RefusalKind::NotFound => Ok(None),
            Err(refusal) => Err(refusal.into_error()),
        }
    }
}

impl fmt::Debug for Lnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lnd").field(&self.config).finish()
    }
}

#[async_trait]
impl Invoicer for Lnd {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        request.check()?;
        let body = json!({
            "value_msat": request.amount_msat.to_string(),
            "memo": request.memo,
            "expiry": request.expiry_seconds.to_string(),
        });
        match self.ask(Method::POST, "/v1/invoices", Body::Json(&body)).await? {
            Ok(body) => read_issued(&body),
            Err(refusal) => Err(refusal.into_error()),
        }
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        let path = format!("/v1/invoice/{hash}");
        match self.ask(Method::GET, &path, Body::Empty).await? {
            Ok(body) => read_invoice(&body),
            Err(refusal) if refusal.kind == RefusalKind::NotFound => Ok(InvoiceState::NotFound),
            Err(refusal) => Err(refusal.into_error()),
        }
    }

    /// `GET /v1/invoices/subscribe`, a stream of invoices as they change.
    async fn follow_settled(&self, settled: &OnSettled<'_>) -> Result<(), LightningError> {
        news::follow(&self.transport, settled).await
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
impl Payer for Lnd {
    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        payments::pay(&self.transport, &self.config, request).await
    }

    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        payments::look_up(&self.transport, &self.config, hash).await
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        match self.ask(Method::GET, "/v1/balance/channels", Body::Empty).await? {
            Ok(body) => read_balance(&body),
            Err(refusal) => Err(refusal.into_error()),
        }
    }

    /// `lnd:` and the configured name, or 16 hex digits of a hash of the macaroon: addresses and
    /// certificates change while the wallet stays the same.
    fn wallet_id(&self) -> String {
        wallet_id("lnd", self.config.wallet.as_deref(), "macaroon", self.config.macaroon_hex())
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}
