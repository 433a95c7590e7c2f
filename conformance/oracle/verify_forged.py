"""Groups of `verify`: credentials that are no one's, or another's."""

import json

from common import b64, b64url, identifier, seeded, sha256, token_id
from fixtures import MINTED, NOW, PREIMAGE, octets, replaced
from verify_cases import *


def keys(add):
    rotated = ["KeyRotation"]
    add.chain("under an older key", keys=(OTHER_KEY, ROOT_KEY), flags=rotated)
    add.chain("under the oldest of three", keys=(OTHER_KEY, THIRD_KEY, ROOT_KEY), flags=rotated)
    add.chain("under the minting key, beside older ones", keys=(ROOT_KEY, OTHER_KEY, THIRD_KEY), flags=rotated)
    add.chain("under a key that was dropped", INVALID, keys=(OTHER_KEY, THIRD_KEY), flags=rotated)
    add.chain("under an unknown key", INVALID, keys=(OTHER_KEY,), flags=rotated)
    both = (ROOT_KEY, OTHER_KEY)
    add.token("the token id of one key, the chain of another", INVALID, signed(id_key=OTHER_KEY), None, rotated,
              keys=both)
    add.token("the same the other way round", INVALID, signed(root_key=OTHER_KEY, id_key=ROOT_KEY), None, rotated,
              keys=both)
    for network in ["bitcoin", "testnet", "signet", "simnet"]:
        add.token("minted on %s with the same root key" % network, INVALID, signed(network=network), None,
                  ["OtherNetwork"])
        add.token("minted on regtest, presented on %s" % network, INVALID, signed(), None, ["OtherNetwork"],
                  network=network)
    add.token("minted and presented on bitcoin", VALID, signed(network="bitcoin"), None, ["OtherNetwork"],
              network="bitcoin")


def forged(add):
    right = signed()
    flags = ["Tampered"]
    for index, why in [(-1, "the signature's last byte"), (-32, "its first byte"), (-16, "a byte in its middle")]:
        add.token(why, INVALID, flipped(right, index), None, flags)
    add.token("its highest bit", INVALID, flipped(right, -1, 0x80), None, flags)
    add.token("a byte of the payment hash", INVALID, flipped(right, 1 + 6 + 2 + 2), None, flags)
    add.token("a byte of the token id", INVALID, flipped(right, 1 + 6 + 2 + 2 + 32), None, flags)
    for old, new, why in [
        (b"demo:0", b"demo:1", "another tier"), (b"_valid_until=1", b"_valid_until=9", "a later end"),
        (b"_method=GET", b"_method=PUT", "another method"), (b"/v1/demo", b"/v1/data", "another path"),
        (b"_msat=2", b"_msat=9", "a higher price"), (b"_uses=1", b"_uses=9", "more uses"),
    ]:
        add.token("%s written over the minted one" % why, INVALID, right.replace(old, new), None, flags)
    add.token("the last caveat taken away", INVALID,
              signed(MINTED, signature=lambda _: signed(MINTED + ["demo_uses=1"])[-32:]), None, flags)
    narrowed = signed(MINTED + ["demo_valid_until=%d" % (NOW + 1)])
    add.token("a holder's caveat cut off, its signature left", INVALID, right[:-32] + narrowed[-32:], None, flags)
    add.token("a caveat added, not signed", INVALID, narrowed[:-32] + right[-32:], None, flags)
    swapped = [MINTED[i] for i in (0, 1, 3, 2, 4, 5)]
    add.token("caveats swapped, signed as they were", INVALID, signed(swapped, signature=lambda _: right[-32:]), None,
              flags)

    flags = ["NoMac"]
    add.token("a signature of zeros", INVALID, signed(signature=lambda _: bytes(32)), None, flags)
    add.token("the token id as the signature", INVALID,
              signed(signature=lambda _: token_id(ROOT_KEY, PAYMENT_HASH)), None, flags)
    add.token("signed with a key of zeros", INVALID, signed(key=bytes(32)), None, flags)
    add.token("signed with the preimage", INVALID, signed(key=PREIMAGE), None, flags)
    add.token("signed with the payment hash", INVALID, signed(key=PAYMENT_HASH), None, flags)
    add.token("signed with the root key itself", INVALID, signed(key=ROOT_KEY), None, flags)
    id = identifier(PAYMENT_HASH, token_id(ROOT_KEY, PAYMENT_HASH))
    bare = raw_chain(macaroon_key(ROOT_KEY, NETWORK, PAYMENT_HASH), id, MINTED)
    add.token("signed without the step of every macaroon library", INVALID, signed(signature=lambda _: bare), None,
              flags)
    unknown = identifier(PAYMENT_HASH, seeded("no one's token id"))
    add.token("a token id that no key made", INVALID, signed(id=unknown), None, flags)
    add.token("a token id that no key made, signed with zeros", INVALID, signed(id=unknown, key=bytes(32)), None, flags)
    add.token("a token id of zeros", INVALID, signed(id=identifier(PAYMENT_HASH, bytes(32))), None, flags)
    body = {"paymentHash": PAYMENT_HASH.hex(), "exp": 9_999_999_999, "path": "/v1/demo", "caveats": MINTED}
    for text, why in [(b64(json.dumps(body).encode()), "JSON"), (b64url(json.dumps({**body, "note": "???>>>"}).encode()), "JSON, url-safe"),
                      (b64(b'{"v":2,"i":"id","c":[],"s64":""}'), "JSON like a macaroon's")]:
        add.ask("%s instead of a macaroon" % why, MALFORMED, present(text), flags=flags)
    add.ask("the payment hash in hex instead of a macaroon", MALFORMED, present(PAYMENT_HASH.hex()), flags=flags)
    jwt = b64url(b'{"alg":"none"}') + b64url(json.dumps(body).encode())
    add.ask("a token of another kind, not signed", MALFORMED, present(jwt), flags=flags)


def identifiers(add):
    right = identifier(PAYMENT_HASH, token_id(ROOT_KEY, PAYMENT_HASH))
    for id, why in [(b"", "none"), (right[:65], "a byte short"), (right + b"\0", "a byte long"),
                    (b"\0\1" + right[2:], "version 1"), (b"\1\0" + right[2:], "version 1, little-endian"),
                    (right[2:], "no version"), (right.hex().encode(), "in hex")]:
        add.token("identifier: %s" % why, INVALID, signed(id=id))
    add.token("the payment hash of another payment", INVALID,
              signed(id=identifier(sha256(OTHER_PREIMAGE), token_id(ROOT_KEY, PAYMENT_HASH))))


def preimages(add):
    flags, right = ["PreimageCaveat"], "preimage=" + PREIMAGE.hex()
    wrong = "preimage=" + OTHER_PREIMAGE.hex()
    add.token("another preimage", INVALID, signed(), preimage=OTHER_PREIMAGE)
    add.token("the payment hash as the preimage", INVALID, signed(), preimage=PAYMENT_HASH)
    add.token("zeros", INVALID, signed(), preimage=bytes(32))
    add.token("a preimage with a flipped bit", INVALID, signed(), preimage=flipped(PREIMAGE, 31))
    add.token("the preimage backwards", INVALID, signed(), preimage=PREIMAGE[::-1])
    add.chain("a caveat with the same preimage, as one client sends it", VALID, MINTED + [right], None, flags)
    add.chain("a caveat with another preimage", INVALID, MINTED + [wrong], None, flags)
    add.chain("two caveats that do not agree", INVALID, MINTED + [right, wrong], None, flags)
    add.chain("a caveat that is no preimage", INVALID, MINTED + ["preimage=00"], None, flags)
    add.token("a right caveat beside a wrong header", INVALID, signed(MINTED + [right]), None, flags,
              preimage=OTHER_PREIMAGE)
    add.token("a wrong header and a caveat that agrees with it", INVALID, signed(MINTED + [wrong]), None, flags,
              preimage=OTHER_PREIMAGE)

    def metadata(comment, expected, caveats, upper=False):
        text = signed(caveats).hex()
        add.ask(comment, expected, {"grpc_macaroon": text.upper() if upper else text}, flags=flags)

    metadata("metadata: the caveat stands in for the header", VALID, MINTED + [right])
    metadata("metadata in upper case", VALID, MINTED + [right], upper=True)
    metadata("metadata: narrowed after the preimage", VALID, MINTED + [right, "demo_valid_until=%d" % (NOW + 1)])
    metadata("metadata: no preimage", INVALID, MINTED)
    metadata("metadata: another preimage", INVALID, MINTED + [wrong])
    metadata("metadata: wrong, then right", INVALID, MINTED + [wrong, right])
    metadata("metadata: right, then wrong", INVALID, MINTED + [right, wrong])
    metadata("metadata: the service's own preimage is an unknown condition", INVALID, MINTED + ["demo_" + right])
    text = signed(MINTED + [right])
    for value, why in [("", "nothing"), (text.hex()[:-1], "half a byte less"), (b64(text), "base64"),
                       (text.hex() + " ", "a space"), (text.hex() + ":" + PREIMAGE.hex(), "a preimage after a colon"),
                       ("0x" + text.hex(), "a prefix"), (text.hex() + "," + text.hex(), "two tokens")]:
        add.ask("metadata: %s" % why, MALFORMED, {"grpc_macaroon": value}, flags=flags)


def third_parties(add):
    flags, caveat = ["ThirdPartyCaveat"], third_party()
    add.chain("at the end, as a holder adds one", INVALID, MINTED + [caveat], None, flags)
    add.chain("before the minted caveats", INVALID, [caveat] + MINTED, None, flags)
    add.chain("among the minted caveats", INVALID, MINTED[:2] + [caveat] + MINTED[2:], None, flags)
    add.chain("two of them", INVALID, MINTED + [caveat, caveat], None, flags)
    known = (b"demo_uses=1", caveat[1])
    add.chain("with a condition of our own as its id", INVALID, MINTED + [known], None, flags)
    add.chain("with a preimage as its id", INVALID, MINTED + [(b"preimage=" + PREIMAGE.hex().encode(), caveat[1])],
              None, flags)
    broken = signed(MINTED + [caveat], signature=lambda _: bytes(32))
    add.token("that is not signed", INVALID, broken, None, flags)


def beginnings(add):
    flags = ["MintedOrder", "AbsentCaveat"]
    rows = ["services", "valid_until", "method", "path", "max_price_msat"]
    for row in rows:
        add.chain("right MAC, and no %s" % row, INVALID, replaced(MINTED, **{row: None}), None, flags)
    add.chain("right MAC, and no caveat at all", INVALID, [], None, flags)
    add.chain("a holder's path in place of one that was not minted", INVALID,
              replaced(MINTED, path=None) + ["demo_path=/v1/demo"], None, flags)
    add.chain("a holder's end in place of one that was not minted", INVALID,
              replaced(MINTED, valid_until=None) + ["demo_valid_until=%d" % (NOW + 60)], None, flags)
    add.chain("in reverse", INVALID, MINTED[::-1], None, ["MintedOrder"])
    add.chain("two services sold at once", INVALID, replaced(MINTED, services="services=demo:0,other:0"), None,
              ["MintedOrder"])
    other = [octets(c).replace(b"demo", b"other", 1) for c in MINTED[1:]]
    add.chain("the caveats of another service than the first says", INVALID, MINTED[:1] + other, None, ["MintedOrder"])


GROUPS = [
    ("keys", "Which key of the ring it is, and of which network.", keys),
    ("forged", "What the server's key has not signed.", forged),
    ("identifiers", "Identifiers that the server has not written.", identifiers),
    ("preimages", "Who has not paid.", preimages),
    ("third_party", "Third-party caveats parse, and are refused.", third_parties),
    ("beginnings", "Signed with the right key, and not as the mint does.", beginnings),
]
