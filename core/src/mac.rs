//! HMAC-SHA256 with key states that are made once, and the macaroon's chain of them.
//!
//! It stands on `sha2`'s compression function: a key's two states are eight words each, so they
//! cost nothing to copy, are selected in constant time, and are erased. The tests hold it against
//! the `hmac` crate.

use sha2::block_api::compress256;
use subtle::{Choice, ConditionallySelectable};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::macaroon::CaveatRef;

const BLOCK: usize = 64;
const DIGEST: usize = 32;
/// SHA-256's initial state (FIPS 180-4 §5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A MAC, as the words that the hash ends in. Erased when dropped: in a chain it is the next key.
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Tag([u32; 8]);

impl Tag {
    pub(crate) fn to_bytes(&self) -> [u8; DIGEST] {
        to_bytes(&self.0)
    }

    /// Takes `other`'s value where `choice` is set, in constant time.
    pub(crate) fn conditional_assign(&mut self, other: &Self, choice: Choice) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            word.conditional_assign(other, choice);
        }
    }
}

/// A key, ready for any number of messages: the hash's states after the two padded blocks.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct MacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

/// The key `"macaroons-key-generator"`, padded with zeros to 32 bytes, through which the key of
/// every macaroon goes. It never changes, so its states are written down; a test derives them.
pub(crate) static GENERATOR: MacKey = MacKey {
    inner: [
        0x9077_a15b,
        0xd63d_8c38,
        0x24d7_0d8b,
        0xa0d6_3f24,
        0x4803_6cbf,
        0x16ff_ae7d,
        0x4857_e31d,
        0xbb1f_1d67,
    ],
    outer: [
        0xbdcc_52d8,
        0x514c_306d,
        0xa461_4039,
        0xaa6e_3e88,
        0xc98a_3415,
        0xb547_216b,
        0x5b29_34f4,
        0x8053_6d5f,
    ],
};

impl MacKey {
    /// A key of any length.
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if key.len() > BLOCK {
            let mut state = INITIAL;
            hash_rest(&mut state, 0, &[key]);
            block[..DIGEST].copy_from_slice(&to_bytes(&state));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let key = Self::from_block(&mut block);
        block.zeroize();
        key
    }

    /// The key under which every macaroon library signs for a macaroon whose root key is `key`.
    pub(crate) fn derived(key: &[u8]) -> Self {
        GENERATOR.mac(&[key]).to_key()
    }

    fn from_block(block: &mut [u8; BLOCK]) -> Self {
        let (mut inner, mut outer) = (INITIAL, INITIAL);
        block.iter_mut().for_each(|b| *b ^= 0x36);
        compress256(&mut inner, core::slice::from_ref(block));
        block.iter_mut().for_each(|b| *b ^= 0x36 ^ 0x5c);
        compress256(&mut outer, core::slice::from_ref(block));
        Self { inner, outer }
    }

    /// The MAC of a message, given in parts.
    pub(crate) fn mac(&self, message: &[&[u8]]) -> Tag {
        let mut inner = self.inner;
        hash_rest(&mut inner, BLOCK, message);
        let mut tag = Tag(self.outer);
        let mut block = [0; BLOCK];
        block[..DIGEST].copy_from_slice(&to_bytes(&inner));
        block[DIGEST] = 0x80;
        block[BLOCK - 8..].copy_from_slice(&(8 * (BLOCK + DIGEST) as u64).to_be_bytes());
        compress256(&mut tag.0, &[block]);
        tag
    }
}

impl Tag {
    /// The key that this MAC is for the next link.
    pub(crate) fn to_key(&self) -> MacKey {
        MacKey::new(&self.to_bytes())
    }
}

/// The signature of a macaroon under the key that its root key was derived to.
pub(crate) fn chain<'a>(
    key: &MacKey,
    identifier: &[u8],
    caveats: impl Iterator<Item = CaveatRef<'a>>,
) -> Tag {
    let mut signature = key.mac(&[identifier]);
    for caveat in caveats {
        let key = signature.to_key();
        signature = match caveat.verification_id {
            None => key.mac(&[caveat.id]),
            Some(vid) => {
                let (vid, id) = (key.mac(&[vid]).to_bytes(), key.mac(&[caveat.id]).to_bytes());
                key.mac(&[&vid, &id])
            }
        };
    }
    signature
}

/// Hashes the message that follows `before` whole blocks' bytes, and the padding.
fn hash_rest(state: &mut [u32; 8], before: usize, message: &[&[u8]]) {
    let mut block = [0; BLOCK];
    let mut filled = 0;
    let mut len = before;
    for part in message {
        len += part.len();
        let mut part = *part;
        if filled > 0 {
            let (now, later) = part.split_at(part.len().min(BLOCK - filled));
            block[filled..filled + now.len()].copy_from_slice(now);
            filled += now.len();
            part = later;
            if filled == BLOCK {
                compress256(state, &[block]);
                filled = 0;
            }
        }
        if filled == 0 {
            let (blocks, tail) = part.as_chunks::<BLOCK>();
            compress256(state, blocks);
            block[..tail.len()].copy_from_slice(tail);
            filled = tail.len();
        }
    }
    block[filled] = 0x80;
    block[filled + 1..].fill(0);
    if filled + 1 > BLOCK - 8 {
        compress256(state, &[block]);
        block.fill(0);
    }
    block[BLOCK - 8..].copy_from_slice(&(8 * len as u64).to_be_bytes());
    compress256(state, &[block]);
}

fn to_bytes(words: &[u32; 8]) -> [u8; DIGEST] {
    let mut bytes = [0; DIGEST];
    for (out, word) in bytes.chunks_exact_mut(4).zip(words) {
        out.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use hmac::{Hmac, KeyInit, Mac};
    use sha2::Sha256;

    use super::*;

    fn oracle(key: &[u8], message: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    #[test]
    fn agrees_with_hmac_at_every_length_around_a_block() {
        let bytes: Vec<u8> = (0..=255).collect();
        for len in 0..200 {
            assert_eq!(
                MacKey::new(b"key").mac(&[&bytes[..len]]).to_bytes(),
                oracle(b"key", &bytes[..len])
            );
            assert_eq!(
                MacKey::new(&bytes[..len]).mac(&[b"message"]).to_bytes(),
                oracle(&bytes[..len], b"message")
            );
        }
    }

    #[test]
    fn parts_are_one_message() {
        let bytes: Vec<u8> = (0..=255).collect();
        let key = MacKey::new(b"key");
        for (a, b) in [(0, 0), (0, 64), (1, 64), (63, 64), (63, 65), (64, 128), (10, 200)] {
            let parts = [&bytes[..a], &bytes[a..b], &bytes[b..]];
            assert_eq!(key.mac(&parts).to_bytes(), oracle(b"key", &bytes), "{a} {b}");
        }
    }

    #[test]
    fn the_generator_is_the_one_of_every_library() {
        let generator = MacKey::new(b"macaroons-key-generator\0\0\0\0\0\0\0\0\0");
        assert_eq!((generator.inner, generator.outer), (GENERATOR.inner, GENERATOR.outer));
    }

    #[test]
    fn assigning_is_all_or_nothing() {
        let other = MacKey::new(b"key").mac(&[b"message"]);
        let mut tag = Tag::default();
        tag.conditional_assign(&other, Choice::from(0));
        assert_eq!(tag.0, [0; 8]);
        tag.conditional_assign(&other, Choice::from(1));
        assert_eq!(tag.0, other.0);
    }
}
