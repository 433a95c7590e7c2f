//! The paying flow: one file a state, and scripts of arbitrary events.
#![cfg(feature = "invoice")]
#![allow(clippy::unwrap_used)]

mod body;
mod checks;
mod commit;
mod dry_run;
mod journal_fails;
mod journal_intent;
mod kept;
mod load;
mod look_up;
mod pay;
mod redirects;
mod scripts;
mod send;
mod store;
mod support;
