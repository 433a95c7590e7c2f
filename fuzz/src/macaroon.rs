//! The macaroon codec: one spelling for each macaroon, and the same macaroon in every format.

use plannt_core::macaroon::{Format, Macaroon, MacaroonRef};

use crate::support::{first, signature};

/// Up to this size the more costly checks are made.
const SMALL: usize = 1_024;

/// Input: an encoded macaroon.
pub fn run(data: &[u8]) {
    let by_format = [
        (Format::V1, Macaroon::from_v1(data)),
        (Format::V2, Macaroon::from_v2(data)),
        (Format::V2Json, Macaroon::from_json(data)),
    ];
    let sniffed = Macaroon::parse(data);
    let mut readable = by_format.iter().filter(|(_, read)| read.is_ok());
    let Some((format, Ok(macaroon))) = readable.next() else {
        assert!(sniffed.is_err(), "no format reads it, and all of them together do");
        return;
    };
    assert!(readable.next().is_none(), "two formats read it");
    assert_eq!(Format::sniff(data), Some(*format));
    assert_eq!(sniffed.as_ref(), Ok(macaroon));

    if *format != Format::V2Json {
        assert_eq!(macaroon.to_format(*format).unwrap(), data, "two spellings of one macaroon");
        if data.len() <= SMALL {
            for cut in 0..data.len() {
                assert!(Macaroon::parse(&data[..cut]).is_err(), "cut at {cut}");
            }
        }
        let longer = [data, &[0]].concat();
        assert!(Macaroon::parse(&longer).is_err(), "a byte after it");
    }
    same_in_every_format(macaroon);
    borrowed_is_owned(macaroon);
    holds_only_under_its_key(macaroon, data);
}

fn same_in_every_format(macaroon: &Macaroon) {
    let v2 = macaroon.to_v2();
    assert_eq!(Macaroon::from_v2(&v2).as_ref(), Ok(macaroon));
    // The others are longer, so that there may be no room.
    if let Ok(json) = macaroon.to_json() {
        assert_eq!(Macaroon::from_json(json.as_bytes()).as_ref(), Ok(macaroon));
        assert!(serde_json::from_str::<serde_json::Value>(&json).unwrap().is_object());
    }
    // v1 can't tell an empty location from none.
    if let (Ok(v1), false) = (macaroon.to_v1(), macaroon.location() == Some("")) {
        assert_eq!(Macaroon::from_v1(&v1).as_ref(), Ok(macaroon));
    }
}

fn borrowed_is_owned(macaroon: &Macaroon) {
    let v2 = macaroon.to_v2();
    let borrowed = MacaroonRef::parse(&v2).unwrap();
    assert_eq!(borrowed.location(), macaroon.location());
    assert_eq!(borrowed.identifier(), macaroon.identifier());
    assert_eq!(borrowed.signature(), macaroon.signature());
    assert_eq!(borrowed.caveat_count(), macaroon.caveats().len());
    assert_eq!(borrowed.caveats().len(), macaroon.caveats().len());
    assert!(borrowed.caveats().eq(macaroon.caveats()));
    let third_party = macaroon.caveats().any(|caveat| caveat.is_third_party());
    assert_eq!(borrowed.has_third_party_caveats(), third_party);
}

/// The chain by its definition, and a caveat more.
fn holds_only_under_its_key(macaroon: &Macaroon, data: &[u8]) {
    let (byte, _) = first(data);
    let key = [byte; 5];
    let caveats = macaroon.caveats().map(|caveat| (caveat.id, caveat.verification_id));
    let right = signature(&key, macaroon.identifier(), caveats) == *macaroon.signature();
    assert_eq!(macaroon.verify_signature(&key), right);

    let mut narrower = macaroon.clone();
    let caveat = &data[..data.len().min(40)];
    match narrower.attenuate(caveat) {
        Ok(()) => {
            let expected = crate::support::hmac(macaroon.signature(), &[caveat]);
            assert_eq!(narrower.signature(), &expected);
            assert_eq!(narrower.caveats().len(), macaroon.caveats().len() + 1);
        }
        Err(_) => assert_eq!(&narrower, macaroon, "a failure changes nothing"),
    }
    // Any answer is fine, as long as there is one.
    let _ = macaroon.verify_discharged(&key, &[narrower], |_| true);
}
