"""Charging in an ASGI application: FastAPI, Starlette, or any other.

.. code-block:: python

    from fastapi import FastAPI
    import plannt
    from plannt.asgi import L402Middleware

    app = FastAPI()
    gate = plannt.Gate("/var/lib/reports", node="lnd://127.0.0.1:8080?cert=tls.cert&macaroon=invoice.macaroon", network="bitcoin")
    app.add_middleware(
        L402Middleware,
        gate=gate,
        routes={"/v1/report": plannt.Terms("reports", price_msat=21_000), "/status": plannt.FREE},
    )
"""

from __future__ import annotations

from typing import Any, Awaitable, Callable, Dict, List, Mapping, MutableMapping, Optional, Tuple, Union
from urllib.parse import unquote_to_bytes

from ._plannt import Admitted, Gate, Refused
from ._terms import FREE, NOT_FOUND, Pricer, Pricing, Terms, escaped, pricer, pricing_of, routed
from ._threads import in_thread

__all__ = ["L402Middleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = List[Tuple[bytes, bytes]]


class L402Middleware:
    """Lets a request into an application once it is paid for, and each payment once.

    :param app: the application.
    :param gate: the :class:`plannt.Gate` that decides; its store may be shared by several workers.
    :param routes: prices, by path: a table as in :class:`plannt.Routes`, a function of method and normalized path, or one
        :class:`plannt.Terms` for everything.
    :param otherwise: what a request is that no route of a table matches; :data:`plannt.NOT_FOUND` where nothing is said, so that a slip in
        the table gives nothing away.

    The application sees the normalized path, and neither the credential nor ``x-l402*`` headers. ``scope["plannt"]`` is the
    :class:`Passage` of a paid request. WebSockets are for free routes only.
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application as the server sees it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        method = scope.get("method", "GET")
        path = _path(scope)
        pricing = pricing_of(self._price, method, path)
        body: Optional[bytes] = None
        if scope["type"] == "websocket" and pricing != FREE:
            await _close(receive, send)
            return
        if isinstance(pricing, Terms) and pricing.binds_body is not None and method != "HEAD":
            whole = await _read(receive, pricing.binds_body)
            if whole is None:
                # Nobody waits for an answer any more.
                return
            body, receive = whole, _replayed(whole, receive)
        query = scope.get("query_string", b"").decode("latin-1")
        target = f"{path}?{query}" if query else path
        client = (scope.get("client") or (None,))[0]
        entered = await in_thread(lambda: self._gate.enter(method, target, list(scope["headers"]), pricing, body=body, client=client))
        if not isinstance(entered, Refused):
            await self._admitted(scope, receive, send, entered)
        elif scope["type"] == "websocket":
            await _close(receive, send)
        else:
            await _answer(send, entered, method)

    async def _admitted(self, scope: Scope, receive: Receive, send: Send, admitted: Admitted) -> None:
        passage = Passage(admitted)
        inner: Dict[str, Any] = dict(scope)
        inner["headers"] = admitted.headers
        inner["raw_path"] = admitted.path.encode("ascii")
        inner["path"] = unquote_to_bytes(admitted.path).decode("utf-8", "replace")
        inner["plannt"] = passage

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
                message = {**message, "headers": await passage._finish(headers)}
            elif message["type"] == "http.response.trailers":
                trailers = message.get("headers", ())
                message = {**message, "headers": [line for line in trailers if not bytes(line[0]).lower().startswith(b"x-l402")]}
            await send(message)

        # From here it is spent, whatever the application makes of it.
        admitted.forward()
        await self._app(inner, receive, sending)


class Passage:
    """A paid request on its way through an application, in ``scope["plannt"]``."""

    def __init__(self, admitted: Admitted) -> None:
        self._admitted = admitted
        self._reached = True
        #: The payment that it is a use of; None for a free request.
        self.payment_hash = admitted.payment_hash
        #: Uses that are left after it; None for a free request.
        self.remaining = admitted.remaining

    def not_reached(self) -> None:
        """Says, before the response begins, that no byte of the request was written to any upstream: the use is given back."""
        self._reached = False

    async def _finish(self, headers: Headers) -> Headers:
        if self._reached:
            return self._admitted.answer(headers)
        return await in_thread(lambda: self._admitted.not_reached(headers))


def _path(scope: Scope) -> str:
    """The path that the application routes by, as what is priced."""
    raw = scope.get("raw_path")
    if raw:
        # Some servers leave the query in it.
        return routed(bytes(raw).partition(b"?")[0].decode("latin-1"))
    return escaped(scope["path"].encode("utf-8", "surrogateescape"))


async def _read(receive: Receive, limit: int) -> Optional[bytes]:
    """A bound body, or what is beyond its limit of it; None where the client went away."""
    chunks: List[bytes] = []
    size, more = 0, True
    while more and size <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read to the application again."""
    given = False

    async def replaying() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replaying


async def _close(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1008})


async def _answer(send: Send, refused: Refused, method: str) -> None:
    body = b"" if method == "HEAD" else refused.body
    length = [] if method == "HEAD" else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refused.status, "headers": refused.headers + length})
    await send({"type": "http.response.body", "body": body})
