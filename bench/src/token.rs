//! The one L402 macaroon that all are measured on: 66-byte identifier, three caveats, 184 bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub(crate) const ROOT_KEY: [u8; 32] = [0x11; 32];
pub(crate) const PREIMAGE: [u8; 32] = [0x22; 32];
pub(crate) const LOCATION: &str = "l402";
/// Regtest's: the longest, so that nobody gains by it.
pub(crate) const CURRENCY: &str = "bcrt";
pub(crate) const SERVICES: &str = "services=demo:0";
pub(crate) const CAPABILITIES: &str = "demo_capabilities=read";
pub(crate) const VALID_UNTIL: &str = "demo_valid_until=1800003600";
pub(crate) const CAVEATS: [&str; 3] = [SERVICES, CAPABILITIES, VALID_UNTIL];
pub(crate) const NOW: u64 = 1_800_000_000;

/// Compressions of minting it with cached key states: token id 2, macaroon key 2, `k` 2, the
/// identifier under a fresh key 5, and 4 for each caveat.
pub(crate) const MINT_COMPRESSIONS: u32 = 2 + 2 + 2 + 5 + 4 * 3;
/// The same, and one for the preimage.
pub(crate) const VERIFY_COMPRESSIONS: u32 = MINT_COMPRESSIONS + 1;

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
