//! Defects on purpose, in debug builds only: the tests show that one is an error in JavaScript, and ends no process.

use napi::Result;
use napi_derive::napi;

use crate::paying::blocking;

#[napi(catch_unwind)]
pub fn defect() -> u32 {
    panic!("a defect on purpose")
}

#[napi]
pub async fn defect_later() -> u32 {
    panic!("a defect on purpose")
}

#[napi]
pub async fn defect_aside() -> Result<u32> {
    blocking(|| panic!("a defect on purpose")).await
}
