"""Groups of `verify`: sizes and syntax."""

from common import b64, identifier, sha256, token_id, v2_field
from fixtures import MINTED, PREIMAGE, octets
from verify_cases import *

ID = identifier(PAYMENT_HASH, token_id(ROOT_KEY, PAYMENT_HASH))


def encodings(add):
    flags = ["StrictEncoding"]
    right = signed()
    signature = right[-32:]
    body = b"".join(v2_field(2, octets(caveat)) + b"\0" for caveat in MINTED)
    head = b"\x02" + v2_field(1, b"l402") + v2_field(2, ID) + b"\0"
    assert right == head + body + b"\0" + v2_field(6, signature)

    def bad(comment, data):
        add.token(comment, MALFORMED, data, None, flags)

    bad("a byte after the signature", right + b"\0")
    bad("a newline after the signature", right + b"\n")
    bad("a second macaroon after the first", right + right)
    bad("a byte before the version", b"\0" + right)
    bad("the last byte missing", right[:-1])
    bad("cut in a caveat", right[:150])
    bad("the version alone", right[:1])
    bad("version 1 in binary", b"\x01" + right[1:])
    bad("version 3", b"\x03" + right[1:])
    bad("a length in two bytes where one does", right.replace(v2_field(1, b"l402"), b"\x01\x84\x00l402"))
    bad("a caveat's length in two bytes where one does",
        right.replace(v2_field(2, octets(MINTED[5])), b"\x02\x8b\x00" + octets(MINTED[5])))
    bad("the signature's length in two bytes where one does", right[:-33] + b"\xa0\x00" + signature)
    bad("a length of ten bytes", head[:1] + b"\x01\x84\x80\x80\x80\x80\x80\x80\x80\x80\x00l402" + right[7:])
    bad("a field type in two bytes", b"\x02\x81\x00\x04l402" + right[7:])
    bad("two locations", b"\x02" + v2_field(1, b"l402") * 2 + right[7:])
    bad("two identifiers", b"\x02" + v2_field(1, b"l402") + v2_field(2, ID) * 2 + right[7 + 68:])
    bad("the identifier before the location", b"\x02" + v2_field(2, ID) + v2_field(1, b"l402") + right[7 + 68:])
    bad("no identifier", b"\x02" + v2_field(1, b"l402") + right[7 + 68:])
    bad("a field of an unknown type", b"\x02" + v2_field(1, b"l402") + v2_field(2, ID) + v2_field(9, b"") + right[75:])
    bad("a verification id in the header", b"\x02" + v2_field(2, ID) + v2_field(4, bytes(72)) + right[75:])
    bad("a location on a first-party caveat", head + v2_field(1, b"l402") + body + b"\0" + v2_field(6, signature))
    bad("no end of the caveats", head + body + v2_field(6, signature))
    bad("no signature", head + body + b"\0")
    bad("a signature of 31 bytes", head + body + b"\0" + v2_field(6, signature[:31]))
    bad("a signature of 33 bytes", head + body + b"\0" + v2_field(6, signature + b"\0"))
    bad("no bytes in the signature", head + body + b"\0" + v2_field(6, b""))
    bad("an end after the signature", right + b"\0\0")
    bad("v1, which is read from other servers alone", v1(ID, MINTED, signature))
    bad("the JSON form", json_form(ID, MINTED, signature))


def v1(id, caveats, signature):
    def packet(key, value):
        content = key + b" " + value + b"\n"
        return b"%04x" % (len(content) + 4) + content

    packets = [packet(b"location", b"l402"), packet(b"identifier", id)]
    packets += [packet(b"cid", octets(caveat)) for caveat in caveats]
    return b"".join(packets) + packet(b"signature", signature)


def json_form(id, caveats, signature):
    parts = ",".join('{"i64":"%s"}' % b64(octets(caveat)) for caveat in caveats)
    return ('{"v":2,"l":"l402","i64":"%s","c":[%s],"s64":"%s"}' % (b64(id), parts, b64(signature))).encode()


def texts(add):
    flags = ["StrictEncoding"]
    right, hexed = b64(signed()), PREIMAGE.hex()
    spare = b64(signed(MINTED + ["n=" + "x" * next(n for n in range(3) if spare_bits(n))]))

    def bad(comment, *lines):
        add.ask(comment, MALFORMED, {"authorization": list(lines)}, flags=flags)

    bad("nothing after the scheme", "L402")
    bad("a space after the scheme", "L402 ")
    bad("no colon", "L402 " + right)
    bad("no token", "L402 :" + hexed)
    bad("no preimage", "L402 %s:" % right)
    bad("a preimage of 31 bytes", "L402 %s:%s" % (right, hexed[2:]))
    bad("a preimage of 33 bytes", "L402 %s:%s00" % (right, hexed))
    bad("a preimage that is not hex", "L402 %s:%s" % (right, "g" * 64))
    bad("a preimage with 0x", "L402 %s:0x%s" % (right, hexed))
    bad("a preimage in base64", "L402 %s:%s" % (right, b64(PREIMAGE)))
    bad("the challenge's placeholder", "L402 %s:<preimage>" % right)
    bad("words after the preimage", "L402 %s:%s junk" % (right, hexed))
    bad("a comma after the preimage", "L402 %s:%s," % (right, hexed))
    bad("a second colon", "L402 %s:%s:%s" % (right, hexed, hexed))
    bad("quotes around the token", 'L402 "%s":%s' % (right, hexed))
    bad("a space before the colon", "L402 %s :%s" % (right, hexed))
    bad("a space after the colon", "L402 %s: %s" % (right, hexed))
    bad("a space in the token", "L402 %s %s:%s" % (right[:8], right[8:], hexed))
    bad("parameters as in the challenge", 'L402 macaroon="%s", preimage="%s"' % (right, hexed))
    bad("a comma before the token", "L402 ,%s:%s" % (right, hexed))
    bad("a comma after the token", "L402 %s,:%s" % (right, hexed))
    bad("a malformed line of ours before a good one", "L402 nothing", "L402 %s:%s" % (right, hexed))
    bad("a character of neither alphabet", "L402 %s:%s" % ("$" + right[1:], hexed))
    bad("both alphabets", "L402 %s:%s" % ("-+" + right[2:], hexed))
    bad("too much padding", "L402 %s====:%s" % (right.rstrip("="), hexed))
    bad("padding in the middle", "L402 %s==%s:%s" % (right[:6], right[6:], hexed))
    bad("spare bits that are not zero", "L402 %s:%s" % (with_spare_bits(spare), hexed))
    bad("a digit that is too few for a byte", "L402 %s:%s" % (spare.rstrip("=")[:-1], hexed))
    bad("the macaroon in hex", "L402 %s:%s" % (signed().hex(), hexed))
    bad("the token in base64 twice", "L402 %s:%s" % (b64(right.encode()), hexed))


def spare_bits(letters):
    return len(signed(MINTED + ["n=" + "x" * letters])) % 3 == 1


def with_spare_bits(text):
    """Another last digit that stands for the same bytes, to a reader that is not strict."""
    digits = text.rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(digits[-1]) + 1]
    return digits[:-1] + last + text[len(digits):]


def sizes(add):
    flags = ["TokenSize"]
    full = MINTED + ["n=%d" % number for number in range(58)]
    add.chain("64 caveats", VALID, full, None, flags)
    add.chain("65 caveats", MALFORMED, full + ["n=58"], None, flags)
    add.chain("500 caveats", MALFORMED, MINTED + ["n="] * 494, None, flags)
    room = 8192 - len(signed(MINTED + ["n=" + "x" * 8000])) + 8000
    add.chain("8,192 bytes", VALID, MINTED + ["n=" + "x" * room], None, flags)
    add.chain("8,193 bytes", MALFORMED, MINTED + ["n=" + "x" * (room + 1)], None, flags)
    add.chain("12,000 bytes", MALFORMED, MINTED + ["n=" + "x" * 11_700], None, flags)
    add.ask("a header of more than 16 KiB", TOO_LARGE, present("A" * 16_400), flags=flags)
    add.ask("lines of more than 16 KiB together", TOO_LARGE,
            {"authorization": present(signed())["authorization"] + ["Bearer " + "x" * 16_000]}, flags=flags)


def several(add):
    flags = ["SeveralTokens"]
    right, again = signed(), signed(MINTED + ["demo_valid_until=1800000060"])
    longer = signed([c.replace("uses=1", "uses=5").replace("1800003600", "1800007200") for c in MINTED])
    elsewhere, expired = signed(MINTED + ["demo_method=PUT"]), signed(MINTED + ["demo_valid_until=1"])
    forged = flipped(right, -1)
    theirs = signed(payment_hash=sha256(OTHER_PREIMAGE))

    def ask(comment, expected, *tokens, preimage=PREIMAGE, asked=None):
        add.ask(comment, expected, present(*tokens, preimage=preimage), asked, flags)

    ask("the same twice", VALID, right, right)
    ask("one narrower: the earliest end counts", VALID, right, again)
    ask("one minted later: the fewest uses, the longest keeping", VALID, longer, again, right)
    ask("five uses, twice, are five", VALID, longer, longer)
    ask("one for another method", SCOPE, right, elsewhere)
    ask("one expired", EXPIRED, right, expired)
    ask("one forged", INVALID, right, forged)
    ask("the forged one first", INVALID, forged, right)
    ask("one that is no macaroon", MALFORMED, right, b"\x02")
    ask("one that is no base64", MALFORMED, right, "A")
    ask("an empty one between", MALFORMED, right, "", right)
    ask("another payment's, with the first one's preimage", INVALID, right, theirs)
    ask("another payment's, with the second one's preimage", INVALID, right, theirs, preimage=OTHER_PREIMAGE)
    ask("another payment's alone, with its own preimage", VALID, theirs, preimage=OTHER_PREIMAGE)
    ask("expired, then out of scope: scope comes before", SCOPE, expired, right, elsewhere)
    ask("out of scope, then forged: forged comes before", INVALID, elsewhere, forged)
    ask("forged, then unreadable: syntax comes before", MALFORMED, forged, b"\x02")
    spaced = "L402 %s, %s:%s" % (b64(right), b64(again), PREIMAGE.hex())
    add.ask("a space after the comma", MALFORMED, {"authorization": [spaced]}, flags=flags)


GROUPS = [
    ("encodings", "A macaroon that is not in the one encoding.", encodings),
    ("texts", "A header that is not the one form.", texts),
    ("sizes", "What is read at most.", sizes),
    ("several", "Several tokens before the colon.", several),
]
