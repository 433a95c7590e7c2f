//! The spend set: which payments were used, and how often (docs/PROTOCOL.md §4).

use std::io;

use async_trait::async_trait;
use plannt_core::PaymentHash;

use crate::AttemptId;

/// Where the uses of payments are counted.
///
/// An implementation runs the contract's tests (feature `contract-tests`,
/// `spend_store_contract_tests!`).
#[async_trait]
pub trait SpendStore: Send + Sync {
    /// Adds `attempt` to the entry of `hash` if fewer than `uses` attempts are present: one atomic
    /// step over all threads, processes and replicas, durable before it returns
    /// [`SpendOutcome::Granted`]. An attempt that is present already is granted again, so that the
    /// same call reads an unknown outcome back.
    ///
    /// The entry is kept until `keep_until` (unix seconds) by the store's own clock, or until the
    /// latest that was ever given for this hash.
    ///
    /// # Errors
    /// [`StoreError`]; where [`outcome_is_unknown`](StoreError::outcome_is_unknown), the attempt may
    /// have been added, else it certainly was not. Dropping the future leaves the outcome unknown.
    async fn spend(
        &self,
        hash: &PaymentHash,
        attempt: &AttemptId,
        uses: u32,
        keep_until: u64,
    ) -> Result<SpendOutcome, StoreError>;

    /// Takes exactly this attempt off the entry of `hash`, durably. `Ok(false)` when it is not
    /// there; after either `Ok` it certainly is not.
    ///
    /// # Errors
    /// [`StoreError`]: it may still be there; call again.
    async fn release(&self, hash: &PaymentHash, attempt: &AttemptId) -> Result<bool, StoreError>;
}

/// What a [`SpendStore::spend`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpendOutcome {
    /// This attempt holds one of the uses.
    Granted {
        /// Uses that are left after it.
        remaining: u32,
    },
    /// All uses are held by other attempts.
    Refused,
}

/// Why a store gave no answer. A request is never let in on one of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store's lock, or room in its queue, was not to be had in time. Nothing was changed.
    #[error("the spend store is busy: its lock was not to be had in time")]
    Busy,
    /// The entry asked for would already be past its time by the store's clock: the clocks differ
    /// by more than credentials allow. Nothing was changed.
    #[error("the spend store has already deleted entries of that age: the clocks disagree")]
    ClockSkew,
    /// The store has been shut down. Nothing was changed.
    #[error("the spend store is closed")]
    Closed,
    /// The store's data can't be read as what it should be.
    #[error("the spend store is corrupt: {message}")]
    Corrupt {
        /// What the engine said.
        message: String,
    },
    /// There is no room left on the device. Nothing was changed.
    #[error("no space left for the spend store")]
    DiskFull,
    /// Another failure of the device, the file or the connection. Nothing was changed.
    #[error("the spend store failed: {message}")]
    Failed {
        /// What the engine said.
        message: String,
    },
    /// The store can't be written. Nothing was changed.
    #[error("the spend store is read-only")]
    ReadOnly,
    /// The store's file was deleted or replaced while it was open. Restart only once it is back: a
    /// store that is lost lets spent credentials in again.
    #[error("the spend store's file was deleted or replaced while in use")]
    Replaced,
    /// The step may have been done or not: read it back by calling again with the same attempt.
    #[error("the spend store's last step has an unknown outcome: {cause}")]
    UnknownOutcome {
        /// What went wrong.
        cause: Box<StoreError>,
    },
}

impl StoreError {
    /// A stable snake_case name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Busy => "store_busy",
            Self::ClockSkew => "store_clock_skew",
            Self::Closed => "store_closed",
            Self::Corrupt { .. } => "store_corrupt",
            Self::DiskFull => "store_disk_full",
            Self::Failed { .. } => "store_failed",
            Self::ReadOnly => "store_read_only",
            Self::Replaced => "store_replaced",
            Self::UnknownOutcome { .. } => "store_unknown_outcome",
        }
    }

    /// The same failure of a step that may have been done all the same.
    #[must_use]
    pub fn into_unknown(self) -> Self {
        match self {
            unknown @ Self::UnknownOutcome { .. } => unknown,
            known => Self::UnknownOutcome { cause: Box::new(known) },
        }
    }

    /// Whether the step may have been done all the same.
    pub const fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::UnknownOutcome { .. })
    }
}

/// Why a store could not be opened, or is not the one that belongs to the keyring.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreOpenError {
    /// The store is there but does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store exists where a new one was to be made.
    #[error("{path} already exists")]
    Exists {
        /// The store's file.
        path: String,
    },
    /// The store belongs to another keyring.
    #[error(
        "the spend store {path} belongs to another keyring: put back the store that was used with this keyring, \
         or drop every key of the keyring and make a new one"
    )]
    Foreign {
        /// The store's file.
        path: String,
    },
    /// A file or folder.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// There is no store at that place.
    #[error(
        "the spend store {path} is missing, and without it spent credentials would be let in again: put it back, \
         or drop every key of the keyring and make a new one"
    )]
    Missing {
        /// The store's file.
        path: String,
    },
    /// The engine does not promise what spending needs.
    #[error("the spend store {path} is not durable here: {message}")]
    NotDurable {
        /// The store's file.
        path: String,
        /// Which promise is missing.
        message: String,
    },
    /// The store's URL names no engine that is built in.
    #[error("the spend store's URL is none that is known here: expected sqlite:<folder>")]
    UnknownScheme,
    /// The file was made by a version of this program that this one does not know.
    #[error("the spend store {path} has schema version {version}, which is unknown here")]
    UnknownVersion {
        /// The store's file.
        path: String,
        /// The version that it names.
        version: i64,
    },
}

impl StoreOpenError {
    /// A stable snake_case name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Exists { .. } => "store_exists",
            Self::Foreign { .. } => "store_foreign",
            Self::Io { .. } => "store_io",
            Self::Missing { .. } => "store_missing",
            Self::NotDurable { .. } => "store_not_durable",
            Self::UnknownScheme => "store_unknown_scheme",
            Self::UnknownVersion { .. } => "store_unknown_version",
        }
    }
}
