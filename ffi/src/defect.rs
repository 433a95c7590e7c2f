//! Defects on purpose, in debug builds only: the tests show that one is an error in Swift and in Kotlin, and ends no process.

use crate::CallbackError;

/// A defect at once.
#[uniffi::export]
pub fn defect() -> Result<bool, CallbackError> {
    panic!("a defect on purpose")
}

/// A defect in what is waited for.
#[uniffi::export(async_runtime = "tokio")]
pub async fn defect_later() -> Result<bool, CallbackError> {
    panic!("a defect on purpose")
}

/// A defect in what blocks on the disk.
#[uniffi::export(async_runtime = "tokio")]
pub async fn defect_aside() -> Result<bool, CallbackError> {
    crate::journal::blocking(|| panic!("a defect on purpose")).await
}
