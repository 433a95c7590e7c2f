"""Paying with `aiohttp <https://docs.aiohttp.org>`_ (3.12.7 or newer): a client session that pays.

.. code-block:: python

    import plannt
    from plannt.aiohttp import client_session

    wallet = plannt.wallet("lnd://127.0.0.1:8080?cert=tls.cert&macaroon=payer.macaroon")
    async with client_session(wallet, max_payment_msat=100_000) as session:
        async with session.get("https://api.example/v1/demo") as response:
            print(await response.json())
"""

from __future__ import annotations

import asyncio
import warnings
from contextvars import ContextVar
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, payload

from ._call import CallStep
from ._driver import MAX_DRAINED_BYTES, Driver, asks_for_payment, bought, is_l402, redirect_failed, redirected
from ._errors import ConfigError, PlanntError, TransportError
from ._plannt import Call
from ._types import Budget, BudgetRule, Outcome

__all__ = ["L402Middleware", "client_session", "outcome"]

_outcomes: WeakKeyDictionary[ClientResponse, Outcome] = WeakKeyDictionary()



class _Hops:
    """The redirects of one request of a session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session
        self.redirected = False
        #: What the first hop's credential was, and brought.
        self.before: Optional[Outcome] = None


#: The request that this task is at; None where nobody traces.
_hops: ContextVar[Optional[_Hops]] = ContextVar("plannt_hops", default=None)


class L402Middleware:
    """Pays for requests where the server asks and the policy allows. Takes what :class:`plannt.Driver` takes.

    A client middleware sees each hop of a redirect by itself. :func:`client_session` makes a session that tells it of them; where a session
    is put together by hand, ``trace_config`` belongs into its ``trace_configs``.
    """

    def __init__(self, wallet: Any, budget: Union[Budget, Sequence[BudgetRule], None] = None, **options: Any) -> None:
        self.driver = wallet if isinstance(wallet, Driver) else Driver(wallet, budget, **options)
        #: Tells of redirects.
        self.trace_config = aiohttp.TraceConfig()
        self.trace_config.on_request_start.append(_started)
        self.trace_config.on_request_redirect.append(_followed)

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """What aiohttp calls for each hop."""
        if any(is_l402(value) for value in request.headers.getall("Authorization", ())):
            return await handler(request)
        hops = _hops.get()
        # Another session of this task may tell, while this one doesn't.
        if hops is None or hops.session is not request.session:
            raise ConfigError("the session doesn't tell of redirects: give it the middleware's trace_config, too", "config")
        if hops.redirected:
            return await _after_redirect(request, handler, hops.before)
        # Some servers challenge only who says that they understand it.
        request.headers.setdefault("Accept-Authenticate", "L402")
        facts = self.driver.request(request.method, str(request.url), await _body(request))
        call = self.driver.call(facts)
        try:
            response = await self._run(call, request, handler)
        finally:
            call.close()
            # The wallet may have made requests of its own.
            _hops.set(hops)
        hops.before = outcome(response)
        return response

    async def _run(self, call: Call, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        own = request.headers.getall("Authorization", [])
        response: Optional[ClientResponse] = None
        try:
            while True:
                step = await self.driver.anext_step(call)
                if isinstance(step, CallStep.SendRequest):
                    if response is not None:
                        await _put_away(response)
                    request.headers.popall("Authorization", None)
                    for value in ([] if step.authorization is None else [step.authorization]) + own:
                        request.headers.add("Authorization", value)
                    response = await self._send(call, request, handler)
                elif isinstance(step, CallStep.ReadBody):
                    assert response is not None
                    body, whole = await _read(response, step.max_bytes)
                    call.body_read(body if whole else None)
                else:
                    assert response is not None and isinstance(step, CallStep.Done)
                    _outcomes[response] = step.outcome
                    return response
        except BaseException:
            if response is not None:
                response.close()
            raise

    async def _send(self, call: Call, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        try:
            response = await handler(request)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            call.send_failed(type(error).__name__)
            try:
                await self.driver.anext_step(call)
            except TransportError:
                # Nothing was paid: the library's own says more.
                raise error from None
            except PlanntError as refused:
                raise refused from error
            raise
        call.responded(response.status, response.headers.getall("WWW-Authenticate", []), response.headers.get("x-l402"))
        return response


def client_session(
    wallet: Any, budget: Union[Budget, Sequence[BudgetRule], None] = None, *, session: Optional[Dict[str, Any]] = None, **options: Any
) -> aiohttp.ClientSession:
    """A client session that pays. ``options`` are those of :class:`plannt.Driver`, ``session`` those of :class:`aiohttp.ClientSession`."""
    middleware = L402Middleware(wallet, budget, **options)
    given = dict(session or {})
    given["middlewares"] = (*given.get("middlewares", ()), middleware)
    given["trace_configs"] = [*(given.get("trace_configs") or ()), middleware.trace_config]
    return aiohttp.ClientSession(**given)


def outcome(response: ClientResponse) -> Optional[Outcome]:
    """Which credential a request carried, and the receipt of the payment that bought it; None where no driver saw it."""
    return _outcomes.get(response)


async def _started(session: aiohttp.ClientSession, _context: Any, _params: Any) -> None:
    _hops.set(_Hops(session))


async def _followed(_session: Any, _context: Any, _params: Any) -> None:
    hops = _hops.get()
    if hops is not None:
        hops.redirected = True


async def _body(request: ClientRequest) -> Optional[bytes]:
    body = request.body
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)
    # JSON, text and forms are of this kind; a file or a generator can be sent once.
    return await body.as_bytes() if isinstance(body, payload.BytesPayload) else None


async def _after_redirect(request: ClientRequest, handler: ClientHandlerType, before: Optional[Outcome]) -> ClientResponse:
    try:
        response = await handler(request)
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
        paid = bought(before)
        if paid is None:
            raise
        raise redirect_failed(paid, type(error).__name__) from error
    if response.status == 402:
        body, whole = await _read(response, MAX_DRAINED_BYTES)
        if asks_for_payment(response.headers.getall("WWW-Authenticate", []), body if whole else None):
            response.close()
            raise redirected(before)
    return response


async def _put_away(response: ClientResponse) -> None:
    """Before the next one: what was read to its end has given its connection back."""
    _, whole = await _read(response, MAX_DRAINED_BYTES)
    if not whole:
        response.close()


async def _read(response: ClientResponse, max_bytes: int) -> Tuple[bytes, bool]:
    """A body as far as ``max_bytes``, and whether that is all; the caller of aiohttp still gets all of it."""
    chunks: List[bytes] = []
    size, whole = 0, True
    try:
        while not response.content.at_eof():
            chunk = await response.content.readany()
            chunks.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                whole = False
                break
    except aiohttp.ClientError:
        whole = False
    read = b"".join(chunks)
    if read:
        _put_back(response, read)
    return read, whole


def _put_back(response: ClientResponse, read: bytes) -> None:
    with warnings.catch_warnings():
        # There is no other way to look at a body and leave it where it was.
        warnings.simplefilter("ignore", DeprecationWarning)
        response.content.unread_data(read)
