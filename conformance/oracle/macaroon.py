"""`macaroon`: the format in its three encodings, what holders do with it, and what peers make of it.

Every answer is this oracle's own (macaroons.py), also for the peers' bytes; where a recorded verdict
says more than yes or no, it has to agree.
"""

import hashlib

import common
import macaroon_cases
import macaroon_made
import macaroon_peers as peers
from common import Suite, seeded, sha256
from macaroon_made import both
from macaroons import Refused, create, link, read, verify

SECTION = "docs/PROTOCOL.md §1"
FLAGS = {
    "AnyBytes": "A caveat is bytes as carried, UTF-8 or not.",
    "Base64": "One alphabet, exact padding or none, spare bits zero.",
    "Bounds": "A macaroon has at most 65,536 bytes and 4,096 caveats; a token 8,192 bytes and 64 caveats.",
    "Discharges": "A third-party caveat takes exactly one bound discharge, and none is left over.",
    "FieldLength": "A field has at most 65,535 bytes.",
    "FieldOrder": "Fields are in order, each at most once, and no type is unknown.",
    "FirstPartyLocation": "Only a third party's caveat has a location.",
    "Formats": "v1, v2 binary and v2 JSON are read, with base64 in any of its four spellings.",
    "JsonBase64": "A member whose name ends with 64 holds base64 in one of its four spellings.",
    "JsonForm": "v2 JSON is one object of known names, each once, with values of the right types.",
    "JsonParts": "Each part is there in one spelling, as text or as base64.",
    "LibrariesDisagree": "A library lets in what the strict rules refuse, or refuses what they take; the comment names it.",
    "LocationUtf8": "A location is UTF-8.",
    "NotL402": "The macaroon holds, and its identifier or preimage is not L402's.",
    "Satisfied": "The MAC is finished before any caveat is judged, and then each has to hold.",
    "Signature": "The signature is the HMAC chain from the derived key over identifier and caveats.",
    "SignatureLength": "A signature has 32 bytes.",
    "TrailingBytes": "Nothing follows the signature.",
    "ThirdParty": "A third-party caveat is read, whatever its location.",
    "Truncated": "What is cut short is refused.",
    "V1Packets": "Packets are in order, with four lower-case digits, one space, and a final newline.",
    "Varint": "A number is the shortest varint, of at most five bytes.",
    "VerificationIdLength": "A verification id has 72 bytes.",
    "Version": "The first byte tells the format, and the version is 2.",
}
# Which rule a recorded case is about, by the code that it is refused with.
TOPICS = {
    "base64_alphabet": "Base64",
    "base64_length": "Base64",
    "base64_padding": "Base64",
    "discharge_caveat": "Satisfied",
    "discharge_signature": "Signature",
    "invalid_hex": "NotL402",
    "invalid_identifier": "NotL402",
    "macaroon_duplicate": "JsonParts",
    "macaroon_field_too_long": "FieldLength",
    "macaroon_format": "Version",
    "macaroon_json": "JsonForm",
    "macaroon_location_on_first_party": "FirstPartyLocation",
    "macaroon_packet": "V1Packets",
    "macaroon_section_end": "FieldOrder",
    "macaroon_signature_length": "SignatureLength",
    "macaroon_trailing_bytes": "TrailingBytes",
    "macaroon_truncated": "Truncated",
    "macaroon_utf8": "LocationUtf8",
    "macaroon_varint": "Varint",
    "macaroon_verification_id_length": "VerificationIdLength",
    "macaroon_version": "Version",
    "preimage_mismatch": "NotL402",
}
# Where a rule stands that is not in the section of the format.
RULES = {"AnyBytes": "docs/PROTOCOL.md §2", "Satisfied": "docs/PROTOCOL.md §3"}
EXPECTED_TOPIC = {"v1": "V1Packets", "v2": "FieldOrder", "v2json": "JsonParts"}


def build():
    suite = Suite("macaroon", "1.0.1")
    for name, description in FLAGS.items():
        suite.flag(name, description, RULES.get(name, SECTION))
    recorded(suite)
    own(suite)
    generated(suite)
    macaroon_made.made(suite)
    discharged(suite)
    macaroon_made.attenuated(suite)
    return suite


def answer(input):
    """What the rules say to a `verify`: the output, or Refused."""
    macaroon = read(input["macaroon"])
    satisfied = input["satisfied"]
    held = "all" if satisfied == "all" else [bytes.fromhex(c) for c in satisfied]
    given = [read(d) for d in input.get("discharges", [])]
    verify(macaroon, bytes.fromhex(input["root_key"]), held, given)
    if "preimage" in input:
        if len(macaroon.identifier) != 66 or macaroon.identifier[:2] != b"\0\0":
            raise Refused("invalid_identifier")
        if len(input["preimage"]) != 64:
            raise Refused("invalid_hex")
        if sha256(bytes.fromhex(input["preimage"])) != macaroon.identifier[2:34]:
            raise Refused("preimage_mismatch")
    return macaroon.output()


def add(group, comment, input, flags=(), valid=None):
    """Adds a `verify` with the rules' own answer; `valid` is what it has to be."""
    input = {"op": "verify", **input}
    try:
        output = answer(input)
    except Refused as refused:
        assert valid is not True, (comment, refused.code)
        group.invalid(comment, input, refused.code, flags)
    else:
        assert valid is not False, comment
        group.valid(comment, input, output, flags)


# --- the recorded peers ----------------------------------------------------------------------


def recorded(suite):
    accept, reject = peers.recorded()
    source = {"name": "recorded-peers", "version": "go-macaroon 2.1.0, macaroon-rs 0.3.0, pymacaroons 0.13.0, npm macaroon 3.0.4, libmacaroons 0.4-dev"}

    group = suite.group(
        "what libraries write",
        "Encodings made by other libraries: the strict rules and at least three libraries take each. "
        "Equal outputs are re-encodings of one macaroon.",
        1,
        source,
    )
    for case in accept:
        comment = "%s %s: %s; made by %s, taken by %s" % (
            case["id"], case["format"], case["description"],
            peers.names(case["produced_by"]), peers.names(case["accepted_by"]),
        )  # fmt: skip
        all_take = len(case["accepted_by"]) == len(peers.NAMES)
        flags = [] if all_take else disagreement(peers.encoding(case))
        add(group, comment, recorded_input(case), flags, True)

    group = suite.group(
        "what must be refused",
        "Broken, tampered and misused macaroons, most of which some library lets in.",
        1001,
        source,
    )
    for case in reject:
        taken = case["accepted_by"]
        comment = "%s %s: %s; let in by %s" % (case["id"], case["format"], case["description"], peers.names(taken))
        input = recorded_input(case)
        flags = {topic(case["format"], input)} | ({"LibrariesDisagree"} if taken else set())
        add(group, comment, input, flags, False)


def recorded_input(case):
    input = {"macaroon": peers.encoding(case), "root_key": case["root_key_hex"], "satisfied": case["satisfy"]}
    if peers.discharges(case):
        input["discharges"] = peers.discharges(case)
    if "preimage_hex" in case:
        input["preimage"] = case["preimage_hex"]
    return input


def disagreement(encoding):
    """The flags of an encoding that is right and that not every library takes: the rules that let it in."""
    caveats = read(encoding).caveats
    rules = {
        "AnyBytes": not all(is_utf8(id) for id, _, _ in caveats),
        "Formats": encoding["format"] != "v2",
        "ThirdParty": any(vid is not None and not location for _, vid, location in caveats),
    }
    flags = [flag for flag, applies in rules.items() if applies]
    assert flags, "which rule lets it in? %s" % encoding
    return ["LibrariesDisagree", *flags]


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def topic(format, input):
    try:
        answer(input)
    except Refused as refused:
        code = refused.code
    else:
        raise AssertionError("taken: %s" % input)
    if code == "macaroon_expected":
        return EXPECTED_TOPIC[format]
    if code.startswith("discharge_") and "discharges" in input:
        return "Discharges"
    return TOPICS.get(code) or "Discharges"


# --- our own encodings -----------------------------------------------------------------------


def own(suite):
    for i, (name, comment, cases) in enumerate(macaroon_cases.cases()):
        group = suite.group(name, comment, 2001 + 100 * i)
        for comment, flags, encoding, root_key in cases:
            judged = verdicts(encoding, root_key)
            right = not flags
            others = [library for library, taken in judged.items() if taken != right]
            if others:
                verb = "refused by" if right else "let in by"
                comment += "; %s %s" % (verb, " and ".join(others))
                flags = disagreement(encoding) if right else [*flags, "LibrariesDisagree"]
            add(group, comment, {"macaroon": encoding, "root_key": root_key.hex(), "satisfied": "all"}, flags, right)


def verdicts(encoding, root_key):
    """Which libraries took an encoding, of those that were asked."""
    name = judged_name(encoding, root_key)
    asked = [p for p in peers.generated() if (p["library"], encoding["format"]) != ("npm macaroon", "v1")]
    assert all(name in p["judged"] for p in asked), "run conformance/peers/generate"
    return {p["library"]: p["judged"][name] for p in asked}


def judged_name(encoding, root_key):
    data = "%s/%s/%s" % (encoding["format"], encoding.get("hex", encoding.get("text")), root_key.hex())
    return hashlib.sha256(data.encode()).hexdigest()[:16]


# --- what our own generators had the libraries make ------------------------------------------


def generated(suite):
    by_name = {c[0]: c for c in macaroon_cases.CREATED}
    for i, peer in enumerate(peers.generated()):
        group = suite.group(
            "made by " + peer["library"],
            "The same macaroons as every library makes them, L402 tokens among them (conformance/peers).",
            3001 + 100 * i,
            {"name": peer["library"], "version": peer["version"]},
        )
        asked = set()
        for case in peer["created"]:
            _, (key, id, caveats), location = by_name[case["name"]]
            encoding = peers.encoding(case)
            macaroon = create(key, id, location.encode())
            for caveat in caveats:
                macaroon.add(caveat)
            assert read(encoding).output() == macaroon.output(), case
            if encoding["format"] == "v2":
                assert encoding["hex"] == macaroon.v2().hex(), case
            # The binary forms have one spelling: the first library's stands for all.
            if case_key(encoding) in seen(suite) or case_key(encoding) in asked:
                continue
            asked.add(case_key(encoding))
            same = [p["library"] for p in peers.generated() if any(peers.encoding(c) == encoding for c in p["created"])]
            input = {"macaroon": encoding, "root_key": key.hex(), "satisfied": [c.hex() for c in caveats]}
            comment = "%s: %s; written so by %s" % (encoding["format"], case["name"], " and ".join(same))
            add(group, comment, input, (), True)
        if not group.tests:
            suite.groups.remove(group)


def case_key(encoding):
    return (encoding["format"], encoding.get("hex", encoding.get("text")))


def seen(suite):
    tests = [t for g in suite.groups for t in g.tests]
    return {case_key(t["input"]["macaroon"]) for t in tests if "macaroon" in t["input"]}


# --- third parties ---------------------------------------------------------------------------


def discharged(suite):
    group = suite.group("bind", "A discharge is bound to the macaroon that it is presented with.", 4201)
    root, nonces = seeded("third/root key"), [seeded("third/nonce/%d" % i, 24) for i in range(4)]
    encoded = lambda m: {"format": "v2", "hex": m.v2().hex()}

    def macaroon(*parties, caveats=()):
        made = create(root, b"third", b"l402")
        for i, (key, id) in enumerate(parties):
            made.add_third_party(key, id, b"https://pay", nonces[i])
        for caveat in caveats:
            made.add(caveat)
        return made

    def discharge(key, id, *caveats):
        made = create(key, id, b"https://pay")
        for caveat in caveats:
            made.add(caveat)
        return made

    one = macaroon((b"key-1", b"id-1"))
    two = macaroon((b"key-1", b"id-1"), (b"key-2", b"id-2"), caveats=[b"a=1"])
    first, second = discharge(b"key-1", b"id-1", b"paid=yes"), discharge(b"key-2", b"id-2")
    for comment, m, d in [("a discharge with a caveat", one, first), ("a discharge without caveats", two, second)]:
        group.valid(comment, {"op": "bind", "macaroon": encoded(m), "discharge": encoded(d)}, both(m.bind(d)))

    group = suite.group("discharges", "Third-party caveats and what satisfies them.", 4301)

    def case(comment, valid, m, given, satisfied="all", flag="Discharges"):
        input = {"macaroon": encoded(m), "root_key": root.hex(), "satisfied": satisfied}
        input["discharges"] = [encoded(d) for d in given]
        add(group, comment, input, [] if valid else [flag], valid)

    bound = lambda m, *given: [m.bind(d) for d in given]
    held = [b"a=1".hex(), b"paid=yes".hex()]
    case("one caveat, one discharge", True, one, bound(one, first))
    case("two caveats, discharges in the other order, all caveats held", True, two, bound(two, second, first), held)
    nested = discharge(b"key-1", b"id-1")
    nested.add_third_party(b"key-2", b"id-2", None, nonces[3])
    case("a discharge that asks for another", True, one, bound(one, nested, second))
    case("the discharge's own caveat does not hold", False, one, bound(one, first), [], "Satisfied")
    case("the second discharge is missing", False, two, bound(two, first))
    case("a discharge bound to another macaroon", False, one, bound(two, first))
    later = macaroon((b"key-1", b"id-1"), caveats=[b"a=1"])
    case("a discharge bound before a caveat was added", False, later, bound(one, first))
    case("a discharge bound twice", False, one, bound(one, one.bind(first)))
    case("a discharge of another key", False, one, bound(one, discharge(b"key-2", b"id-1")))
    case("a discharge of another identifier", False, one, bound(one, discharge(b"key-1", b"id-2")))
    case("a caveat added to a bound discharge", False, one, [narrowed(one.bind(second_of(first)))])
    case("a discharge too many", False, one, bound(one, first, second))
    case("a nested discharge is missing", False, one, bound(one, nested))
    case("two caveats ask for one discharge", False, macaroon((b"key-1", b"id-1"), (b"key-1", b"id-1")), bound(macaroon((b"key-1", b"id-1"), (b"key-1", b"id-1")), first))
    wrong = macaroon((b"key-1", b"id-1"))
    id, vid, where = wrong.caveats[0]
    forged = create(root, b"third", b"l402")
    forged.caveats = [(id, vid[:-1] + bytes([vid[-1] ^ 1]), where)]
    forged.signature = link(create(root, b"third").signature, *forged.caveats[0][:2])
    case("a verification id that does not open, under a right signature", False, forged, bound(forged, first))


def second_of(macaroon):
    return read({"format": "v2", "hex": macaroon.v2().hex()})


def narrowed(macaroon):
    macaroon.add(b"b=2")
    return macaroon


if __name__ == "__main__":
    common.main(build)
