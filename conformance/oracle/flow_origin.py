"""An origin's text: read in several spellings, written in one (docs/PROTOCOL.md §5 step 4)."""

import ipaddress
import re

USUAL_PORT = {"https": 443, "http": 80}
NAME = re.compile(r"[^\x00-\x20\x7f#/:?@\[\\\]]+")


class OriginFault(Exception):
    """The text is no origin: there is no request that could be sent."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def split_port(text):
    """`(host, port)`, the port as text: what follows the last colon outside brackets, or None."""
    end = text.rfind("]") + 1
    host, colon, port = text[end:].rpartition(":")
    return (text[:end] + host, port) if colon else (text, None)


def read(text):
    """`(scheme, host, port)`."""
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in USUAL_PORT:
        raise OriginFault("origin_scheme")
    host, port = split_port(rest)
    if port is None:
        port = USUAL_PORT[scheme]
    elif re.fullmatch("[0-9]+", port) and int(port) <= 65535:
        port = int(port)
    else:
        raise OriginFault("origin_port")
    if not (is_address(host[1:-1]) if re.fullmatch(r"\[.*\]", host, re.DOTALL) else NAME.fullmatch(host)):
        raise OriginFault("origin_host")
    return scheme, host.lower(), port


def is_address(text):
    """Whether it is an IPv6 address, without a zone: that means something on one machine only."""
    try:
        ipaddress.IPv6Address(text)
        return "%" not in text
    except ValueError:
        return False


def write(origin):
    """The one spelling of an origin that was read."""
    scheme, host, port = origin
    return "%s://%s" % (scheme, host) + ("" if port == USUAL_PORT[scheme] else ":%d" % port)
