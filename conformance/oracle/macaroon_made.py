"""`macaroon`, the groups whose answers are bytes: creating, writing, attenuating."""

import macaroon_cases
from common import b64, b64url, seeded
from macaroons import MAX_CAVEATS, Refused, create, decode_base64, read, sniff


def both(macaroon):
    return {"v1": macaroon.v1().hex(), "v2": macaroon.v2().hex()}


def made(suite):
    group = suite.group("create", "Key, identifier, location and caveats give these bytes and no others.", 4001)
    root = seeded("create/root key")

    def case(comment, key, id, caveats=(), location="l402"):
        macaroon = create(key, id, None if location is None else location.encode())
        input = {"op": "create", "root_key": key.hex(), "identifier": id.hex()}
        if location is not None:
            input["location"] = location
        input["caveats"] = []
        for caveat in caveats:
            if isinstance(caveat, bytes):
                macaroon.add(caveat)
                input["caveats"].append({"id": caveat.hex()})
            else:
                key, id, where, nonce = caveat
                macaroon.add_third_party(key, id, where and where.encode(), nonce)
                third = {"id": id.hex(), "key": key.hex(), "nonce": nonce.hex()}
                input["caveats"].append({**third, "location": where} if where else third)
        group.valid(comment, input, both(macaroon))

    nonce = seeded("create/nonce", 24)
    case("no caveats", root, b"id")
    case("two caveats", root, b"id", [b"a=1", b"b=2"])
    case("no location", root, b"id", [b"a=1"], None)
    case("a key longer than a block of the hash", seeded("k", 100), b"id", [b"a=1"])
    case("an empty key", b"", b"id", [b"a=1"])
    case("an empty identifier and an empty caveat", root, b"", [b""])
    case("bytes that are no text", root, seeded("id", 66), [seeded("caveat", 40)])
    case("an identifier of 128 bytes", root, seeded("id", 128))
    case("a location that is not ASCII", root, b"id", [], "caf\u00e9")
    case("a third-party caveat", root, b"id", [(b"shared", b"who pays?", "https://pay", nonce)])
    case("a third-party caveat without location", root, b"id", [(b"shared", b"who pays?", None, nonce)])
    case("a third-party caveat between two others", root, b"id", [b"a=1", (b"shared", b"who pays?", "https://pay", nonce), b"b=2"])

    group = suite.group("write", "Both binary forms of a macaroon, whatever form it came in.", 4101)
    for comment, _, encoding, _ in macaroon_cases.cases()[0][2]:
        if encoding["format"] != "base64":
            group.valid(comment, {"op": "write", "macaroon": encoding}, both(read(encoding)))


def attenuated(suite):
    group = suite.group("attenuate", "A holder adds caveats to a token, which stays in its encoding.", 4401)
    key, id, caveats = macaroon_cases.minted("attenuate", macaroon_cases.MINTED)
    base = create(key, id, b"l402")
    for caveat in caveats:
        base.add(caveat)
    plain = create(key, id, b"l402")

    def case(comment, token, added, flags=()):
        input = {"op": "attenuate", "token": token, "caveats": added}
        try:
            data = decode_base64(token.encode())
            format = sniff(data)
            macaroon = read({"format": format, "hex": data.hex()})
            if len(macaroon.caveats) + len(added) > MAX_CAVEATS:
                raise Refused("macaroon_too_many_caveats")
            for caveat in added:
                macaroon.add(caveat.encode())
            data = {"v1": macaroon.v1, "v2": macaroon.v2}[format]()
            if len(data) > 65_536:
                raise Refused("macaroon_too_long")
            if len(macaroon.caveats) > 64:
                raise Refused("token_too_many_caveats")
            if len(data) > 8_192:
                raise Refused("token_too_long")
        except Refused as refused:
            assert flags, (comment, refused.code)
            group.invalid(comment, input, refused.code, flags)
        else:
            assert not flags, comment
            group.valid(comment, input, {"token": b64(data)})

    token = b64(base.v2())
    case("one caveat", token, ["demo_valid_until=1800000000"])
    case("several caveats, in order", token, ["demo_path=/v1/demo", "note", "x = y"])
    case("no caveat: the token as it is written", b64url(base.v2()), [])
    case("a caveat that is not ASCII", token, ["note=caf\u00e9"])
    case("an empty caveat", token, [""])
    case("a caveat with quotes and a newline: bytes are bytes", token, ['a="b"\n'])
    case("a url-safe token without padding; the result is standard and padded", b64url(base.v2()), ["a=1"])
    case("a v1 token stays v1", b64(base.v1()), ["a=1"])
    case("the 64th caveat", b64(base.v2()), ["n=%d" % i for i in range(58)])
    filled = 8_192 - len(plain.v2()) - 4
    case("to exactly 8,192 bytes", b64(plain.v2()), ["x" * filled])
    case("to 8,193 bytes", b64(plain.v2()), ["x" * (filled + 1)], ["Bounds"])
    case("the 65th caveat", token, ["n=%d" % i for i in range(59)], ["Bounds"])
    case("no base64", "hello world", ["a=1"], ["Base64"])
    case("both alphabets", "AgEE-/8=", ["a=1"], ["Base64"])
    case("a whole credential, with its preimage", token + ":" + "00" * 32, ["a=1"], ["Base64"])
    case("two tokens", token + "," + token, ["a=1"], ["Base64"])
    case("no text", "", ["a=1"], ["Version"])
    case("JSON of something else than a macaroon", b64(b'{"hash":"ab"}'), ["a=1"], ["JsonForm"])
    case("a macaroon and a byte more", b64(base.v2() + b"\0"), ["a=1"], ["TrailingBytes"])
    case("a macaroon cut short", b64(base.v2()[:-1]), ["a=1"], ["Truncated"])
