//! Against the `macaroon` crate: the same macaroons have the same content and the same signature in
//! both. It reads more spellings; the same macaroon in its plain spelling is then read here, too.

use ::macaroon::{ByteString, Caveat, Macaroon as Peer, MacaroonKey, Verifier};
use arbitrary::{Arbitrary, Unstructured};
use plannt_core::base64;
use plannt_core::macaroon::{Format, Macaroon, MacaroonError};

use crate::support::first;

/// Its reader of v1 goes one call deeper for each packet.
const MAX_INPUT: usize = 8_192;

/// Input: a byte that says which of two: an encoded macaroon; or a macaroon to make with both.
pub fn run(data: &[u8]) {
    let (kind, data) = first(data);
    match kind % 2 {
        0 => both_read(data),
        _ => {
            if let Ok(made) = Made::arbitrary(&mut Unstructured::new(data)) {
                made.by_both();
            }
        }
    }
}

/// A caveat as condition, verification id and location.
type Parts = (Vec<u8>, Option<Vec<u8>>, Option<String>);

fn ours(macaroon: &Macaroon) -> (Vec<u8>, Vec<Parts>, [u8; 32]) {
    let caveats = macaroon.caveats().map(|caveat| {
        let verification_id = caveat.verification_id.map(<[u8]>::to_vec);
        (caveat.id.to_vec(), verification_id, caveat.location.map(String::from))
    });
    (macaroon.identifier().to_vec(), caveats.collect(), *macaroon.signature())
}

fn theirs(peer: &Peer) -> (Vec<u8>, Vec<Parts>, [u8; 32]) {
    let caveats = peer.caveats().into_iter().map(|caveat| match caveat {
        Caveat::FirstParty(first) => (first.predicate().0, None, None),
        Caveat::ThirdParty(third) => {
            (third.id().0, Some(third.verifier_id().0), Some(third.location()))
        }
    });
    (peer.identifier().0, caveats.collect(), *peer.signature().as_ref())
}

/// What the peer reads, in the given format's text for its reader.
fn peer_reads(data: &[u8], format: Format) -> Option<Peer> {
    match format {
        Format::V2Json => Peer::deserialize(data).ok(),
        _ => Peer::deserialize(base64::encode(data)).ok(),
    }
}

fn both_read(data: &[u8]) {
    if data.len() > MAX_INPUT {
        return;
    }
    let Some(format) = Format::sniff(data) else { return };
    match (Macaroon::parse(data), peer_reads(data, format)) {
        (Ok(ours_read), Some(peer)) => {
            assert_eq!(ours(&ours_read), theirs(&peer));
            let empty = ours_read.location() == Some("") || peer.location() == Some(String::new());
            assert!(empty || ours_read.location() == peer.location().as_deref());
        }
        (Ok(ours_read), None) => {
            // What it does not take, and the format has: an identifier of no bytes, a third party
            // without location, values of an empty v1 packet; and in JSON more than one spelling.
            let empty = ours_read.identifier().is_empty();
            let no_location = |c: plannt_core::macaroon::CaveatRef<'_>| {
                c.is_third_party() && c.location.is_none()
            };
            let known = empty
                || ours_read.caveats().any(no_location)
                || format == Format::V1
                    && (ours_read.location().is_none() || has_empty(&ours_read))
                || format == Format::V2Json;
            assert!(known, "only this library reads it");
        }
        (Err(error), Some(peer)) => plainly_spelt(&peer, error),
        (Err(_), None) => {}
    }
}

fn has_empty(macaroon: &Macaroon) -> bool {
    macaroon.caveats().any(|caveat| caveat.id.is_empty() || caveat.location == Some(""))
}

/// A macaroon that only the peer read: it is spelt in a way that is refused here (docs/PROTOCOL.md §1:
/// no trailing bytes, fields in order, minimal varints, no duplicates), or breaks a rule of content.
fn plainly_spelt(peer: &Peer, error: MacaroonError) {
    let third_parties = peer.third_party_caveats();
    let sealed = third_parties.iter().all(|caveat| match caveat {
        Caveat::ThirdParty(third) => third.verifier_id().0.len() == 72,
        Caveat::FirstParty(_) => true,
    });
    let text = peer.serialize(::macaroon::Format::V2).unwrap();
    let plain = Macaroon::from_v2(&base64::decode(&text).unwrap());
    match plain {
        Ok(plain) => assert_eq!(ours(&plain), theirs(peer), "{error}"),
        Err(error) => assert!(!sealed, "{error}"),
    }
}

#[derive(Arbitrary, Debug)]
struct Made {
    key: Vec<u8>,
    identifier: Vec<u8>,
    location: Option<String>,
    caveats: Vec<Vec<u8>>,
    other_key: Vec<u8>,
}

impl Made {
    fn by_both(self) {
        let Ok(mut mine) = Macaroon::create(&self.key, &self.identifier, self.location.as_deref())
        else {
            return;
        };
        let key = MacaroonKey::generate(&self.key);
        let peer = Peer::create(self.location.clone(), &key, ByteString(self.identifier.clone()));
        // It has no macaroon without identifier.
        let Ok(mut peer) = peer else { return assert!(self.identifier.is_empty()) };
        let mut verifier = Verifier::default();
        for caveat in &self.caveats {
            if mine.attenuate(caveat).is_err() {
                return;
            }
            peer.add_first_party_caveat(ByteString(caveat.clone()));
            verifier.satisfy_exact(ByteString(caveat.clone()));
        }
        assert_eq!(ours(&mine), theirs(&peer));
        assert_eq!(mine.location(), peer.location().as_deref());
        for key in [&self.key, &self.other_key] {
            let accepted = verifier.verify(&peer, &MacaroonKey::generate(key), vec![]).is_ok();
            assert_eq!(mine.verify_signature(key), accepted);
        }

        let v2 = peer.serialize(::macaroon::Format::V2).unwrap();
        assert_eq!(base64::decode(&v2).unwrap(), mine.to_v2());
        let json = peer.serialize(::macaroon::Format::V2JSON).unwrap();
        if json.len() <= plannt_core::macaroon::MAX_BYTES {
            assert_eq!(Macaroon::from_json(json.as_bytes()).as_ref(), Ok(&mine));
        }
        // Without location it writes a v1 that no other library reads, and beyond four digits one that none does.
        if let (Ok(v1), Some(_)) = (mine.to_v1(), mine.location()) {
            let text = peer.serialize(::macaroon::Format::V1).unwrap();
            assert_eq!(base64::decode(&text).unwrap(), v1);
        }
    }
}
