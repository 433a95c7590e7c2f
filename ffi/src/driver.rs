//! The paying side for any HTTP stack: a wallet, a policy, a budget and the journal, and the loop over a call's steps.

use std::sync::Arc;
use std::time::Duration;

use plannt_core::PaymentHash;

use crate::wallet::GRACE;
use crate::{
    BudgetStatus, Call, CallStep, ClientError, Count, DriverOptions, Journal, JournalError,
    Outcome, PayRequest, PaymentError, PaymentState, Quote, Receipt, Recovered, RecoveredState,
    RequestFacts, SecretText, UnexpectedEventError, Wallet,
};

/// Pays for the calls of an HTTP stack. It does all that is the journal's and the wallet's, and leaves HTTP to the package: a
/// loop over `next_step` that sends a request, reads a body, and ends. One driver may serve any number of calls at once.
#[derive(uniffi::Object)]
pub struct Driver {
    wallet: Arc<dyn Wallet>,
    wallet_id: String,
    journal: Arc<Journal>,
    options: DriverOptions,
}

/// What a call asks of HTTP.
#[derive(Clone, Debug, uniffi::Enum)]
pub enum HttpStep {
    /// The end: hand the last response back.
    Done {
        /// The credential that it carried, and the receipt.
        outcome: Outcome,
        /// How long the payment took, seconds, where this call paid.
        payment_took: Option<f64>,
    },
    /// The end of a dry run.
    Quoted {
        /// The price and terms.
        quote: Quote,
    },
    /// Read the last response's body as far as `max_bytes`, keeping it for the caller. Answer: the call's `bodyRead`.
    ReadBody {
        /// The longest body that can hold a challenge.
        max_bytes: Count,
    },
    /// Send the request, with this `Authorization` value as the first such line if there is one, following no redirect with
    /// it. Answer: the call's `responded` or `sendFailed`.
    SendRequest {
        /// The credential.
        authorization: Option<SecretText>,
    },
}

impl Driver {
    /// Asks the wallet to pay, and tells the call how it went.
    async fn pay(&self, call: &Call, request: PayRequest) -> Result<(), UnexpectedEventError> {
        let limit = Duration::try_from_secs_f64(request.timeout).unwrap_or_default();
        let limit = limit.saturating_add(GRACE);
        match tokio::time::timeout(limit, self.wallet.pay_invoice(request)).await {
            Ok(Ok(payment)) => call.paid(payment),
            Ok(Err(PaymentError::Failed { failure, reason })) => {
                call.payment_failed(failure, reason)
            }
            Ok(Err(PaymentError::Unknown { reason, .. })) => call.payment_unknown(reason),
            Err(_) => call.payment_unknown("the wallet did not answer in time".into()),
        }
    }

    /// What the wallet knows of a payment.
    async fn look_up(&self, payment_hash: PaymentHash) -> PaymentState {
        match tokio::time::timeout(GRACE, self.wallet.lookup_payment(payment_hash)).await {
            Ok(Ok(state)) => state,
            Ok(Err(error)) => PaymentState::Unknown { reason: error.error_message() },
            Err(_) => PaymentState::Unknown { reason: "the wallet did not answer in time".into() },
        }
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Driver {
    /// A driver that pays from `wallet` within the limits of `options`, and writes all that it does into `journal`.
    #[uniffi::constructor]
    pub fn new(
        wallet: Arc<dyn Wallet>,
        journal: Arc<Journal>,
        options: DriverOptions,
    ) -> Result<Self, ClientError> {
        options.check()?;
        let named = options.policy.network;
        if let Some(own) = wallet.network()
            && own != named
        {
            let message = format!("the wallet is on {}, not on {}", own.text(), named.text());
            return Err(ClientError::config(message));
        }
        Ok(Self { wallet_id: wallet.wallet_id(), wallet, journal, options })
    }

    /// The journal that it writes.
    pub fn journal(&self) -> Arc<Journal> {
        self.journal.clone()
    }

    /// Its limits.
    pub fn options(&self) -> DriverOptions {
        self.options.clone()
    }

    /// Begins a call; with `dry_run` one that only asks for the price.
    #[uniffi::method(default(dry_run = false))]
    pub fn call(&self, request: RequestFacts, dry_run: bool) -> Result<Arc<Call>, ClientError> {
        let (wallet_id, options) = (self.wallet_id.clone(), self.options.clone());
        Call::begin(&self.journal, wallet_id, options, request, dry_run).map(Arc::new)
    }

    /// Goes on to a call's next step that is HTTP's, and pays on the way where that is due. After an error the call is over.
    /// Giving up on it while the wallet pays loses nothing: the next call with the same request asks the wallet what became
    /// of it.
    pub async fn next_step(&self, call: Arc<Call>) -> Result<HttpStep, ClientError> {
        let out_of_turn = |_| ClientError::config("two drivers are at work on one call");
        loop {
            match call.step().await? {
                CallStep::Done { outcome, payment_took } => {
                    return Ok(HttpStep::Done { outcome, payment_took });
                }
                CallStep::LookUpPayment { payment_hash } => {
                    let state = self.look_up(payment_hash).await;
                    call.know(state).await.map_err(out_of_turn)?;
                }
                CallStep::Pay { request } => {
                    self.pay(&call, request).await.map_err(out_of_turn)?;
                }
                CallStep::Quoted { quote } => return Ok(HttpStep::Quoted { quote }),
                CallStep::ReadBody { max_bytes } => return Ok(HttpStep::ReadBody { max_bytes }),
                CallStep::SendRequest { authorization } => {
                    return Ok(HttpStep::SendRequest { authorization });
                }
                CallStep::Wait { seconds } => {
                    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                }
            }
        }
    }

    /// Asks the wallet about every payment that was left unfinished.
    pub async fn recover(&self) -> Result<Vec<Recovered>, JournalError> {
        let mut recovered = Vec::new();
        for payment_hash in self.journal.hashes(self.wallet_id.clone()).await? {
            let state = match self.journal.begin(self.wallet_id.clone(), payment_hash).await? {
                None => None,
                Some(held) => held.resolve(self.look_up(payment_hash).await).await?,
            };
            let state = state.unwrap_or(RecoveredState::Busy);
            recovered.push(Recovered { payment_hash, state });
        }
        Ok(recovered)
    }

    /// The newest receipts first, at most `limit`.
    pub async fn receipts(&self, limit: Count) -> Result<Vec<Receipt>, JournalError> {
        self.journal.receipts(limit).await
    }

    /// How much of each budget rule is used on this driver's network.
    pub async fn budget_status(&self) -> Result<Vec<BudgetStatus>, JournalError> {
        let (network, budget) = (self.options.policy.network, self.options.budget.clone());
        self.journal.status(network, budget, None).await
    }
}
