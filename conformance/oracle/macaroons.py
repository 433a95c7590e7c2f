"""Macaroons read strictly (docs/PROTOCOL.md §1), written, and verified with their discharges.

Written from the formats alone: it shares no code with the implementation under test.
"""

import base64
import json
import re

from common import derived_key, hmac_sha256, v2_encode
from secretbox import Unsealed, open_sealed, seal

MAX_BYTES = 65_536
MAX_CAVEATS = 4_096
MAX_FIELD = 65_535
VID_BYTES = 24 + 16 + 32


class Refused(Exception):
    """Refused, with a stable code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def refuse(name):
    raise Refused("macaroon_" + name)


class Macaroon:
    """Location (or None), identifier, caveats (id, verification id, location), signature."""

    def __init__(self, location, identifier, caveats, signature):
        self.location, self.identifier = location, identifier
        self.caveats, self.signature = caveats, signature

    def output(self):
        """As the suite shows a macaroon; absent and empty locations are one."""
        caveats = []
        for id, vid, location in self.caveats:
            caveat = {"id": id.hex()}
            if vid is not None:
                caveat["verification_id"] = vid.hex()
                caveat["location"] = (location or b"").decode()
            caveats.append(caveat)
        return {
            "location": (self.location or b"").decode(),
            "identifier": self.identifier.hex(),
            "caveats": caveats,
            "signature": self.signature.hex(),
        }

    def v2(self):
        return v2_encode(self.identifier, self.caveats, self.signature, self.location)

    def v1(self):
        out = packet(b"location", self.location or b"") + packet(b"identifier", self.identifier)
        for id, vid, location in self.caveats:
            out += packet(b"cid", id)
            out += packet(b"vid", vid) if vid is not None else b""
            out += packet(b"cl", location) if location is not None else b""
        return out + packet(b"signature", self.signature)

    def add(self, caveat):
        self.caveats.append((caveat, None, None))
        self.signature = hmac_sha256(self.signature, caveat)

    def add_third_party(self, key, id, location, nonce):
        vid = nonce + seal(self.signature, nonce, derived_key(key))
        self.caveats.append((id, vid, location))
        self.signature = link(self.signature, id, vid)

    def bind(self, discharge):
        signature = bound(self.signature, discharge.signature)
        return Macaroon(discharge.location, discharge.identifier, discharge.caveats, signature)


def create(key, identifier, location=None):
    return Macaroon(location, identifier, [], hmac_sha256(derived_key(key), identifier))


def packet(name, value):
    length = 4 + len(name) + 1 + len(value) + 1
    assert length <= 0xFFFF
    return b"%04x%s %s\n" % (length, name, value)


# --- reading ---------------------------------------------------------------------------------


def read(encoding):
    """Reads what a case's input has: format with hex or text."""
    data = bytes.fromhex(encoding["hex"]) if "hex" in encoding else encoding["text"].encode()
    if encoding["format"] == "base64":
        data = decode_base64(data)
        return {"v1": read_v1, "v2": read_v2, "v2json": read_json}[sniff(data)](data)
    return {"v1": read_v1, "v2": read_v2, "v2json": read_json}[encoding["format"]](data)


def sniff(data):
    first = data[:1]
    if first == b"\2":
        return "v2"
    if first and first in b"{ \t\r\n":
        return "v2json"
    if first and first in b"0123456789abcdef":
        return "v1"
    return refuse("format")


def decode_base64(text):
    """Either alphabet, but one; exact padding or none; spare bits zero."""
    body = re.sub(rb"={1,2}\Z", b"", text)
    if body != text and len(text) % 4:
        raise Refused("base64_padding")
    if not (re.fullmatch(rb"[A-Za-z0-9+/]*", body) or re.fullmatch(rb"[A-Za-z0-9_-]*", body)):
        raise Refused("base64_alphabet")
    if len(body) % 4 == 1:
        raise Refused("base64_length")
    standard = body.translate(bytes.maketrans(b"-_", b"+/"))
    data = base64.b64decode(standard + b"=" * (-len(body) % 4))
    if base64.b64encode(data).rstrip(b"=") != standard:
        raise Refused("base64_length")
    return data


def checked(location, identifier, caveats, signature):
    """What all formats ask of a macaroon whose parts are read."""
    if len(signature) != 32:
        refuse("signature_length")
    return Macaroon(location, identifier, caveats, signature)


def checked_caveat(id, vid, location):
    if vid is not None and len(vid) != VID_BYTES:
        refuse("verification_id_length")
    if vid is None and location is not None:
        refuse("location_on_first_party")
    return (id, vid, utf8(location))


def utf8(location):
    try:
        if location is not None:
            location.decode("utf-8")
    except UnicodeDecodeError:
        refuse("utf8")
    return location


class _V2:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        if self.at >= len(self.data):
            refuse("truncated")
        self.at += 1
        return self.data[self.at - 1]

    def peek(self):
        byte = self.byte()
        self.at -= 1
        return byte

    def length(self):
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    refuse("varint")
                return value
        return refuse("varint")

    def field(self, kind):
        if self.byte() != kind:
            refuse("expected")
        length = self.length()
        if length > MAX_FIELD:
            refuse("field_too_long")
        if self.at + length > len(self.data):
            refuse("truncated")
        self.at += length
        return self.data[self.at - length : self.at]

    def optional(self, kind):
        return self.field(kind) if self.peek() == kind else None

    def end(self):
        if self.byte() != 0:
            refuse("section_end")


def read_v2(data):
    if len(data) > MAX_BYTES:
        refuse("too_long")
    reader = _V2(data)
    if reader.byte() != 2:
        refuse("format")
    location = utf8(reader.optional(1))
    identifier = reader.field(2)
    reader.end()
    caveats = []
    while reader.peek() != 0:
        if len(caveats) == MAX_CAVEATS:
            refuse("too_many_caveats")
        where, id, vid = reader.optional(1), reader.field(2), reader.optional(4)
        reader.end()
        caveats.append(checked_caveat(id, vid, where))
    reader.end()
    macaroon = checked(location, identifier, caveats, reader.field(6))
    if reader.at != len(data):
        refuse("trailing_bytes")
    return macaroon


class _V1:
    def __init__(self, data):
        self.rest, self.ahead = data, None

    def packet(self):
        digits = self.rest[:4]
        if len(digits) < 4:
            refuse("truncated")
        if not re.fullmatch(rb"[0-9a-f]{4}", digits):
            refuse("packet")
        length = int(digits, 16)
        if length > len(self.rest):
            refuse("truncated")
        content, self.rest = self.rest[4:length], self.rest[length:]
        if length < 4 or content[-1:] != b"\n" or b" " not in content:
            refuse("packet")
        name, _, value = content[:-1].partition(b" ")
        return name, value

    def optional(self, name):
        self.ahead = self.ahead or self.packet()
        if self.ahead[0] != name:
            return None
        value, self.ahead = self.ahead[1], None
        return value

    def expect(self, name):
        value = self.optional(name)
        return refuse("expected") if value is None else value


def read_v1(data):
    if len(data) > MAX_BYTES:
        refuse("too_long")
    reader = _V1(data)
    location = utf8(reader.expect(b"location"))
    identifier = reader.expect(b"identifier")
    caveats = []
    while True:
        id = reader.optional(b"cid")
        if id is None:
            break
        if len(caveats) == MAX_CAVEATS:
            refuse("too_many_caveats")
        vid, where = reader.optional(b"vid"), reader.optional(b"cl")
        caveats.append(checked_caveat(id, vid, where))
    macaroon = checked(location or None, identifier, caveats, reader.expect(b"signature"))
    if reader.rest:
        refuse("trailing_bytes")
    return macaroon


def read_json(data):
    if len(data) > MAX_BYTES:
        refuse("too_long")
    wire = _json_object(data)
    version = wire.get("v")
    if version not in (None, 2, "2"):
        refuse("version")
    location = utf8(_part(wire, "l"))
    identifier = _required(wire, "i")
    caveats = wire.get("c") or []
    if len(caveats) > MAX_CAVEATS:
        refuse("too_many_caveats")
    caveats = [
        checked_caveat(_required(c, "i"), _part(c, "v"), utf8(_part(c, "l"))) for c in caveats
    ]
    return checked(location, identifier, caveats, _required(wire, "s"))


def _part(wire, name):
    text, encoded = wire.get(name), wire.get(name + "64")
    if text is not None and encoded is not None:
        refuse("duplicate")
    if text is not None:
        return text.encode()
    if encoded is None:
        return None
    try:
        return decode_base64(encoded.encode())
    except Refused:
        return refuse("base64")


def _required(wire, name):
    value = _part(wire, name)
    return refuse("expected") if value is None else value


def _json_object(data):
    """The syntax and the types: all that is wrong with them is one code."""

    def pairs(members):
        if len({name for name, _ in members}) != len(members):
            raise ValueError("repeated name")
        return dict(members)

    def no_constant(name):
        raise ValueError(name)

    def is_text(value):
        # A lone surrogate is no text: it has no UTF-8.
        return value is None or isinstance(value, str) and bool(value.encode() or True)

    try:
        wire = json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=no_constant)
        good = isinstance(wire, dict) and set(wire) <= set("v l l64 i i64 c s s64".split())
        version = wire.pop("v", None) if good else None
        natural = type(version) is int and version >= 0
        good = good and (version is None or isinstance(version, str) or natural)
        caveats = (wire.pop("c", None) if good else None) or []
        good = good and isinstance(caveats, list) and all(map(is_text, wire.values()))
        for caveat in caveats if good else []:
            names = set("i i64 v v64 l l64".split())
            good = good and isinstance(caveat, dict) and set(caveat) <= names
            good = good and all(map(is_text, caveat.values()))
    except (ValueError, RecursionError):
        good = False
    return {**wire, "v": version, "c": caveats} if good else refuse("json")


# --- verifying -------------------------------------------------------------------------------


def link(signature, id, vid):
    """The signature after a caveat."""
    if vid is None:
        return hmac_sha256(signature, id)
    return hmac_sha256(signature, hmac_sha256(signature, vid) + hmac_sha256(signature, id))


def bound(root, discharge):
    return hmac_sha256(bytes(32), hmac_sha256(bytes(32), root) + hmac_sha256(bytes(32), discharge))


def verify(macaroon, root_key, satisfied, discharges=()):
    """Raises Refused unless the macaroon holds with its bound discharges; `satisfied` is "all" or
    the caveats that hold. Signatures come first, then discharges, then caveats."""
    due, used = _walk(macaroon, derived_key(root_key), lambda s: s == macaroon.signature), set()
    ids = [d.identifier for d in discharges]
    if len(set(ids)) != len(ids):
        raise Refused("discharge_duplicate")
    while due:
        id, key = due.pop()
        if id not in ids:
            raise Refused("discharge_missing")
        if id in used:
            raise Refused("discharge_reused")
        used.add(id)
        if key is None:
            raise Refused("discharge_verification_id")
        discharge = discharges[ids.index(id)]
        right = lambda s, d=discharge: bound(macaroon.signature, s) == d.signature
        due += _walk(discharge, key, right)
    if len(used) != len(ids):
        raise Refused("discharge_unused")
    for id, vid, _ in [c for m in [macaroon, *discharges] for c in m.caveats]:
        if vid is None and satisfied != "all" and id not in satisfied:
            raise Refused("discharge_caveat")


def _walk(macaroon, key, is_right):
    """What the third parties have to discharge: identifiers, and keys where they open."""
    signature, due = hmac_sha256(key, macaroon.identifier), []
    for id, vid, _ in macaroon.caveats:
        if vid is not None:
            try:
                due.append((id, open_sealed(signature, vid[:24], vid[24:])))
            except Unsealed:
                due.append((id, None))
        signature = link(signature, id, vid)
    if not is_right(signature):
        raise Refused("discharge_signature")
    return due
