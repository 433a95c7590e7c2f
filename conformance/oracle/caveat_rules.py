"""The rules of docs/PROTOCOL.md §2, written from its text: what a chain of caveats allows.

The table is a table here, too: each row says how a value is read, what the next one may be, and what
the last one must be. Which row fails, and in which order, is `judge`'s.
"""

import base64
import re

from common import sha256

U8, U32, U64 = 2**8 - 1, 2**32 - 1, 2**64 - 1
LIST_ITEMS = 64
GRACE = 300


class Refused(Exception):
    """A refusal. `stage` is its place in the order of §3; the lowest decides."""

    MALFORMED, INVALID, NARROWING, VALUES, STRICT, SCOPE, UNBOUND, EXPIRED = range(8)
    CODES = {
        MALFORMED: "malformed_credential",
        INVALID: "invalid_credential",
        NARROWING: "out_of_scope",
        VALUES: "out_of_scope",
        STRICT: "out_of_scope",
        SCOPE: "out_of_scope",
        # The chain does not begin as this route's mint would have begun it. Only what is in scope
        # is of this route, so that scope is looked at before.
        UNBOUND: "invalid_credential",
        EXPIRED: "expired",
    }

    def __init__(self, stage, why):
        super().__init__(why)
        self.stage = stage
        self.code = self.CODES[stage]


# --- values ----------------------------------------------------------------------------------


class BadValue(Exception):
    pass


def need(condition):
    if not condition:
        raise BadValue


def number(highest, lowest=0):
    def read(text):
        need(re.fullmatch(r"0|[1-9][0-9]*", text, re.ASCII))
        need(lowest <= int(text) <= highest)
        return int(text)

    return read


def pair(text):
    found = re.fullmatch(r"([a-z0-9-]+):([0-9]+)", text, re.ASCII)
    need(found)
    return (found.group(1), number(U8)(found.group(2)))


def pairs(text):
    return [pair(item) for item in text.split(",")]


def method(text):
    need(re.fullmatch(r"[A-Z0-9!#$%&'*+.^_`|~-]+", text, re.ASCII))
    return text


def path_pattern(text):
    need(text.startswith("/"))
    return text


def hash_hex(text):
    need(re.fullmatch(r"[0-9A-Fa-f]{64}", text, re.ASCII))
    return bytes.fromhex(text)


def digest(text):
    """RFC 9530's one member, an RFC 8941 byte sequence: standard alphabet, padded."""
    found = re.fullmatch(r"sha-256=:([A-Za-z0-9+/]{43}=):", text, re.ASCII)
    need(found)
    content = base64.b64decode(found.group(1))
    need(base64.b64encode(content).decode() == found.group(1))
    return content


def capabilities(text):
    items = text.split(",")
    need(len(items) <= LIST_ITEMS)
    need(all(re.fullmatch(r"[!-+\--~]+", item, re.ASCII) for item in items))
    return items


# --- what the next one may be, and the last one must be ----------------------------------------


def at_most(old, new):
    return new <= old


def equal(old, new):
    return new == old


def subset(old, new):
    return set(new) <= set(old)


def path_narrows(old, new):
    return new == old or old.endswith("*") and new.startswith(old[:-1])


def path_matches(pattern, path):
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


# What follows the service's name: how a value is read, and which next one is allowed after it.
ROWS = {
    "valid_until": (number(U64), at_most),
    "method": (method, equal),
    "path": (path_pattern, path_narrows),
    "max_price_msat": (number(U64), at_most),
    "uses": (number(U32, 1), at_most),
    "query": (hash_hex, equal),
    "digest": (digest, equal),
    "capabilities": (capabilities, subset),
}
BEGINNING = ["valid_until", "method", "path", "max_price_msat"]
MAY_FOLLOW = ["uses", "query", "digest", "capabilities"]


# --- reading -----------------------------------------------------------------------------------


def split(caveat):
    """Condition and value; None for what has neither."""
    try:
        text = caveat.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "=" not in text:
        return None
    condition, value = text.split("=", 1)
    return condition.strip(" "), value.strip(" ")


def check_preimage(caveats, header, payment_hash):
    """The header's and each caveat's preimage are one, and it is the payment hash's."""
    given = [header] if header is not None else []
    for read in map(split, caveats):
        if read and read[0] == "preimage":
            try:
                given.append(hash_hex(read[1]))
            except BadValue:
                raise Refused(Refused.INVALID, "a preimage caveat that is no preimage") from None
    if not given or any(sha256(preimage) != payment_hash for preimage in given):
        raise Refused(Refused.INVALID, "the preimage")


def beginning(caveats):
    """Service, tier, and the values of the five caveats that each minted chain begins with."""

    def due(index, condition, read):
        if index >= len(caveats):
            raise BadValue
        found = split(caveats[index])
        need(found and found[0] == condition)
        return read(found[1])

    try:
        service, tier = due(0, "services", pair)
        last = {
            row: due(index, "%s_%s" % (service, row), ROWS[row][0])
            for index, row in enumerate(BEGINNING, 1)
        }
    except BadValue:
        raise Refused(Refused.INVALID, "the chain does not begin as minted ones do") from None
    return service, tier, last


def minted_rows(caveats, service):
    """Which of the caveats that may follow the beginning are in their minted place."""
    found, index = {}, 1 + len(BEGINNING)
    for row in MAY_FOLLOW:
        read = split(caveats[index]) if index < len(caveats) else None
        if read and read[0] == "%s_%s" % (service, row):
            found[row] = index
            index += 1
    return found


def judge(caveats, request):
    """What a chain with a right MAC and preimage is good for; raises the first refusal.

    `request` is what `context` makes: the schema calls its members by the same names.
    """
    service, tier, last = beginning(caveats)
    minted_until = last["valid_until"]
    minted = minted_rows(caveats, service)
    if "uses" not in minted:
        last["uses"] = 1
    faults = []
    for index, caveat in enumerate(caveats[1 + len(BEGINNING):], 1 + len(BEGINNING)):
        try:
            follow(split(caveat), service, tier, last, index in minted.values())
        except Refused as fault:
            if fault.stage != Refused.STRICT or request["strict"]:
                faults.append(fault)
    if faults:
        raise min(faults, key=lambda fault: fault.stage)
    scope(service, tier, last, minted, request)
    if request["now"] >= last["valid_until"]:
        raise Refused(Refused.EXPIRED, "expired")
    return {
        "uses": last["uses"],
        "valid_until": last["valid_until"],
        "keep_until": min(minted_until + GRACE, U64),
    }


def follow(read, service, tier, last, in_minted_place):
    """Takes one more caveat into `last`."""
    if read is None:
        raise Refused(Refused.STRICT, "no condition")
    condition, value = read
    if condition == "preimage":
        return
    row = condition[len(service) + 1:] if condition.startswith(service + "_") else None
    try:
        if condition == "services":
            if not subset([(service, tier)], pairs(value)):
                raise Refused(Refused.NARROWING, condition)
        elif row in ROWS:
            parse, narrows = ROWS[row]
            new = value if row in ("method", "path") else parse(value)
            if row in last and not (row == "uses" and in_minted_place) and not narrows(last[row], new):
                raise Refused(Refused.NARROWING, condition)
            last[row] = new
        else:
            raise Refused(Refused.STRICT, condition)
    except BadValue:
        raise Refused(Refused.VALUES, condition) from None


def scope(service, tier, last, minted, request):
    """Holds the last value of each condition against the request."""
    # What the mint did not sell, a holder cannot add: an absent caveat never means "anything".
    sold = last["capabilities"] if "capabilities" in minted else []
    query, body = sha256(request["query"]), request["body"]
    holds = [
        (service, tier) == (request["service"], request["tier"]),
        last["method"] == request["method"],
        path_matches(last["path"], request["path"]),
        last["max_price_msat"] >= request["lowest_price_msat"],
        last.get("query", query) == query,
        "digest" not in last or body is not None and last["digest"] == sha256(body),
        request["capability"] is None or request["capability"] in sold,
    ]
    if not all(holds):
        raise Refused(Refused.SCOPE, "row %d" % holds.index(False))
    for bound, row in [("binds_query", "query"), ("binds_body", "digest")]:
        if request[bound] and row not in minted:
            raise Refused(Refused.UNBOUND, row)


# --- requests ----------------------------------------------------------------------------------


class BadPath(Exception):
    code = "bad_path"


def normalized(path):
    """§2, "Normalized path", for a route that allows none of what it may allow."""
    if not path.startswith("/") or re.search(r"%(?![0-9A-Fa-f]{2})", path):
        raise BadPath
    # The characters of RFC 3986's path; `;` is one, and refused.
    if not re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,=:@/%-]*", path, re.ASCII):
        raise BadPath

    def escape(found):
        char = chr(int(found.group(1), 16))
        plain = re.fullmatch(r"[A-Za-z0-9._~-]", char, re.ASCII)
        return char if plain else found.group(0).upper()

    path = re.sub(r"%([0-9A-Fa-f]{2})", escape, path).replace("*", "%2A")
    if re.search(r"%(2F|5C|[01][0-9A-F]|7F)", path):
        raise BadPath
    segments = path.split("/")[1:]
    if any(segment in (".", "..") for segment in segments) or "" in segments[:-1]:
        raise BadPath
    return path


def context(request):
    """The request of a case, its target taken apart."""
    path, _, query = request["target"].partition("?")
    body = request["body"]
    return {
        **request,
        "path": normalized(path),
        "query": query.encode(),
        "body": None if body is None else bytes.fromhex(body),
    }
