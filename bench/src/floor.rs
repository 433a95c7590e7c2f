//! What no implementation gets below by doing less: SHA-256 compressions, one after the other.

use std::hint::black_box;

use sha2::block_api::compress256;

/// One compression for each of `n`, each on the state that the one before left.
pub(crate) fn compressions(n: u64) {
    let mut state = black_box([0x6a09_e667; 8]);
    let block = black_box([[0x36; 64]]);
    for _ in 0..n {
        compress256(&mut state, black_box(&block));
    }
    black_box(state);
}

/// The same, handed over by 64 blocks at once.
pub(crate) fn bulk(n: u64) {
    let mut state = black_box([0x6a09_e667; 8]);
    let blocks = black_box([[0x36; 64]; 64]);
    for _ in 0..n.div_ceil(64) {
        compress256(&mut state, black_box(&blocks));
    }
    black_box(state);
}
