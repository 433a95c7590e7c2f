"""Reading a challenge as docs/PROTOCOL.md §5 has it: RFC 9110's list, then the JSON body."""

import json
import re

TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
# Deployed servers send base64 without quotes: `/` and a final `=` are taken there.
UNQUOTED = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z/]+=*")
QUOTED = re.compile(r'"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"')
SEPARATORS = re.compile(r"[, \t]*")
SPACE = re.compile(r"[ \t]*")
END = re.compile(r"[ \t]*(?=,|\Z)")
MAX_LINE, MAX_PARAMS, MAX_BODY = 65_536, 64, 65_536


class Refused(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


class _Syntax(Exception):
    pass


def read(headers, body):
    """The challenge as the suite shows it, or Refused."""
    for name, value in headers:
        if name.lower() == "www-authenticate":
            for scheme, params in challenges(value):
                found = from_params(scheme, params)
                if found:
                    return found
    found = from_body(body) if body is not None else None
    if found:
        return found
    raise Refused("no_challenge")


def challenges(line):
    """The challenges of a line up to its first error."""
    at, done = 0, []
    try:
        if len(line) > MAX_LINE:
            raise _Syntax
        while True:
            at = SEPARATORS.match(line, at).end()
            if at == len(line):
                return done
            scheme, params, at = _challenge(line, at)
            done.append((scheme, params))
    except _Syntax:
        return done


def _challenge(line, at):
    match = TOKEN.match(line, at)
    if not match:
        raise _Syntax
    scheme, after = match.group(), match.end()
    alone = END.match(line, after)
    spaced = SPACE.match(line, after).end()
    if not alone and spaced == after:
        raise _Syntax
    params = []
    at = SEPARATORS.match(line, after).end() if alone else spaced
    param = _param(line, at)
    if param is None and not alone:
        match = TOKEN68.match(line, at)
        end = match and END.match(line, match.end())
        if not end:
            raise _Syntax
        return scheme, None, end.end()
    while param is not None:
        if len(params) == MAX_PARAMS:
            raise _Syntax
        params.append(param[:2])
        after = param[2]
        at = SEPARATORS.match(line, after).end()
        param = _param(line, at)
    return scheme, params, at


def _param(line, at):
    """Name, value and end; None where no parameter begins."""
    match = TOKEN.match(line, at)
    equals = match and re.compile(r"[ \t]*=[ \t]*").match(line, match.end())
    if not equals:
        return None
    at = equals.end()
    if line[at : at + 1] == '"':
        value = QUOTED.match(line, at)
        if not value:
            raise _Syntax
        text = re.sub(r"\\(.)", r"\1", value.group(1), flags=re.S)
    else:
        value = UNQUOTED.match(line, at)
        if not value:
            return None
        text = value.group()
    end = END.match(line, value.end())
    if not end:
        raise _Syntax
    return match.group().lower(), text, end.end()


def usable(text):
    """What can be sent in a header: visible ASCII, not empty."""
    return text if re.fullmatch(r"[\x21-\x7e]+", text) else None


def from_params(scheme, params):
    if scheme.upper() not in ("L402", "LSAT") or params is None:
        return None
    names = [name for name, _ in params]
    tokens = [usable(value) for name, value in params if name in ("macaroon", "token")]
    invoices = [usable(value) for name, value in params if name == "invoice"]
    return _complete(scheme.upper(), tokens, invoices, len(set(names)) != len(names), "header")


def from_body(body):
    if len(body) > MAX_BODY:
        return None
    try:
        pairs = json.loads(body.decode("utf-8"), object_pairs_hook=tuple, parse_constant=_none)
    except (ValueError, RecursionError):
        return None
    # The hook makes an object a tuple of pairs; nothing else is one.
    if not isinstance(pairs, tuple):
        return None
    wanted = [(n, v) for n, v in pairs if n in ("invoice", "macaroon", "format", "authorization_format")]
    names = [name for name, _ in wanted]
    first = {}
    for name, value in wanted:
        if isinstance(value, str):
            first.setdefault(name, value)
    schemes, tokens = [], []
    for name in ("format", "authorization_format"):
        form = re.fullmatch(r"\s*(L402|LSAT) +([A-Za-z0-9+/_=-]+):(.+?)\s*", first.get(name, ""), re.I | re.S)
        if form:
            schemes.append(form.group(1).upper())
            tokens.append(form.group(2))
    if "macaroon" in first:
        tokens.append(usable(first["macaroon"]))
    invoices = [usable(first["invoice"])] if "invoice" in first else []
    scheme = schemes[0] if schemes else "L402"
    return _complete(scheme, tokens, invoices, len(set(names)) != len(names), "body")


def _none(name):
    raise ValueError(name)


def _complete(scheme, tokens, invoices, repeated, source):
    """An incomplete challenge is none, whatever else is wrong with it."""
    good = [t for t in tokens if t]
    invoices = [i for i in invoices if i]
    if not good or not invoices:
        return None
    if repeated:
        raise Refused("challenge_repeated_parameter")
    if len(set(tokens)) != 1:
        raise Refused("challenge_token_mismatch")
    return {"scheme": scheme, "token": good[0], "invoice": invoices[0], "source": source}
