//! The challenge: what a server asks for, written and read (docs/PROTOCOL.md §3 and §5).

mod body;
mod grammar;
mod header;
#[cfg(test)]
mod tests;

pub use body::{ChallengeBody, error_body};
pub use grammar::{AuthChallenge, AuthData, AuthParam, Challenges, GrammarError, parse_challenges};
pub use header::{
    Challenge, ChallengeError, ChallengeSource, Scheme, challenge_header, read_challenge,
};
