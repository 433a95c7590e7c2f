//! `WWW-Authenticate`: what is read can be written again, and what stands beside it changes nothing.

use plannt_core::challenge::{AuthChallenge, AuthData, Challenges};
use plannt_core::{ChallengeSource, Scheme, challenge_header, parse_challenges, read_challenge};

use crate::support::lines;

const OURS: &str = r#"L402 macaroon="AgEE", invoice="lnbcrt1", version="0", token="AgEE""#;

/// Input: header values, one a line.
pub fn run(data: &[u8]) {
    let values = lines(data);
    for value in &values {
        let list = parse_challenges(value);
        let before_the_error = Challenges::new(value).map_while(Result::ok).count();
        let Ok(list) = list else {
            assert!(Challenges::new(value).last().unwrap().is_err());
            continue;
        };
        assert_eq!(list.len(), before_the_error);
        written_again(&list);
        let room = value.len() < 60_000 && list.iter().all(|one| params(one) < 60);
        if room {
            joined(value, &list);
        }
    }

    let Ok(Some(found)) = read_challenge(values.iter().copied(), None) else { return };
    assert_eq!(found.source, ChallengeSource::Header);
    for text in [&found.token, &found.invoice] {
        assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    // A body never adds to what a header has.
    let body = br#"{"invoice":"lnbc2","macaroon":"AQ"}"#;
    assert_eq!(
        read_challenge(values.iter().copied(), Some(body)).as_ref(),
        Ok(&Some(found.clone()))
    );
    let others = [&b"Basic realm=\"a, b\""[..], b"Bearer", b"Negotiate abc=="];
    assert_eq!(
        read_challenge(others.into_iter().chain(values), None).as_ref(),
        Ok(&Some(found.clone()))
    );
    let header = challenge_header(&found.token, &found.invoice);
    let again = read_challenge([header.as_bytes()], None).unwrap().unwrap();
    assert_eq!((again.token, again.invoice), (found.token, found.invoice));
    assert_eq!(again.scheme, Scheme::L402);
}

fn params(challenge: &AuthChallenge<'_>) -> usize {
    match &challenge.data {
        AuthData::Params(params) => params.len(),
        AuthData::Token68(_) => 0,
    }
}

/// In the plainest spelling.
fn written_again(list: &[AuthChallenge<'_>]) {
    let mut line = Vec::new();
    for challenge in list {
        line.extend_from_slice(if line.is_empty() { b"" } else { b", " });
        line.extend_from_slice(challenge.scheme.as_bytes());
        match &challenge.data {
            AuthData::Token68(text) => line.extend_from_slice(format!(" {text}").as_bytes()),
            AuthData::Params(params) => {
                for (i, param) in params.iter().enumerate() {
                    line.extend_from_slice(if i == 0 { b" " } else { b", " });
                    line.extend_from_slice(format!("{}=\"", param.name).as_bytes());
                    for byte in param.value.iter() {
                        if matches!(byte, b'"' | b'\\') {
                            line.push(b'\\');
                        }
                        line.push(*byte);
                    }
                    line.push(b'"');
                }
            }
        }
    }
    if line.len() <= 65_536 {
        assert_eq!(parse_challenges(&line).as_deref(), Ok(list));
    }
}

/// Our challenge after any other line, on the same line: a comma joins lines (RFC 9110 §5.2).
fn joined(value: &[u8], list: &[AuthChallenge<'_>]) {
    let line = [value, b", ", OURS.as_bytes()].concat();
    let all = parse_challenges(&line).unwrap();
    let ours = parse_challenges(OURS.as_bytes()).unwrap();
    assert_eq!(all[..list.len()], *list);
    assert_eq!(all[list.len()..], *ours);
}
