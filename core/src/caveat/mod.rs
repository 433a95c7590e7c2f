//! L402's caveats: how one is read, and what its condition means (docs/PROTOCOL.md §2).

mod chain;
mod value;

pub(crate) use chain::{Chain, ChainFailure};
pub use value::path_matches;
pub(crate) use value::{MAX_LIST_ITEMS, is_capability, is_method, is_minted_path, is_service};

use alloc::borrow::Cow;

use subtle::{Choice, ConstantTimeEq};

use crate::macaroon::CaveatRef;
use crate::{PaymentHash, Preimage};

/// The condition that carries a preimage.
pub(crate) const PREIMAGE: &str = "preimage";
/// The condition that names services and their tiers.
pub(crate) const SERVICES: &str = "services";

/// What a condition of the chain's own service says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Capabilities,
    Digest,
    MaxPriceMsat,
    Method,
    Path,
    Query,
    Uses,
    ValidUntil,
}

impl Kind {
    /// What follows the service's name in the condition.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Capabilities => "_capabilities",
            Self::Digest => "_digest",
            Self::MaxPriceMsat => "_max_price_msat",
            Self::Method => "_method",
            Self::Path => "_path",
            Self::Query => "_query",
            Self::Uses => "_uses",
            Self::ValidUntil => "_valid_until",
        }
    }

    fn of(condition: &str, service: &str) -> Option<Self> {
        Some(match condition.strip_prefix(service)? {
            "_capabilities" => Self::Capabilities,
            "_digest" => Self::Digest,
            "_max_price_msat" => Self::MaxPriceMsat,
            "_method" => Self::Method,
            "_path" => Self::Path,
            "_query" => Self::Query,
            "_uses" => Self::Uses,
            "_valid_until" => Self::ValidUntil,
            _ => return None,
        })
    }
}

/// Reads a first-party caveat as condition and value: split at the first `=`, spaces around each
/// trimmed. `None` for what is not UTF-8 or has no `=`.
///
/// ```
/// use plannt_core::caveat::split;
/// assert_eq!(split(b"demo_path = /a=b"), Some(("demo_path", "/a=b")));
/// assert_eq!(split(b"time < 10"), None);
/// ```
#[inline]
pub fn split(caveat: &[u8]) -> Option<(&str, &str)> {
    let caveat = core::str::from_utf8(caveat).ok()?;
    let at = caveat.bytes().position(|b| b == b'=')?;
    // Outer spaces, too: a holder's ` demo_uses=1` must bind as what it was meant to be.
    Some((trim(&caveat[..at]), trim(&caveat[at + 1..])))
}

/// Without the spaces around; most texts have none, and `trim_matches` takes its time.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [b' ', ..] | [.., b' '] => text.trim_matches(' '),
        _ => text,
    }
}

/// Whether `hash` is proved: by the header's preimage or a caveat's, where each that is there
/// must be the one; in constant time.
pub(crate) fn preimage_proves<'a>(
    caveats: impl Iterator<Item = CaveatRef<'a>>,
    header: Option<&Preimage>,
    hash: &PaymentHash,
) -> bool {
    let mut proved = header.map(Cow::Borrowed);
    let mut holds = Choice::from(u8::from(header.is_none_or(|preimage| preimage.proves(hash))));
    for caveat in caveats {
        // Most are told apart by their first letter.
        if !matches!(caveat.id.first(), Some(b'p' | b' ')) {
            continue;
        }
        let Some((PREIMAGE, value)) = split(caveat.id) else { continue };
        let Ok(preimage) = Preimage::from_hex(value) else { return false };
        match &proved {
            Some(proved) => holds &= preimage.ct_eq(proved),
            None => {
                holds &= Choice::from(u8::from(preimage.proves(hash)));
                proved = Some(Cow::Owned(preimage));
            }
        }
    }
    proved.is_some() && bool::from(holds)
}
