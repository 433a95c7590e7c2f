"""What requests cost: terms, and the table of routes that the middlewares look them up in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, List, Literal, Mapping, Optional, Tuple, Union
from urllib.parse import quote, unquote_to_bytes

from ._errors import PathError
from ._plannt import normalize_path

#: A route that costs nothing.
FREE: Literal["free"] = "free"
#: No such route: 404, and the application never sees the request.
NOT_FOUND: Literal["not_found"] = "not_found"


@dataclass(frozen=True)
class Terms:
    """The terms of a paid request: what its challenge asks for, and what its credential must show.

    >>> Terms("reports", price_msat=21_000).uses
    1
    """

    #: The service's name, ``[a-z0-9-]+``.
    service: str
    #: The price now, msat; an invoice rounds it up to the node's unit.
    price_msat: int
    #: The service's tier.
    tier: int = 0
    #: The lowest price that this request had during the last validity window, msat: what was paid then is still good.
    lowest_price_msat: Optional[int] = None
    #: How many requests one payment buys.
    uses: int = 1
    #: Whether a credential holds for the exact query only.
    binds_query: bool = False
    #: Whether a credential holds for the exact body only, and then how many bytes a body may have.
    binds_body: Optional[int] = None
    #: The capability that a credential must hold and that a minted one gets.
    capability: Optional[str] = None
    #: How long a credential is valid, seconds; at least until 10 minutes after the invoice expires.
    validity_seconds: int = 3_600
    #: The invoice's description, at most 639 bytes; the service's name where it is None.
    memo: Optional[str] = None


Pricing = Union[Terms, Literal["free", "not_found"]]
Pricer = Callable[[str, str], Pricing]


class Routes:
    """A table of routes: ``"/v1/report"``, a final ``*`` for all paths that begin so, or with a method, ``"POST /v1/*"``. The longest
    pattern that matches counts, one with a method before one without.

    Paths are compared in their normalized form (docs/PROTOCOL.md §2), case and a final slash included, and without escapes that no
    application could tell from their character: ``%3A`` is ``:``.

    >>> routes = Routes({"/v1/*": Terms("demo", 21_000), "/v1/status": FREE})
    >>> routes("GET", "/v1/status"), routes("GET", "/v1/demo").price_msat, routes("GET", "/V1/demo")
    ('free', 21000, 'not_found')
    """

    def __init__(self, table: Mapping[str, Pricing], otherwise: Pricing = NOT_FOUND) -> None:
        self._exact: Dict[Tuple[Optional[str], str], Pricing] = {}
        self._prefixes: List[Tuple[str, Optional[str], Pricing]] = []
        self._otherwise: Pricing = _checked(otherwise)
        for pattern, pricing in table.items():
            method, _, path = pattern.rpartition(" ")
            named = method.strip().upper() or None
            prefix = path.endswith("*")
            path = path[:-1] if prefix else path
            if not path.startswith("/") or normalize_path(path) != path:
                raise ValueError(f"the route {pattern!r} is not in the normalized form of a path")
            path = normalize_path(routed(path))
            if prefix:
                self._prefixes.append((path, named, _checked(pricing)))
            else:
                self._exact[named, path] = _checked(pricing)
        self._prefixes.sort(key=lambda route: (-len(route[0]), route[1] is None))

    def __call__(self, method: str, path: str) -> Pricing:
        """The terms of a request, whose path is normalized."""
        for named in (method, None):
            key: Tuple[Optional[str], str] = (named, path)
            if key in self._exact:
                return self._exact[key]
        for prefix, named, pricing in self._prefixes:
            if path.startswith(prefix) and named in (method, None):
                return pricing
        return self._otherwise


def _checked(pricing: Pricing) -> Pricing:
    if not isinstance(pricing, Terms) and pricing not in (FREE, NOT_FOUND):
        raise TypeError("a route's terms are a Terms, FREE or NOT_FOUND")
    return pricing


def pricer(routes: Union[Mapping[str, Pricing], Pricer, Terms], otherwise: Pricing) -> Pricer:
    """What a middleware's ``routes`` come to: a table, a function of method and normalized path, or terms for everything."""
    if isinstance(routes, Terms):
        terms = routes
        return lambda _method, _path: terms
    return Routes(routes, otherwise) if isinstance(routes, Mapping) else routes


def escaped(path: bytes) -> str:
    """A path that was unescaped already, as applications route it, with no more escapes than it needs."""
    return quote(path, safe="/:@!$&'()*+,;=~-._\\") or "/"


def routed(raw_path: str) -> str:
    """A path as it came, with only those escapes that an application could tell from none: it routes by the unescaped path, so one
    resource has one price, however it was written. What the gate refuses stays as it is.

    >>> routed("/v1/report%3Amake%20it"), routed("/v1/a%2Fb")
    ('/v1/report:make%20it', '/v1/a%2Fb')
    """
    try:
        return escaped(unquote_to_bytes(normalize_path(raw_path)))
    except PathError:
        return raw_path


def pricing_of(price: Pricer, method: str, raw_path: str) -> Pricing:
    """The terms of a request whose path is as it came. A HEAD asks for what its GET costs."""
    try:
        path = normalize_path(routed(raw_path))
    except PathError:
        # The gate says so itself.
        return NOT_FOUND
    found = price(method, path)
    return price("GET", path) if method == "HEAD" and found == NOT_FOUND else found
