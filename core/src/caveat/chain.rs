//! A chain of caveats, read from the minted ones on: each next one may only narrow, and the last
//! of each condition is held against the request (docs/PROTOCOL.md §2).

use alloc::string::{String, ToString};

use super::value::{self, capabilities, number, pair, path_matches, path_narrows};
use super::{Kind, PREIMAGE, SERVICES, split};
use crate::RequestContext;
use crate::macaroon::CaveatRef;

/// Why a chain does not hold.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ChainFailure {
    /// It does not begin as a minted one does.
    NotMinted,
    /// The condition that widens, is malformed, is unknown, or does not hold.
    OutOfScope(String),
    /// It leaves open what the route binds.
    Unbound,
}

/// What a chain allows: the last value of each condition.
pub(crate) struct Chain<'a> {
    service: &'a str,
    tier: u8,
    minted_valid_until: u64,
    valid_until: u64,
    method: &'a str,
    path: &'a str,
    max_price_msat: u64,
    uses: u32,
    query: Option<[u8; 32]>,
    digest: Option<[u8; 32]>,
    capabilities: Option<&'a str>,
    minted: Minted,
}

/// Which of the caveats that a mint may write after the beginning stand where it writes them: each
/// at most once, in one order, and before all that a holder adds.
#[derive(Default)]
struct Minted {
    /// Where the next one may be from; beyond the last once a holder has added one.
    next: u8,
    query: bool,
    digest: bool,
    capabilities: bool,
}

/// Why one caveat does not continue the chain, and in what order that counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Widens,
    Malformed,
    Unknown,
}

/// The caveats that each minted chain begins with, after `services`.
const PREFIX: [Kind; 4] = [Kind::ValidUntil, Kind::Method, Kind::Path, Kind::MaxPriceMsat];

impl<'a> Chain<'a> {
    /// Reads a chain whose MAC is right.
    pub(crate) fn read(
        mut caveats: impl Iterator<Item = CaveatRef<'a>>,
        strict: bool,
    ) -> Result<Self, ChainFailure> {
        let mut chain = Self::minted(&mut caveats).ok_or(ChainFailure::NotMinted)?;
        let mut first: Option<(Fault, CaveatRef<'a>)> = None;
        for caveat in caveats {
            let Some(fault) = chain.continue_with(caveat).err() else { continue };
            if fault == Fault::Unknown && !strict {
                continue;
            }
            if first.is_none_or(|(worse, _)| fault < worse) {
                first = Some((fault, caveat));
            }
        }
        match first {
            None => Ok(chain),
            Some((_, caveat)) => Err(ChainFailure::OutOfScope(named(caveat, chain.service))),
        }
    }

    /// Whether the chain allows the request; all but the time.
    pub(crate) fn allows(&self, request: &RequestContext<'_>) -> Result<(), ChainFailure> {
        if (self.service, self.tier) != (request.service, request.tier) {
            return Err(ChainFailure::OutOfScope(SERVICES.to_string()));
        }
        // Those that the mint left out, no holder adds.
        let sold = self.capabilities.filter(|_| self.minted.capabilities);
        let offers = |wanted: &str| sold.is_some_and(|list| list.split(',').any(|c| c == wanted));
        let scope = [
            (Kind::Method, self.method == request.method),
            (Kind::Path, path_matches(self.path, request.path)),
            (Kind::MaxPriceMsat, self.max_price_msat >= request.lowest_price_msat),
            (Kind::Query, self.query.is_none_or(|query| query == request.query)),
            (Kind::Digest, self.digest.is_none_or(|digest| Some(digest) == request.digest)),
            (Kind::Capabilities, request.capability.is_none_or(offers)),
        ];
        if let Some((kind, _)) = scope.into_iter().find(|(_, holds)| !holds) {
            return Err(ChainFailure::OutOfScope(condition(self.service, kind)));
        }
        let unbound = request.requires_query && !self.minted.query
            || request.requires_digest && !self.minted.digest;
        if unbound { Err(ChainFailure::Unbound) } else { Ok(()) }
    }

    /// The last `valid_until`, unix seconds.
    pub(crate) fn valid_until(&self) -> u64 {
        self.valid_until
    }

    /// The first `valid_until`, unix seconds.
    pub(crate) fn minted_valid_until(&self) -> u64 {
        self.minted_valid_until
    }

    /// The last `uses`.
    pub(crate) fn uses(&self) -> u32 {
        self.uses
    }

    /// Reads the caveats that every minted chain begins with.
    fn minted(caveats: &mut impl Iterator<Item = CaveatRef<'a>>) -> Option<Self> {
        let (SERVICES, services) = split(caveats.next()?.id)? else { return None };
        let (service, tier) = pair(services)?;
        let mut values = [""; PREFIX.len()];
        for (kind, slot) in PREFIX.into_iter().zip(&mut values) {
            let (condition, value) = split(caveats.next()?.id)?;
            if Kind::of(condition, service) != Some(kind) {
                return None;
            }
            *slot = value;
        }
        let [valid_until, method, path, max_price_msat] = values;
        let valid_until = number(valid_until)?;
        if !value::is_method(method) || !path.starts_with('/') {
            return None;
        }
        Some(Self {
            service,
            tier,
            minted_valid_until: valid_until,
            valid_until,
            method,
            path,
            max_price_msat: number(max_price_msat)?,
            uses: 1,
            query: None,
            digest: None,
            capabilities: None,
            minted: Minted::default(),
        })
    }

    fn continue_with(&mut self, caveat: CaveatRef<'a>) -> Result<(), Fault> {
        let read = split(caveat.id);
        let kind = read.and_then(|(condition, _)| Kind::of(condition, self.service));
        let minted = self.minted.takes(kind);
        let (condition, value) = read.ok_or(Fault::Unknown)?;
        match condition {
            SERVICES => return self.keep_services(value),
            // Looked at before, against the payment hash.
            PREIMAGE => return Ok(()),
            _ => {}
        }
        match kind.ok_or(Fault::Unknown)? {
            Kind::ValidUntil => lower(&mut self.valid_until, number(value)),
            Kind::Method => equal(&mut Some(self.method), Some(value)),
            Kind::Path => {
                if !path_narrows(self.path, value) {
                    return Err(Fault::Widens);
                }
                self.path = value;
                Ok(())
            }
            Kind::MaxPriceMsat => lower(&mut self.max_price_msat, number(value)),
            Kind::Uses => {
                let uses = number(value).filter(|uses| *uses > 0);
                // Only there can it be the mint's own: `mint` always writes it, so that a holder
                // cannot stand in for it. Anywhere else an absent one means 1.
                if minted {
                    self.uses = u32::MAX;
                }
                lower(&mut self.uses, uses)
            }
            Kind::Query => equal(&mut self.query, value::hash(value)),
            Kind::Digest => equal(&mut self.digest, value::digest(value)),
            Kind::Capabilities => self.narrow_capabilities(value),
        }
    }

    /// The minted list is one pair, so that a subset of it is that pair again.
    fn keep_services(&self, list: &str) -> Result<(), Fault> {
        let mut widens = false;
        for item in list.split(',') {
            widens |= pair(item).ok_or(Fault::Malformed)? != (self.service, self.tier);
        }
        if widens { Err(Fault::Widens) } else { Ok(()) }
    }

    fn narrow_capabilities(&mut self, list: &'a str) -> Result<(), Fault> {
        let mut next = capabilities(list).ok_or(Fault::Malformed)?;
        if let Some(before) = self.capabilities {
            let subset = next.all(|capability| before.split(',').any(|c| c == capability));
            if !subset {
                return Err(Fault::Widens);
            }
        }
        self.capabilities = Some(list);
        Ok(())
    }
}

impl Minted {
    /// Whether the next caveat is in the mint's place, as far as a verifier can tell.
    fn takes(&mut self, kind: Option<Kind>) -> bool {
        const END: u8 = 4;
        let place = match kind {
            Some(Kind::Uses) => 0,
            Some(Kind::Query) => 1,
            Some(Kind::Digest) => 2,
            Some(Kind::Capabilities) => 3,
            _ => END,
        };
        if place == END || place < self.next {
            self.next = END;
            return false;
        }
        self.next = place + 1;
        self.query |= kind == Some(Kind::Query);
        self.digest |= kind == Some(Kind::Digest);
        self.capabilities |= kind == Some(Kind::Capabilities);
        true
    }
}

fn lower<T: PartialOrd>(last: &mut T, next: Option<T>) -> Result<(), Fault> {
    let next = next.ok_or(Fault::Malformed)?;
    if next > *last {
        return Err(Fault::Widens);
    }
    *last = next;
    Ok(())
}

fn equal<T: PartialEq + Copy>(last: &mut Option<T>, next: Option<T>) -> Result<(), Fault> {
    let next = next.ok_or(Fault::Malformed)?;
    if last.is_some_and(|last| last != next) {
        return Err(Fault::Widens);
    }
    *last = Some(next);
    Ok(())
}

fn condition(service: &str, kind: Kind) -> String {
    let mut name = service.to_string();
    name.push_str(kind.suffix());
    name
}

/// A caveat's condition, as an answer may repeat it. Only what looks like a condition is repeated:
/// a holder's caveat may be a misspelt preimage.
fn named(caveat: CaveatRef<'_>, service: &str) -> String {
    let Some((condition, _)) = split(caveat.id) else { return "a caveat without condition".into() };
    let known = condition == SERVICES || Kind::of(condition, service).is_some();
    let plain = condition.len() < 64 && condition.bytes().all(|b| b.is_ascii_graphic());
    if known || plain { condition.into() } else { "an unknown condition".into() }
}
