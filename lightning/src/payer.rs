//! Paying invoices, and the one thing that matters about it: never claiming "not paid" wrongly.

use std::time::Duration;

use async_trait::async_trait;
use lightning_invoice::Bolt11Invoice;
use plannt_core::{Network, PaymentHash, Preimage};

use crate::{LightningError, PayFailure};

/// An invoice to pay, and its limits. The caller has checked it (docs/PROTOCOL.md §5 step 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayRequest {
    /// The invoice's text.
    pub bolt11: String,
    /// Its payment hash.
    pub payment_hash: PaymentHash,
    /// Its amount, in msat.
    pub amount_msat: u64,
    /// The most that routing may cost on top, in msat.
    pub max_fee_msat: u64,
    /// How long the node may try. It bounds the tries, not a payment that is already in flight.
    pub timeout: Duration,
}

impl PayRequest {
    /// Checks that the invoice is what the request says: its hash, its amount, and the wallet's
    /// network where that is known. Every backend does so before it sends anything.
    ///
    /// # Errors
    /// [`PayFailure::WrongNetwork`] and [`PayFailure::Rejected`].
    pub fn check(&self, network: Option<Network>) -> Result<(), PayFailure> {
        let rejected = |message: &str| PayFailure::Rejected { message: message.into() };
        let invoice: Bolt11Invoice =
            self.bolt11.parse().map_err(|_| rejected("the invoice does not parse"))?;
        if network.is_some_and(|n| n != network_of(&invoice)) {
            return Err(PayFailure::WrongNetwork);
        }
        let hash: &[u8] = invoice.payment_hash().as_ref();
        if hash != self.payment_hash.as_bytes() {
            return Err(rejected("the invoice has another payment hash than the request"));
        }
        if invoice.amount_milli_satoshis() != Some(self.amount_msat) {
            return Err(rejected("the invoice has another amount than the request"));
        }
        Ok(())
    }

    /// Whether the invoice has expired, by this machine's clock.
    #[cfg(feature = "_http")]
    pub(crate) fn has_expired(&self) -> bool {
        self.bolt11.parse::<Bolt11Invoice>().is_ok_and(|invoice| invoice.is_expired())
    }
}

fn network_of(invoice: &Bolt11Invoice) -> Network {
    use lightning_invoice::Currency;
    match invoice.currency() {
        Currency::Bitcoin => Network::Bitcoin,
        Currency::BitcoinTestnet => Network::Testnet,
        Currency::Regtest => Network::Regtest,
        Currency::Signet => Network::Signet,
        Currency::Simnet => Network::Simnet,
    }
}

/// A payment that was made.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The proof; the backend has checked that it hashes to the payment hash.
    pub preimage: Preimage,
    /// What routing cost, in msat.
    pub fee_msat: u64,
}

/// How a call of [`Payer::pay`] ended.
#[derive(Clone, Debug)]
#[must_use = "an unknown outcome has to be resolved, or the money counted as spent"]
pub enum PayOutcome {
    /// Certainly not paid by this call, and nothing of it is in flight. Of an earlier call for
    /// the same payment hash whose outcome is unknown, it says nothing.
    Failed(PayFailure),
    /// Paid, with proof.
    Paid(Payment),
    /// It may have been paid, or may still be. Ask [`Payer::look_up_payment`]; never pay another
    /// invoice for the same thing before that has an answer. Where the error is
    /// [`LightningError::PreimageMismatch`], no later look-up will tell more.
    Unknown(LightningError),
}

/// What a wallet knows of a payment.
#[derive(Clone, Debug)]
pub enum PaymentState {
    /// Certainly not paid, and nothing is in flight.
    Failed(PayFailure),
    /// Under way.
    InFlight,
    /// The wallet has no such payment. Right after a lost connection, the request may still be on
    /// its way to the node: it means "failed" only once the invoice has expired.
    NotFound,
    /// Paid, with proof.
    Paid(Payment),
}

/// A wallet that pays invoices.
#[async_trait]
pub trait Payer: Send + Sync {
    /// Pays an invoice, at most once for a payment hash however often it is called: nodes refuse
    /// the second payment of a hash, and one that this wallet made before comes back as
    /// [`PayOutcome::Paid`].
    ///
    /// Dropping the future cancels nothing at the node; the outcome is then unknown.
    async fn pay(&self, request: &PayRequest) -> PayOutcome;

    /// What became of a payment. Answers at once, also for one in flight.
    ///
    /// # Errors
    /// [`LightningError`]: nothing is known, ask again.
    /// [`LightningError::PreimageMismatch`]: paid as far as the node knows, without proof.
    async fn look_up_payment(&self, hash: &PaymentHash) -> Result<PaymentState, LightningError>;

    /// What the wallet can spend over its channels, in msat; routing fees and channel reserves
    /// come out of it.
    ///
    /// # Errors
    /// [`LightningError`].
    async fn balance_msat(&self) -> Result<u64, LightningError>;

    /// Whether [`PayRequest::max_fee_msat`] holds at this wallet. If not, the caller reserves a
    /// configured worst case.
    fn limits_fee(&self) -> bool {
        true
    }

    /// A name for this wallet, the same at each start, without secrets; part of the key by which
    /// the payments journal finds an unfinished call.
    fn wallet_id(&self) -> String;

    /// The network that it is configured for, if that was said.
    fn network(&self) -> Option<Network> {
        None
    }
}
