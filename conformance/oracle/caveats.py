"""`caveats`: what a chain of caveats allows (docs/PROTOCOL.md §2), its MAC taken for right."""

import base64

import caveat_rules
import common
import fixtures
from common import Suite, seeded, sha256
from fixtures import MINTED, NOW, PREIMAGE, UNTIL, USES, octets, replaced, request

RULE = "docs/PROTOCOL.md §2"
U64 = caveat_rules.U64
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


VALID, INVALID, SCOPE, EXPIRED = "valid", "invalid_credential", "out_of_scope", "expired"


def build():
    suite = Suite("caveats")
    for name, description in FLAGS.items():
        suite.flag(name, description, RULE)
    for first, (name, comment, fill) in enumerate(GROUPS):
        fill(Cases(suite.group(name, comment, 1 + 100 * first)))
    return suite


# --- each row of the table -----------------------------------------------------------------------


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


# --- the chain as a whole ------------------------------------------------------------------------


def beginnings(add):
    rows = ["services", "valid_until", "method", "path", "max_price_msat"]
    for row in rows:
        absent = replaced(MINTED, **{row: None})
        caveat = MINTED[rows.index(row)]
        add.chain("without %s" % row, INVALID, absent, ["AbsentCaveat"])
        add.chain("%s written by the holder at the end" % row, INVALID, absent + [caveat],
                  ["AbsentCaveat", "DuplicateCaveat"])
    for row in rows[1:4]:
        caveat = MINTED[rows.index(row)]
        index = rows.index(row)
        add.chain("%s twice, and so the next one late" % row, INVALID, MINTED[:index] + [caveat] + MINTED[index:],
                  ["DuplicateCaveat"])
    add.chain("nothing at all", INVALID, [], ["AbsentCaveat"])
    add.chain("in another order", INVALID, [MINTED[i] for i in (0, 2, 1, 3, 4, 5)])
    add.chain("an unknown condition before all", INVALID, ["color=red"] + MINTED)
    for row, caveat, comment in [
        ("services", "services=demo:0,demo:0", "two pairs, though the same"),
        ("services", "services=demo:0,other:0", "two services"),
        ("services", "services=", "no pair"),
        ("services", "services=demo", "no tier"),
        ("services", "services=demo:01", "a leading zero"),
        ("services", "services=Demo:0", "an upper-case name"),
        ("services", "SERVICES=demo:0", "an upper-case condition"),
        ("services", "service=demo:0", "another condition"),
        ("valid_until", "other_valid_until=%d" % UNTIL, "another service's"),
        ("valid_until", "valid_until=%d" % UNTIL, "no service's"),
        ("valid_until", "demo_valid_until=", "no number"),
        ("valid_until", "demo_valid_until=0%d" % UNTIL, "a leading zero"),
        ("valid_until", "demo_valid_until=%d" % (U64 + 1), "a number out of bounds"),
        ("valid_until", "demo_valid_until=2027-01-15T08:00:00Z", "a date"),
        ("method", "demo_method=get", "lower case"),
        ("method", "demo_method=", "none"),
        ("path", "demo_path=", "none"),
        ("path", "demo_path=*", "not a path"),
        ("path", "demo_path=v1/demo", "no first slash"),
        ("max_price_msat", "demo_max_price_msat=", "none"),
        ("max_price_msat", "demo_max_price_msat=21 000", "a space"),
        ("max_price_msat", "demo_max_price_sat=21", "satoshis"),
        ("max_price_msat", b"demo_max_price_msat=\xff", "not UTF-8"),
    ]:
        add.chain("begins with %s for %s" % (comment, row), INVALID, replaced(MINTED, **{row: caveat}))


def others(add):
    skipped = [
        ("time < 10", "no =", ["OtherSystem"]), ("", "no bytes", ["OtherSystem"]),
        (b"\xff\xfe=1", "not UTF-8", ["OtherSystem"]), (b"demo_valid_until=1\xff", "a known one, not UTF-8", ["OtherSystem"]),
        (b"demo_valid_until=\xc0\xb1", "an overlong digit, not UTF-8", ["OtherSystem"]),
        ("=", "= alone", ["OtherSystem"]), ("=1", "no condition", ["OtherSystem"]),
        ("demo_color=red", "an unknown row", ["OtherSystem"]),
        ("Demo_valid_until=1", "conditions have a case", ["OtherSystem"]),
        ("demo_valid_until_=1", "a longer condition", ["OtherSystem"]), ("demo_=1", "no row", ["OtherSystem"]),
        ("demo=1", "the service alone", ["OtherSystem"]), ("valid_until=1", "no service", ["OtherSystem"]),
        ("_valid_until=1", "an empty service", ["OtherSystem"]),
        ("demo__valid_until=1", "two underscores", ["OtherSystem"]),
        ("demo\u00a0_valid_until=1", "another kind of space", ["OtherSystem"]),
        ("other_valid_until=1", "another service's", ["OtherService"]),
        ("a_valid_until=1", "a shorter service's", ["OtherService"]),
        ("demo-2_valid_until=1", "a service whose name begins the same", ["OtherService"]),
        ("demo_demo_valid_until=1", "a service that ends the same", ["OtherService"]),
    ]
    for caveat, comment, flags in skipped:
        add.more("skipped: %s" % comment, VALID, caveat, flags=flags)
        add.more("strict: %s" % comment, SCOPE, caveat, flags=flags, strict=True)
    add.more("strict, with nothing unknown", VALID, strict=True)
    own = ["services=a:0", "a_valid_until=%d" % UNTIL, "a_method=GET", "a_path=/v1/demo", "a_max_price_msat=21000",
           "a_uses=1"]
    add.chain("service a with a caveat of a_b", VALID, own + ["a_b_path=/x"], ["OtherService"], request(service="a"))
    add.chain("service a, strict, with a caveat of a_b", SCOPE, own + ["a_b_path=/x"], ["OtherService"],
              request(service="a", strict=True))
    add.chain("service a at service b", SCOPE, own, ["OtherService"], request(service="b"))
    dashed = [caveat.replace("demo", "de-mo-1", 1) for caveat in MINTED]
    add.chain("a service with dashes and digits", VALID, dashed, ["OtherService"], request(service="de-mo-1"))


def spaces(add):
    flags = ["Spaces"]
    early, late = "valid_until", "demo_valid_until=%d" % NOW
    add.more("around =, and expired", EXPIRED, late.replace("=", " = "), flags=flags)
    add.more("many of them", EXPIRED, late.replace("=", "    =   "), flags=flags)
    add.more("before the condition: it binds as it was meant", EXPIRED, "  " + late, flags=flags)
    add.more("after the value", EXPIRED, late + "  ", flags=flags)
    add.chain("in every minted caveat", VALID, [caveat.replace("=", " = ", 1) for caveat in MINTED], flags)
    add.chain("inside a condition", INVALID, replaced(MINTED, **{early: "demo_valid until=%d" % UNTIL}), flags)
    add.more("a tab is none: the condition is unknown", VALID, "\t" + late, flags=flags)
    add.more("a tab is none: the value is no number", SCOPE, late.replace("=", "=\t"), flags=flags)
    add.more("a newline is none", SCOPE, late + "\n", flags=flags)
    add.more("a no-break space is none", SCOPE, late.replace("=", "=\u00a0"), flags=flags)
    add.more("inside a number", SCOPE, "demo_valid_until=1 800 000 060", flags=flags)
    add.more("a value that is spaces alone", SCOPE, "demo_path=  ", flags=flags)
    add.chain("split at the first =", VALID, replaced(MINTED, path="demo_path=/v1/a=b"), flags,
              request(target="/v1/a=b"))
    add.chain("spaces around a later = stay", SCOPE, replaced(MINTED, path="demo_path=/v1/a = b"), flags,
              request(target="/v1/a=b"))


def preimages(add):
    flags, right = ["PreimageCaveat"], "preimage=" + PREIMAGE.hex()
    wrong = "preimage=" + seeded("another preimage").hex()

    def at(comment, expected, *more, header=PREIMAGE, **asked):
        add.chain(comment, expected, MINTED + list(more), flags, request(**asked), header)

    at("the same as the header's", VALID, right)
    at("the same in upper case", VALID, "preimage=" + PREIMAGE.hex().upper())
    at("the same twice", VALID, right, right)
    at("instead of the header's", VALID, right, header=None)
    at("instead of the header's, with spaces", VALID, right.replace("=", " = "), header=None)
    at("known to a strict verifier", VALID, right, strict=True)
    at("another than the header's", INVALID, wrong)
    at("one right and one wrong", INVALID, right, wrong)
    at("one wrong and one right", INVALID, wrong, right)
    at("wrong, without a header", INVALID, wrong, header=None)
    at("right, beside a wrong header", INVALID, right, header=seeded("another preimage"))
    at("wrong, and the same as the header's", INVALID, wrong, header=seeded("another preimage"))
    at("neither in a caveat nor in the header", INVALID, header=None)
    at("the payment hash in its place", INVALID, "preimage=" + sha256(PREIMAGE).hex(), header=None)
    at("no hex", INVALID, "preimage=")
    at("a byte too short", INVALID, right[:-2])
    at("a byte too long", INVALID, right + "00")
    at("not hex", INVALID, "preimage=" + "zz" * 32)
    at("a condition that has a case", INVALID, "Preimage=" + PREIMAGE.hex(), header=None)
    at("the service's own preimage is an unknown condition", INVALID, "demo_" + right, header=None)
    add.chain("before the minted caveats", INVALID, [right] + MINTED, flags)
    add.chain("among the minted caveats", INVALID, MINTED[:2] + [right] + MINTED[2:], flags)


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
    ("beginning", "A chain that does not begin as minted ones do is no credential.", beginnings),
    ("others", "What is not this service's or not known.", others),
    ("spaces", "Where a caveat is split, and what is trimmed.", spaces),
    ("preimage", "Row `preimage`.", preimages),
]

if __name__ == "__main__":
    common.main(build)
