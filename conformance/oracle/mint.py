"""`mint`: a token from given keys, to the byte (docs/PROTOCOL.md §1 and §2)."""

import re

import caveat_rules
import common
import fixtures
from common import CURRENCY, Suite, b64, seeded, sha256
from fixtures import NETWORK, PAYMENT_HASH, ROOT_KEY, UNTIL

TOKEN_BYTES = 1024
U64 = caveat_rules.U64


class Refused(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def judge(case):
    """The token, or the first refusal: what is asked for, then the size, then the text."""
    if not re.fullmatch(r"[a-z0-9-]+", case["service"], re.ASCII):
        raise Refused("invalid_service")
    if not re.fullmatch(r"[A-Z0-9!#$%&'*+.^_`|~-]+", case["method"], re.ASCII):
        raise Refused("invalid_method")
    # What a normalized path can hold, whatever its route allows; a `*` is a prefix's, at the end.
    if not re.fullmatch(r"/[A-Za-z0-9._~!$&'()+,;=:@/%-]*\*?", case["path"], re.ASCII):
        raise Refused("invalid_path")
    if case["capabilities"]:
        try:
            read = caveat_rules.capabilities(",".join(case["capabilities"]))
        except caveat_rules.BadValue:
            raise Refused("invalid_capability") from None
        if read != case["capabilities"]:
            raise Refused("invalid_capability")
    caveats = [caveat.encode() for caveat in minted(case)]
    macaroon = common.mint(
        bytes.fromhex(case["root_keys"][0]), case["network"], bytes.fromhex(case["payment_hash"]), caveats
    )
    if len(macaroon) > TOKEN_BYTES:
        raise Refused("token_too_long")
    token = b64(macaroon)
    if "LSAT" in token:
        raise Refused("token_text_collision")
    return {"token": token}


def minted(case):
    """The caveats, in the one order."""
    rows = [
        ("valid_until", case["valid_until"]),
        ("method", case["method"]),
        ("path", case["path"]),
        ("max_price_msat", case["max_price_msat"]),
        ("uses", case["uses"]),
        ("query", case["query"]),
        ("digest", case["digest"] and "sha-256=:%s:" % b64(bytes.fromhex(case["digest"]))),
        ("capabilities", ",".join(case["capabilities"]) or None),
    ]
    yield "services=%s:%d" % (case["service"], case["tier"])
    for row, value in rows:
        if value is not None:
            yield "%s_%s=%s" % (case["service"], row, value)


def plain(**changes):
    case = {
        "network": NETWORK,
        "root_keys": [ROOT_KEY.hex()],
        "payment_hash": PAYMENT_HASH.hex(),
        "service": "demo",
        "tier": 0,
        "valid_until": UNTIL,
        "method": "GET",
        "path": "/v1/demo",
        "max_price_msat": 21_000,
        "uses": 1,
        "query": None,
        "digest": None,
        "capabilities": [],
    }
    assert set(changes) <= set(case), changes
    return {**case, **changes}


def colliding():
    """A payment hash whose token holds `LSAT`: about one in 70,000 does. The number was found by
    counting up, and is counted on from here should the caveats ever change."""
    number = 16855
    while True:
        payment_hash = sha256(b"collision %d" % number).hex()
        try:
            judge(plain(payment_hash=payment_hash))
        except Refused:
            return payment_hash
        number += 1


def build():
    suite = Suite("mint")
    collision = suite.flag(
        "TokenTextCollision", "One deployed client cuts `LSAT` out of a token.", "docs/PROTOCOL.md §1"
    )
    integer = suite.flag(
        "Integer64",
        "Holds a number above 2^53 - 1, which a JSON reader with floats alone rounds.",
        "docs/PROTOCOL.md §2",
    )
    always = suite.flag(
        "UsesAlwaysMinted", "`uses` is written for a single use, too.", "docs/PROTOCOL.md §2"
    )
    size = suite.flag("TokenSize", "A minted token has at most 1 KiB before base64.", "docs/PROTOCOL.md §1")

    def adder(group, expected):
        def add(comment, flags=(), **changes):
            fixtures.decide(group, judge, comment, plain(**changes), expected, flags)

        return add

    add = adder(suite.group("token", "Every part of a token comes from the keys and the request.", 1), "valid")
    add("one use of one path", [always])
    for network in sorted(set(CURRENCY) - {NETWORK}):
        add("on %s: another macaroon key, the same token id" % network, network=network)
    add("under another root key", root_keys=[seeded("another root key").hex()])
    add("with older keys in the ring: the first one mints",
        root_keys=[seeded("another root key").hex(), ROOT_KEY.hex(), seeded("third").hex()])
    add("for another payment hash", payment_hash=sha256(b"another").hex())
    add("a payment hash and a root key of zeros", payment_hash="00" * 32, root_keys=["00" * 32])
    add("another service, of one letter", service="a")
    add("a service with dashes and digits", service="my-service-2")
    add("the highest tier", tier=255)
    add("another method", method="POST")
    add("a method with a dash", method="M-SEARCH")
    add("the root path", path="/")
    add("a prefix", path="/v1/*")
    add("a path with escapes", path="/v1/%C3%A9%20%2A")
    add("a path with every other character there is", path="/-._~!$&'()+,;=:@/A0")
    add("ten uses", uses=10)
    add("as many uses as there are", uses=2**32 - 1)
    add("a price of nothing", max_price_msat=0)
    add("numbers that are as high as they can be", [integer], valid_until=U64, max_price_msat=U64)
    add("a bound query", query=sha256(b"a=1&b=2").hex())
    add("a bound body, whose digest is of the standard alphabet", digest="fb" * 32)
    add("one capability", capabilities=["read"])
    add("capabilities in the order given", capabilities=["write", "read", "a:b/c.d=e"])
    add("all there is", tier=7, method="PUT", path="/v1/files/*", uses=3, query=sha256(b"").hex(),
        digest=sha256(b"body").hex(), capabilities=["read", "write"])
    length = longest()
    add("1,024 bytes, the longest there is", [size], path="/" + "a" * length)

    add = adder(suite.group("size", "A path too long for a token.", 101), "token_too_long")
    add("1,025 bytes", [size], path="/" + "a" * (length + 1))
    add("a path of 8 KiB", [size], path="/" + "a" * 8191)
    add("many capabilities", [size], capabilities=["capability-%02d" % number for number in range(64)])
    add("a long service, written in each caveat", [size], service="s" * 200)

    add = adder(suite.group("text", "A token that would hold another scheme's name.", 201), "token_text_collision")
    add("take another invoice", [collision], payment_hash=colliding())

    group = suite.group("service", "A name is of [a-z0-9-], and has a character.", 301)
    for service in ["", "Demo", "de_mo", "demo:0", "demo,other", "demo ", "dé", "demo=", "demo\n", "д", "*"]:
        adder(group, "invalid_service")("named %r" % service, service=service)
    group = suite.group("method", "A method is a token of RFC 9110 in upper case.", 401)
    for method in ["", "get", "Get", "GET ", "GET,POST", "GET=1", "GÉT", "GET\n", "(GET)"]:
        adder(group, "invalid_method")("%r" % method, method=method)
    group = suite.group("path", "A path is a normalized one, or a prefix of those.", 501)
    for path in ["", "*", "v1", " /a", "/a b", "/a\n", "/\0", "/*/x", "/**", "/a?b", "/a#b", "/é", "/a\\b", "/a\"b",
                 "/{id}", "/a|b", "/[a]", "/a^b", "/a`b", "/<a>", "/\x7f"]:
        adder(group, "invalid_path")("%r" % path, path=path)
    group = suite.group("capability", "A capability is printable ASCII without comma and space.", 601)
    for names, why in [([""], "an empty one"), (["a,b"], "a comma: two would be sold"), (["a b"], "a space"),
                       (["read", ""], "a last empty one"), (["ä"], "not ASCII"), (["a\n"], "a newline"),
                       (["x"] * 65, "65 of them")]:
        adder(group, "invalid_capability")(why, capabilities=names)
    return suite


def longest():
    """How many letters a path of 1,024 bytes of token has."""
    letters = TOKEN_BYTES
    while True:
        try:
            judge(plain(path="/" + "a" * letters))
            return letters
        except Refused:
            letters -= 1


if __name__ == "__main__":
    common.main(build)
