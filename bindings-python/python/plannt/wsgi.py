"""Charging in a WSGI application: Flask, Django, or any other.

.. code-block:: python

    import plannt
    from plannt.wsgi import L402Middleware

    gate = plannt.Gate("/var/lib/reports", node="lnd://127.0.0.1:8080?cert=tls.cert&macaroon=invoice.macaroon", network="bitcoin")
    application = L402Middleware(application, gate=gate, routes={"/v1/report": plannt.Terms("reports", price_msat=21_000)})
"""

from __future__ import annotations

import io
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union
from urllib.parse import unquote_to_bytes

from ._plannt import Admitted, Gate, Refused
from ._terms import NOT_FOUND, Pricer, Pricing, Terms, escaped, pricer, pricing_of

__all__ = ["L402Middleware"]

Environ = Dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environ, StartResponse], Iterable[bytes]]

_REASONS = {
    400: "Bad Request",
    402: "Payment Required",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    414: "URI Too Long",
    421: "Misdirected Request",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class L402Middleware:
    """Lets a request into an application once it is paid for, and each payment once. Its arguments are those of
    :class:`plannt.asgi.L402Middleware`.

    The path that is priced is the one that the application routes by, ``SCRIPT_NAME`` and ``PATH_INFO``. ``environ["plannt"]`` is the
    :class:`Passage` of a paid request.
    """

    def __init__(
        self,
        app: App,
        *,
        gate: Gate,
        routes: Union[Mapping[str, Pricing], Pricer, Terms],
        otherwise: Pricing = NOT_FOUND,
    ) -> None:
        self._app, self._gate, self._price = app, gate, pricer(routes, otherwise)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The application as the server sees it."""
        method = environ["REQUEST_METHOD"]
        # WSGI has unescaped it; what the application routes by is escaped again.
        root = environ.get("SCRIPT_NAME", "").encode("latin-1")
        path = escaped(root + environ.get("PATH_INFO", "").encode("latin-1"))
        pricing = pricing_of(self._price, method, path)
        body: Optional[bytes] = None
        if isinstance(pricing, Terms) and pricing.binds_body is not None and method != "HEAD":
            body = _read(environ, pricing.binds_body)
        query = environ.get("QUERY_STRING", "")
        target = f"{path}?{query}" if query else path
        client = environ.get("REMOTE_ADDR")
        entered = self._gate.enter(method, target, _headers(environ), pricing, body=body, client=client)
        if isinstance(entered, Refused):
            return _answer(start_response, entered, method)
        return self._admitted(environ, start_response, entered, root)

    def _admitted(self, environ: Environ, start_response: StartResponse, admitted: Admitted, root: bytes) -> Iterable[bytes]:
        passage = Passage(admitted)
        # Our credential is gone, and headers that would change what was priced; other schemes pass.
        left = dict(_environ_headers(admitted.headers))
        inner = {name: value for name, value in environ.items() if not name.startswith("HTTP_") or name in left}
        if "HTTP_AUTHORIZATION" in left:
            inner["HTTP_AUTHORIZATION"] = left["HTTP_AUTHORIZATION"]
        path = unquote_to_bytes(admitted.path)
        inner["PATH_INFO"] = (path[len(root) :] if path.startswith(root) else path).decode("latin-1")
        inner["plannt"] = passage

        def starting(status: str, headers: List[Tuple[str, str]], exc_info: Any = None) -> Any:
            given = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            finished = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in passage._finish(given)]
            return start_response(status, finished) if exc_info is None else start_response(status, finished, exc_info)

        # From here it is spent, whatever the application makes of it.
        admitted.forward()
        return self._app(inner, starting)


class Passage:
    """A paid request on its way through an application, in ``environ["plannt"]``."""

    def __init__(self, admitted: Admitted) -> None:
        self._admitted = admitted
        self._reached = True
        self._finished: Optional[List[Tuple[bytes, bytes]]] = None
        #: The payment that it is a use of; None for a free request.
        self.payment_hash = admitted.payment_hash
        #: Uses that are left after it; None for a free request.
        self.remaining = admitted.remaining

    def not_reached(self) -> None:
        """Says, before the response begins, that no byte of the request was written to any upstream: the use is given back."""
        self._reached = False

    def _finish(self, headers: List[Tuple[bytes, bytes]]) -> List[Tuple[bytes, bytes]]:
        if self._finished is not None:
            # A second start after an error, in place of the first: the credential's state is the same.
            state = [line for line in self._finished if line[0] == b"x-l402"]
            return [line for line in headers if not line[0].lower().startswith(b"x-l402")] + state
        self._finished = self._admitted.answer(headers) if self._reached else self._admitted.not_reached(headers)
        return self._finished


def _headers(environ: Environ) -> List[Tuple[bytes, bytes]]:
    headers = []
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            headers.append((name[5:].replace("_", "-").lower().encode("latin-1"), str(value).encode("latin-1")))
    if environ.get("CONTENT_TYPE"):
        headers.append((b"content-type", str(environ["CONTENT_TYPE"]).encode("latin-1")))
    return headers


def _environ_headers(headers: List[Tuple[bytes, bytes]]) -> Iterator[Tuple[str, str]]:
    for name, value in headers:
        yield "HTTP_" + name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1")


def _read(environ: Environ, limit: int) -> bytes:
    """A bound body, one byte more than its limit at most; the application reads it again."""
    length = environ.get("CONTENT_LENGTH")
    if length:
        wanted = min(int(length), limit + 1) if length.isdigit() else 0
    else:
        wanted = limit + 1 if environ.get("wsgi.input_terminated") else 0
    body: bytes = environ["wsgi.input"].read(wanted) if wanted else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _answer(start_response: StartResponse, refused: Refused, method: str) -> Iterable[bytes]:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in refused.headers]
    body = b"" if method == "HEAD" else refused.body
    if method != "HEAD":
        headers.append(("Content-Length", str(len(body))))
    start_response(f"{refused.status} {_REASONS.get(refused.status, 'Refused')}", headers)
    return [body]
