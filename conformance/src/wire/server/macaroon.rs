//! The token's form (docs/PROTOCOL.md §1 and §2).

use plannt_core::Identifier;
use plannt_core::macaroon::Macaroon;

use super::checks;
use super::subject::{Offer, Subject};
use crate::wire::check::{Verdict, ensure, fail};

checks! {
    "server.token.base64" Should "docs/PROTOCOL.md §1" "base64 **standard alphabet with padding**"
        => base64;
    "server.token.no_lsat" Should "docs/PROTOCOL.md §1" "If the text contains `LSAT`, `mint` answers `token_text_collision` and the gate takes another invoice: one deployed client cuts that out."
        => no_lsat;
    "server.token.size" Should "docs/PROTOCOL.md §1" "A minted token is at most 1 KiB before base64"
        => size;
    "server.token.format" Should "docs/PROTOCOL.md §1" "On the wire: macaroon **v2 binary**, location `l402`"
        => format;
    "server.token.identifier" Must "docs/PROTOCOL.md §1" "| identifier | 66 | `u16 version = 0` ‖ `H` ‖ `token id` |"
        => identifier;
    "server.token.unique_ids" Must "docs/PROTOCOL.md §1" "| token id | 32 | `HMAC(root_key, H)` |"
        => unique_ids;
    "server.token.first_party" Should "docs/PROTOCOL.md §1" "The L402 verifier takes first-party caveats only"
        => first_party;
    "server.token.caveats" Should "docs/PROTOCOL.md §2" "A minted macaroon begins, in this order, with `services` (exactly one pair) and that service's `valid_until`, `method`, `path`, `max_price_msat`, `uses`"
        => caveats;
    "server.token.bound" Should "docs/PROTOCOL.md §2" "an absent caveat never means \"anything\""
        => bound;
}

async fn offer(subject: &Subject) -> Verdict<Offer> {
    subject.challenge(subject.paid()).await
}

async fn base64(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let standard = plannt_core::base64::encode(&offer.token_bytes()?);
    ensure(offer.token == standard, || "it is base64 in another variant".into())
}

async fn no_lsat(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    ensure(!offer.token.contains("LSAT"), || "the token contains LSAT".into())
}

async fn size(subject: &Subject) -> Verdict {
    let length = offer(subject).await?.token_bytes()?.len();
    ensure(length <= 1_024, || format!("it has {length} bytes"))
}

async fn format(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let macaroon = match Macaroon::from_v2(&offer.token_bytes()?) {
        Ok(macaroon) => macaroon,
        Err(error) => return fail(format!("it is no v2 binary macaroon: {error}")),
    };
    ensure(macaroon.location() == Some("l402"), || {
        format!("its location is {:?}", macaroon.location())
    })
}

async fn identifier(subject: &Subject) -> Verdict {
    let macaroon = offer(subject).await?.macaroon()?;
    match Identifier::parse(macaroon.identifier()) {
        Ok(_) => Ok(()),
        Err(error) => fail(format!("{error}")),
    }
}

async fn unique_ids(subject: &Subject) -> Verdict {
    let ids = [offer(subject).await?.macaroon()?, offer(subject).await?.macaroon()?];
    let ids = ids.map(|macaroon| macaroon.identifier().get(34..).map(<[u8]>::to_vec));
    ensure(ids[0] != ids[1], || "two tokens have the same id".into())
}

async fn first_party(subject: &Subject) -> Verdict {
    let macaroon = offer(subject).await?.macaroon()?;
    ensure(!macaroon.caveats().any(|caveat| caveat.is_third_party()), || {
        "it has a third-party caveat".into()
    })
}

async fn caveats(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let service = offer.service()?;
    let pairs = offer.caveats()?;
    let one_pair = pairs.first().is_some_and(|(name, value)| {
        name == "services" && !value.contains(',') && value.split(':').count() == 2
    });
    ensure(one_pair, || format!("it begins with {:?}", pairs.first()))?;
    let wanted = ["valid_until", "method", "path", "max_price_msat", "uses"];
    let found: Vec<_> = pairs.iter().skip(1).map(|(name, _)| name.clone()).collect();
    for (index, name) in wanted.iter().enumerate() {
        let condition = format!("{service}_{name}");
        ensure(found.get(index) == Some(&condition), || format!("its conditions are {found:?}"))?;
    }
    Ok(())
}

async fn bound(subject: &Subject) -> Verdict {
    let offer = offer(subject).await?;
    let (method, path) = (offer.of_service("method")?, offer.of_service("path")?);
    let target = subject.paid();
    ensure(method == target.method, || format!("it is for {method}"))?;
    ensure(plannt_core::caveat::path_matches(&path, target.path()), || format!("it is for {path}"))
}
