"""What the oracles of all suites share: cases and files, MACs, macaroons, base64.

Everything here is written from docs/PROTOCOL.md and the macaroon formats with the standard library
alone, and shares no code with the implementation under test.
"""

import base64
import hashlib
import hmac
import json
import sys

ORACLE = {"name": "plannt-oracle", "version": "1.0.0"}
CURRENCY = {"bitcoin": b"bc", "testnet": b"tb", "signet": b"tbs", "simnet": b"sb", "regtest": b"bcrt"}


# --- files -----------------------------------------------------------------------------------


class Suite:
    """A file of vectors in the making."""

    def __init__(self, name, version="1.0.0"):
        self.name = name
        self.version = version
        self.flags = {}
        self.groups = []
        self.ids = set()

    def flag(self, name, description, rule):
        """Declares a flag; returns its name, to be given to cases."""
        assert name not in self.flags, name
        self.flags[name] = {"description": description, "rule": rule}
        return name

    def group(self, name, comment, first, source=ORACLE):
        """Begins a group whose cases are numbered from `first` on.

        Ids are permanent: a group only grows at its end, and each leaves room for that.
        """
        group = Group(self, name, comment, first, source)
        self.groups.append(group)
        return group

    def to_json(self):
        """The file: one line for each case, so that a change of one shows as one line."""
        unused = set(self.flags) - {f for g in self.groups for t in g.tests for f in t["flags"]}
        assert not unused, "flags of no case: %s" % sorted(unused)
        head = {
            "suite": self.name,
            "version": self.version,
            "schema": "schemas/%s.schema.json" % self.name,
            "number_of_tests": sum(len(group.tests) for group in self.groups),
        }
        lines = ["{"]
        lines += ["  %s: %s," % (json.dumps(k), json.dumps(v)) for k, v in head.items()]
        flags = ["    %s: %s" % (json.dumps(k), json.dumps(self.flags[k])) for k in sorted(self.flags)]
        lines += ['  "flags": {'] + [",\n".join(flags)] * bool(flags) + ["  },", '  "groups": [']
        lines.append(",\n".join(group.to_json() for group in self.groups))
        return "\n".join(lines + ["  ]", "}"]) + "\n"


class Group:
    """Cases that have something in common."""

    def __init__(self, suite, name, comment, first, source):
        self.suite, self.name, self.comment, self.source = suite, name, comment, source
        self.next = first
        self.tests = []

    def valid(self, comment, input, output, flags=()):
        """A case that is to be accepted, with `output`."""
        self._add(comment, flags, "valid", input, {"output": output})

    def invalid(self, comment, input, error, flags=()):
        """A case that is to be refused, with the stable code `error`."""
        self._add(comment, flags, "invalid", input, {"error": error})

    def acceptable(self, comment, input, output=None, error=None, flags=()):
        """A case where both kinds of answer are fine; what is given here must then match."""
        given = {"output": output, "error": error}
        answer = {k: v for k, v in given.items() if v is not None}
        self._add(comment, flags, "acceptable", input, answer)

    def _add(self, comment, flags, result, input, answer):
        number, self.next = self.next, self.next + 1
        assert number not in self.suite.ids and number <= 9999, "id %d is taken" % number
        self.suite.ids.add(number)
        assert set(flags) <= set(self.suite.flags), "undeclared flag in %s" % (flags,)
        case = {
            "id": "%s-%04d" % (self.suite.name, number),
            "comment": comment,
            "flags": sorted(flags),
            "result": result,
            "input": input,
        }
        self.tests.append({**case, **answer})

    def to_json(self):
        head = {"name": self.name, "comment": self.comment, "source": self.source}
        lines = ["    {"]
        lines += ["      %s: %s," % (json.dumps(k), json.dumps(v)) for k, v in head.items()]
        lines.append('      "tests": [')
        lines.append(",\n".join("        " + json.dumps(test) for test in self.tests))
        return "\n".join(lines + ["      ]", "    }"])


def main(build):
    """What each suite's script ends with: writes the file to standard output."""
    sys.stdout.write(build().to_json())


# --- bytes -----------------------------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def seeded(label, length=32):
    """Bytes that look random and are the same in each run."""
    out = b""
    while len(out) < length:
        out += sha256(b"plannt-oracle/%d/" % len(out) + label.encode())
    return out[:length]


def b64(data):
    """Standard alphabet, padded: as tokens are written."""
    return base64.b64encode(data).decode()


def b64url(data):
    """URL-safe alphabet, without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# --- macaroons -------------------------------------------------------------------------------


def derived_key(key):
    """What every macaroon library makes of a key before it is used."""
    return hmac_sha256(b"macaroons-key-generator".ljust(32, b"\0"), key)


def chain(key, identifier, caveats):
    """The signature of a macaroon with first-party caveats; `key` as handed to a library."""
    signature = hmac_sha256(derived_key(key), identifier)
    for caveat in caveats:
        signature = hmac_sha256(signature, caveat)
    return signature


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def v2_field(kind, content):
    return bytes([kind]) + varint(len(content)) + content


def v2_encode(identifier, caveats, signature, location=b"l402"):
    """v2 binary. A caveat is bytes, or a tuple (id, verification id, location) with None for what
    is absent. `location` may be None."""
    out = b"\x02" + (v2_field(1, location) if location is not None else b"")
    out += v2_field(2, identifier) + b"\0"
    for caveat in caveats:
        id, vid, where = caveat if isinstance(caveat, tuple) else (caveat, None, None)
        out += v2_field(1, where) if where is not None else b""
        out += v2_field(2, id)
        out += v2_field(4, vid) if vid is not None else b""
        out += b"\0"
    return out + b"\0" + v2_field(6, signature)


# --- L402 (docs/PROTOCOL.md §1) --------------------------------------------------------------


def token_id(root_key, payment_hash):
    return hmac_sha256(root_key, payment_hash)


def identifier(payment_hash, token_id, version=0):
    return version.to_bytes(2, "big") + payment_hash + token_id


def macaroon_key(root_key, network, payment_hash):
    return hmac_sha256(root_key, b"l402/macaroon/0" + CURRENCY[network] + b"\0" + payment_hash)


def mint(root_key, network, payment_hash, caveats, location=b"l402"):
    """A macaroon's bytes (v2) under a root key; `caveats` are bytes, in order."""
    id = identifier(payment_hash, token_id(root_key, payment_hash))
    signature = chain(macaroon_key(root_key, network, payment_hash), id, caveats)
    return v2_encode(id, caveats, signature, location)
