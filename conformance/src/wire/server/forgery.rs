//! Credentials that look right and are not.

use plannt_core::base64;
use plannt_core::macaroon::Macaroon;

use super::answers::refused;
use super::checks;
use super::subject::{Bought, Subject};
use crate::wire::check::{Stop, Verdict, ensure};
use crate::wire::http::{Answer, find};

checks! {
    "server.forgery.signature" Must "docs/PROTOCOL.md §3" "forged, tampered, wrong preimage, unknown key, third-party caveat | 402, fresh challenge, `invalid_credential`, no further detail"
        => signature;
    "server.forgery.identifier" Must "docs/PROTOCOL.md §1" "`HMAC(root_key, payment_hash) == token id`"
        => identifier;
    "server.forgery.payment_hash" Must "docs/PROTOCOL.md §1" "`SHA256(preimage) == H`"
        => payment_hash;
    "server.forgery.caveat_changed" Must "docs/PROTOCOL.md §2" "The bytes that are MACed are the caveat's as carried."
        => caveat_changed;
    "server.forgery.caveat_removed" Must "docs/PROTOCOL.md §3" "forged, tampered, wrong preimage, unknown key, third-party caveat | 402, fresh challenge, `invalid_credential`, no further detail"
        => caveat_removed;
    "server.forgery.caveat_added" Must "docs/PROTOCOL.md §1" "then `HMAC(sig, caveat)` for each caveat"
        => caveat_added;
    "server.forgery.own_root_key" Must "docs/PROTOCOL.md §3" "forged, tampered, wrong preimage, unknown key, third-party caveat | 402, fresh challenge, `invalid_credential`, no further detail"
        => own_root_key;
    "server.forgery.zero_root_key" Must "docs/PROTOCOL.md §3" "forged, tampered, wrong preimage, unknown key, third-party caveat | 402, fresh challenge, `invalid_credential`, no further detail"
        => zero_root_key;
    "server.forgery.no_caveats" Must "docs/PROTOCOL.md §2" "A chain that does not begin so is `invalid_credential`: an absent caveat never means \"anything\"."
        => no_caveats;
    "server.forgery.wrong_preimage" Must "docs/PROTOCOL.md §1" "`SHA256(preimage) == H`"
        => wrong_preimage;
    "server.forgery.hash_as_preimage" Must "docs/PROTOCOL.md §1" "`SHA256(preimage) == H`"
        => hash_as_preimage;
    "server.forgery.other_preimage" Must "docs/PROTOCOL.md §1" "`SHA256(preimage) == H`"
        => other_preimage;
    "server.forgery.unpaid" Must "docs/PROTOCOL.md §1" "`SHA256(preimage) == H`"
        => unpaid;
    "server.forgery.third_party_caveat" Must "docs/PROTOCOL.md §1" "The L402 verifier takes first-party caveats only; third-party ones parse, and have their own refusal."
        => third_party_caveat;
    "server.forgery.signature_length" Must "docs/PROTOCOL.md §1" "signature of exactly 32 bytes"
        => signature_length;
    "server.forgery.spends_nothing" Must "docs/PROTOCOL.md §3" "The first failure decides, in this order: size and syntax; identifier, token id, signature, third-party, preimage, minted caveats; narrowing, values, strict unknowns, scope; expiry; store; spent."
        => spends_nothing;
}

async fn present(subject: &Subject, bought: &Bought, token: &[u8]) -> Verdict<Answer> {
    subject.present(subject.paid(), &bought.value_of(&base64::encode(token))).await
}

fn invalid(answer: &Answer) -> Verdict {
    refused(answer, "invalid_credential")?;
    ensure(answer.member("detail").is_none(), || {
        format!("it tells more: {:?}", answer.member("detail"))
    })
}

/// The token with one bit of its `index`th byte from the end changed.
async fn flipped(subject: &Subject, at: impl FnOnce(&[u8]) -> Option<usize>) -> Verdict {
    let bought = subject.unspent().await?;
    let mut bytes = bought.offer.macaroon()?.to_v2();
    let at = at(&bytes).ok_or_else(|| Stop::Skipped("the token has no such part".into()))?;
    bytes[at] ^= 1;
    invalid(&present(subject, &bought, &bytes).await?)
}

async fn signature(subject: &Subject) -> Verdict {
    flipped(subject, |bytes| bytes.len().checked_sub(1)).await?;
    flipped(subject, |bytes| bytes.len().checked_sub(32)).await
}

async fn identifier(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let id = bought.offer.macaroon()?.identifier().to_vec();
    flipped(subject, |bytes| Some(find(bytes, &id)? + 65)).await
}

async fn payment_hash(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let id = bought.offer.macaroon()?.identifier().to_vec();
    flipped(subject, |bytes| Some(find(bytes, &id)? + 2)).await
}

async fn caveat_changed(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let price = bought.offer.of_service("max_price_msat")?;
    // A digit of the price, so that the caveat goes on reading well.
    flipped(subject, |bytes| {
        find(bytes, format!("_max_price_msat={price}").as_bytes()).map(|at| at + 16)
    })
    .await
}

/// The macaroon with another list of caveats, and its old signature.
fn rebuilt(macaroon: &Macaroon, caveats: &[Vec<u8>]) -> Vec<u8> {
    // The v2 form: version, then fields of type, length and content, each section ended by 0.
    fn field(bytes: &mut Vec<u8>, kind: u8, content: &[u8]) {
        bytes.push(kind);
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(content);
    }
    let mut bytes = vec![2];
    if let Some(location) = macaroon.location() {
        field(&mut bytes, 1, location.as_bytes());
    }
    field(&mut bytes, 2, macaroon.identifier());
    bytes.push(0);
    for caveat in caveats {
        field(&mut bytes, 2, caveat);
        bytes.push(0);
    }
    bytes.push(0);
    field(&mut bytes, 6, macaroon.signature());
    bytes
}

fn ids(macaroon: &Macaroon) -> Vec<Vec<u8>> {
    macaroon.caveats().map(|caveat| caveat.id.to_vec()).collect()
}

async fn caveat_removed(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let macaroon = bought.offer.macaroon()?;
    let mut caveats = ids(&macaroon);
    if caveats.pop().is_none() {
        return Err(Stop::Skipped("the token has no caveat".into()));
    }
    invalid(&present(subject, &bought, &rebuilt(&macaroon, &caveats)).await?)
}

async fn caveat_added(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let macaroon = bought.offer.macaroon()?;
    let mut caveats = ids(&macaroon);
    caveats.push(b"added=1".to_vec());
    invalid(&present(subject, &bought, &rebuilt(&macaroon, &caveats)).await?)
}

async fn with_root_key(subject: &Subject, key: &[u8; 32]) -> Verdict {
    let bought = subject.unspent().await?;
    let macaroon = bought.offer.macaroon()?;
    let forged = Macaroon::create(key, macaroon.identifier(), macaroon.location());
    let mut forged = forged.map_err(|error| Stop::Skipped(error.to_string()))?;
    for caveat in ids(&macaroon) {
        let _ = forged.attenuate(&caveat);
    }
    invalid(&present(subject, &bought, &forged.to_v2()).await?)
}

async fn own_root_key(subject: &Subject) -> Verdict {
    with_root_key(subject, &[0x42; 32]).await
}

async fn zero_root_key(subject: &Subject) -> Verdict {
    with_root_key(subject, &[0; 32]).await
}

async fn no_caveats(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let macaroon = bought.offer.macaroon()?;
    invalid(&present(subject, &bought, &rebuilt(&macaroon, &[])).await?)
}

async fn preimage(subject: &Subject, hex: &str) -> Verdict {
    let bought = subject.unspent().await?;
    let value = format!("L402 {}:{hex}", bought.offer.token);
    invalid(&subject.present(subject.paid(), &value).await?)
}

async fn wrong_preimage(subject: &Subject) -> Verdict {
    preimage(subject, &"00".repeat(32)).await
}

async fn hash_as_preimage(subject: &Subject) -> Verdict {
    let hash = subject.unspent().await?.offer.hash();
    preimage(subject, &hash.to_string()).await
}

/// The preimage of another payment.
async fn other_preimage(subject: &Subject) -> Verdict {
    let other = subject.buy(subject.paid()).await?;
    preimage(subject, &other.hex()).await
}

/// A challenge nobody has paid, with the preimage of one that was.
async fn unpaid(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let unpaid = subject.challenge(subject.paid()).await?;
    invalid(&subject.present(subject.paid(), &bought.value_of(&unpaid.token)).await?)
}

/// A caveat with a verification id. Its signature is wrong as well, since only a holder's library
/// could make a right one; whichever is found first, it is refused.
async fn third_party_caveat(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let macaroon = bought.offer.macaroon()?;
    let mut bytes = rebuilt(&macaroon, &ids(&macaroon));
    let signature = bytes.len() - 35;
    let mut third = vec![1, 1, b'x', 2, 2, b'i', b'd', 4, 72];
    third.extend_from_slice(&[7; 72]);
    third.push(0);
    bytes.splice(signature..signature, third);
    invalid(&present(subject, &bought, &bytes).await?)
}

async fn signature_length(subject: &Subject) -> Verdict {
    let bought = subject.unspent().await?;
    let mut bytes = bought.offer.macaroon()?.to_v2();
    let length = bytes.len() - 33;
    bytes[length] = 31;
    bytes.pop();
    refused(&present(subject, &bought, &bytes).await?, "malformed_credential")
}

/// After all of that, what was paid for is still delivered.
async fn spends_nothing(subject: &Subject) -> Verdict {
    let bought = subject.buy(subject.paid()).await?;
    for value in [
        format!("L402 {}", bought.offer.token),
        format!("L402 {}:{}", bought.offer.token, "00".repeat(32)),
        bought.value_of("AgEE"),
    ] {
        subject.present(subject.paid(), &value).await?;
    }
    let answer = subject.present(subject.paid(), &bought.value()).await?;
    ensure(answer.is_success(), || format!("the right one is then answered {}", answer.brief()))
}
