"""`authorization_header`: the credential of a request, read and written (docs/PROTOCOL.md §3)."""

import base64
import re

import common
from common import Suite, b64, b64url, chain, seeded, v2_encode, v2_field
from macaroons import Refused, decode_base64, read_v2

FORM, ANSWERS, SIZES = "docs/PROTOCOL.md §3", "docs/PROTOCOL.md §3", "docs/PROTOCOL.md §1"
FLAGS = {
    "AnotherScheme": ("A request with another scheme has no credential of ours.", ANSWERS),
    "Base64": ("A token is base64 in one of four spellings.", SIZES),
    "Bounds": ("A header of 16 KiB; a token of 8 KiB and 64 caveats; 16 tokens.", SIZES),
    "FirstLineDecides": ("The first line with the scheme decides, even when malformed.", FORM),
    "GrpcMetadata": ("gRPC metadata is one token in hex, whose preimage is a caveat.", FORM),
    "NotAMacaroon": ("A token is a v2 macaroon, read strictly.", SIZES),
    "Preimage": ("The preimage is 64 hex digits of either case.", FORM),
    "Separators": ("One or more spaces after the scheme, commas between tokens, a colon, and nothing else.", FORM),
    "SeveralTokens": ("Tokens before the colon are a list without empty elements.", FORM),
    "Spelling": ("The scheme is case-insensitive and has two names; hex in either case.", FORM),
    "Written": ("What a client sends.", FORM),
}
MALFORMED, LARGE, NONE = "malformed_credential", "header_too_large", "no_credential"

KEY, ID = seeded("authorization/key"), seeded("authorization/id", 66)
CAVEATS = [b"services=demo:0", b"demo_valid_until=1900000000"]
DATA = v2_encode(ID, CAVEATS, chain(KEY, ID, CAVEATS))
TOKEN = b64(DATA)
OTHER = v2_encode(b"other", [], chain(KEY, b"other", []))
PREIMAGE = seeded("authorization/preimage").hex()
# A token that is written differently in each of the four spellings.
SPELLED = next(
    data
    for data in (v2_encode(b"s%d" % i, [], chain(KEY, b"s%d" % i, [])) for i in range(1000))
    if {"+", "/", "="} <= set(b64(data))
)


# --- the rules -------------------------------------------------------------------------------


def read(headers):
    lines = [value for name, value in headers if name.lower() == "authorization"]
    ours = [m for m in (re.match(r"[ \t]*(?:L402|LSAT)(?![A-Za-z0-9])(.*)", l, re.I | re.S) for l in lines) if m]
    if sum(map(len, lines)) > 16_384:
        raise Refused(LARGE)
    if not ours:
        raise Refused(NONE)
    rest = ours[0].group(1).rstrip(" \t")
    form = re.fullmatch(r" +([^: ][^:]*):([0-9A-Fa-f]{64})", rest)
    if not form:
        raise Refused(MALFORMED)
    tokens = form.group(1).split(",")
    if len(tokens) > 16:
        raise Refused(MALFORMED)
    return {"tokens": [token(decoded(t)).hex() for t in tokens], "preimage": form.group(2).lower()}


def read_metadata(value):
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", value):
        raise Refused(MALFORMED)
    return {"tokens": [token(bytes.fromhex(value)).hex()]}


def decoded(text):
    if not text:
        raise Refused(MALFORMED)
    try:
        return decode_base64(text.encode("latin-1"))
    except Refused:
        raise Refused(MALFORMED)


def token(data):
    try:
        macaroon = read_v2(data)
    except Refused:
        raise Refused(MALFORMED)
    if len(data) > 8_192 or len(macaroon.caveats) > 64:
        raise Refused(MALFORMED)
    return data


# --- the cases -------------------------------------------------------------------------------


class Cases:
    """Adds cases, each with what it has to be: None for well-formed, else the code."""

    def __init__(self, group):
        self.group = group

    def add(self, comment, flag, lines, code=None):
        lines = [lines] if isinstance(lines, str) else lines
        headers = [list(l) if isinstance(l, tuple) else ["Authorization", l] for l in lines]
        self._add(comment, flag, {"op": "read", "headers": headers}, lambda: read(headers), code)

    def add_metadata(self, comment, value, code=None, flag="GrpcMetadata"):
        self._add(comment, flag, {"op": "read_grpc", "value": value}, lambda: read_metadata(value), code)

    def _add(self, comment, flag, input, answer, code):
        try:
            output = answer()
        except Refused as refused:
            assert refused.code == code, (comment, refused.code)
            self.group.invalid(comment, input, code, [flag])
        else:
            assert code is None, (comment, output)
            self.group.valid(comment, input, output, [flag])


def build():
    suite = Suite("authorization_header")
    for name, (description, rule) in FLAGS.items():
        suite.flag(name, description, rule)
    spellings(Cases(suite.group("spellings", "One credential, written in the ways that are allowed.", 1)))
    lines(Cases(suite.group("lines", "Several lines, and lines of other schemes.", 101)))
    form(Cases(suite.group("form", "Credentials that are not of the form.", 201)))
    tokens(Cases(suite.group("tokens", "Tokens that are no base64, no macaroon, or too much.", 301)))
    metadata(Cases(suite.group("grpc metadata", "One token in hex.", 401)))
    written(suite.group("written", "Token and preimage give this value, to the byte.", 501))
    return suite


def credential(token=TOKEN, preimage=PREIMAGE, scheme="L402"):
    return "%s %s:%s" % (scheme, token, preimage)


def spellings(cases):
    add = lambda comment, line, flag="Spelling": cases.add(comment, flag, line)
    add("as it is written", credential())
    add("the scheme in lower case", credential(scheme="l402"))
    add("the older scheme", credential(scheme="LSAT"))
    add("the older scheme in mixed case", credential(scheme="Lsat"))
    add("hex in upper case", credential(preimage=PREIMAGE.upper()))
    add("hex in both cases", credential(preimage=PREIMAGE[:32].upper() + PREIMAGE[32:]))
    add("several spaces after the scheme", "L402    %s:%s" % (TOKEN, PREIMAGE))
    add("spaces and tabs around the value", " \t%s \t" % credential())
    add("a preimage of zeros", credential(preimage="00" * 32))
    cases.add("the header's name in lower case", "Spelling", [("authorization", credential())])
    standard, safe = b64(SPELLED), base64.urlsafe_b64encode(SPELLED).decode()
    add("base64: standard, padded", credential(standard), "Base64")
    add("base64: standard, not padded", credential(standard.rstrip("=")), "Base64")
    add("base64: url-safe, padded", credential(safe), "Base64")
    add("base64: url-safe, not padded", credential(safe.rstrip("=")), "Base64")
    add("two tokens", credential(TOKEN + "," + b64(OTHER)), "SeveralTokens")
    add("one token twice", credential(TOKEN + "," + TOKEN), "SeveralTokens")
    add("tokens of two spellings", credential(standard + "," + safe.rstrip("=")), "SeveralTokens")
    add("16 tokens", credential(",".join([b64(OTHER)] * 16)), "Bounds")
    many = [b"n=%d" % i for i in range(64)]
    add("64 caveats", credential(b64(v2_encode(b"id", many, chain(KEY, b"id", many)))), "Bounds")
    add("a token of 8,192 bytes", credential(b64(sized(8_192))), "Bounds")
    add("a token without location and caveats", credential(b64(v2_encode(b"", [], bytes(32), None))), "Spelling")


def sized(length):
    """A token of so many bytes."""
    spare = length - len(v2_encode(ID, [bytes(8_000)], bytes(32))) + 8_000
    data = v2_encode(ID, [b"x" * spare], bytes(32))
    assert len(data) == length
    return data


def lines(cases):
    add = lambda comment, lines, code=None: cases.add(comment, "FirstLineDecides", lines, code)
    other = credential(b64(OTHER))
    add("two lines: the first", [credential(), other])
    add("two lines, the first of the older scheme", [credential(scheme="LSAT"), other])
    add("other schemes before", ["Bearer abc", "Basic bDQwMjo=", credential()])
    add("a malformed line after a good one", [credential(), "L402 broken"])
    add("a malformed line before a good one", ["LSAT broken", credential()], MALFORMED)
    add("an empty credential before a good one", ["L402", credential()], MALFORMED)
    another = lambda comment, lines, code=NONE: cases.add(comment, "AnotherScheme", lines, code)
    another("no line", [])
    another("an empty value", "")
    another("spaces", " \t ")
    another("Bearer with our form", credential(scheme="Bearer"))
    another("Basic", "Basic %s" % b64(credential().encode()))
    another("a scheme that begins like ours", credential(scheme="L4022"))
    another("a scheme that ours begins like", credential(scheme="L40"))
    another("our scheme inside another's value", "Bearer L402 %s:%s" % (TOKEN, PREIMAGE))
    another("another header has it", [("Proxy-Authorization", credential()), ("X-Authorization", credential())])
    another("a no-break space before the scheme", "\u00a0" + credential())


def form(cases):
    bad = lambda comment, flag, line: cases.add(comment, flag, line, MALFORMED)
    s = "Separators"
    bad("the scheme alone", s, "L402")
    bad("the scheme and a space", s, "L402 ")
    bad("a colon after the scheme", s, "L402:%s:%s" % (TOKEN, PREIMAGE))
    bad("a comma after the scheme", s, "L402,%s:%s" % (TOKEN, PREIMAGE))
    bad("a tab after the scheme", s, "L402\t%s:%s" % (TOKEN, PREIMAGE))
    bad("a space and a tab after the scheme", s, "L402 \t%s:%s" % (TOKEN, PREIMAGE))
    bad("= after the scheme", s, "L402=%s:%s" % (TOKEN, PREIMAGE))
    bad("no preimage and no colon", s, "L402 " + TOKEN)
    bad("a space before the colon", s, "L402 %s :%s" % (TOKEN, PREIMAGE))
    bad("a space after the colon", s, "L402 %s: %s" % (TOKEN, PREIMAGE))
    bad("a space after a comma", s, credential(TOKEN + ", " + TOKEN))
    bad("semicolons between tokens", s, credential(TOKEN + ";" + TOKEN))
    bad("two credentials in one line", s, credential() + ", " + credential())
    bad("the token in quotes", s, credential('"%s"' % TOKEN))
    bad("the whole in quotes", s, 'L402 "%s:%s"' % (TOKEN, PREIMAGE))
    bad("parameters, as a challenge has them", s, 'L402 token="%s", preimage="%s"' % (TOKEN, PREIMAGE))
    bad("a parameter after the preimage", s, credential() + ", version=0")
    bad("a newline at the end", s, credential() + "\n")
    bad("no token", "SeveralTokens", "L402 :" + PREIMAGE)
    bad("an empty first token", "SeveralTokens", credential("," + TOKEN))
    bad("an empty last token", "SeveralTokens", credential(TOKEN + ","))
    bad("an empty token between two", "SeveralTokens", credential(TOKEN + ",," + TOKEN))
    bad("a good token and a broken one", "SeveralTokens", credential(TOKEN + ",AgEE"))
    p = "Preimage"
    bad("an empty preimage", p, credential(preimage=""))
    bad("63 digits", p, credential(preimage=PREIMAGE[:63]))
    bad("65 digits", p, credential(preimage=PREIMAGE + "0"))
    bad("31 bytes", p, credential(preimage=PREIMAGE[:62]))
    bad("two preimages", p, credential(preimage=PREIMAGE + ":" + PREIMAGE))
    bad("a digit that is none", p, credential(preimage="g" + PREIMAGE[1:]))
    bad("0x before the digits", p, credential(preimage="0x" + PREIMAGE[2:]))
    bad("a digit of another script", p, credential(preimage=PREIMAGE[:63] + "\u00b2"))
    bad("base64 in place of hex", p, credential(preimage=b64(bytes.fromhex(PREIMAGE))))
    bad("the placeholder of a challenge's body", p, credential(preimage="<preimage>"))
    bad("preimage first, then the token", p, "L402 %s:%s" % (PREIMAGE, TOKEN))


def tokens(cases):
    bad = lambda comment, flag, token: cases.add(comment, flag, credential(token), MALFORMED)
    standard = b64(SPELLED)
    b = "Base64"
    bad("both alphabets", b, standard.replace("+", "-", 1))
    bad("padding too long", b, TOKEN + "=" if TOKEN.endswith("=") else TOKEN + "====")
    bad("padding inside", b, standard + standard)
    bad("one character alone at the end", b, b64url(DATA[:66]) + "A")
    bad("a spare bit set", b, b64url(OTHER + b"\0" * (1 - len(OTHER) % 3))[:-1] + "B")
    bad("percent escapes", b, standard.replace("=", "%3D"))
    bad("a byte beyond ASCII", b, "\u00e9" + TOKEN[1:])
    n = "NotAMacaroon"
    bad("of nothing but zeros", n, "AAAA")
    bad("hex in place of base64, which reads as base64", n, DATA.hex())
    bad("JSON", n, b64(b'{"hash":"ab"}'))
    bad("a v1 macaroon: servers read v2 alone", n, b64(read_v2(DATA).v1()))
    bad("a macaroon cut short", n, b64(DATA[:-1]))
    bad("a macaroon and a byte more", n, b64(DATA + b"\0"))
    bad("a macaroon with a length that is not the shortest", n, b64(b"\x02\x02\x82\x00id\0\0" + v2_field(6, bytes(32))))
    bad("a macaroon without signature", n, b64(DATA[:-34]))
    bad("a signature of 31 bytes", n, b64(v2_encode(ID, [], bytes(31))))
    many = [b"n=%d" % i for i in range(65)]
    bad("65 caveats", "Bounds", b64(v2_encode(b"id", many, chain(KEY, b"id", many))))
    bad("a token of 8,193 bytes", "Bounds", b64(sized(8_193)))
    bad("17 tokens", "Bounds", ",".join([b64(OTHER)] * 17))
    fill = "x" * (16_384 - len(credential()))
    cases.add("16,384 bytes over two lines", "Bounds", [credential(), fill])
    cases.add("16,385 bytes over two lines, the first good", "Bounds", [credential(), fill + "x"], LARGE)
    cases.add("16,385 bytes of another scheme", "Bounds", "Bearer " + "x" * (16_385 - 7), LARGE)
    cases.add("16,385 bytes in one line of ours", "Bounds", "L402 " + "A" * (16_385 - 5), LARGE)


def metadata(cases):
    add = cases.add_metadata
    add("a token in hex", DATA.hex())
    add("upper case", DATA.hex().upper())
    add("a token of 8,192 bytes", sized(8_192).hex(), flag="Bounds")
    add("a token of 8,193 bytes", sized(8_193).hex(), MALFORMED, "Bounds")
    add("nothing", "", MALFORMED)
    add("an odd number of digits", DATA.hex()[:-1], MALFORMED)
    add("two tokens", DATA.hex() + "," + DATA.hex(), MALFORMED)
    add("base64", TOKEN, MALFORMED)
    add("0x before it", "0x" + DATA.hex(), MALFORMED)
    add("a space after it", DATA.hex() + " ", MALFORMED)
    add("a preimage after a colon", "%s:%s" % (DATA.hex(), PREIMAGE), MALFORMED)
    add("no macaroon", "00" * 40, MALFORMED)
    add("a macaroon and a byte more", DATA.hex() + "00", MALFORMED)


def written(group):
    for comment, token, preimage in [
        ("token and preimage", TOKEN, PREIMAGE),
        ("a url-safe token is echoed as it is", b64url(SPELLED), PREIMAGE),
        ("a token that is no macaroon is echoed, too", "eyJoYXNoIjoiYWIifQ==", "00" * 32),
    ]:
        input = {"op": "write", "token": token, "preimage": preimage}
        group.valid(comment, input, {"value": "L402 %s:%s" % (token, preimage)}, ["Written"])


if __name__ == "__main__":
    common.main(build)
