//! A stream of JSON lines, cut out of chunks as they come, with a bound on each line.

use zeroize::Zeroizing;

/// One line's bytes; it may hold a preimage, so it erases itself.
pub(super) type Line = Zeroizing<Vec<u8>>;

/// Collects chunks and gives whole lines. Blank lines are skipped.
pub(super) struct Lines {
    buffer: Line,
    /// No newline is before this index of `buffer`.
    searched: usize,
    max_bytes: usize,
}

/// A line is longer than the bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LineTooLong;

impl Lines {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { buffer: Line::default(), searched: 0, max_bytes }
    }

    /// Adds what came.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole line. The bound is checked here, also on a line that has no end yet.
    pub(super) fn next(&mut self) -> Result<Option<Line>, LineTooLong> {
        loop {
            let end = self.buffer[self.searched..].iter().position(|&b| b == b'\n');
            let end = end.map(|n| self.searched + n);
            if end.unwrap_or(self.buffer.len()) > self.max_bytes {
                return Err(LineTooLong);
            }
            let Some(end) = end else {
                self.searched = self.buffer.len();
                return Ok(None);
            };
            let line = Line::new(self.buffer[..end].trim_ascii().to_vec());
            self.buffer.drain(..=end);
            self.searched = 0;
            if !line.is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// What is left when the stream has ended: a last line without its newline.
    pub(super) fn finish(self) -> Option<Line> {
        let line = Line::new(self.buffer.trim_ascii().to_vec());
        (!line.is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(chunks: &[&[u8]], max_bytes: usize) -> Result<Vec<Vec<u8>>, LineTooLong> {
        let (mut lines, mut out) = (Lines::new(max_bytes), Vec::new());
        for chunk in chunks {
            lines.push(chunk);
            while let Some(line) = lines.next()? {
                out.push(line.to_vec());
            }
        }
        out.extend(lines.finish().map(|line| line.to_vec()));
        Ok(out)
    }

    #[test]
    fn the_bound_is_exact() {
        assert_eq!(read(&[b"abcd\nef"], 4), Ok(vec![b"abcd".to_vec(), b"ef".to_vec()]));
        assert_eq!(read(&[b"abc", b"de\n"], 4), Err(LineTooLong));
        assert_eq!(read(&[b"abc", b"de"], 4), Err(LineTooLong));
    }

    proptest! {
        /// However the bytes are cut into chunks, the lines are those of the whole text.
        #[test]
        fn chunking_changes_nothing(
            text in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0..200usize, 0..20),
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            let expected: Vec<_> = text
                .split(|&b| b == b'\n')
                .map(|l| l.trim_ascii().to_vec())
                .filter(|l| !l.is_empty())
                .collect();
            prop_assert_eq!(read(&chunks, 200), Ok(expected));
        }

        /// The buffer never holds much more than the bound and one chunk.
        #[test]
        fn memory_is_bounded(chunks in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..40), 0..40)) {
            let mut lines = Lines::new(50);
            for chunk in &chunks {
                lines.push(chunk);
                loop {
                    match lines.next() {
                        Err(LineTooLong) => return Ok(()),
                        Ok(None) => break,
                        Ok(Some(line)) => prop_assert!(line.len() <= 50),
                    }
                }
                prop_assert!(lines.buffer.len() <= 50);
            }
        }
    }
}
