"""The group of `verify` where two things are wrong: the first failure decides."""

from fixtures import MINTED, UNTIL, replaced, request
from verify_cases import *

WIDENS = "demo_uses=2"
MALFORMED_VALUE = "demo_max_price_msat=1e3"
UNKNOWN = "demo_color=red"


def order(add):
    flags = ["FirstFailure"]
    late, elsewhere = request(now=UNTIL), request(target="/v1/data")

    def token(comment, expected, data, asked=None, **more):
        add.token(comment, expected, data, asked, flags, **more)

    # Syntax before all.
    token("trailing byte, forged", MALFORMED, flipped(signed(), -1) + b"\0")
    token("trailing byte, wrong preimage", MALFORMED, signed() + b"\0", preimage=OTHER_PREIMAGE)
    token("trailing byte, expired", MALFORMED, signed() + b"\0", late)
    token("65 caveats, forged", MALFORMED, flipped(signed(MINTED + ["a=b"] * 59), -1))
    token("a header too large, for another path", TOO_LARGE, bytes(12_300), elsewhere)
    # Then what makes the credential itself invalid, for each thing that comes later.
    for comment, asked, caveats in [
        ("expired", late, MINTED),
        ("for another path", elsewhere, MINTED),
        ("for another service", request(service="other"), MINTED),
        ("for a higher price", request(lowest_price_msat=10**9), MINTED),
        ("widened", None, MINTED + [WIDENS]),
        ("with a malformed value", None, MINTED + [MALFORMED_VALUE]),
        ("with an unknown condition, strict", request(strict=True), MINTED + [UNKNOWN]),
    ]:
        token("forged, and %s" % comment, INVALID, flipped(signed(caveats), -1), asked)
        token("wrong preimage, and %s" % comment, INVALID, signed(caveats), asked, preimage=OTHER_PREIMAGE)
        token("third-party caveat, and %s" % comment, INVALID, signed(caveats + [third_party()]), asked)
        token("unknown key, and %s" % comment, INVALID, signed(caveats), asked, keys=(OTHER_KEY,))
        if caveats is MINTED and "service" not in comment:
            token("not begun as minted, and %s" % comment, INVALID, signed(replaced(caveats, method=None)), asked)
    # Then the scope, before the time.
    token("widened, and expired", SCOPE, signed(MINTED + [WIDENS]), late)
    token("a malformed value, and expired", SCOPE, signed(MINTED + [MALFORMED_VALUE]), late)
    token("an unknown condition, strict, and expired", SCOPE, signed(MINTED + [UNKNOWN]),
          request(now=UNTIL, strict=True))
    token("for another path, and expired", SCOPE, signed(), request(now=UNTIL, target="/v1/data"))
    token("for another service, and expired", SCOPE, signed(), request(now=UNTIL, service="other"))
    token("for a higher price, and expired", SCOPE, signed(), request(now=UNTIL, lowest_price_msat=10**9))
    token("without a capability, and expired", SCOPE, signed(), request(now=UNTIL, capability="admin"))
    token("for another body, and expired", SCOPE,
          signed(MINTED + ["demo_digest=sha-256=:%s:" % ("A" * 43 + "=")]), request(now=UNTIL, body=""))
    # What a route binds is asked of the chains that are in its scope.
    token("an unbound query, and expired", INVALID, signed(), request(now=UNTIL, binds_query=True))
    token("an unbound query, and for another path", SCOPE, signed(), request(target="/v1/data", binds_query=True))
    token("an unbound body, and for another method", SCOPE, signed(),
          request(method="POST", body="", binds_body=True))


GROUPS = [("order", "The first failure decides.", order)]
