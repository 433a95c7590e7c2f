//! What to do next about an error, by its code.

/// What to do next about an error with this [`code`](crate::LightningError::code), in one sentence;
/// `None` for a code of no error here.
///
/// By the code and not by the type, since a journal and other languages carry only the code.
///
/// ```
/// use plannt_lightning::{PayFailure, advice};
/// assert_eq!(advice("no_route"), Some(PayFailure::NoRoute.advice()));
/// assert_eq!(advice("no_such_code"), None);
/// ```
pub fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "already_paid" => "nothing was spent now: ask the service for a new invoice",
        "config" => "correct the wallet's or node's URL (docs/BACKENDS.md)",
        "connection_lost" | "timeout_unknown" => {
            "do not pay again: look the payment up, or make the same call again, which does"
        }
        "fee_limit" => "allow a higher fee, or open a channel nearer to the payee",
        "incorrect_payment_details" => "ask the service for a new invoice",
        "insufficient_balance" => "add money to the wallet, or wait until its channel peer is back",
        "invalid_request" => "correct the request: no node would take it",
        "invalid_response" => "check that the URL names the right kind of node, and its version",
        "invoice_expired" => "ask the service for a new invoice",
        "no_route" => "allow a higher fee, try later, or open a channel nearer to the payee",
        "node_auth" => "check the credential and its permissions (docs/BACKENDS.md)",
        "node_error" => "read the node's message, and its log",
        "node_unreachable" => "check that the node runs, its address, and its certificate",
        "payment_in_flight" => "wait and look the payment up: it is under way, never pay again",
        "payment_timeout" => "try again, or allow more time",
        "preimage_mismatch" => {
            "do not pay again: the money may be gone without proof, ask the wallet's operator"
        }
        "quota_exceeded" => "raise the spending limit that the wallet has for this connection",
        "rejected" => "read the wallet's message: it refuses this payment",
        "unsupported" => "use another backend for this (docs/BACKENDS.md)",
        "wrong_network" => "use a wallet on the invoice's network",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::{LightningError, PayFailure};

    #[test]
    fn every_error_says_what_to_do() {
        let message = String::new;
        let errors = [
            LightningError::Config { message: message() },
            LightningError::ConnectionLost { message: message() },
            LightningError::InvalidResponse { message: message() },
            LightningError::InvalidRequest { message: message() },
            LightningError::NodeAuth { message: message() },
            LightningError::NodeError { message: message() },
            LightningError::NodeUnreachable { message: message() },
            LightningError::PaymentInFlight,
            LightningError::PreimageMismatch,
            LightningError::TimeoutUnknown,
            LightningError::Unsupported { message: message() },
        ];
        for error in errors {
            assert!(!error.advice().is_empty(), "{}", error.code());
            // A failure that wraps it keeps its code, and so its advice.
            assert_eq!(PayFailure::from(error.clone()).advice(), error.advice());
        }
        for failure in [
            PayFailure::AlreadyPaid,
            PayFailure::FeeLimit,
            PayFailure::IncorrectPaymentDetails,
            PayFailure::InsufficientBalance,
            PayFailure::InvoiceExpired,
            PayFailure::NoRoute,
            PayFailure::QuotaExceeded,
            PayFailure::Rejected { message: message() },
            PayFailure::Timeout,
            PayFailure::WrongNetwork,
        ] {
            assert!(!failure.advice().is_empty(), "{}", failure.code());
        }
    }
}
