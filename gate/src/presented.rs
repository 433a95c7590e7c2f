//! The credential that a request presents: found, and taken off before the request goes on
//! (docs/PROTOCOL.md §3).

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use plannt_core::macaroon::MacaroonRef;
use plannt_core::{
    Credential, CredentialError, Identifier, MAX_AUTHORIZATION_BYTES, MAX_TOKEN_BYTES, Scheme,
};

use crate::answer::is_grpc;

/// Where gRPC carries a credential, in the order of reading.
const GRPC_METADATA: [&str; 2] = ["macaroon", "token"];

/// Of its `Authorization` lines, else, in gRPC, of its metadata. `None` when there is none.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Credential<'_>>, CredentialError> {
    let lines = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    if let Some(credential) = Credential::from_authorization(lines)? {
        return Ok(Some(credential));
    }
    if !is_grpc(headers) {
        return Ok(None);
    }
    // An upstream may have macaroons of its own: lnd has.
    let values = || GRPC_METADATA.iter().flat_map(|name| headers.get_all(*name));
    let Some(value) = values().find(|value| is_l402(value)).or_else(|| values().next()) else {
        return Ok(None);
    };
    if value.len() > MAX_AUTHORIZATION_BYTES {
        return Err(CredentialError::HeaderTooLarge { bytes: value.len() });
    }
    Credential::from_grpc_metadata(value.as_bytes()).map(Some)
}

/// Removes our credential, in whatever state it is; other schemes and other macaroons pass.
pub(crate) fn remove(headers: &mut HeaderMap) {
    remove_values(headers, AUTHORIZATION.as_str(), is_ours);
    if is_grpc(headers) {
        for name in GRPC_METADATA {
            remove_values(headers, name, is_l402);
        }
    }
}

fn remove_values(headers: &mut HeaderMap, name: &'static str, ours: fn(&HeaderValue) -> bool) {
    if !headers.get_all(name).iter().any(ours) {
        return;
    }
    let others: Vec<HeaderValue> =
        headers.get_all(name).iter().filter(|value| !ours(value)).cloned().collect();
    headers.remove(name);
    for value in others {
        headers.append(name, value);
    }
}

/// Whether an `Authorization` line has our scheme.
fn is_ours(line: &HeaderValue) -> bool {
    let line = line.as_bytes().trim_ascii_start();
    let end = line.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(line.len());
    std::str::from_utf8(&line[..end]).is_ok_and(|scheme| Scheme::from_name(scheme).is_some())
}

/// Whether metadata is an L402 macaroon, by its identifier.
fn is_l402(value: &HeaderValue) -> bool {
    let mut buffer = [0; MAX_TOKEN_BYTES];
    let Ok(credential) = Credential::from_grpc_metadata(value.as_bytes()) else { return false };
    let bytes = credential.tokens().next().and_then(|token| token.decode_to(&mut buffer).ok());
    bytes
        .and_then(|bytes| MacaroonRef::parse(bytes).ok())
        .is_some_and(|macaroon| Identifier::parse(macaroon.identifier()).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http::header::CONTENT_TYPE;
    use plannt_core::PaymentHash;
    use plannt_core::macaroon::{Format, Macaroon};

    use super::*;

    #[test]
    fn only_our_credential_is_removed() {
        let mut headers = HeaderMap::new();
        for line in ["Bearer abc", "L402 x:y", "lsat", "Basic L402", "L4021 z", " LSAT\tq"] {
            headers.append(AUTHORIZATION, HeaderValue::from_static(line));
        }
        remove(&mut headers);
        let left: Vec<_> = headers.get_all(AUTHORIZATION).iter().collect();
        assert_eq!(left, ["Bearer abc", "Basic L402", "L4021 z"]);
    }

    fn metadata(identifier: &[u8]) -> HeaderValue {
        let macaroon = Macaroon::create(&[1; 32], identifier, None).unwrap();
        let bytes = macaroon.to_format(Format::V2).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        HeaderValue::from_str(&hex).unwrap()
    }

    #[test]
    fn an_upstreams_own_macaroons_pass() {
        let payment_hash = PaymentHash::from_bytes([1; 32]);
        let ours = metadata(&Identifier { payment_hash, token_id: [2; 32] }.to_bytes());
        let theirs = metadata(b"a macaroon of lnd");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.append("macaroon", theirs.clone());
        assert!(read(&headers).unwrap().is_some(), "the only one there is");
        headers.append("macaroon", ours.clone());
        headers.append("token", ours.clone());
        headers.append("token", HeaderValue::from_static("of something else"));
        let read_hex = |headers: &HeaderMap| {
            let credential = read(headers).unwrap().unwrap();
            let mut buffer = [0; MAX_TOKEN_BYTES];
            let token = credential.tokens().next().unwrap();
            token.decode_to(&mut buffer).unwrap().to_vec()
        };
        let mut alone = headers.clone();
        alone.insert("macaroon", ours);
        assert_eq!(read_hex(&headers), read_hex(&alone));

        remove(&mut headers);
        assert_eq!(headers.get_all("macaroon").iter().collect::<Vec<_>>(), [&theirs]);
        assert_eq!(headers.get_all("token").iter().collect::<Vec<_>>(), ["of something else"]);
        headers.remove(CONTENT_TYPE);
        assert!(read(&headers).unwrap().is_none(), "not gRPC");
    }

    #[test]
    fn metadata_above_16_kib_is_not_parsed() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert("macaroon", HeaderValue::from_str(&"ab".repeat(8_193)).unwrap());
        let error = read(&headers).unwrap_err();
        assert_eq!(error, CredentialError::HeaderTooLarge { bytes: 16_386 });
    }
}
