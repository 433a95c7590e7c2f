"""Measures Python's package on the token that its argument describes, and prints what it took as JSON (../README.md)."""

import json
import platform
import sys
import time

import plannt

TODO = json.loads(sys.argv[1])
RING = plannt.Keyring("regtest", TODO["root_key"])
PREIMAGE = plannt.Preimage(TODO["preimage"])
CAVEATS = dict(caveat.split("=", 1) for caveat in TODO["caveats"])
SCOPE = ("demo", CAVEATS["demo_method"], CAVEATS["demo_path"])
PRICE = int(CAVEATS["demo_max_price_msat"])
REQUEST = plannt.MintRequest(PREIMAGE.payment_hash(), *SCOPE, int(CAVEATS["demo_valid_until"]), PRICE)
CONTEXT = plannt.RequestContext(TODO["now"], *SCOPE, PRICE)
HEADER = plannt.authorization_value(TODO["token"], PREIMAGE)
CREDENTIAL = plannt.Credential.from_authorization([HEADER])


def from_header():
    """As a server does it for each request."""
    context = plannt.RequestContext(TODO["now"], *SCOPE, PRICE)
    return RING.verify(plannt.Credential.from_authorization([HEADER]), context)


def best(work):
    """Nanoseconds of one, in the fastest of many batches of some milliseconds."""
    def batch(iterations):
        begun = time.perf_counter_ns()
        for _ in range(iterations):
            work()
        return time.perf_counter_ns() - begun

    iterations = 1
    while batch(iterations) < 2_000_000:
        iterations *= 2
    return min(batch(iterations) for _ in range(TODO["batches"])) / iterations


def main():
    forged = bytearray(plannt.base64.decode(TODO["token"]))
    forged[-1] ^= 1
    line = plannt.authorization_value(plannt.base64.encode(forged), PREIMAGE)
    try:
        RING.verify(plannt.Credential.from_authorization([line]), CONTEXT)
    except plannt.VerifyError:
        pass
    else:
        sys.exit("a forged token was accepted")
    print(json.dumps({
        "library": "plannt " + plannt.__version__,
        "runtime": "Python " + platform.python_version(),
        "token": RING.mint(REQUEST),
        "mint": {"ns": best(lambda: RING.mint(REQUEST))},
        "verify": {"ns": best(lambda: RING.verify(CREDENTIAL, CONTEXT))},
        "header": {"ns": best(from_header)},
    }))


main()
