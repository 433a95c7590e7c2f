"""Reads challenges and tokens as docs/PROTOCOL.md §5.2 has a client do it, for the model of the flow."""

import base64
import binascii
import json
import re

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PARAMETER = re.compile(r'(%s)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))' % TOKEN)
SCHEME = re.compile(r"(%s)(?:[ \t]+|$)" % TOKEN)
PREIMAGE_PLACEHOLDER = ":<preimage>"


class ChallengeFault(Exception):
    """The challenge says two things at once."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def one_of(pairs, *names):
    """The one value that these names have: None where none is there, a fault where two differ."""
    found = {}
    for name, value in pairs:
        if name in found:
            raise ChallengeFault("challenge_repeated_parameter")
        found[name] = value
    values = {found[name] for name in names if name in found}
    if len(values) > 1:
        raise ChallengeFault("challenge_token_mismatch")
    return values.pop() if values else None


def parse_line(value):
    """`[(scheme, [(parameter, value)])]` of one header line."""
    challenges, at = [], 0
    while at < len(value):
        if value[at] in " \t,":
            at += 1
            continue
        parameter = PARAMETER.match(value, at)
        if parameter and challenges:
            name, quoted, plain = parameter.groups()
            text = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            challenges[-1][1].append((name.lower(), text))
            at = parameter.end()
            continue
        scheme = SCHEME.match(value, at)
        if not scheme:
            break
        challenges.append((scheme.group(1), []))
        at = scheme.end()
    return challenges


def complete(scheme, pairs, names):
    token, invoice = one_of(pairs, *names), one_of(pairs, "invoice")
    return {"scheme": scheme.upper(), "token": token, "invoice": invoice} if token and invoice else None


def from_headers(headers):
    for name, value in headers:
        if name.lower() != "www-authenticate":
            continue
        for scheme, pairs in parse_line(value):
            if scheme.upper() in ("L402", "LSAT"):
                found = complete(scheme, pairs, ("token", "macaroon"))
                if found:
                    return found
    return None


def from_body(body):
    """A challenge in JSON: the token in `macaroon`, or in a format that shows how to write the credential."""
    try:
        members = json.loads(body, object_pairs_hook=list)
    except ValueError:
        return None
    pairs = [(n, v) for n, v in members if isinstance(v, str)] if isinstance(members, list) else []
    scheme, texts = "L402", []
    for name, value in pairs:
        if name in ("format", "authorization_format") and value.endswith(PREIMAGE_PLACEHOLDER):
            scheme, _, value = value[: -len(PREIMAGE_PLACEHOLDER)].partition(" ")
        texts.append((name, value))
    return complete(scheme, texts, ("macaroon", "format", "authorization_format"))


def v2_fields(data):
    """Sections of a v2 macaroon, each a list of (type, content)."""
    assert data[:1] == b"\2"
    sections, section, at = [], [], 1

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        kind = varint()
        if kind == 0:
            sections.append(section)
            section = []
            continue
        length = varint()
        section.append((kind, data[at : at + length]))
        at += length
    return sections, section


def read_token(token):
    """`(payment hash, earliest valid_until or None)` of a token with the 66-byte identifier, else None."""
    try:
        data = base64.b64decode(
            token.replace("-", "+").replace("_", "/") + "=" * (-len(token) % 4), validate=True
        )
        sections, _ = v2_fields(data)
        identifier = dict(sections[0])[2]
    except (binascii.Error, AssertionError, IndexError, KeyError, ValueError):
        return None
    if len(identifier) != 66 or identifier[:2] != b"\0\0":
        return None
    caveats = [dict(section)[2].decode().partition("=") for section in sections[1:] if section]
    services = [
        pair.split(":")[0] for name, _, value in caveats if name == "services" for pair in value.split(",")
    ]
    names = {service + "_valid_until" for service in services}
    times = [int(value) for name, _, value in caveats if name in names]
    return identifier[2:34].hex(), min(times) if times else None
