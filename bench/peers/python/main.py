"""Measures pymacaroons in the whole L402 operation, on the macaroon that its argument describes,
and prints what it took as JSON (../../README.md)."""

import base64
import hashlib
import hmac
import importlib.metadata
import json
import platform
import sys
import time

from pymacaroons import MACAROON_V2, Macaroon, Verifier

TODO = json.loads(sys.argv[1])
ROOT_KEY = bytes.fromhex(TODO["root_key"])
PREIMAGE = bytes.fromhex(TODO["preimage"])
LABEL = b"l402/macaroon/0" + TODO["currency"].encode() + b"\0"
UNTIL = "demo_valid_until="


def mac(key, message):
    return hmac.digest(key, message, "sha256")


def mint(payment_hash):
    identifier = b"\0\0" + payment_hash + mac(ROOT_KEY, payment_hash)
    key = mac(ROOT_KEY, LABEL + payment_hash)
    macaroon = Macaroon(TODO["location"], identifier, key, version=MACAROON_V2)
    for caveat in TODO["caveats"]:
        macaroon.add_first_party_caveat(caveat)
    return macaroon.serialize()


def in_time(caveat):
    until = caveat[len(UNTIL):]
    return caveat.startswith(UNTIL) and until.isdecimal() and TODO["now"] < int(until)


# What a verifier knows before any request.
VERIFIER = Verifier()
for exact in TODO["caveats"]:
    if not exact.startswith(UNTIL):
        VERIFIER.satisfy_exact(exact)
VERIFIER.satisfy_general(in_time)


def verify(token):
    """Raises unless the token holds."""
    macaroon = Macaroon.deserialize(token)
    identifier = macaroon.identifier_bytes
    payment_hash, token_id = identifier[2:34], identifier[34:]
    if len(identifier) != 66 or identifier[:2] != b"\0\0":
        raise ValueError("refused")
    if not hmac.compare_digest(mac(ROOT_KEY, payment_hash), token_id):
        raise ValueError("refused")
    VERIFIER.verify(macaroon, mac(ROOT_KEY, LABEL + payment_hash))
    if not hmac.compare_digest(hashlib.sha256(PREIMAGE).digest(), payment_hash):
        raise ValueError("refused")


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
    payment_hash = hashlib.sha256(PREIMAGE).digest()
    token = mint(payment_hash)
    verify(TODO["token"])
    forged = bytearray(base64.b64decode(TODO["token"]))
    forged[-1] ^= 1
    try:
        verify(base64.b64encode(forged).decode())
    except Exception:
        pass
    else:
        sys.exit("a forged token was accepted")
    print(json.dumps({
        "library": "pymacaroons " + importlib.metadata.version("pymacaroons"),
        "runtime": "Python " + platform.python_version(),
        "token": token,
        "mint": {"ns": best(lambda: mint(payment_hash))},
        "verify": {"ns": best(lambda: verify(TODO["token"]))},
    }))


main()
