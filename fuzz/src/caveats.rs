//! The chain of caveats against a model of docs/PROTOCOL.md §2 that is written apart from it, and as
//! plainly as it goes.

use plannt_core::{
    Credential, RequestContext, Verified, VerifyError, authorization_value, base64, caveat,
};

use crate::support::{NOW, first, keyring, lines, preimage, request, signed};

/// Input: a byte of what the request asks for, then the caveats after the five that every chain
/// begins with (or, by a bit of that byte, all of them), one a line.
pub fn run(data: &[u8]) {
    let (bits, data) = first(data);
    let written = lines(data);
    for line in &written {
        if let Some((condition, value)) = caveat::split(line) {
            assert!(!condition.starts_with(' ') && !condition.ends_with(' '));
            assert!(!value.starts_with(' ') && !value.ends_with(' '));
            assert!(!condition.contains('='));
        }
    }
    let minted: &[&[u8]] = match bits & 1 {
        0 => &[
            b"services=demo:0",
            b"demo_valid_until=1800003600",
            b"demo_method=GET",
            b"demo_path=/v1/*",
            b"demo_max_price_msat=21000",
        ],
        _ => &[],
    };
    let chain: Vec<&[u8]> = minted.iter().copied().chain(written).collect();
    let asked = RequestContext {
        strict: bits & 2 != 0,
        capability: (bits & 4 != 0).then_some("read"),
        digest: (bits & 8 != 0).then_some([0; 32]),
        requires_digest: bits & 16 != 0,
        requires_query: bits & 32 != 0,
        lowest_price_msat: if bits & 64 != 0 { 0 } else { 21_000 },
        now: if bits & 128 != 0 { 5 } else { NOW },
        ..request()
    };
    let Some(macaroon) = signed(&chain) else { return };
    let bytes = macaroon.to_v2();
    if chain.len() > plannt_core::MAX_TOKEN_CAVEATS || bytes.len() > plannt_core::MAX_TOKEN_BYTES {
        return;
    }
    let header = authorization_value(&base64::encode(&bytes), &preimage());
    let credential = Credential::from_authorization([header.as_bytes()]).unwrap().unwrap();
    let answer = keyring().verify(&credential, &asked);
    let expected = model::verify(&chain, &asked);
    assert_eq!(summary(&answer), expected, "{answer:?}");
}

/// An answer as far as the model tells it: the code, or uses and the two times.
type Summary = Result<(u32, u64, u64), &'static str>;

fn summary(answer: &Result<Verified, VerifyError>) -> Summary {
    match answer {
        Ok(verified) => Ok((verified.uses, verified.valid_until, verified.keep_until)),
        Err(error) => Err(error.code()),
    }
}

mod model {
    use super::*;

    const INVALID: Summary = Err("invalid_credential");

    /// One caveat as condition and value.
    type Pair<'a> = (&'a str, &'a str);

    fn read(caveat: &[u8]) -> Option<Pair<'_>> {
        let (condition, value) = core::str::from_utf8(caveat).ok()?.split_once('=')?;
        Some((condition.trim_matches(' '), value.trim_matches(' ')))
    }

    /// The order of docs/PROTOCOL.md §3: preimage, minted caveats; narrowing, values, strict
    /// unknowns, scope; expiry.
    pub(super) fn verify(chain: &[&[u8]], request: &RequestContext<'_>) -> Summary {
        let pairs: Vec<Option<Pair<'_>>> = chain.iter().map(|caveat| read(caveat)).collect();
        for value in values(&pairs, "preimage") {
            // The header carries the right one; every other must agree.
            if !value.eq_ignore_ascii_case(&"22".repeat(32)) {
                return INVALID;
            }
        }
        let Some(service) = minted(&pairs) else { return INVALID };
        let tier = values(&pairs, "services")[0].split_once(':').unwrap().1;
        if in_service(&pairs, &service, tier, request.strict).is_none() {
            return Err("out_of_scope");
        }
        let all = |name: &str| values(&pairs, &format!("{service}_{name}"));
        let last = |name: &str| all(name).last().copied();
        let (valid_until, path) = (last("valid_until").unwrap(), last("path").unwrap());
        let sold = sold(&pairs, &service);
        let capable = |wanted: &str| {
            sold.contains(&"capabilities")
                && last("capabilities").unwrap().split(',').any(|item| item == wanted)
        };
        let query = last("query").map(|hex| hex.to_ascii_lowercase());
        let in_scope = service == request.service
            && number(tier) == Some(request.tier.into())
            && last("method") == Some(request.method)
            && match path.strip_suffix('*') {
                Some(prefix) => request.path.starts_with(prefix),
                None => request.path == path,
            }
            && number(last("max_price_msat").unwrap()) >= Some(request.lowest_price_msat)
            && query.as_ref().is_none_or(|hex| *hex == crate::support::hex(&request.query))
            && last("digest").is_none_or(|text| digest(text) == request.digest)
            && request.capability.is_none_or(capable);
        if !in_scope {
            return Err("out_of_scope");
        }
        let unbound = request.requires_query && !sold.contains(&"query")
            || request.requires_digest && !sold.contains(&"digest");
        if unbound {
            return INVALID;
        }
        let valid_until = number(valid_until).unwrap();
        if request.now >= valid_until {
            return Err("expired");
        }
        let uses = match sold.contains(&"uses") {
            true => number(last("uses").unwrap()).unwrap() as u32,
            false => 1,
        };
        let first = number(all("valid_until")[0]).unwrap();
        Ok((uses, valid_until, first.saturating_add(300)))
    }

    fn values<'a>(pairs: &[Option<Pair<'a>>], condition: &str) -> Vec<&'a str> {
        let of = pairs.iter().flatten().filter(|(name, _)| *name == condition);
        of.map(|(_, value)| *value).collect()
    }

    fn is((condition, _): Pair<'_>, service: &str, name: &str) -> bool {
        condition == format!("{service}_{name}")
    }

    /// The service, when the chain begins as every minted one does.
    fn minted(pairs: &[Option<Pair<'_>>]) -> Option<String> {
        let (condition, value) = (*pairs.first()?)?;
        let (service, tier) = value.split_once(':')?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if condition != "services" || service.is_empty() || !service.chars().all(plain) {
            return None;
        }
        number(tier).filter(|tier| *tier < 256)?;
        let names = ["valid_until", "method", "path", "max_price_msat"];
        for (name, pair) in names.into_iter().zip(1..) {
            let pair = (*pairs.get(pair)?)?;
            let sound = match name {
                "method" => is_method(pair.1),
                "path" => pair.1.starts_with('/'),
                _ => number(pair.1).is_some(),
            };
            if !is(pair, service, name) || !sound {
                return None;
            }
        }
        Some(service.to_owned())
    }

    /// What of the rest stands where a mint writes it: each once, in this order, before anything else.
    fn sold(pairs: &[Option<Pair<'_>>], service: &str) -> Vec<&'static str> {
        let order = ["uses", "query", "digest", "capabilities"];
        let mut names = order.into_iter();
        let mut sold = Vec::new();
        for pair in pairs.iter().skip(5) {
            let Some(name) = pair.and_then(|pair| names.find(|name| is(pair, service, name)))
            else {
                break;
            };
            sold.push(name);
        }
        sold
    }

    /// Whether every caveat after the first five narrows, is well-formed, and is known where it has to be.
    fn in_service(
        pairs: &[Option<Pair<'_>>],
        service: &str,
        tier: &str,
        strict: bool,
    ) -> Option<()> {
        for (at, pair) in pairs.iter().enumerate().skip(5) {
            let Some((condition, value)) = *pair else {
                (!strict).then_some(())?;
                continue;
            };
            let before = values(&pairs[..at], condition).last().copied();
            let narrows = match condition.strip_prefix(service).filter(|rest| !rest.is_empty()) {
                _ if condition == "services" => {
                    value.split(',').all(|item| item == format!("{service}:{tier}"))
                }
                _ if condition == "preimage" => true,
                Some("_valid_until" | "_max_price_msat") => {
                    number(value).is_some_and(|next| next <= before.and_then(number).unwrap())
                }
                Some("_uses") => {
                    let limit = match before {
                        Some(before) => number(before)?,
                        None if at == 5 => u64::from(u32::MAX),
                        None => 1,
                    };
                    number(value).is_some_and(|next| next > 0 && next <= limit)
                }
                Some("_method") => Some(value) == before,
                Some("_path") => match before.unwrap().strip_suffix('*') {
                    Some(prefix) => value.starts_with(prefix),
                    None => Some(value) == before,
                },
                Some("_query") => {
                    value.len() == 64
                        && value.bytes().all(|byte| byte.is_ascii_hexdigit())
                        && before.is_none_or(|before| before.eq_ignore_ascii_case(value))
                }
                Some("_digest") => digest(value).is_some() && before.is_none_or(|b| b == value),
                Some("_capabilities") => {
                    let items: Vec<_> = value.split(',').collect();
                    let plain = |item: &&str| {
                        !item.is_empty() && item.bytes().all(|byte| byte.is_ascii_graphic())
                    };
                    let held = |item: &&str| {
                        before.is_none_or(|before| before.split(',').any(|one| one == *item))
                    };
                    items.len() <= 64 && items.iter().all(|item| plain(item) && held(item))
                }
                _ => !strict,
            };
            narrows.then_some(())?;
        }
        Some(())
    }

    fn number(text: &str) -> Option<u64> {
        let number: u64 = text.parse().ok()?;
        (number.to_string() == text).then_some(number)
    }

    fn is_method(text: &str) -> bool {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        !text.is_empty() && text.bytes().all(|b| token(b) && !b.is_ascii_lowercase())
    }

    /// RFC 9530's text of 32 bytes, by the base64 that another target checks.
    fn digest(text: &str) -> Option<[u8; 32]> {
        let inner = text.strip_prefix("sha-256=:")?.strip_suffix(':')?;
        let bytes: [u8; 32] = base64::decode(inner).ok()?.try_into().ok()?;
        (base64::encode(&bytes) == inner).then_some(bytes)
    }
}
