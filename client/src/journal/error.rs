//! Why the journal can't be used.

use std::path::PathBuf;

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
            Self::Unknown => "journal_unknown_payment",
        }
    }
}
