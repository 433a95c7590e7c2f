//! lnd over gRPC: what the REST interface is a translation of, so the meaning of an answer is in the
//! same place (`lnd/answer.rs`, `lnd/payments.rs`).

mod channel;
mod messages;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use plannt_core::{Network, PaymentHash, Preimage};
use tokio::time::timeout;
use tonic::Streaming;

use self::channel::{CallError, Connector, status};
use super::LndConfig;
use super::answer::{RefusalKind, Update, WirePayment};
use super::news::LIFETIME;
use super::payments::{decide, fee_limit_msat, whole_seconds};
use crate::http::{Msat, invalid, read_bolt11};
use crate::settings::wallet_id;
use crate::{
    InvoiceRequest, InvoiceState, Invoicer, LightningError, OnSettled, PayOutcome, PayRequest,
    Payer, PaymentState,
};

/// The port of lnd's gRPC listener when the URL names none.
const DEFAULT_PORT: u16 = 10_009;
/// The most updates to read of one payment; with `no_inflight_updates` lnd sends one.
const MAX_UPDATES: usize = 10_000;

/// One lnd node over gRPC, for issuing and for paying, as far as its macaroon allows. It needs the
/// same permissions as over REST, and has the same [`Payer::wallet_id`].
pub struct LndGrpc {
    config: LndConfig,
    connector: Connector,
}

impl LndGrpc {
    /// Prepares a client; connects at the first call.
    ///
    /// # Errors
    /// [`LightningError::Config`] when TLS cannot be set up.
    pub fn new(config: LndConfig) -> Result<Self, LightningError> {
        Ok(Self { connector: Connector::new(&config)?, config })
    }

    /// Reads `lnd+grpc://host[:10009]?macaroon=<path or hex>[&cert=<path>][&network=<name>][&wallet=<name>]`,
    /// as [`LndConfig::from_url`] reads the URL of the REST interface.
    ///
    /// # Errors
    /// [`LightningError::Config`], never with a value of the URL in it.
    pub fn config_from_url(url: &str) -> Result<LndConfig, LightningError> {
        LndConfig::read(url, "lnd+grpc", DEFAULT_PORT)
    }

    /// [`LndGrpc::config_from_url`], then [`LndGrpc::new`].
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        Self::new(Self::config_from_url(url)?)
    }

    /// Calls what moves no money.
    async fn call<M, A>(&self, path: &'static str, message: M) -> Result<A, CallError>
    where
        M: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        self.connector.unary(path, message, self.config.request_timeout).await
    }
}

impl CallError {
    fn into_error(self) -> LightningError {
        match self {
            Self::Status(refusal) => refusal.into_error(),
            Self::Other(error) => error,
        }
    }

    fn into_update(self) -> Result<Update, LightningError> {
        match self {
            Self::Status(refusal) => Ok(Update::Refused(refusal)),
            // The payment was sent over a connection that stood.
            Self::Other(LightningError::NodeUnreachable { message }) => {
                Err(LightningError::ConnectionLost { message })
            }
            Self::Other(error) => Err(error),
        }
    }
}

impl fmt::Debug for LndGrpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LndGrpc").field(&self.config).finish()
    }
}

#[async_trait]
impl Invoicer for LndGrpc {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        request.check()?;
        let invoice = messages::Invoice {
            memo: request.memo.clone(),
            expiry: request.expiry_seconds.into(),
            // `check` has refused what does not fit.
            value_msat: i64::try_from(request.amount_msat).unwrap_or(i64::MAX),
            ..messages::Invoice::default()
        };
        let issued: messages::AddInvoiceResponse = self
            .call("/lnrpc.Lightning/AddInvoice", invoice)
            .await
            .map_err(CallError::into_error)?;
        read_bolt11(issued.payment_request)
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        let hash = messages::PaymentHash { r_hash: hash.as_bytes().to_vec() };
        let invoice: messages::Invoice =
            match self.call("/lnrpc.Lightning/LookupInvoice", hash).await {
                Ok(invoice) => invoice,
                Err(CallError::Status(refusal)) if refusal.kind == RefusalKind::NotFound => {
                    return Ok(InvoiceState::NotFound);
                }
                Err(error) => return Err(error.into_error()),
            };
        read_state(&invoice)
    }

    /// `lnrpc.Lightning/SubscribeInvoices`, a stream of invoices as they change.
    async fn follow_settled(&self, settled: &OnSettled<'_>) -> Result<(), LightningError> {
        let follow = async {
            // Of its own: a call that waits on the kept connection is not to end with it.
            let channel = self.connector.fresh().await?;
            let path = "/lnrpc.Lightning/SubscribeInvoices";
            let mut news: Streaming<messages::Invoice> = self
                .connector
                .stream(channel, path, messages::InvoiceSubscription {})
                .await
                .map_err(CallError::into_error)?;
            while let Some(invoice) =
                news.message().await.map_err(|error| status(error).into_error())?
            {
                let InvoiceState::Settled { amount_msat } = read_state(&invoice)? else { continue };
                let hash = <[u8; 32]>::try_from(invoice.r_hash)
                    .map_err(|_| invalid("not a payment hash"))?;
                let is_whole = amount_msat >= unsigned(invoice.value_msat)?;
                if is_whole && settled(PaymentHash::from_bytes(hash)).is_none() {
                    break;
                }
            }
            Ok(())
        };
        // A stream that is old is followed by another.
        timeout(LIFETIME, follow).await.unwrap_or(Ok(()))
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
impl Payer for LndGrpc {
    async fn pay(&self, request: &PayRequest) -> PayOutcome {
        if let Err(failure) = request.check(self.config.network) {
            return PayOutcome::Failed(failure);
        }
        // The first write to a kept connection whose node has gone leaves the payment unknown,
        // while a connection that cannot be made proves that it was not sent.
        let channel = match self.connector.fresh().await {
            Ok(channel) => channel,
            Err(error) => return PayOutcome::Failed(error.into()),
        };
        let seconds = whole_seconds(request.timeout);
        let message = messages::SendPaymentRequest {
            payment_request: request.bolt11.clone(),
            timeout_seconds: seconds,
            fee_limit_msat: fee_limit_msat(request.max_fee_msat),
            no_inflight_updates: true,
        };
        let hash = &request.payment_hash;
        let limit = Duration::from_secs(seconds.unsigned_abs().into())
            .saturating_add(self.config.answer_margin);
        let told = timeout(limit, async {
            match self.connector.stream(channel, "/routerrpc.Router/SendPaymentV2", message).await {
                Ok(updates) => read_outcome(updates, hash).await,
                Err(error) => error.into_update(),
            }
        });
        let told = told.await.unwrap_or(Err(LightningError::TimeoutUnknown));
        decide(told, async || self.look_up_payment(hash).await).await
    }

    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError> {
        let message = messages::TrackPaymentRequest { payment_hash: hash.as_bytes().to_vec() };
        let (channel, path) = (self.connector.pooled(), "/routerrpc.Router/TrackPaymentV2");
        let tracked = timeout(self.config.request_timeout, async {
            let mut updates: Streaming<messages::Payment> =
                match self.connector.stream(channel, path, message).await {
                    Ok(updates) => updates,
                    Err(CallError::Status(refusal)) => return Ok(Update::Refused(refusal)),
                    Err(CallError::Other(error)) => return Err(error),
                };
            // The first says how it is now; those that follow would come as it changes.
            match updates.message().await.map_err(status) {
                Ok(Some(payment)) => read_payment(payment, hash).map(Update::Payment),
                Ok(None) => Err(invalid("an empty answer")),
                Err(CallError::Status(refusal)) => Ok(Update::Refused(refusal)),
                Err(CallError::Other(error)) => Err(error),
            }
        });
        tracked.await.unwrap_or(Err(LightningError::TimeoutUnknown))?.into_state()
    }

    async fn balance_msat(&self) -> Result<u64, LightningError> {
        let balance: messages::ChannelBalanceResponse = self
            .call("/lnrpc.Lightning/ChannelBalance", messages::ChannelBalanceRequest {})
            .await
            .map_err(CallError::into_error)?;
        balance.local_balance.map(|amount| amount.msat).ok_or_else(|| invalid("not a balance"))
    }

    fn wallet_id(&self) -> String {
        wallet_id("lnd", self.config.wallet.as_deref(), "macaroon", self.config.macaroon_hex())
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}

/// Reads the answer to a payment up to its end: the last update counts. A proof of payment counts
/// at once, whatever happens to the connection after it.
async fn read_outcome(
    mut updates: Streaming<messages::Payment>,
    hash: &PaymentHash,
) -> Result<Update, LightningError> {
    let mut last = None;
    for _ in 0..MAX_UPDATES {
        match (updates.message().await.map_err(status), last) {
            (Ok(Some(payment)), _) => match read_payment(payment, hash)? {
                paid @ PaymentState::Paid(_) => return Ok(Update::Payment(paid)),
                state => last = Some(Update::Payment(state)),
            },
            (Ok(None), last) => return last.ok_or_else(|| invalid("an empty answer")),
            (Err(error), None) => return error.into_update(),
            // An error after an update: the attempt may have been in flight when it came.
            (Err(error), Some(_)) => match error.into_update()? {
                Update::Refused(refusal) => return Err(refusal.into_error()),
                Update::Payment(_) => unreachable!("an error is no update"),
            },
        }
    }
    Err(invalid("the answer is too long"))
}

fn read_payment(
    payment: messages::Payment,
    hash: &PaymentHash,
) -> Result<PaymentState, LightningError> {
    let status = match payment.status {
        1 => "IN_FLIGHT",
        2 => "SUCCEEDED",
        3 => "FAILED",
        4 => "INITIATED",
        _ => "UNKNOWN",
    };
    let reason = match payment.failure_reason {
        0 => "FAILURE_REASON_NONE",
        1 => "FAILURE_REASON_TIMEOUT",
        2 => "FAILURE_REASON_NO_ROUTE",
        3 => "FAILURE_REASON_ERROR",
        4 => "FAILURE_REASON_INCORRECT_PAYMENT_DETAILS",
        5 => "FAILURE_REASON_INSUFFICIENT_BALANCE",
        6 => "FAILURE_REASON_CANCELED",
        _ => "an unknown reason",
    };
    let preimage = zeroize::Zeroizing::new(payment.payment_preimage);
    WirePayment {
        failure_reason: reason.into(),
        fee_msat: Some(Msat(unsigned(payment.fee_msat)?)),
        payment_hash: Some(payment.payment_hash),
        payment_preimage: Preimage::from_hex(&preimage).ok(),
        status: status.into(),
    }
    .state(hash)
}

fn read_state(invoice: &messages::Invoice) -> Result<InvoiceState, LightningError> {
    match invoice.state {
        0 => Ok(InvoiceState::Open),
        1 => Ok(InvoiceState::Settled { amount_msat: unsigned(invoice.amt_paid_msat)? }),
        2 => Ok(InvoiceState::Canceled),
        3 => Ok(InvoiceState::Accepted),
        _ => Err(invalid("an unknown invoice state")),
    }
}

fn unsigned(msat: i64) -> Result<u64, LightningError> {
    u64::try_from(msat).map_err(|_| invalid("a negative amount"))
}
