"""Groups of `caveats`: each row of docs/PROTOCOL.md §2's table, the next one and the last one."""

import base64

from caveat_rules import U64
from caveats_cases import EXPIRED, INVALID, SCOPE, VALID
from common import sha256
from fixtures import MINTED, NOW, UNTIL, USES, replaced, request


def services(add):
    add.each("services", VALID, [], ("demo:0", "the same pair again"), ("demo:0,demo:0", "a set has no twice"))
    add.each("services", SCOPE, [], ("demo:1", "another tier"), ("other:0", "another service"),
             ("demo:0,other:0", "one more service"), ("demo:0,demo:1", "one more tier"))
    add.each("services", SCOPE, [], ("", "an empty list"), ("demo", "no tier"), ("Demo:0", "upper case"),
             ("demo:0,", "an empty item"), ("demo:0:0", "two tiers in one"), ("*", "no pattern is a name"),
             ("demo:0, demo:0", "a space inside"))
    add.each("services", SCOPE, ["NumberSpelling"], "demo:00", "demo:+0", "demo:256", "demo:٠")
    add.more("the last one names another service", SCOPE, service="other")
    add.more("the last one names another tier", SCOPE, tier=1)
    add.chain("the highest tier", VALID, replaced(MINTED, services="services=demo:255"), [], request(tier=255))


def valid_until(add):
    condition, late = "demo_valid_until", ["ExpiryAsText"]
    add.each(condition, VALID, [], (UNTIL, "the same"), (NOW + 1, "the next second is the last one"))
    add.each(condition, SCOPE, [], (UNTIL + 1, "one second later"))
    add.each(condition, SCOPE, ["Integer64"], (U64, "the highest number there is"))
    add.each(condition, SCOPE, late, (99_999_999_999, "more digits, a lower first one"))
    add.each(condition, EXPIRED, late, (9, "fewer digits, a higher first one"), (999_999_999, "nine digits"))
    add.each(condition, EXPIRED, [], (NOW, "this very second"), (0, "the first second there was"))
    add.each(condition, SCOPE, ["NumberSpelling"], U64 + 1, 10**30, "", -1, "+1800000001", "01800000001",
             "1800000001.0", "18e8", "0x6B49D201", "1 800 000 001", "1_800_000_001", "١٨٠٠٠٠٠٠٠١", "１８０００００００１",
             "1800000001\n", "never")
    narrower, wider = "demo_valid_until=%d" % (NOW + 60), "demo_valid_until=%d" % (NOW + 120)
    add.more("narrowed, then a little wider again", SCOPE, narrower, wider, flags=["DuplicateCaveat"])
    add.more("narrowed twice", VALID, wider, narrower, flags=["DuplicateCaveat"])
    add.more("expired, then made good again", SCOPE, "demo_valid_until=%d" % NOW, "demo_valid_until=%d" % UNTIL,
             flags=["DuplicateCaveat"])
    add.more("the minted second has come", EXPIRED, now=UNTIL)
    add.more("the second before it", VALID, now=UNTIL - 1)
    add.chain("valid until the end of numbers", VALID, replaced(MINTED, valid_until="demo_valid_until=%d" % U64),
              ["Integer64"])
    add.chain("a minted one of nine digits, long ago", EXPIRED,
              replaced(MINTED, valid_until="demo_valid_until=999999999"), late)


def method(add):
    add.each("demo_method", VALID, [], ("GET", "the same"))
    add.each("demo_method", SCOPE, [], ("POST", "another"), ("get", "methods have a case"), ("GET,POST", "no list"),
             ("", "none"), ("*", "no pattern"), ("HEAD", "HEAD is not GET"))
    add.more("the request has another method", SCOPE, method="POST")
    add.more("a HEAD with what was paid for GET", SCOPE, method="HEAD")
    add.more("both: a holder's method is the request's, not the minted one", SCOPE, "demo_method=PUT", method="PUT",
             flags=["DuplicateCaveat"])
    add.chain("a method of its own", VALID, replaced(MINTED, method="demo_method=PROPFIND"), [],
              request(method="PROPFIND"))


def path(add):
    add.each("demo_path", VALID, [], ("/v1/demo", "the same"))
    add.each("demo_path", SCOPE, [], ("/v1/demo*", "a star opens more"), ("/v1/demo/", "a trailing slash counts"),
             ("/v1", "a parent"), ("*", "everything"), ("/*", "all paths"), ("", "none"), ("/V1/demo", "case counts"))
    for target, why in [("/v1/data", "another path"), ("/v1/demo/", "a trailing slash"), ("/v1/demo/more", "a child"),
                        ("/v1/dem", "a shorter one"), ("/V1/demo", "another case"), ("/v1/demo%2A", "a star")]:
        add.more("the request has %s: %s" % (why, target), SCOPE, target=target)
    prefix = replaced(MINTED, path="demo_path=/v1/*")

    def under(comment, expected, target, *more, flags=()):
        caveats = prefix + ["demo_path=" + pattern for pattern in more]
        add.chain("/v1/*, %s" % comment, expected, caveats, flags, request(target=target))

    under("a path under it", VALID, "/v1/demo")
    under("the prefix itself", VALID, "/v1/")
    under("an escaped star is a character", VALID, "/v1/%2A")
    under("without the slash", SCOPE, "/v1")
    under("beside it", SCOPE, "/v2/demo")
    under("case counts", SCOPE, "/V1/demo")
    under("narrowed to a longer prefix", VALID, "/v1/demo", "/v1/d*")
    under("narrowed to one path", VALID, "/v1/demo", "/v1/demo")
    under("narrowed to another path", SCOPE, "/v1/demo", "/v1/data")
    under("widened to a shorter prefix", SCOPE, "/v1/demo", "/v*")
    under("widened beyond its slash", SCOPE, "/v1/demo", "/v1*")
    under("narrowed, then back", SCOPE, "/v1/demo", "/v1/d*", "/v1/*", flags=["DuplicateCaveat"])
    under("one path, then a prefix of it", SCOPE, "/v1/demo", "/v1/demo", "/v1/demo*", flags=["DuplicateCaveat"])
    under("narrowed three times", VALID, "/v1/demo", "/v1/d*", "/v1/de*", "/v1/demo", flags=["DuplicateCaveat"])
    under("a star that is not the last matches no path", SCOPE, "/v1/demo", "/v1/*o")
    under("a second star is a character", SCOPE, "/v1/demo", "/v1/d**")
    under("a question mark is no pattern", SCOPE, "/v1/demo", "/v1/dem?")
    add.chain("every path", VALID, replaced(MINTED, path="demo_path=/*"), [], request(target="/"))


def max_price(add):
    condition = "demo_max_price_msat"
    add.each(condition, VALID, [], (21_000, "the same"))
    add.each(condition, SCOPE, [], (21_001, "one more"), (20_999, "less than the request costs"))
    add.each(condition, SCOPE, ["ExpiryAsText"], (9_000, "less, though its text comes after"))
    add.each(condition, SCOPE, ["Integer64"], U64)
    add.each(condition, SCOPE, ["NumberSpelling"], U64 + 1, "", "021000", "-1", "+21000", "21000 msat", "21.0", "21e3")
    add.more("a price of what was paid", VALID, lowest_price_msat=21_000)
    add.more("a price below it", VALID, lowest_price_msat=20_999)
    add.more("a price of nothing", VALID, lowest_price_msat=0)
    add.more("a price above it", SCOPE, lowest_price_msat=21_001)
    add.more("a price whose text comes before", SCOPE, lowest_price_msat=100_000, flags=["ExpiryAsText"])
    add.more("the highest price there is", SCOPE, lowest_price_msat=U64, flags=["Integer64"])
    add.more("less, where the request costs less", VALID, "demo_max_price_msat=20000", lowest_price_msat=20_000)
    add.chain("the highest price was paid", VALID, replaced(MINTED, max_price_msat="demo_max_price_msat=%d" % U64),
              ["Integer64"], request(lowest_price_msat=U64))
    add.chain("nothing was paid", SCOPE, replaced(MINTED, max_price_msat="demo_max_price_msat=0"))


def uses(add):
    always = ["UsesAlwaysMinted"]
    add.each("demo_uses", VALID, [], (1, "the same"))
    add.each("demo_uses", SCOPE, always, (2, "one more"), (1_000, "many more"), (2**32 - 1, "as many as there are"))
    add.each("demo_uses", SCOPE, ["NumberSpelling"], 0, "", "01", "-1", "+1", "1.0", "one", "¹")
    ten = replaced(MINTED, uses="demo_uses=10")
    add.chain("ten", VALID, ten)
    add.chain("ten, narrowed to three", VALID, ten + ["demo_uses=3"])
    add.chain("ten, then nine: as text nine is more", VALID, ten + ["demo_uses=9"], ["ExpiryAsText"])
    add.chain("three, then ten: as text ten is less", SCOPE, replaced(MINTED, uses="demo_uses=3") + ["demo_uses=10"],
              ["ExpiryAsText"])
    add.chain("ten, narrowed to three, then four", SCOPE, ten + ["demo_uses=3", "demo_uses=4"], ["DuplicateCaveat"])
    add.chain("ten, then eleven", SCOPE, ten + ["demo_uses=11"], ["DuplicateCaveat"])
    add.chain("as many as there are", VALID, replaced(MINTED, uses="demo_uses=%d" % (2**32 - 1)))
    add.chain("none minted", SCOPE, replaced(MINTED, uses="demo_uses=0"), ["NumberSpelling"])
    bare = replaced(MINTED, uses=None)
    add.chain("an absent one means one", VALID, bare, ["AbsentCaveat"])
    add.chain("absent, and two written elsewhere", SCOPE, bare + ["demo_path=/v1/demo", "demo_uses=2"],
              ["AbsentCaveat", "UsesAlwaysMinted"])
    add.chain("absent, and one written elsewhere", VALID, bare + ["demo_path=/v1/demo", USES], ["AbsentCaveat"])
    add.chain("absent, and two behind an unknown condition", SCOPE, bare + ["color=red", "demo_uses=2"],
              ["AbsentCaveat", "UsesAlwaysMinted"])


def query(add):
    empty, asked = sha256(b"").hex(), sha256(b"a=1&b=2").hex()
    bound = MINTED + ["demo_query=" + asked]
    add.each("demo_query", VALID, [], (empty, "an absent query is an empty one"), (empty.upper(), "in upper case"))
    add.each("demo_query", SCOPE, [], (asked, "another query"), ("", "no hash"), (empty[:-2], "a byte less"),
             (empty + "00", "a byte more"), ("g" * 64, "no hex"), ("0x" + empty, "a prefix"))

    def at(comment, expected, target, caveats=bound, flags=(), **asked):
        add.chain(comment, expected, caveats, flags, request(target=target, **asked))

    at("the query that was paid for", VALID, "/v1/demo?a=1&b=2", binds_query=True)
    at("no query", SCOPE, "/v1/demo", binds_query=True)
    at("the same parameters in another order", SCOPE, "/v1/demo?b=2&a=1", binds_query=True)
    at("the same query escaped otherwise: its bytes count", SCOPE, "/v1/demo?%61=1&b=2", binds_query=True)
    at("all after the first question mark", VALID, "/v1/demo?x?y", MINTED + ["demo_query=" + sha256(b"x?y").hex()])
    at("a question mark without a query is an absent one", VALID, "/v1/demo?", MINTED + ["demo_query=" + empty])
    at("any query, where none is bound", VALID, "/v1/demo?a=1", MINTED)
    at("rebound by the holder to another query", SCOPE, "/v1/demo?c=3",
       bound + ["demo_query=" + sha256(b"c=3").hex()], ["DuplicateCaveat"])
    at("not bound, where the route binds", INVALID, "/v1/demo?a=1&b=2", MINTED, ["AbsentCaveat"], binds_query=True)
    at("bound by the holder, not by the mint", INVALID, "/v1/demo?a=1&b=2",
       MINTED + ["demo_path=/v1/demo", "demo_query=" + asked], ["AbsentCaveat"], binds_query=True)
    at("bound by the holder, where the route does not", VALID, "/v1/demo?a=1&b=2",
       MINTED + ["demo_path=/v1/demo", "demo_query=" + asked])


def digest(add):
    def text(body, name="sha-256"):
        return "%s=:%s:" % (name, base64.b64encode(sha256(body)).decode())

    # Its digest has a character in which the two alphabets differ.
    body = next(b for b in (b"%d" % n for n in range(99)) if "+" in text(b) and "/" in text(b))
    right = text(body)

    def at(comment, expected, *values, flags=(), body=body, **asked):
        caveats = MINTED + ["demo_digest=" + value for value in values]
        add.chain(comment, expected, caveats, flags, request(body=body and body.hex(), **asked))

    at("the body that was paid for", VALID, right, binds_body=True)
    at("the same twice", VALID, right, right, flags=["DuplicateCaveat"])
    at("another body", SCOPE, right, body=b"other", binds_body=True)
    at("a body that was not read", SCOPE, right, body=None)
    at("rebound by the holder to another body", SCOPE, right, text(b"other"), body=b"other", flags=["DuplicateCaveat"])
    at("any body, where none is bound", VALID)
    at("not bound, where the route binds", INVALID, binds_body=True, flags=["AbsentCaveat"])
    add.chain("bound by the holder, not by the mint", INVALID,
              MINTED + ["demo_uses=1", "demo_digest=" + right], ["AbsentCaveat"],
              request(body=body.hex(), binds_body=True))
    add.chain("an empty body is one", VALID, MINTED + ["demo_digest=" + text(b"")], [],
              {**request(binds_body=True), "body": ""})
    for value, comment in [
        ("", "nothing"), ("sha-256=::", "no bytes"), (right[:-1], "no last colon"), (right[8:], "no algorithm"),
        (right.replace("sha-256", "SHA-256"), "upper case"), (text(body, "sha-512"), "another algorithm's name"),
        (right.replace("=:", ":").replace("sha-256:", "sha-256=:"), "no padding"),
        (right.replace("+", "-").replace("/", "_"), "the url-safe alphabet"), (right + ", " + right, "a list"),
        (sha256(body).hex(), "hex"), (right + ";a=1", "a parameter"),
    ]:
        at("digest written as %s" % comment, SCOPE, value)


def capabilities(add):
    condition, sold = "demo_capabilities", MINTED + ["demo_capabilities=read,write"]

    def at(comment, expected, capability, *more, caveats=sold, flags=(), **asked):
        add.chain(comment, expected, caveats + list(more), flags, request(capability=capability, **asked))

    at("the first that was sold", VALID, "read")
    at("the last that was sold", VALID, "write")
    at("none asked for", VALID, None)
    at("one that was not sold", SCOPE, "admin")
    at("a part of a name is no name", SCOPE, "rea")
    at("names have a case", SCOPE, "READ")
    at("narrowed to the one asked for", VALID, "write", "demo_capabilities=write")
    at("narrowed to another", SCOPE, "read", "demo_capabilities=write")
    at("in another order", VALID, "read", "demo_capabilities=write,read")
    at("one more written by the holder", SCOPE, "admin", "demo_capabilities=read,write,admin")
    at("narrowed, then back", SCOPE, "read", "demo_capabilities=write", "demo_capabilities=read,write",
       flags=["DuplicateCaveat"])
    at("none sold, one asked for", SCOPE, "read", caveats=MINTED, flags=["AbsentCaveat"])
    at("none sold, and written by the holder behind another caveat", SCOPE, "admin", "color=red",
       "demo_capabilities=admin", caveats=MINTED, flags=["AbsentCaveat"])
    add.each(condition, VALID, [], "read", "a:b/c.d")
    add.each(condition, SCOPE, [], ("", "an empty list"), (",", "two empty items"), ("read,", "a last empty item"),
             ("read, write", "a space inside"), ("re\tad", "a tab"), ("lése", "not ASCII"))


GROUPS = [
    ("services", "Row `services`.", services),
    ("valid_until", "Row `<service>_valid_until`.", valid_until),
    ("method", "Row `<service>_method`.", method),
    ("path", "Row `<service>_path`.", path),
    ("max_price_msat", "Row `<service>_max_price_msat`.", max_price),
    ("uses", "Row `<service>_uses`.", uses),
    ("query", "Row `<service>_query`.", query),
    ("digest", "Row `<service>_digest`.", digest),
    ("capabilities", "Row `<service>_capabilities`.", capabilities),
]
