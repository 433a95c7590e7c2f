//! HMAC-SHA256 with key states that are made once, and the macaroon's chain of them.
//!
//! It stands on `sha2`'s compression function: a key's two states are eight words each, so they
//! cost nothing to copy, are selected in constant time, and are erased. The tests hold it against
//! the `hmac` crate.

use sha2::block_api::compress256;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::{ZeroizeOnDrop, optimization_barrier, zeroize_bytes};

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
#[derive(Clone, Default)]
pub(crate) struct Tag([u32; 8]);

impl Tag {
    pub(crate) fn from_bytes(bytes: &[u8; DIGEST]) -> Self {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        Self(words)
    }

    pub(crate) fn to_bytes(&self) -> [u8; DIGEST] {
        let mut bytes = [0; DIGEST];
        write_words(&self.0, &mut bytes);
        bytes
    }

    /// Takes `other`'s value where `choice` is set, in constant time.
    #[inline]
    pub(crate) fn conditional_assign(&mut self, other: &Self, choice: Choice) {
        // One choice for all words: each one that is made is fenced off from the optimizer.
        let mask = u32::conditional_select(&0, &u32::MAX, choice);
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word ^= mask & (*word ^ other);
        }
    }

    /// Becomes the MAC of a message under itself as the key: a link of the chain.
    ///
    /// In place, since each copy of a state through memory is time that the next link waits for.
    #[inline]
    pub(crate) fn link(&mut self, message: &Padded<'_>) {
        let mut block = [0; BLOCK];
        write_words(&self.0, &mut block);
        let mut inner = Self::default();
        key_states(&mut block, &mut inner.0, &mut self.0);
        message.hash_into(&mut inner.0);
        compress256(&mut self.0, &[last_block(&inner.0, BLOCK)]);
    }

    /// Becomes the next signature of a chain.
    pub(crate) fn link_caveat(&mut self, caveat: &CaveatRef<'_>) {
        match caveat.verification_id {
            None => self.link(&Padded::new(caveat.id)),
            Some(vid) => *self = MacKey::new(&self.to_bytes()).mac_of_two(vid, caveat.id),
        }
    }
}

impl ConstantTimeEq for Tag {
    fn ct_eq(&self, other: &Self) -> Choice {
        let differ = self.0.iter().zip(&other.0).fold(0, |any, (a, b)| any | (a ^ b));
        differ.ct_eq(&0)
    }
}

/// A key, ready for any number of messages: the hash's states after the two padded blocks.
#[derive(Clone)]
pub(crate) struct MacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

// By hand, and with a barrier: the derived code writes word by word, which a chain of MACs feels.
impl Drop for Tag {
    fn drop(&mut self) {
        self.0 = [0; 8];
        optimization_barrier(&self.0);
    }
}

impl Drop for MacKey {
    fn drop(&mut self) {
        (self.inner, self.outer) = ([0; 8], [0; 8]);
        optimization_barrier(self);
    }
}

impl ZeroizeOnDrop for Tag {}
impl ZeroizeOnDrop for MacKey {}

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
            let mut state = Tag(INITIAL);
            Padded::after(0, key).hash_into(&mut state.0);
            write_words(&state.0, &mut block);
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        Self::from_block(&mut block)
    }

    /// The key in its padded block, which is erased.
    fn from_block(block: &mut [u8; BLOCK]) -> Self {
        let mut key = Self { inner: INITIAL, outer: INITIAL };
        key_states(block, &mut key.inner, &mut key.outer);
        key
    }

    /// The MAC of a message.
    pub(crate) fn mac(&self, message: &[u8]) -> Tag {
        let [tag] = self.macs([&Padded::new(message)]);
        tag
    }

    /// The MACs of several messages: none waits for another, and a processor makes them nearly
    /// at once.
    #[inline]
    pub(crate) fn macs<const N: usize>(&self, messages: [&Padded<'_>; N]) -> [Tag; N] {
        let mut inner = [const { Tag(INITIAL) }; N];
        for (inner, message) in inner.iter_mut().zip(messages) {
            inner.0 = self.inner;
            message.hash_into(&mut inner.0);
        }
        let mut tags = [const { Tag(INITIAL) }; N];
        for (tag, inner) in tags.iter_mut().zip(&inner) {
            tag.0 = self.outer;
            compress256(&mut tag.0, &[last_block(&inner.0, BLOCK)]);
        }
        tags
    }

    /// The MAC of a MAC.
    #[inline]
    pub(crate) fn mac_tag(&self, message: &Tag) -> Tag {
        let (mut inner, mut tag) = (Tag(self.inner), Tag(self.outer));
        compress256(&mut inner.0, &[last_block(&message.0, BLOCK)]);
        compress256(&mut tag.0, &[last_block(&inner.0, BLOCK)]);
        tag
    }

    /// The MAC of the MACs of two messages: how macaroons bind a pair.
    pub(crate) fn mac_of_two(&self, first: &[u8], second: &[u8]) -> Tag {
        let mut pair = [0; 2 * DIGEST];
        write_words(&self.mac(first).0, &mut pair[..DIGEST]);
        write_words(&self.mac(second).0, &mut pair[DIGEST..]);
        self.mac(&pair)
    }
}

/// The key that every macaroon library makes of a macaroon's root key, and signs with.
pub(crate) fn signing_key(root_key: &[u8]) -> Tag {
    GENERATOR.mac(root_key)
}

/// The signature of a macaroon under its signing key.
pub(crate) fn chain<'a>(
    mut key: Tag,
    identifier: &[u8],
    caveats: impl Iterator<Item = CaveatRef<'a>>,
) -> Tag {
    key.link(&Padded::new(identifier));
    for caveat in caveats {
        key.link_caveat(&caveat);
    }
    key
}

/// The states after a key's two padded blocks; `block` holds the key, and is erased.
///
/// The two do not wait for each other, and a processor makes them nearly at once.
#[inline]
fn key_states(block: &mut [u8; BLOCK], inner: &mut [u32; 8], outer: &mut [u32; 8]) {
    (*inner, *outer) = (INITIAL, INITIAL);
    block.iter_mut().for_each(|b| *b ^= 0x36);
    compress256(inner, core::slice::from_ref(block));
    block.iter_mut().for_each(|b| *b ^= 0x36 ^ 0x5c);
    compress256(outer, core::slice::from_ref(block));
    zeroize_bytes(block);
}

/// SHA-256 of 32 bytes.
pub(crate) fn sha256(bytes: &[u8; DIGEST]) -> Tag {
    let mut state = Tag(INITIAL);
    compress256(&mut state.0, &[last_block(&Tag::from_bytes(bytes).0, 0)]);
    state
}

/// The last block of a hash over `before` bytes, which are whole blocks, and eight words.
///
/// In one piece, and from whole words: a block of which single bytes were just written makes the
/// compression wait until they have reached the cache.
#[inline]
fn last_block(words: &[u32; 8], before: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK / 4];
    block[..8].copy_from_slice(words);
    block[8] = 0x8000_0000;
    block[15] = 8 * (before + DIGEST) as u32;
    let mut bytes = [0; BLOCK];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(block) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

/// What is hashed after a key's block: a message and its padding, which is 0x80, zeros, and the
/// length in bits.
pub(crate) struct Padded<'a> {
    /// Of a long message, what needs no copy.
    whole: &'a [[u8; BLOCK]],
    tail: [[u8; BLOCK]; 2],
    tail_blocks: usize,
}

impl<'a> Padded<'a> {
    #[inline]
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self::after(BLOCK, message)
    }

    /// The message after `before` bytes, which are whole blocks.
    #[inline]
    fn after(before: usize, message: &'a [u8]) -> Self {
        const LENGTH: usize = 8;
        const SHORT: usize = 2 * BLOCK - LENGTH;
        // What fits two blocks is copied as it is, so that they are hashed in one go.
        let (whole, rest) = match message.len() {
            ..SHORT => (&[][..], message),
            _ => message.as_chunks(),
        };
        let mut tail = [[0; BLOCK]; 2];
        let tail_blocks = if rest.len() < BLOCK - LENGTH { 1 } else { 2 };
        let bytes = tail.as_flattened_mut();
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()] = 0x80;
        let bits = 8 * (before + message.len()) as u64;
        bytes[tail_blocks * BLOCK - LENGTH..][..LENGTH].copy_from_slice(&bits.to_be_bytes());
        Self { whole, tail, tail_blocks }
    }

    #[inline]
    fn hash_into(&self, state: &mut [u32; 8]) {
        if !self.whole.is_empty() {
            compress256(state, self.whole);
        }
        compress256(state, &self.tail[..self.tail_blocks]);
    }
}

/// Writes the words to the beginning of `bytes`, big-endian.
fn write_words(words: &[u32; 8], bytes: &mut [u8]) {
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
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
                MacKey::new(b"key").mac(&bytes[..len]).to_bytes(),
                oracle(b"key", &bytes[..len])
            );
            assert_eq!(
                MacKey::new(&bytes[..len]).mac(b"message").to_bytes(),
                oracle(&bytes[..len], b"message")
            );
        }
    }

    #[test]
    fn the_generator_is_the_one_of_every_library() {
        let generator = MacKey::new(b"macaroons-key-generator\0\0\0\0\0\0\0\0\0");
        assert_eq!((generator.inner, generator.outer), (GENERATOR.inner, GENERATOR.outer));
    }

    #[test]
    fn assigning_is_all_or_nothing() {
        let other = MacKey::new(b"key").mac(b"message");
        let mut tag = Tag::default();
        tag.conditional_assign(&other, Choice::from(0));
        assert_eq!(tag.0, [0; 8]);
        tag.conditional_assign(&other, Choice::from(1));
        assert_eq!(tag.0, other.0);
        assert_eq!(Tag::from_bytes(&other.to_bytes()).0, other.0);
    }

    #[test]
    fn equal_is_every_bit() {
        let tag = MacKey::new(b"key").mac(b"message");
        assert!(bool::from(tag.ct_eq(&tag)));
        for bit in 0..256 {
            let mut bytes = tag.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!bool::from(tag.ct_eq(&Tag::from_bytes(&bytes))), "{bit}");
        }
    }
}
