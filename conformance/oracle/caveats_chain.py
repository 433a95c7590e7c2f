"""Groups of `caveats`: the chain as a whole, what is read of it, and the preimage."""

from caveat_rules import U64
from caveats_cases import EXPIRED, INVALID, SCOPE, VALID
from common import seeded, sha256
from fixtures import MINTED, NOW, PREIMAGE, UNTIL, replaced, request


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
    ("beginning", "A chain that does not begin as minted ones do is no credential.", beginnings),
    ("others", "What is not this service's or not known.", others),
    ("spaces", "Where a caveat is split, and what is trimmed.", spaces),
    ("preimage", "Row `preimage`.", preimages),
]
