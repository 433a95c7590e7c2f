"""Verifying a credential (docs/PROTOCOL.md §1 and §3), written from the text."""

import base64
import re

import caveat_rules
from caveat_rules import Refused
from common import chain, hmac_sha256, macaroon_key, token_id

HEADER_BYTES = 16 * 1024
TOKEN_BYTES = 8 * 1024
TOKEN_CAVEATS = 64


def malformed(why):
    return Refused(Refused.MALFORMED, why)


class HeaderTooLarge(Exception):
    code = "header_too_large"


# --- reading -----------------------------------------------------------------------------------


def b64_strict(text):
    """One alphabet, exact padding or none, spare bits zero."""
    if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}|[A-Za-z0-9_-]*={0,2}", text, re.ASCII):
        raise malformed("base64 alphabet")
    digits = text.rstrip("=")
    padded = digits + "=" * (-len(digits) % 4)
    if len(digits) % 4 == 1 or text not in (digits, padded):
        raise malformed("base64 length")
    data = base64.b64decode(padded.replace("-", "+").replace("_", "/"))
    if base64.b64encode(data).decode().rstrip("=") != digits.replace("-", "+").replace("_", "/"):
        raise malformed("base64 spare bits")
    return data


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        part = self.data[self.at:self.at + count]
        if len(part) != count:
            raise malformed("macaroon cut short")
        self.at += count
        return part

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    raise malformed("varint longer than its value needs")
                return value
            shift += 7

    def fields(self):
        """The fields up to the section's end: kinds that rise, so in order and none twice."""
        found, last = {}, 0
        while True:
            kind = self.varint()
            if kind == 0:
                return found
            if kind <= last:
                raise malformed("fields out of order, or one twice")
            found[kind], last = self.take(self.varint()), kind


def parse_v2(data):
    """Identifier, caveats as (id, verification id or None), signature."""
    reader = Reader(data)
    if reader.take(1) != b"\x02":
        raise malformed("not v2")
    head = reader.fields()
    if 2 not in head or set(head) - {1, 2}:
        raise malformed("identifier")
    caveats = []
    while True:
        fields = reader.fields()
        if not fields:
            break
        if 2 not in fields or set(fields) - {1, 2, 4} or 1 in fields and 4 not in fields:
            raise malformed("caveat")
        caveats.append((fields[2], fields.get(4)))
    if reader.varint() != 6 or reader.varint() != 32:
        raise malformed("signature")
    signature = reader.take(32)
    if reader.at != len(data):
        raise malformed("trailing bytes")
    return head[2], caveats, signature


def read_authorization(lines):
    """Tokens' bytes or refusals, and the preimage, of the first line with our scheme."""
    if sum(len(line) for line in lines) > HEADER_BYTES:
        raise HeaderTooLarge
    ours = [line for line in lines if re.match(r"(?i:L402|LSAT)(?![A-Za-z0-9])", line)]
    found = re.fullmatch(r"[A-Za-z0-9]+ +([^: ]+):([0-9A-Fa-f]{64})", ours[0], re.ASCII)
    if not found:
        raise malformed("not a token, a colon and a preimage")
    tokens = found.group(1).split(",")
    if "" in tokens:
        raise malformed("an empty token")
    return [lambda token=token: b64_strict(token) for token in tokens], bytes.fromhex(found.group(2))


def read_metadata(text):
    if not re.fullmatch(r"([0-9A-Fa-f]{2})+", text, re.ASCII):
        raise malformed("hex")
    return [lambda: bytes.fromhex(text)], None


# --- judging -----------------------------------------------------------------------------------


def judge_token(data, ring, preimage, request):
    if len(data) > TOKEN_BYTES:
        raise malformed("token too large")
    id, caveats, signature = parse_v2(data)
    if len(caveats) > TOKEN_CAVEATS:
        raise malformed("too many caveats")

    def invalid(why):
        return Refused(Refused.INVALID, why)

    if len(id) != 66 or id[:2] != b"\0\0":
        raise invalid("identifier")
    payment_hash, claimed = id[2:34], id[34:]
    keys = [key for key in ring["root_keys"] if token_id(key, payment_hash) == claimed]
    if not keys:
        raise invalid("token id")
    if sign(macaroon_key(keys[0], ring["network"], payment_hash), id, caveats) != signature:
        raise invalid("signature")
    if any(vid is not None for _, vid in caveats):
        raise invalid("third-party caveat")
    conditions = [condition for condition, _ in caveats]
    caveat_rules.check_preimage(conditions, preimage, payment_hash)
    return {"payment_hash": payment_hash.hex(), **caveat_rules.judge(conditions, request)}


def sign(key, id, caveats):
    """The chain, where a third-party caveat goes in as the MAC of both its parts' MACs."""
    signature = chain(key, id, [])
    for condition, vid in caveats:
        if vid is None:
            signature = hmac_sha256(signature, condition)
        else:
            both = hmac_sha256(signature, vid) + hmac_sha256(signature, condition)
            signature = hmac_sha256(signature, both)
    return signature


def judge(case):
    """The answer to a case of the suite `verify`: its output, or an error with a `code`."""
    ring = {"network": case["network"], "root_keys": [bytes.fromhex(k) for k in case["root_keys"]]}
    request = caveat_rules.context(case["request"])
    if "authorization" in case:
        tokens, preimage = read_authorization(case["authorization"])
    else:
        tokens, preimage = read_metadata(case["grpc_macaroon"])
    results, refusals = [], []
    for token in tokens:
        try:
            results.append(judge_token(token(), ring, preimage, request))
        except Refused as refusal:
            refusals.append(refusal)
    if refusals:
        raise min(refusals, key=lambda refusal: refusal.stage)
    if len({result["payment_hash"] for result in results}) != 1:
        raise Refused(Refused.INVALID, "several payment hashes")
    # Together one use: the fewest uses, the earliest end, the longest keeping.
    return {
        "payment_hash": results[0]["payment_hash"],
        "uses": min(result["uses"] for result in results),
        "valid_until": min(result["valid_until"] for result in results),
        "keep_until": max(result["keep_until"] for result in results),
    }


