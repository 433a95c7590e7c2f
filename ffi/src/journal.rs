//! The journal of payments, its budgets, and what an earlier call left unfinished.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use plannt_client as client;
use plannt_client::{Clock, SystemClock};
use plannt_core::PaymentHash;
use plannt_lightning as lightning;

use crate::convert::{Convert, record};
use crate::{
    Budget, BudgetRule, Count, JournalError, Msat, Network, Payment, PaymentState, Receipt,
    UnixSeconds,
};

/// Work that blocks on the disk, beside the threads that must not. A defect in it is a panic here, too, which uniffi makes an
/// error of.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("the runtime is ending: {error}"),
        },
    }
}

/// The journal of payments, in one SQLite file that all of a user's processes share. Keyed by payment hash: a hash is paid at
/// most once, ever; every write is on the disk before the call returns. It is opened on first use.
#[derive(uniffi::Object)]
pub struct Journal(Arc<OpenOnUse>);

pub(crate) struct OpenOnUse {
    path: PathBuf,
    journal: OnceLock<Arc<client::Journal>>,
}

impl OpenOnUse {
    pub(crate) fn open(&self) -> Result<Arc<client::Journal>, client::JournalError> {
        if let Some(open) = self.journal.get() {
            return Ok(open.clone());
        }
        let opened = Arc::new(client::Journal::open(&self.path)?);
        Ok(self.journal.get_or_init(|| opened).clone())
    }

    /// For asking a price, which writes nothing, not even an empty journal.
    pub(crate) fn look_at(&self) -> Result<Arc<client::Journal>, client::JournalError> {
        match self.path.exists() {
            true => self.open(),
            false => client::Journal::empty().map(Arc::new),
        }
    }
}

impl Journal {
    pub(crate) fn handle(&self) -> Arc<OpenOnUse> {
        self.0.clone()
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<client::Journal>) -> Result<T, client::JournalError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let journal = self.handle();
        Ok(blocking(move || work(&journal.open()?)).await?)
    }

    pub(crate) async fn status(
        &self,
        network: Network,
        budget: Budget,
        now: Option<UnixSeconds>,
    ) -> Result<Vec<BudgetStatus>, JournalError> {
        let now = now.map_or_else(|| SystemClock.now(), |now| now.0);
        let (network, budget) = (network.convert(), budget.convert());
        let statuses = self.with(move |journal| journal.budget_status(network, &budget, now));
        Ok(statuses.await?.convert())
    }

    pub(crate) async fn hashes(&self, wallet: String) -> Result<Vec<PaymentHash>, JournalError> {
        let intents = self.with(move |journal| journal.unresolved(&wallet)).await?;
        Ok(intents.into_iter().map(|intent| intent.payment_hash).collect())
    }

    pub(crate) async fn begin(
        &self,
        wallet: String,
        payment_hash: PaymentHash,
    ) -> Result<Option<Unfinished>, JournalError> {
        self.with(move |journal| {
            let intents = journal.unresolved(&wallet)?;
            let Some(intent) = intents.into_iter().find(|i| i.payment_hash == payment_hash) else {
                return Ok(None);
            };
            let begun = client::Unfinished::begin(journal.clone(), intent)?;
            Ok(begun.map(|held| Unfinished {
                journal: journal.clone(),
                payment_hash,
                held: Mutex::new(Some(held)),
            }))
        })
        .await
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl Journal {
    /// The journal in that file, which is made where it is not there yet, with the folders above it.
    #[uniffi::constructor]
    pub fn new(path: String) -> Self {
        Self(Arc::new(OpenOnUse { path: path.into(), journal: OnceLock::new() }))
    }

    /// The file.
    pub fn path(&self) -> String {
        self.0.path.display().to_string()
    }

    /// The newest receipts first, at most `limit`.
    pub async fn receipts(&self, limit: Count) -> Result<Vec<Receipt>, JournalError> {
        Ok(self.with(move |journal| journal.receipts(limit.0 as usize)).await?.convert())
    }

    /// The receipt of one payment, or none.
    pub async fn receipt(
        &self,
        payment_hash: PaymentHash,
    ) -> Result<Option<Receipt>, JournalError> {
        Ok(self.with(move |journal| journal.receipt(&payment_hash)).await?.convert())
    }

    /// Replaces the budget that all of the user's processes share.
    pub async fn set_budget(&self, budget: Budget) -> Result<(), JournalError> {
        let budget = budget.convert();
        self.with(move |journal| journal.set_budget(&budget)).await
    }

    /// How much of each rule is used on a network at `now`, unix seconds, or at this time: the journal's own rules, and those
    /// of `budget`.
    #[uniffi::method(default(now = None))]
    pub async fn budget_status(
        &self,
        network: Network,
        budget: Budget,
        now: Option<UnixSeconds>,
    ) -> Result<Vec<BudgetStatus>, JournalError> {
        self.status(network, budget, now).await
    }

    /// The hashes of a wallet's payments that are not resolved, oldest first.
    pub async fn unresolved(&self, wallet: String) -> Result<Vec<PaymentHash>, JournalError> {
        self.hashes(wallet).await
    }

    /// Takes hold of an unresolved payment; none where another call is working on it, or it is resolved.
    pub async fn unfinished(
        &self,
        wallet: String,
        payment_hash: PaymentHash,
    ) -> Result<Option<Arc<Unfinished>>, JournalError> {
        Ok(self.begin(wallet, payment_hash).await?.map(Arc::new))
    }
}

/// The journal that all of a user's processes share, the command line's among them: below `$PLANNT_HOME`, else
/// `$XDG_DATA_HOME/plannt`, else `~/.local/share/plannt`. None where there is no home: an app has a folder of its own.
#[uniffi::export]
pub fn default_journal_path() -> Option<String> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = match variable("PLANNT_HOME") {
        Some(home) => PathBuf::from(home),
        None => {
            let data = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
            let data = data.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".local/share")));
            data?.join("plannt")
        }
    };
    Some(folder.join("client/journal.db").display().to_string())
}

record! {
    /// How much of a rule is used.
    #[derive(PartialEq, Eq)]
    BudgetStatus from client::BudgetStatus {
        /// The rule.
        rule: BudgetRule,
        /// Spent within its window, msat, fees included.
        spent_msat: Msat,
        /// Reserved by payments that are not resolved, msat.
        reserved_msat: Msat,
        /// What is left, msat.
        left_msat: Msat,
    }
}

/// An unfinished payment, held against every other call while the wallet is asked about it.
#[derive(uniffi::Object)]
pub struct Unfinished {
    journal: Arc<client::Journal>,
    payment_hash: PaymentHash,
    held: Mutex<Option<client::Unfinished>>,
}

#[uniffi::export(async_runtime = "tokio")]
impl Unfinished {
    /// The payment to ask the wallet about.
    pub fn payment_hash(&self) -> PaymentHash {
        self.payment_hash
    }

    /// Journals what the wallet knows of it, and says what became of it; none where that was done before.
    pub async fn resolve(
        &self,
        answer: PaymentState,
    ) -> Result<Option<RecoveredState>, JournalError> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(held) = held else { return Ok(None) };
        let (journal, payment_hash) = (self.journal.clone(), self.payment_hash);
        let resolved = blocking(move || {
            let answer = look_up(&journal, &payment_hash, answer);
            held.resolve(answer, SystemClock.now())
        });
        Ok(Some(resolved.await?.convert()))
    }
}

/// What a wallet's answer is to Rust. Where it tells no fee, all that is reserved for it is charged; where the journal can't
/// tell that, nothing is known, and the payment keeps its reservation.
pub(crate) fn look_up(
    journal: &client::Journal,
    payment_hash: &PaymentHash,
    answer: PaymentState,
) -> Result<lightning::PaymentState, lightning::LightningError> {
    let unknown = |message| lightning::LightningError::NodeError { message };
    Ok(match answer {
        PaymentState::Failed { failure: code, reason } => {
            lightning::PaymentState::Failed(lightning::PayFailure::from_code(&code, reason))
        }
        PaymentState::InFlight => lightning::PaymentState::InFlight,
        PaymentState::NotFound => lightning::PaymentState::NotFound,
        PaymentState::Paid { payment: Payment { preimage, fee_msat } } => {
            let fee_msat = match fee_msat {
                Some(fee) => fee.0,
                None => journal
                    .reserved_fee_msat(payment_hash)
                    .map_err(|error| unknown(error.to_string()))?,
            };
            let preimage = preimage.convert();
            lightning::PaymentState::Paid(lightning::Payment { preimage, fee_msat })
        }
        PaymentState::Unknown { reason } => return Err(unknown(reason)),
    })
}

/// What became of an unfinished payment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum RecoveredState {
    /// Another call is working on it.
    Busy,
    /// Certainly not paid; its reservation is free again.
    Failed,
    /// Paid: the next call with the same request presents the credential.
    Paid,
    /// Not known yet; it keeps its reservation.
    Unresolved {
        /// The wallet's words, if any.
        reason: Option<String>,
    },
}

impl Convert<RecoveredState> for client::RecoveredState {
    fn convert(self) -> RecoveredState {
        match self {
            Self::Busy => RecoveredState::Busy,
            Self::Failed => RecoveredState::Failed,
            Self::Paid => RecoveredState::Paid,
            Self::Unresolved(reason) => RecoveredState::Unresolved { reason },
            _ => RecoveredState::Unresolved { reason: None },
        }
    }
}

record! {
    /// A payment that was left unfinished, after the wallet was asked.
    #[derive(PartialEq, Eq)]
    Recovered from client::Recovered {
        /// The payment.
        payment_hash: PaymentHash,
        /// What became of it.
        state: RecoveredState,
    }
}
