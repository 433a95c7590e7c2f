"""Encodings of our own making that a reader is held to: right ones, and every way to be wrong.

The peers' generators (../peers) put the same encodings to other libraries, whose verdicts the suite
then tells.
"""

import base64
import json

import common
from common import b64, b64url, chain, hmac_sha256, seeded, sha256, v2_encode, v2_field, varint
from macaroons import VID_BYTES, create, packet

ROOT = seeded("macaroon/root key")
ID = b"id"
CAVEATS = [b"a=1", b"b=2"]
SIGNATURE = chain(ROOT, ID, CAVEATS)
LOCATION = b"l402"

V2 = v2_encode(ID, CAVEATS, SIGNATURE)
HEAD = b"\x02" + v2_field(1, LOCATION) + v2_field(2, ID) + b"\0"
BODY = b"".join(v2_field(2, c) + b"\0" for c in CAVEATS)
TAIL = b"\0" + v2_field(6, SIGNATURE)
assert V2 == HEAD + BODY + TAIL

P_LOCATION, P_ID = packet(b"location", LOCATION), packet(b"identifier", ID)
P_CAVEATS = b"".join(packet(b"cid", c) for c in CAVEATS)
P_SIGNATURE = packet(b"signature", SIGNATURE)
V1 = P_LOCATION + P_ID + P_CAVEATS + P_SIGNATURE

VID = seeded("macaroon/vid", VID_BYTES)


def minted(name, caveats, network="regtest"):
    """A token as L402 mints it: root key of the macaroon, identifier, caveats."""
    payment_hash = sha256(seeded(name + "/preimage"))
    key = common.macaroon_key(ROOT, network, payment_hash)
    return key, common.identifier(payment_hash, common.token_id(ROOT, payment_hash)), caveats


MINTED = [
    b"services=demo:0",
    b"demo_valid_until=1900000000",
    b"demo_method=GET",
    b"demo_path=/v1/demo",
    b"demo_max_price_msat=21000",
    b"demo_uses=1",
]

# What the libraries themselves are to write: name, (key, identifier, caveats), location.
CREATED = [
    ("a minted token", minted("created/1", MINTED), "l402"),
    ("a minted token, narrowed by its holder", minted("created/2", MINTED + [b"demo_path=/v1/demo", b"demo_valid_until=1800000000"]), "l402"),
    ("a minted token with its preimage as a caveat", minted("created/3", MINTED + [b"preimage=" + seeded("created/3/preimage").hex().encode()]), "l402"),
    ("a minted token for mainnet", minted("created/4", MINTED, "bitcoin"), "l402"),
    ("a minted token with a digest", minted("created/5", MINTED + [b"demo_digest=sha-256=:" + b64(sha256(b"body")).encode() + b":"]), "l402"),
    ("a minted token with a prefix path", minted("created/6", [c.replace(b"/v1/demo", b"/v1/*") for c in MINTED]), "l402"),
    ("no caveats", (ROOT, ID, []), "l402"),
    ("a caveat without =", (ROOT, ID, [b"holder-note"]), "l402"),
    ("a caveat with quotes, braces and a backslash", (ROOT, ID, [b'note={"a":"b\\c"}']), "l402"),
    ("a caveat of 127 bytes and one of 128", (ROOT, ID, [b"x" * 127, b"y" * 128]), "l402"),
    ("64 caveats, the most that L402 takes", (ROOT, ID, [b"n=%d" % i for i in range(64)]), "l402"),
    ("a location that is a URL", (ROOT, ID, CAVEATS), "https://example.com/l402"),
]


def cases():
    """Groups: (name, comment, [(comment, flags, encoding, root key)])."""
    return [_right(), _v2(), _v1(), _json(), _base64(), _signature()]


def _hex(format, data):
    return {"format": format, "hex": data.hex()}


def _text(format, text):
    return {"format": format, "text": text}


def _right():
    def case(comment, encoding, root=ROOT):
        return (comment, [], encoding, root)

    long_id = seeded("long", 300)
    many = [b"c=%d" % i for i in range(65)]
    nothing = create(ROOT, b"")
    return (
        "encodings that are right",
        "What a strict reader takes.",
        [
            case("v2: location, identifier, two caveats", _hex("v2", V2)),
            case("v1: the same macaroon", _hex("v1", V1)),
            case("v2: no location", _hex("v2", v2_encode(ID, CAVEATS, SIGNATURE, None))),
            case("v2: an identifier of 300 bytes: a length of two bytes", _hex("v2", v2_encode(long_id, [], chain(ROOT, long_id, [])))),
            case("v2: a caveat of 200 bytes that are no text", _hex("v2", v2_encode(ID, [seeded("c", 200)], chain(ROOT, ID, [seeded("c", 200)])))),
            case("v2: a caveat of zeros, like ends of sections", _hex("v2", v2_encode(ID, [bytes(6)], chain(ROOT, ID, [bytes(6)])))),
            case("v2: an identifier that is like a macaroon", _hex("v2", v2_encode(V2, [], chain(ROOT, V2, [])))),
            case("v2: nothing anywhere: no location, an empty identifier", _hex("v2", v2_encode(b"", [], nothing.signature, None))),
            case("v2: 65 caveats: more than L402 takes, and a macaroon", _hex("v2", v2_encode(ID, many, chain(ROOT, ID, many)))),
            case("v2: the same caveat twice", _hex("v2", v2_encode(ID, [b"a=1"] * 2, chain(ROOT, ID, [b"a=1"] * 2)))),
            case("v1: a caveat with newlines that are like packets", _hex("v1", P_LOCATION + P_ID + packet(b"cid", b"x\n0015cid a=1") + packet(b"signature", chain(ROOT, ID, [b"x\n0015cid a=1"])))),
            case("v1: a caveat that begins and ends with a space", _hex("v1", P_LOCATION + P_ID + packet(b"cid", b" a ") + packet(b"signature", chain(ROOT, ID, [b" a "])))),
            case("v2 JSON: spaces and newlines between the parts", _text("v2json", ' {\n "v" : 2 ,\t"i":"id", "c" : [ ] ,\r\n"s64":"%s" } ' % b64(chain(ROOT, ID, [])))),
            case("v2 JSON: no member for caveats", _text("v2json", '{"v":2,"i":"id","s64":"%s"}' % b64url(chain(ROOT, ID, [])))),
            case("v2 JSON: names written with escapes", _text("v2json", '{"\\u0076":2,"\\u0069":"i\\u0064","s64":"%s"}' % b64url(chain(ROOT, ID, [])))),
            case("v2 JSON: a caveat of a character beyond 16 bits, as a pair of escapes", _text("v2json", '{"v":2,"i":"id","c":[{"i":"\\ud83d\\ude00"}],"s64":"%s"}' % b64url(chain(ROOT, ID, ["\U0001f600".encode()])))),
            case("base64: standard alphabet, padded", _text("base64", b64(V2))),
            case("base64: standard alphabet, no padding", _text("base64", b64(V2).rstrip("="))),
            case("base64: url-safe alphabet, padded", _text("base64", base64.urlsafe_b64encode(V2).decode())),
            case("base64: url-safe alphabet, no padding", _text("base64", b64url(V2))),
            case("base64 of v1", _text("base64", b64(V1))),
        ],
    )


def _v2():
    def case(comment, flag, data):
        return ("v2: " + comment, [flag], _hex("v2", data), ROOT)

    caveat = lambda data: HEAD + data + TAIL
    return (
        "v2 binary",
        "Fields in order, each once, with the shortest length, and nothing after the signature.",
        [
            case("no bytes", "Truncated", b""),
            case("the version alone", "Truncated", b"\x02"),
            case("cut inside a length", "Truncated", b"\x02\x01\x80"),
            case("cut after the identifier's type", "Truncated", b"\x02\x02"),
            case("cut inside the second caveat", "Truncated", HEAD + BODY[:-2]),
            case("cut before the signature's length", "Truncated", HEAD + BODY + b"\0\x06"),
            case("cut inside the signature", "Truncated", V2[:-16]),
            case("cut after the caveats", "Truncated", HEAD + BODY),
            case("version 1", "Version", b"\x01" + V2[1:]),
            case("version 255", "Version", b"\xff" + V2[1:]),
            case("a byte order mark first", "Version", b"\xef\xbb\xbf" + V2),
            case("a newline first", "Version", b"\n" + V2),
            case("a zero byte after the signature", "TrailingBytes", V2 + b"\0"),
            case("a newline after the signature", "TrailingBytes", V2 + b"\n"),
            case("a second macaroon after the first", "TrailingBytes", V2 + V2),
            case("a second signature field", "TrailingBytes", V2 + v2_field(6, SIGNATURE)),
            case("the location after the identifier", "FieldOrder", b"\x02" + v2_field(2, ID) + v2_field(1, LOCATION) + b"\0" + BODY + TAIL),
            case("no identifier", "FieldOrder", b"\x02" + v2_field(1, LOCATION) + b"\0" + BODY + TAIL),
            case("a field of an unknown type before the identifier", "FieldOrder", b"\x02" + v2_field(3, b"x") + HEAD[1:] + BODY + TAIL),
            case("a field of an unknown type in a caveat", "FieldOrder", caveat(v2_field(2, b"a=1") + v2_field(5, b"x") + b"\0")),
            case("a verification id in the header", "FieldOrder", HEAD[:-1] + v2_field(4, VID) + b"\0" + TAIL),
            case("a verification id before its caveat", "FieldOrder", caveat(v2_field(4, VID) + v2_field(2, b"a=1") + b"\0")),
            case("a caveat's location after its identifier", "FieldOrder", caveat(v2_field(2, b"c") + v2_field(1, b"x") + v2_field(4, VID) + b"\0")),
            case("a signature where a caveat's end is due", "FieldOrder", HEAD + v2_field(2, b"a=1") + v2_field(6, SIGNATURE)),
            case("no signature field, its bytes alone", "FieldOrder", HEAD + BODY + b"\0" + SIGNATURE),
            case("a verification id twice", "FieldOrder", caveat(v2_field(2, b"c") + v2_field(4, VID) * 2 + b"\0")),
            case("a length of 2 in two bytes", "Varint", b"\x02" + v2_field(1, LOCATION) + b"\x02\x82\x00id\0" + BODY + TAIL),
            case("a length of 0 in two bytes", "Varint", b"\x02\x01\x80\x00" + v2_field(2, ID) + b"\0" + BODY + TAIL),
            case("the signature's length in two bytes", "Varint", HEAD + BODY + b"\0\x06\xa0\x00" + SIGNATURE),
            case("a caveat's length in three bytes", "Varint", caveat(b"\x02\x83\x80\x00a=1\0")),
            case("a length of six bytes", "Varint", b"\x02\x02\x80\x80\x80\x80\x80\x01"),
            case("a length of 65,536", "FieldLength", b"\x02\x02" + varint(65_536)),
            case("a length of 2^32 - 1", "FieldLength", b"\x02\x02" + varint(2**32 - 1)),
            case("a length of 65,535, and few bytes there", "Truncated", b"\x02\x02" + varint(65_535) + b"id"),
            case("a signature of 33 bytes", "SignatureLength", HEAD + BODY + b"\0" + v2_field(6, SIGNATURE + b"\0")),
            case("a signature as hex", "SignatureLength", HEAD + BODY + b"\0" + v2_field(6, SIGNATURE.hex().encode())),
            case("a verification id of 71 bytes", "VerificationIdLength", caveat(v2_field(2, b"c") + v2_field(4, VID[1:]) + b"\0")),
            case("an empty verification id", "VerificationIdLength", caveat(v2_field(2, b"c") + v2_field(4, b"") + b"\0")),
            case("an empty location on a first-party caveat", "FirstPartyLocation", caveat(v2_field(1, b"") + v2_field(2, b"a=1") + b"\0")),
            case("a location with a byte of Latin-1", "LocationUtf8", b"\x02" + v2_field(1, b"caf\xe9") + HEAD[7:] + BODY + TAIL),
            case("a location with a surrogate", "LocationUtf8", b"\x02" + v2_field(1, b"\xed\xa0\x80") + HEAD[7:] + BODY + TAIL),
            case("a third party's location that is not UTF-8", "LocationUtf8", caveat(v2_field(1, b"\xff") + v2_field(2, b"c") + v2_field(4, VID) + b"\0")),
            case("4,097 caveats", "Bounds", HEAD + b"\x02\x00\x00" * 4097 + TAIL),
        ],
    )


def _v1():
    def case(comment, flag, data):
        return ("v1: " + comment, [flag], _hex("v1", data), ROOT)

    return (
        "v1",
        "Packets in order: four lower-case digits of the whole length, name, space, value, newline.",
        [
            case("no bytes", "Truncated", b""),
            case("three digits", "Truncated", b"001"),
            case("cut after the location", "Truncated", P_LOCATION),
            case("cut before the signature", "Truncated", P_LOCATION + P_ID + P_CAVEATS),
            case("cut inside the signature", "Truncated", V1[:-9]),
            case("no location packet", "V1Packets", P_ID + P_CAVEATS + P_SIGNATURE),
            case("location after the identifier", "V1Packets", P_ID + P_LOCATION + P_CAVEATS + P_SIGNATURE),
            case("no identifier", "V1Packets", P_LOCATION + P_CAVEATS + P_SIGNATURE),
            case("an identifier after the caveats", "V1Packets", P_LOCATION + P_CAVEATS + P_ID + P_SIGNATURE),
            case("a name in upper case", "V1Packets", P_LOCATION + packet(b"IDENTIFIER", ID) + P_CAVEATS + P_SIGNATURE),
            case("two spaces after a name: one is the value's", "V1Packets", P_LOCATION + packet(b"identifier", b" id") + P_CAVEATS + P_SIGNATURE),
            case("a tab after a name", "V1Packets", P_LOCATION + b"0012identifier\tid\n" + P_CAVEATS + P_SIGNATURE),
            case("a name alone", "V1Packets", P_LOCATION + b"000fidentifier\n" + P_CAVEATS + P_SIGNATURE),
            case("a newline too many after a packet", "V1Packets", P_LOCATION + b"\n" + P_ID + P_CAVEATS + P_SIGNATURE),
            case("carriage return and newline after a packet", "V1Packets", P_LOCATION + b"0013identifier id\r\n" + P_CAVEATS + P_SIGNATURE),
            case("a length one too long, into the next packet", "V1Packets", P_LOCATION + b"0013" + P_ID[4:] + P_CAVEATS + P_SIGNATURE),
            case("a length one too short", "V1Packets", P_LOCATION + b"0011" + P_ID[4:] + P_CAVEATS + P_SIGNATURE),
            case("a length in upper-case digits", "V1Packets", P_LOCATION + P_ID + P_CAVEATS + b"002F" + P_SIGNATURE[4:]),
            case("a length with a space", "V1Packets", P_LOCATION + b" 012" + P_ID[4:] + P_CAVEATS + P_SIGNATURE),
            case("a location on a first-party caveat", "FirstPartyLocation", P_LOCATION + P_ID + P_CAVEATS + packet(b"cl", b"x") + P_SIGNATURE),
            case("a verification id of 71 bytes", "VerificationIdLength", P_LOCATION + P_ID + packet(b"cid", b"c") + packet(b"vid", VID[1:]) + P_SIGNATURE),
            case("a verification id without a caveat", "V1Packets", P_LOCATION + P_ID + packet(b"vid", VID) + P_SIGNATURE),
            case("a location that is not UTF-8", "LocationUtf8", packet(b"location", b"\xff") + P_ID + P_CAVEATS + P_SIGNATURE),
            case("a signature of 31 bytes", "SignatureLength", V1[: -len(P_SIGNATURE)] + packet(b"signature", SIGNATURE[:31])),
            case("a signature as hex", "SignatureLength", V1[: -len(P_SIGNATURE)] + packet(b"signature", SIGNATURE.hex().encode())),
            case("a packet after the signature", "TrailingBytes", V1 + packet(b"cid", b"a=1")),
            case("a zero byte after the signature", "TrailingBytes", V1 + b"\0"),
            case("a second macaroon after the first", "TrailingBytes", V1 + V1),
        ],
    )


def _json():
    good = {"v": 2, "l": "l402", "i": "id", "c": [{"i": "a=1"}, {"i": "b=2"}], "s64": b64url(SIGNATURE)}

    def case(comment, flag, text):
        return ("v2 JSON: " + comment, [flag], _text("v2json", text), ROOT)

    def member(comment, flag, **change):
        wire = {**good, **change}
        wire = {k: v for k, v in wire.items() if v is not ...}
        return case(comment, flag, json.dumps(wire, separators=(",", ":")))

    text = json.dumps(good, separators=(",", ":"))
    s = "JsonForm"
    return (
        "v2 JSON",
        "One object; each name once, and none that is unknown; a part in one spelling.",
        [
            case("no text", s, ""),
            case("cut before the end", s, text[:-1]),
            case("text after the object", s, text + "x"),
            case("a comma after the last member", s, text[:-1] + ",}"),
            case("a comment", s, text[:-1] + "/**/}"),
            case("single quotes", s, text.replace('"', "'")),
            case("null", s, "null"),
            case("a text", s, '"' + b64(V2) + '"'),
            case("a byte order mark first", s, "\ufeff" + text),
            member("version 1", "Version", v=1),
            member("version 2.0", s, v=2.0),
            member("version true", s, v=True),
            member("version -2", s, v=-2),
            member("version \"2.0\"", "Version", v="2.0"),
            case("the version twice", s, text.replace('"v":2', '"v":2,"v":2')),
            case("a name twice, once with an escape", s, text.replace('"i":"id"', '"i":"id","\\u0069":"id"')),
            case("the signature twice", s, text[:-1] + ',"s64":"%s"}' % b64url(SIGNATURE)),
            member("a name in upper case", s, I="id", i=...),
            member("an unknown name in a caveat", s, c=[{"i": "a=1", "x": 1}, {"i": "b=2"}]),
            member("an unknown name of null", s, x=None),
            member("an identifier that is a number", s, i=1),
            member("a signature that is a list of numbers", s, s64=list(SIGNATURE)),
            member("caveats that are texts", s, c=["a=1", "b=2"]),
            member("caveats that are arrays", s, c=[["a=1"], ["b=2"]]),
            member("no caveat but null", s, c=[None]),
            case("a text with a control character", s, text.replace('"id"', '"i\u0001d"')),
            case("a text with half a pair of escapes", s, text.replace('"id"', '"\\ud83d"')),
            member("no identifier", "JsonParts", i=...),
            member("no signature", "JsonParts", s64=...),
            member("a caveat without identifier", "JsonParts", c=[{}]),
            member("a location twice", "JsonParts", l64=b64url(LOCATION)),
            member("an identifier twice, once empty", "JsonParts", i64=""),
            member("an identifier in base64 of both alphabets", "JsonBase64", i=..., i64="-/8"),
            member("an identifier in base64 with a spare bit set", "JsonBase64", i=..., i64="aWR="),
            member("a signature in base64 with one padding character too many", "JsonBase64", s64=b64(SIGNATURE) + "="),
            member("a verification id that is not base64", "JsonBase64", c=[{"i": "c", "v64": "*"}]),
            member("a location that is not UTF-8", "LocationUtf8", l=..., l64="_w"),
            member("a location on a first-party caveat", "FirstPartyLocation", c=[{"i": "a=1", "l": "x"}, {"i": "b=2"}]),
            member("an empty location on a first-party caveat", "FirstPartyLocation", c=[{"i": "a=1", "l": ""}]),
            member("a verification id of 71 bytes", "VerificationIdLength", c=[{"i": "c", "v64": b64url(VID[1:])}]),
            member("an empty verification id", "VerificationIdLength", c=[{"i": "c", "v64": ""}]),
            member("an empty signature", "SignatureLength", s64=""),
            member("a signature of 32 characters, not bytes", "SignatureLength", s64=..., s="\u00e9" * 32),
            case("65,537 bytes, most of them spaces", "Bounds", text.ljust(65_537)),
        ],
    )


def _base64():
    def case(comment, flag, text):
        return ("base64: " + comment, [flag], _text("base64", text), ROOT)

    good = b64(V2 + b"")
    assert good.endswith("=") and not good.endswith("==")
    return (
        "base64",
        "One of four spellings: either alphabet, padded exactly or not at all, spare bits zero.",
        [
            case("no text: no macaroon", "Version", ""),
            case("a newline in the middle", "Base64", good[:76] + "\n" + good[76:].rstrip("=")),
            case("a space at the end", "Base64", good.rstrip("=") + " "),
            case("quotes around it", "Base64", '"' + good.rstrip("=") + '"'),
            case("one character alone at the end", "Base64", good.rstrip("=") + "AA"),
            case("two padding characters where one is due", "Base64", good + "="),
            case("padding inside", "Base64", good + good),
            case("both alphabets", "Base64", "-" + good[1:].rstrip("=") + "+"),
            case("a spare bit set", "Base64", good[:-2] + chr(ord(good[-2]) + 1) + "="),
            case("percent escapes", "Base64", good.rstrip("=") + "%3D"),
            case("a full stop, as in other alphabets", "Base64", good.rstrip("=") + "."),
            case("base64 of base64", "Version", b64(b"/" + good.encode())),
            case("of something else", "Version", b64(b"\x80\x02")),
            case("of a macaroon and one byte more", "TrailingBytes", b64(V2 + b"\0")),
        ],
    )


def _signature():
    def case(comment, data, root=ROOT, format="v2"):
        return (format + ": " + comment, ["Signature"], _hex(format, data), root)

    swapped = v2_encode(ID, CAVEATS[::-1], SIGNATURE)
    no_generator = hmac_sha256(ROOT, ID)
    for c in CAVEATS:
        no_generator = hmac_sha256(no_generator, c)
    prefix = v2_encode(ID, CAVEATS[:1], SIGNATURE)
    third = v2_encode(ID, [(b"a=1", VID, b"x")], chain(ROOT, ID, [b"a=1"]))
    return (
        "signatures",
        "The chain begins with the derived key, and takes every caveat's bytes in order.",
        [
            case("caveats in another order", swapped),
            case("a caveat removed", prefix),
            case("a caveat added without the chain", v2_encode(ID, CAVEATS + [b"c=3"], SIGNATURE)),
            case("the key used as it is, not derived", v2_encode(ID, CAVEATS, no_generator)),
            case("another key", V2, seeded("another key")),
            case("an empty key", V2, b""),
            case("a key whose last byte is missing", V2, ROOT[:31]),
            case("another key", V1, seeded("another key"), "v1"),
            case("an identifier of other bytes", v2_encode(b"iD", CAVEATS, SIGNATURE)),
            case("a caveat split in two", v2_encode(ID, [b"a=", b"1", b"b=2"], SIGNATURE)),
            case("two caveats in one", v2_encode(ID, [b"a=1b=2"], SIGNATURE)),
            case("a space after a caveat", v2_encode(ID, [b"a=1 ", b"b=2"], SIGNATURE)),
            case("the identifier's signature alone", v2_encode(ID, CAVEATS, chain(ROOT, ID, []))),
            case("a third-party caveat under a first-party signature", third),
            case("a plain SHA-256 in place of the MAC", v2_encode(ID, [], sha256(ROOT + ID))),
        ],
    )
