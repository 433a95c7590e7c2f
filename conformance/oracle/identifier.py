"""`identifier`: the 66 bytes that name a credential (docs/PROTOCOL.md §1)."""

import common
from common import Suite, identifier, seeded, sha256, token_id

ERROR = "invalid_identifier"


def build():
    suite = Suite("identifier")
    version = suite.flag(
        "UnknownVersion", "Version 0 is the only one there is.", "docs/PROTOCOL.md §1"
    )
    length = suite.flag("WrongLength", "An identifier has 66 bytes.", "docs/PROTOCOL.md §1")

    payment_hash = sha256(seeded("identifier/preimage"))
    good = identifier(payment_hash, token_id(seeded("identifier/root key"), payment_hash))

    group = suite.group("read", "Version, payment hash, token id, in this order.", 1)

    def valid(comment, data):
        output = {"payment_hash": data[2:34].hex(), "token_id": data[34:].hex()}
        group.valid(comment, {"identifier": data.hex()}, output)

    valid("a payment hash and its token id", good)
    valid("all zero: no value of the parts is special", bytes(66))
    valid("parts of ones: no value of the parts is special", bytes(2) + b"\xff" * 64)
    valid("a token id that is no one's: only its server can tell", good[:34] + seeded("other"))
    valid("a payment hash equal to the token id", bytes(2) + payment_hash * 2)
    valid("a payment hash that begins with zeros", bytes(34) + seeded("token id"))
    valid("a token id that ends with zeros", good[:2] + seeded("hash") + bytes(32))
    valid("parts that are text", b"\0\0" + b"a" * 32 + b"b" * 32)
    valid("a part that begins like a version", b"\0\0\0\1" + bytes(30) + seeded("id"))
    valid("bytes counted up: what is read from where", b"\0\0" + bytes(range(64)))

    group = suite.group("length", "Any number of bytes but 66.", 101)
    for count, comment in [
        (0, "no bytes"),
        (1, "half a version"),
        (2, "a version alone"),
        (34, "no token id"),
        (65, "the last byte missing"),
    ]:
        group.invalid(comment, {"identifier": good[:count].hex()}, ERROR, [length])
    group.invalid("a byte too many", {"identifier": (good + b"\0").hex()}, ERROR, [length])
    group.invalid("twice", {"identifier": (good * 2).hex()}, ERROR, [length])
    group.invalid("without a version", {"identifier": good[2:].hex()}, ERROR, [length])
    hexed = good.hex().encode()
    group.invalid("as hex, which no one wrote", {"identifier": hexed.hex()}, ERROR, [length])

    group = suite.group("version", "A version is two bytes, and 0.", 201)
    for number, comment in [
        (1, "version 1"),
        (256, "version 1, little-endian"),
        (0xFFFF, "the highest version"),
        (0x3030, "version 0 in digits"),
    ]:
        data = number.to_bytes(2, "big") + good[2:]
        group.invalid(comment, {"identifier": data.hex()}, ERROR, [version])
    group.invalid(
        "version 1 and a byte too many", {"identifier": (b"\0\1" + good[2:] + b"\0").hex()}, ERROR,
        [length, version],
    )
    return suite


if __name__ == "__main__":
    common.main(build)
