//! What every backend has to do, as tests against whatever node it is for.
//!
//! Implement [`Fixture`], then call [`invoicer_contract_tests!`](crate::invoicer_contract_tests) and
//! [`payer_contract_tests!`](crate::payer_contract_tests) in a test crate. Each check panics where
//! the contract is broken.

mod invoicer;
mod payer;

use std::sync::Arc;

use lightning_invoice::Bolt11Invoice;
use plannt_core::PaymentHash;

pub use self::invoicer::*;
pub use self::payer::*;
use crate::{InvoiceRequest, Invoicer, PayRequest, Payer};

/// A network of at least two nodes, for one test at a time: the checks compare balances.
pub trait Fixture: Send + Sync {
    /// The node that sells.
    fn invoicer(&self) -> Arc<dyn Invoicer>;

    /// Another node, with a route to the first and at least 100,000 sats to spend.
    fn payer(&self) -> Arc<dyn Payer>;
}

/// Makes a tokio test of each check of an [`Invoicer`]. The argument is an expression that makes
/// a future of a [`Fixture`].
#[macro_export]
macro_rules! invoicer_contract_tests {
    ($fixture:expr) => {
        $crate::contract_test!($fixture, issue_makes_the_invoice_that_was_asked_for);
        $crate::contract_test!($fixture, issue_never_repeats_a_payment_hash);
        $crate::contract_test!($fixture, issue_refuses_what_no_invoice_can_say);
        $crate::contract_test!($fixture, an_unknown_invoice_is_not_found);
    };
}

/// Makes a tokio test of each check of a [`Payer`]. The argument is an expression that makes a
/// future of a [`Fixture`].
#[macro_export]
macro_rules! payer_contract_tests {
    ($fixture:expr) => {
        $crate::contract_test!($fixture, paying_moves_the_amount_and_proves_it);
        $crate::contract_test!($fixture, a_settled_invoice_is_told);
        $crate::contract_test!($fixture, paying_again_shows_the_same_payment);
        $crate::contract_test!($fixture, concurrent_payments_of_one_invoice_pay_once);
        $crate::contract_test!($fixture, an_unknown_payment_is_not_found);
        $crate::contract_test!($fixture, a_request_unlike_its_invoice_is_not_sent);
        $crate::contract_test!($fixture, more_than_the_balance_fails);
        $crate::contract_test!($fixture, an_expired_invoice_fails);
        $crate::contract_test!($fixture, the_wallet_has_a_stable_name);
    };
}

/// One test of the macros above.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_test {
    ($fixture:expr, $check:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $check() {
            $crate::contract::$check(&$fixture.await).await;
        }
    };
}

const EXPIRY_SECONDS: u32 = 3_600;

fn ask(amount_msat: u64) -> InvoiceRequest {
    InvoiceRequest { amount_msat, memo: "contract test".into(), expiry_seconds: EXPIRY_SECONDS }
}

/// Issues an invoice and parses it, with its signature.
async fn issue(fixture: &impl Fixture, request: &InvoiceRequest) -> Bolt11Invoice {
    let text = fixture.invoicer().issue(request).await.expect("an invoice");
    text.parse().expect("a signed BOLT 11 invoice")
}

fn hash_of(invoice: &Bolt11Invoice) -> PaymentHash {
    let bytes: &[u8] = invoice.payment_hash().as_ref();
    PaymentHash::from_bytes(bytes.try_into().expect("32 bytes"))
}

fn pay_request(invoice: &Bolt11Invoice) -> PayRequest {
    PayRequest {
        bolt11: invoice.to_string(),
        payment_hash: hash_of(invoice),
        amount_msat: invoice.amount_milli_satoshis().expect("an amount"),
        max_fee_msat: 10_000,
        timeout: std::time::Duration::from_secs(30),
    }
}
