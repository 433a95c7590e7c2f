//! Checks over the wire: of any L402 server, and of any command that pays for a URL.
//!
//! [`run_server`] asks a server from outside, over sockets of its own, and buys from it.
//! [`run_client`] plays servers, honest, odd and hostile, to a command, and counts at the node behind them
//! what it paid. Each [`Check`] quotes the sentence that it stands for.

mod check;
mod client;
mod error;
mod expected;
mod http;
mod report;
mod server;
mod tls;

pub use self::check::{Check, Level};
pub use self::client::{ClientOptions, client_checks, run_client};
pub use self::error::WireError;
pub use self::expected::{ExpectedFailures, ExpectedFailuresError};
pub use self::report::{CheckResult, Standing, WireReport};
pub use self::server::{ServerOptions, run_server, server_checks};

/// Every check that there is.
pub fn all_checks() -> impl Iterator<Item = Check> {
    server_checks().chain(client_checks())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_every_check_says_what_it_stands_for() {
        let mut ids = BTreeSet::new();
        for check in all_checks() {
            assert!(ids.insert(check.id), "{} twice", check.id);
            assert!(check.id.split('.').count() >= 3, "{}", check.id);
            assert!(check.requirement.len() > 10 && !check.source.is_empty(), "{}", check.id);
        }
        assert!(ids.len() > 150, "{}", ids.len());
    }

    #[test]
    fn quotes_stand_in_the_protocol_as_they_are_quoted() {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let protocol = squeeze(include_str!("../../../docs/PROTOCOL.md"));
        for check in all_checks().filter(|check| check.source.starts_with("docs/PROTOCOL.md")) {
            for part in check.requirement.split(" … ") {
                assert!(protocol.contains(&squeeze(part)), "{}: {part:?}", check.id);
            }
        }
    }

    #[test]
    fn the_file_of_expected_failures_names_checks() {
        let file = include_str!("../../expected-failures.txt");
        ExpectedFailures::parse(file).expect("each line names a check and a reason");
    }
}
