//! What is tested on real nodes. One test program, so that one network serves all of it.
#![allow(clippy::unwrap_used)]

mod contract;
mod cycles;
mod faults;
mod plannt;
mod shared;
