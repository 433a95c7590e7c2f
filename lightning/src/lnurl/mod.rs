//! Issuing through a Lightning address or an LNURL (LUD-06, LUD-16), with no key at all.
//!
//! The service behind the address makes the invoices, and tells by LUD-21 (`verify`) whether one
//! was paid; an address without it is refused. It also decides on description and expiry: give the
//! gate an invoice expiry that is no shorter than the service's. What to know before using it:
//!
//! - The service sees every sale, holds every preimage, and could hand them out.
//! - `verify` shows a settled invoice's preimage to whoever knows its address. The token of the
//!   challenge is then what keeps a credential to its buyer: never log it.
//! - An invoice of before a start can be looked up only where the address of `verify` holds the
//!   payment hash, and only after the first invoice that was issued since.
//!
//! Nothing can be paid from an address, so there is no [`Payer`](crate::Payer).

mod address;
mod verify;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lightning_invoice::Bolt11Invoice;
use plannt_core::{Network, PaymentHash, Preimage};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

pub use self::address::LnurlConfig;
pub(crate) use self::address::is_lnurl;
use self::address::web_url;
use self::verify::Verifiers;
use crate::http::{Answer, Body, Endpoint, Transport, cut, invalid, preimage, proof, read_bolt11};
use crate::{InvoiceRequest, InvoiceState, Invoicer, LightningError};

/// A Lightning address, or an LNURL to pay to.
pub struct Lnurl {
    config: LnurlConfig,
    transport: Transport,
    verifiers: Mutex<Verifiers>,
    /// What other processes issued can't be looked up here.
    id: u64,
}

impl Lnurl {
    /// Prepares a client; connects at the first call.
    ///
    /// # Errors
    /// [`LightningError::Config`] when TLS cannot be set up.
    pub fn new(config: LnurlConfig) -> Result<Self, LightningError> {
        let transport = Transport::new(Endpoint {
            // Each answer names the URL of the next question; `web_url` keeps them to HTTPS.
            base: String::new(),
            headers: HeaderMap::new(),
            certificates: &[],
            connect_timeout: config.connect_timeout,
        })?;
        let id = RandomState::new().hash_one(&config.url);
        Ok(Self { config, transport, verifiers: Mutex::default(), id })
    }

    /// [`LnurlConfig::from_url`], then [`Lnurl::new`].
    ///
    /// # Errors
    /// [`LightningError::Config`].
    pub fn from_url(url: &str) -> Result<Self, LightningError> {
        Self::new(LnurlConfig::from_url(url)?)
    }

    async fn get(&self, url: &Url) -> Result<Answer, LightningError> {
        let limit = self.config.request_timeout;
        self.transport.call(Method::GET, url.as_str(), Body::Empty, limit).await
    }

    async fn ask<T: DeserializeOwned>(&self, url: &Url, what: &str) -> Result<T, LightningError> {
        let answer = self.get(url).await?;
        // LUD-01: an error is an object with a reason, whatever the status.
        if let Ok(Refusal { reason, .. }) = answer.json("a refusal") {
            return Err(LightningError::NodeError { message: cut(&reason) });
        }
        if !answer.is_success() {
            return Err(LightningError::NodeError { message: answer.words() });
        }
        answer.json(what)
    }
}

impl fmt::Debug for Lnurl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lnurl").field(&self.config).finish()
    }
}

#[async_trait]
impl Invoicer for Lnurl {
    async fn issue(&self, request: &InvoiceRequest) -> Result<String, LightningError> {
        request.check()?;
        let terms: PayRequest = self.ask(&self.config.url, "a pay request of LNURL").await?;
        if terms.tag != "payRequest" {
            return Err(invalid("the LNURL is not one to pay to"));
        }
        if !(terms.min_sendable..=terms.max_sendable).contains(&request.amount_msat) {
            let message = "the amount is outside what the LNURL takes".into();
            return Err(LightningError::InvalidRequest { message });
        }
        let mut callback = web_url(&terms.callback).ok_or_else(|| invalid("no callback URL"))?;
        callback.query_pairs_mut().append_pair("amount", &request.amount_msat.to_string());
        if request.memo.chars().count() <= terms.comment_allowed && !request.memo.is_empty() {
            callback.query_pairs_mut().append_pair("comment", &request.memo);
        }
        let issued: Issued = self.ask(&callback, "an invoice of LNURL").await?;
        let Some(verify) = issued.verify else {
            let message = "the LNURL's service cannot say whether it was paid (LUD-21)".into();
            return Err(LightningError::Unsupported { message });
        };
        let verify = web_url(&verify).ok_or_else(|| invalid("no verify URL"))?;
        let hash = read_invoice(&issued.pr)?.0;
        self.verifiers.lock().unwrap_or_else(PoisonError::into_inner).add(hash, &verify);
        read_bolt11(issued.pr)
    }

    async fn look_up_invoice(&self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        let url = self.verifiers.lock().unwrap_or_else(PoisonError::into_inner).find(hash);
        let url = url.ok_or_else(|| LightningError::Unsupported {
            message: "it is not known here where to ask for this invoice".into(),
        })?;
        let answer = self.get(&url).await?;
        if let Ok(Refusal { reason, .. }) = answer.json("a refusal") {
            if answer.status == 404 || reason.to_ascii_lowercase().contains("not found") {
                return Ok(InvoiceState::NotFound);
            }
            return Err(LightningError::NodeError { message: cut(&reason) });
        }
        if !answer.is_success() {
            return Err(LightningError::NodeError { message: answer.words() });
        }
        answer.json::<Verified>("an answer to verify")?.state(hash)
    }

    /// Another one each time: where to ask for an invoice is known to who had it made.
    fn invoicer_id(&self) -> String {
        format!("lnurl:{:016x}", self.id)
    }

    fn network(&self) -> Option<Network> {
        self.config.network
    }
}

/// LUD-01.
#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "status")]
    _status: Error,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
enum Error {
    #[serde(rename = "ERROR", alias = "error")]
    Error,
}

/// LUD-06, LUD-12.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PayRequest {
    tag: String,
    callback: String,
    min_sendable: u64,
    max_sendable: u64,
    #[serde(default)]
    comment_allowed: usize,
}

/// LUD-06, LUD-21.
#[derive(Deserialize)]
struct Issued {
    pr: String,
    verify: Option<String>,
}

/// LUD-21.
#[derive(Deserialize)]
struct Verified {
    settled: bool,
    #[serde(default, deserialize_with = "preimage")]
    preimage: Option<Preimage>,
    pr: String,
}

impl Verified {
    fn state(self, hash: &PaymentHash) -> Result<InvoiceState, LightningError> {
        let (told, amount_msat) = read_invoice(&self.pr)?;
        if told != *hash {
            return Err(invalid("it is about another invoice"));
        }
        if !self.settled {
            // Expired, too: what was paid before may be noted later.
            return Ok(InvoiceState::Open);
        }
        // Without its preimage, the service has not been paid.
        proof(self.preimage, hash).map_err(|_| invalid("settled without its preimage"))?;
        Ok(InvoiceState::Settled { amount_msat })
    }
}

/// Payment hash, and amount in msat.
fn read_invoice(text: &str) -> Result<(PaymentHash, u64), LightningError> {
    let invoice: Bolt11Invoice = text.parse().map_err(|_| invalid("not a BOLT 11 invoice"))?;
    let hash: &[u8] = invoice.payment_hash().as_ref();
    let hash = hash.try_into().map_err(|_| invalid("not a payment hash"))?;
    let amount = invoice.amount_milli_satoshis();
    let amount = amount.ok_or_else(|| invalid("an invoice without an amount"))?;
    Ok((PaymentHash::from_bytes(hash), amount))
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
