//! Where the request begins in what a client of TLS 1.3 sends.

/// The length of a record's head: its type, a version, and two bytes of length (RFC 8446, section 5.1).
const HEAD: usize = 5;
/// The type of encrypted records, the end of the handshake included.
const APPLICATION_DATA: u8 = 23;

/// Reads the records' heads in a stream of bytes. The client's first encrypted record ends the handshake; the second is its
/// request.
#[derive(Debug, Default)]
pub(crate) struct Records {
    head: Vec<u8>,
    body_left: usize,
    encrypted: u32,
}

impl Records {
    /// Where in the next bytes the request begins, if it does.
    pub(crate) fn request_in(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.body_left > 0 {
                let step = self.body_left.min(bytes.len() - at);
                (self.body_left, at) = (self.body_left - step, at + step);
                continue;
            }
            self.head.push(bytes[at]);
            at += 1;
            if let [kind, _, _, high, low] = self.head[..] {
                self.body_left = usize::from(u16::from_be_bytes([high, low]));
                self.head.clear();
                self.encrypted += u32::from(kind == APPLICATION_DATA);
                if self.encrypted == 2 {
                    // A head that began in earlier bytes has gone on its way; without its body it says nothing.
                    return Some(at.saturating_sub(HEAD));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, length: u8) -> Vec<u8> {
        let mut record = vec![kind, 3, 3, 0, length];
        record.extend(std::iter::repeat_n(APPLICATION_DATA, length.into()));
        record
    }

    #[test]
    fn the_second_encrypted_record_is_the_request_however_the_bytes_are_cut() {
        let stream = [
            record(22, 70),
            record(20, 1),
            record(APPLICATION_DATA, 53),
            record(APPLICATION_DATA, 90),
        ];
        let request = stream[..3].concat().len();
        let stream = stream.concat();
        assert_eq!(Records::default().request_in(&stream), Some(request));
        for length in [1, 2, 3, 7, 64] {
            let (mut records, mut begin) = (Records::default(), 0);
            let found = stream.chunks(length).find_map(|bytes| {
                let found = records.request_in(bytes).map(|at| begin + at);
                begin += bytes.len();
                found
            });
            // At the record's head, or in it where a part of it had gone already.
            assert!((request..request + HEAD).contains(&found.expect("a request")), "{length}");
        }
        assert_eq!(Records::default().request_in(&stream[..request]), None);
    }
}
