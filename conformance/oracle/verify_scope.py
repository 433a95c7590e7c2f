"""Groups of `verify`: what a right credential is good for, and what not."""

from common import b64, b64url, sha256
from fixtures import MINTED, NOW, PREIMAGE, UNTIL, replaced, request
from verify_cases import *

U64 = 2**64 - 1


def accepted(add):
    add.chain("what was bought")
    add.chain("a second before it ends", asked=request(now=UNTIL - 1))
    add.chain("a clock at zero", asked=request(now=0))
    add.chain("narrowed in time by its holder: kept until the minted time and grace all the same", VALID,
              MINTED + ["demo_valid_until=%d" % (NOW + 60)])
    add.chain("ten uses, narrowed to three", VALID, replaced(MINTED, uses="demo_uses=10") + ["demo_uses=3"])
    add.chain("valid until the end of numbers, and kept no longer", VALID,
              replaced(MINTED, valid_until="demo_valid_until=%d" % U64), flags=["Integer64"])
    add.chain("with a caveat for another system", VALID, MINTED + ["cache = \"yes\""], flags=["OtherSystem"])
    add.chain("with a caveat that is no text", VALID, MINTED + [b"\x80\x81"], flags=["OtherSystem"])
    add.chain("all that can be bound is", VALID,
              MINTED + ["demo_query=" + sha256(b"a=1").hex(), "demo_digest=sha-256=:%s:" % b64(sha256(b"body")),
                        "demo_capabilities=read,write"],
              request(target="/v1/demo?a=1", body=b"body".hex(), binds_query=True, binds_body=True,
                      capability="write", strict=True))
    data = signed()
    for scheme in ["l402", "L402", "LSAT", "lsat", "LsAt"]:
        if scheme != "L402":
            add.ask("scheme %s" % scheme, VALID, present(data, scheme=scheme))
    upper = "L402 %s:%s" % (b64(data), PREIMAGE.hex().upper())
    add.ask("the preimage in upper case", VALID, {"authorization": [upper]}, flags=["CaseOfHex"])
    mixed = PREIMAGE.hex()[:32] + PREIMAGE.hex()[32:].upper()
    add.ask("the preimage in both cases", VALID, {"authorization": ["L402 %s:%s" % (b64(data), mixed)]},
            flags=["CaseOfHex"])
    add.ask("another scheme's line before ours", VALID,
            {"authorization": ["Bearer abc", "L402 %s:%s" % (b64(data), PREIMAGE.hex())]})
    add.ask("the first of two lines decides", VALID,
            {"authorization": ["L402 %s:%s" % (b64(data), PREIMAGE.hex()), "L402 nothing"]})
    any_path = signed(replaced(MINTED, path="demo_path=/*") + ["note=\u07ff\u07ff\u07ff>>>???"])
    assert {"+", "/"} <= set(b64(any_path)) and b64(any_path).endswith("=")
    for text, why in [(b64(any_path).rstrip("="), "standard, no padding"), (b64url(any_path), "url-safe, no padding"),
                      (b64(any_path).replace("+", "-").replace("/", "_"), "url-safe, padded")]:
        add.ask("base64 %s" % why, VALID, present(text), flags=["StrictEncoding"])
    add.group.acceptable(*location_case("another location", b"https://other.example"))
    add.group.acceptable(*location_case("no location", None))


def location_case(comment, location):
    """What nothing signs decides nothing; a server may still take its own location alone."""
    input = {
        "network": NETWORK,
        "root_keys": [ROOT_KEY.hex()],
        **present(signed(location=location)),
        "request": request(),
    }
    return comment, input, verifier.judge(input), INVALID, ["UnsignedLocation"]


def requests(add):
    flags = ["AnyRoute"]
    for comment, asked in [
        ("another service", request(service="other")),
        ("another tier", request(tier=1)),
        ("another method", request(method="POST")),
        ("another path", request(target="/v1/data")),
        ("a path below", request(target="/v1/demo/more")),
        ("a trailing slash", request(target="/v1/demo/")),
        ("another case", request(target="/v1/Demo")),
        ("the root", request(target="/")),
        ("a higher price", request(lowest_price_msat=21_001)),
        ("a price whose text comes before", request(lowest_price_msat=100_000)),
        ("a capability that was not sold", request(capability="admin")),
    ]:
        add.chain(comment, SCOPE, asked=asked, flags=flags)
    add.chain("a lower price", VALID, asked=request(lowest_price_msat=1), flags=flags)
    add.chain("a query, where none is bound", VALID, asked=request(target="/v1/demo?a=1"), flags=flags)
    query = MINTED + ["demo_query=" + sha256(b"a=1").hex()]
    add.chain("another query", SCOPE, query, request(target="/v1/demo?a=2", binds_query=True), flags)
    add.chain("no query", SCOPE, query, request(binds_query=True), flags)
    digest = MINTED + ["demo_digest=sha-256=:%s:" % b64(sha256(b"body"))]
    add.chain("another body", SCOPE, digest, request(body=b"else".hex(), binds_body=True), flags)
    add.chain("a body of one byte more", SCOPE, digest, request(body=b"body ".hex(), binds_body=True), flags)
    add.chain("no body", SCOPE, digest, request(body="", binds_body=True), flags)
    add.chain("a bound query that the chain leaves open", INVALID, asked=request(binds_query=True),
              flags=["AbsentCaveat"])
    add.chain("a bound body that the chain leaves open", INVALID, asked=request(body="", binds_body=True),
              flags=["AbsentCaveat"])


def paths(add):
    prefix = replaced(MINTED, path="demo_path=/v1/*")
    for target, why in [
        ("/v1/%64emo", "an escape of an unreserved character"), ("/%76%31/%64%65%6D%6F", "all of it escaped"),
        ("/v1/demo?", "a question mark alone"),
    ]:
        add.chain("%s: %s" % (target, why), VALID, asked=request(target=target))
    for target, why in [
        ("/v1/%2564emo", "an escaped escape is no escape"), ("/v1/demo%3F", "an escaped question mark is the path's"),
        ("/v1/demo%23", "an escaped number sign"), ("/v1/demo%20", "an escaped space"),
    ]:
        add.chain("%s: %s" % (target, why), SCOPE, asked=request(target=target))
    exact = replaced(MINTED, path="demo_path=/v1/%C3%A9%2A")
    add.chain("escapes in either case are one path", VALID, exact, request(target="/v1/%c3%a9*"))
    add.chain("the caveat's own are compared as they are", SCOPE,
              replaced(MINTED, path="demo_path=/v1/%c3%a9"), request(target="/v1/%c3%a9"))
    for target, why in [
        ("/v1/../admin", "a dot segment"), ("/v1/%2e%2E/admin", "one in escapes"), ("/v1/.", "the last one"),
        ("/v1//demo", "an empty segment"), ("/v1/demo//", "two slashes at the end"), ("/v1/a;b", "a semicolon"),
        ("/v1/a\\b", "a backslash"), ("/v1/a%5cb", "one in escapes"), ("/v1/a%2fb", "a slash in escapes"),
        ("/v1/%00", "a zero byte"), ("/v1/%7F", "a control byte"), ("/v1/%zz", "no escape"), ("/v1/%4", "half of one"),
        ("/v1/a b", "a space"), ("/v1/é", "not ASCII"), ("v1/demo", "no first slash"), ("*", "no path"), ("", "nothing"),
        ("/v1/a#b", "a fragment"), ("/v1/{a}", "braces"),
    ]:
        add.chain("%r: %s" % (target, why), BAD_PATH, prefix, request(target=target))


def time(add):
    add.chain("the second has come", EXPIRED, asked=request(now=UNTIL))
    add.chain("long ago", EXPIRED, asked=request(now=2**53 - 1))
    add.chain("a clock at the end of numbers", EXPIRED, asked=request(now=U64), flags=["Integer64"])
    add.chain("the end of numbers has come", EXPIRED, replaced(MINTED, valid_until="demo_valid_until=%d" % U64),
              request(now=U64), ["Integer64"])
    add.chain("nine digits are less than ten", EXPIRED, replaced(MINTED, valid_until="demo_valid_until=999999999"),
              flags=["ExpiryAsText"])
    add.chain("eleven digits are more than ten", VALID, replaced(MINTED, valid_until="demo_valid_until=10000000000"),
              flags=["ExpiryAsText"])
    add.chain("a holder's earlier end", EXPIRED, MINTED + ["demo_valid_until=%d" % NOW])
    add.chain("a holder's earlier end, of nine digits", EXPIRED, MINTED + ["demo_valid_until=999999999"],
              flags=["ExpiryAsText"])
    add.chain("a holder's later end", SCOPE, MINTED + ["demo_valid_until=%d" % (UNTIL + 1)])
    add.chain("a holder's later end, when the minted one has come", SCOPE,
              MINTED + ["demo_valid_until=%d" % (UNTIL + 3600)], request(now=UNTIL), ["FirstFailure"])


GROUPS = [
    ("accepted", "What holds, and what it is good for.", accepted),
    ("requests", "A credential is for one request's kind, not for a server.", requests),
    ("paths", "The path's one spelling is what counts, and some have none.", paths),
    ("time", "The verifier's clock against the last `valid_until`.", time),
]
