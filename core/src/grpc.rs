//! The credential in gRPC metadata (docs/PROTOCOL.md §3).

use alloc::string::String;

use zeroize::Zeroizing;

use crate::{CredentialError, Preimage};

/// The value of gRPC metadata `macaroon`: the token with the preimage as its last caveat, v2 binary in hex.
///
/// # Errors
/// [`CredentialError`] when the token is no macaroon.
pub fn grpc_metadata_value(
    token: &str,
    preimage: &Preimage,
) -> Result<Zeroizing<String>, CredentialError> {
    let _ = (token, preimage);
    todo!()
}
