"""What the groups of `caveats` are made with."""

import caveat_rules
import fixtures
from common import sha256
from fixtures import MINTED, PREIMAGE, octets, request

VALID, INVALID, SCOPE, EXPIRED = "valid", "invalid_credential", "out_of_scope", "expired"
RULE = "docs/PROTOCOL.md §2"
FLAGS = {
    "AbsentCaveat": "A caveat that is not there never means anything goes.",
    "DuplicateCaveat": "A second caveat of a condition narrows the first, and never replaces it.",
    "ExpiryAsText": "A verifier that compares numbers as text answers otherwise.",
    "Integer64": "Holds a number above 2^53 - 1, which a JSON reader with floats alone rounds.",
    "NumberSpelling": "A number is decimal digits without sign, space or leading zero, in bounds.",
    "OtherService": "Only the chain's own service's conditions are read; the rest is for others.",
    "OtherSystem": "Holders attenuate for other systems: what is not known is skipped, unless strict.",
    "PreimageCaveat": "A preimage caveat must be the payment hash's, wherever else one is given.",
    "Spaces": "Spaces around condition and value do not count.",
    "UsesAlwaysMinted": "A holder who writes more uses than the mint did has widened.",
}


def judge(case):
    chain = [bytes.fromhex(caveat) for caveat in case["caveats"]]
    preimage = case["preimage"] and bytes.fromhex(case["preimage"])
    asked = caveat_rules.context(case["request"])
    caveat_rules.check_preimage(chain, preimage, bytes.fromhex(case["payment_hash"]))
    return caveat_rules.judge(chain, asked)


class Cases:
    def __init__(self, group):
        self.group = group

    def chain(self, comment, expected, caveats, flags=(), asked=None, preimage=PREIMAGE):
        """A whole chain at a request."""
        input = {
            "caveats": [octets(caveat).hex() for caveat in caveats],
            "payment_hash": sha256(PREIMAGE).hex(),
            "preimage": preimage and preimage.hex(),
            "request": asked or request(),
        }
        fixtures.decide(self.group, judge, comment, input, expected, flags)

    def more(self, comment, expected, *caveats, flags=(), **asked):
        """What was minted, and further caveats."""
        self.chain(comment, expected, MINTED + list(caveats), flags, request(**asked))

    def each(self, condition, expected, flags, *values, **asked):
        """One case for each value of a further caveat; a value with a comment is a pair."""
        for value in values:
            value, comment = value if isinstance(value, tuple) else (value, "")
            named = "%s=%s" % (condition, value)
            comment = "%s: %s" % (comment, named) if comment else named
            self.more(comment, expected, named, flags=flags, **asked)
