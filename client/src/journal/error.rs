//! Why the journal can't be used.

use std::path::{Path, PathBuf};

/// Why the journal can't be used. No payment is made without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process held the file for too long.
    #[error("the payments journal is busy: another process held it for too long; try again")]
    Busy,
    /// The file is damaged, or its contents contradict themselves.
    #[error(
        "the payments journal {path} is damaged ({detail}), so nothing is paid: \
         restore it from a backup, or move it away to start a new one and settle unfinished payments by hand"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        detail: String,
    },
    /// The file is another program's, or a newer version's.
    #[error("{path} is not a payments journal of this version: {detail}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        detail: String,
    },
    /// The disk is full.
    #[error("the disk of the payments journal {path} is full, so nothing is paid: free some space")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The disk or the folder does not do what is asked.
    #[error("the payments journal {path} can't be read or written, so nothing is paid: {detail}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The file system can't make writes durable for several processes.
    #[error("{path} is on a file system that can't keep a payments journal: {detail}")]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// What is missing.
        detail: String,
    },
    /// The preimage does not hash to the payment hash; nothing was written.
    #[error("the preimage does not prove the payment; nothing was written")]
    PreimageMismatch,
    /// The file or its folder can't be written.
    #[error("the payments journal {path} can't be written, so nothing is paid: {detail}")]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The file that was opened is no longer the one under its name.
    #[error(
        "the payments journal {path} was moved away, deleted or replaced while it was in use, so nothing is paid: \
         start again"
    )]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// There is no payment with that hash.
    #[error("the payments journal has no such payment")]
    Unknown,
}

impl JournalError {
    /// A stable snake_case name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "journal_busy",
            Self::Corrupt { .. } => "journal_corrupt",
            Self::Foreign { .. } => "journal_foreign",
            Self::Full { .. } => "journal_full",
            Self::Io { .. } => "journal_io",
            Self::NotDurable { .. } => "journal_not_durable",
            Self::PreimageMismatch => "journal_preimage_mismatch",
            Self::ReadOnly { .. } => "journal_read_only",
            Self::Replaced { .. } => "journal_replaced",
            Self::Unknown => "journal_unknown_payment",
        }
    }
}

/// Turns what SQLite and the system say into an error that names the file.
#[derive(Clone, Debug)]
pub(super) struct Blame {
    path: PathBuf,
}

impl Blame {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn sql(&self, error: rusqlite::Error) -> JournalError {
        use rusqlite::ErrorCode;
        let path = self.path.clone();
        let detail = error.to_string();
        let rusqlite::Error::SqliteFailure(failure, _) = &error else {
            // A column of another type or size than the schema's: only damage does that.
            return JournalError::Corrupt { path, detail };
        };
        match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => JournalError::Busy,
            ErrorCode::DiskFull => JournalError::Full { path },
            // The shared-memory file could not grow.
            ErrorCode::SystemIoFailure
                if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE =>
            {
                JournalError::Full { path }
            }
            ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => {
                JournalError::ReadOnly { path, detail }
            }
            ErrorCode::SystemIoFailure => JournalError::Io { path, detail },
            _ => JournalError::Corrupt { path, detail },
        }
    }

    pub(super) fn io(&self, error: &std::io::Error) -> JournalError {
        use std::io::ErrorKind;
        let path = self.path.clone();
        let detail = error.to_string();
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => JournalError::Full { path },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                JournalError::ReadOnly { path, detail }
            }
            _ => JournalError::Io { path, detail },
        }
    }

    pub(super) fn corrupt(&self, detail: &str) -> JournalError {
        JournalError::Corrupt { path: self.path.clone(), detail: detail.into() }
    }
}
