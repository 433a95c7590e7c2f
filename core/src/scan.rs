//! Looking through bytes as the processor's vectors do: whole blocks at a time, and no branch on
//! a single byte. An `Authorization` header is some hundred bytes, which is where time goes that
//! the hashes don't take.

const BLOCK: usize = 32;

/// Where `byte` is first.
pub(crate) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let before = blocks.iter().take_while(|block| all(*block, |b| b != byte)).count();
    let start = before * BLOCK;
    bytes[start..].iter().position(|b| *b == byte).map(|at| start + at)
}

/// Whether all bytes pass; `passes` is asked about each one, also after one that did not.
#[inline]
pub(crate) fn all(bytes: &[u8], passes: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |all, byte| all & passes(*byte))
}

/// Whether these four bytes are anywhere, in this order.
pub(crate) fn contains(bytes: &[u8], [a, b, c, d]: [u8; 4]) -> bool {
    if bytes.len() < 4 {
        return false;
    }
    let fours = bytes.iter().zip(&bytes[1..]).zip(&bytes[2..]).zip(&bytes[3..]);
    fours.fold(false, |any, (((w, x), y), z)| any | ((w ^ a | x ^ b | y ^ c | z ^ d) == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_wherever_it_is() {
        for len in 0..100 {
            let mut bytes = alloc::vec![b'.'; len];
            assert_eq!(find(&bytes, b':'), None);
            for at in (0..len).rev() {
                bytes[at] = b':';
                assert_eq!(find(&bytes, b':'), Some(at));
            }
        }
    }

    #[test]
    fn four_bytes_count_where_they_stand_together() {
        assert!(!contains(b"", *b"LSAT") && !contains(b"LSA", *b"LSAT"));
        for len in 4..80 {
            for at in 0..=len - 4 {
                let mut bytes = alloc::vec![b'L'; len];
                bytes[at..at + 4].copy_from_slice(b"LSAT");
                assert!(contains(&bytes, *b"LSAT"), "{at} of {len}");
                for wrong in 0..4 {
                    let mut bytes = bytes.clone();
                    bytes[at + wrong] = b'x';
                    assert!(!contains(&bytes, *b"LSAT"), "{at} of {len}");
                }
            }
        }
    }
}
