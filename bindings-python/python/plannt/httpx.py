"""Paying with `httpx <https://www.python-httpx.org>`_: an :class:`httpx.Auth`, for both of its clients.

.. code-block:: python

    import httpx, plannt
    from plannt.httpx import L402Auth

    wallet = plannt.wallet("lnd://127.0.0.1:8080?cert=tls.cert&macaroon=payer.macaroon")
    auth = L402Auth(wallet, plannt.Budget([plannt.BudgetRule.per_day(100_000)]))
    with httpx.Client(auth=auth) as client:
        print(client.get("https://api.example/v1/demo").json())
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any, AsyncGenerator, AsyncIterator, Generator, Iterator, List, Optional, Sequence, Tuple, Union

import httpx

from ._call import CallStep, HttpStep
from ._driver import MAX_DRAINED_BYTES, Driver, asks_for_payment, bought, is_l402, redirect_failed, redirected
from ._errors import PlanntError, TransportError
from ._plannt import Call
from ._types import Budget, BudgetRule, Outcome, Quote

__all__ = ["L402Auth", "asking", "outcome", "quote"]

_EXTENSION = "plannt"


class L402Auth(httpx.Auth):
    """Pays for requests where the server asks and the policy allows.

    Takes what :class:`plannt.Driver` takes. The typed errors of this package come out of the client's methods. A credential never follows a
    redirect; a 402 after a redirect is not paid. A request with an L402 credential of its own is sent as it is.

    What httpx raises comes through where nothing was paid. Where it was, :class:`plannt.NotDeliveredError` has the receipt, with that error
    as its cause: the same request again presents the credential, and pays nothing.
    """

    def __init__(self, wallet: Any, budget: Union[Budget, Sequence[BudgetRule], None] = None, **options: Any) -> None:
        self.driver = wallet if isinstance(wallet, Driver) else Driver(wallet, budget, **options)
        self._dry_run = False

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """What httpx drives in its ordinary client."""
        self.driver.payer.check_sync()
        call = self._begin(request)
        if call is None:
            yield request
            return
        exchange = _Exchange(request)
        try:
            while True:
                step = self.driver.next_step(call)
                if isinstance(step, CallStep.SendRequest):
                    if exchange.response is not None:
                        exchange.put_away(exchange.read_sync(MAX_DRAINED_BYTES))
                    response: Optional[httpx.Response] = None
                    with contextlib.suppress(GeneratorExit):
                        response = yield exchange.ready(step)
                    if response is None:
                        # Httpx tells an auth of no error, but closes its flow while one is under way.
                        error = sys.exc_info()[1]
                        lost = self._lost(exchange, call, error)
                        if lost is not None:
                            raise lost from error
                        return
                    exchange.answered(call, response)
                elif isinstance(step, CallStep.ReadBody):
                    call.body_read(exchange.text(exchange.read_sync(step.max_bytes), step.max_bytes))
                else:
                    if exchange.led_to_402():
                        exchange.check_end(step, exchange.text(exchange.read_sync(MAX_DRAINED_BYTES), MAX_DRAINED_BYTES))
                    exchange.done(step)
                    return
        finally:
            exchange.take_back()
            call.close()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """What httpx drives in its async client."""
        call = self._begin(request)
        if call is None:
            yield request
            return
        exchange = _Exchange(request)
        try:
            while True:
                step = await self.driver.anext_step(call)
                if isinstance(step, CallStep.SendRequest):
                    if exchange.response is not None:
                        exchange.put_away(await exchange.read_async(MAX_DRAINED_BYTES))
                    response: Optional[httpx.Response] = None
                    with contextlib.suppress(GeneratorExit):
                        response = yield exchange.ready(step)
                    if response is None:
                        # Httpx tells an auth of no error, but closes its flow while one is under way.
                        error = sys.exc_info()[1]
                        lost = await self._alost(exchange, call, error)
                        if lost is not None:
                            raise lost from error
                        return
                    exchange.answered(call, response)
                elif isinstance(step, CallStep.ReadBody):
                    call.body_read(exchange.text(await exchange.read_async(step.max_bytes), step.max_bytes))
                else:
                    if exchange.led_to_402():
                        exchange.check_end(step, exchange.text(await exchange.read_async(MAX_DRAINED_BYTES), MAX_DRAINED_BYTES))
                    exchange.done(step)
                    return
        finally:
            exchange.take_back()
            call.close()

    def _lost(self, exchange: _Exchange, call: Call, error: Optional[BaseException]) -> Optional[PlanntError]:
        """What to raise in place of an error of httpx's; None where that one says it all."""
        if not exchange.failed(call, error):
            return None
        try:
            return exchange.ended(self.driver.next_step(call))
        except PlanntError as end:
            return exchange.blamed(end)

    async def _alost(self, exchange: _Exchange, call: Call, error: Optional[BaseException]) -> Optional[PlanntError]:
        if not exchange.failed(call, error):
            return None
        try:
            return exchange.ended(await self.driver.anext_step(call))
        except PlanntError as end:
            return exchange.blamed(end)

    def _begin(self, request: httpx.Request) -> Optional[Call]:
        if any(is_l402(value) for value in request.headers.get_list("authorization")):
            return None
        # Some servers challenge only who says that they understand it.
        request.headers.setdefault("Accept-Authenticate", "L402")
        try:
            body: Optional[bytes] = request.content
        except httpx.RequestNotRead:
            body = None
        facts = self.driver.request(request.method, str(request.url), body)
        return self.driver.call(facts, dry_run=self._dry_run)


class _Asking(L402Auth):
    """Only asks for the price."""

    def __init__(self, auth: L402Auth) -> None:
        super().__init__(auth.driver)
        self._dry_run = True


def quote(response: httpx.Response) -> Optional[Quote]:
    """What a request costs, from the answer to one that was sent with ``asking(auth)``; None where the server asks for no payment."""
    found = response.extensions.get(_EXTENSION)
    return found if isinstance(found, Quote) else None


def asking(auth: L402Auth) -> httpx.Auth:
    """An auth that pays nothing, presents nothing and writes nothing: :func:`quote` has the price that the answer asks for."""
    return _Asking(auth)


def outcome(response: httpx.Response) -> Optional[Outcome]:
    """Which credential a request carried, and the receipt of the payment that bought it; None where no driver saw it."""
    found = response.extensions.get(_EXTENSION)
    return found if isinstance(found, Outcome) else None


class _Exchange:
    """One request and its last response."""

    def __init__(self, request: httpx.Request) -> None:
        self.request = request
        request.extensions[_EXTENSION] = self
        self.headers = request.headers
        self.response: Optional[httpx.Response] = None
        self.authorized = False
        self.hops: List[httpx.Response] = []
        self.seen: List[httpx.Response] = []
        self.error: Optional[httpx.RequestError] = None

    def ready(self, step: CallStep.SendRequest) -> httpx.Request:
        """The request to send now."""
        self.authorized = step.authorization is not None
        self.request.headers = _Credentialed(self.headers, step.authorization) if step.authorization is not None else self.headers
        return self.request

    def answered(self, call: Call, response: httpx.Response) -> None:
        """Tells the call of a response, and of the redirects before it."""
        hops = [hop for hop in response.history if not any(hop is one for one in self.seen)]
        self.seen.append(response)
        self.response, self.hops = response, hops
        # The credential went no further than the first answer.
        answer = hops[0] if hops and self.authorized else response
        call.responded(
            answer.status_code,
            [value for name, value in answer.headers.raw if name.lower() == b"www-authenticate"],
            next((value for name, value in answer.headers.raw if name.lower() == b"x-l402"), None),
            bool(hops) and not self.authorized,
        )

    def put_away(self, read: Tuple[bytes, bool]) -> None:
        """Httpx reads a response to its end before it sends again; this one's could have none. A short one was read, so that its
        connection is good for the next request."""
        if self.response is not None and not read[1]:
            self.response.stream = _Discarded(self.response.stream)

    def failed(self, call: Call, error: Optional[BaseException]) -> bool:
        """Tells the call that no response came, if httpx's error says so."""
        # Its request is ours, or one of a redirect, which has our extensions.
        if not isinstance(error, httpx.RequestError) or error.request.extensions.get(_EXTENSION) is not self:
            return False
        self.error = error
        if self.authorized and error.request is not self.request:
            # It went on to where a redirect leads: that was the answer to the credential.
            call.responded(302, [], None)
        else:
            call.send_failed(type(error).__name__)
        return True

    def blamed(self, end: PlanntError) -> Optional[PlanntError]:
        # Where nothing was paid, httpx's own error says more.
        return None if isinstance(end, TransportError) else end

    def ended(self, step: HttpStep) -> Optional[PlanntError]:
        paid = bought(step.outcome) if isinstance(step, CallStep.Done) else None
        return None if paid is None else redirect_failed(paid, type(self.error).__name__)

    def led_to_402(self) -> bool:
        """Whether the credential's redirect led to a 402."""
        return self.authorized and bool(self.hops) and self.response is not None and self.response.status_code == 402

    def check_end(self, step: HttpStep, body: Optional[bytes]) -> None:
        assert self.response is not None and isinstance(step, CallStep.Done)
        if asks_for_payment([value for name, value in self.response.headers.raw if name.lower() == b"www-authenticate"], body):
            raise redirected(step.outcome)

    def done(self, step: Union[CallStep.Done, CallStep.Quoted]) -> None:
        assert self.response is not None
        self.response.extensions[_EXTENSION] = step.outcome if isinstance(step, CallStep.Done) else step.quote

    def take_back(self) -> None:
        """The caller's request is as it was."""
        self.request.headers = self.headers
        self.request.extensions.pop(_EXTENSION, None)

    def read_sync(self, max_bytes: int) -> Tuple[bytes, bool]:
        """The raw body as far as ``max_bytes``, and whether that is all; the caller of httpx still gets all of it."""
        assert self.response is not None and isinstance(self.response.stream, httpx.SyncByteStream)
        stream, chunks, size, whole = self.response.stream, [], 0, False
        rest = iter(stream)
        try:
            while size <= max_bytes:
                chunk = next(rest, None)
                if chunk is None:
                    whole = True
                    break
                chunks.append(chunk)
                size += len(chunk)
        except httpx.HTTPError as error:
            rest = _broken(error)
        self.response.stream = _Replayed(chunks, rest, stream)
        return b"".join(chunks), whole

    async def read_async(self, max_bytes: int) -> Tuple[bytes, bool]:
        """As :meth:`read_sync`."""
        assert self.response is not None and isinstance(self.response.stream, httpx.AsyncByteStream)
        stream, chunks, size, whole = self.response.stream, [], 0, False
        rest = stream.__aiter__()
        try:
            while size <= max_bytes:
                try:
                    chunk = await rest.__anext__()
                except StopAsyncIteration:
                    whole = True
                    break
                chunks.append(chunk)
                size += len(chunk)
        except httpx.HTTPError as error:
            rest = _abroken(error)
        self.response.stream = _AsyncReplayed(chunks, rest, stream)
        return b"".join(chunks), whole

    def text(self, read: Tuple[bytes, bool], max_bytes: int) -> Optional[bytes]:
        """The body with its content coding undone, or None where it is longer than a challenge."""
        raw, whole = read
        assert self.response is not None
        if not whole:
            return None
        try:
            decoded = httpx.Response(200, headers=self.response.headers, stream=httpx.ByteStream(raw)).read()
        except httpx.HTTPError:
            return None
        return decoded if len(decoded) <= max_bytes else None


class _Credentialed(httpx.Headers):
    """A request's headers with a credential ahead of them, which a copy does not have: httpx makes a redirect's headers from a copy."""

    def __init__(self, headers: httpx.Headers, authorization: str) -> None:
        super().__init__(headers)
        self._credential = (b"Authorization", authorization.encode("ascii"))

    @property
    def raw(self) -> List[Tuple[bytes, bytes]]:
        return [self._credential, *super().raw]

    def __getitem__(self, key: str) -> str:
        if key.lower() == "authorization":
            return self._credential[1].decode("ascii")
        return super().__getitem__(key)


class _Replayed(httpx.SyncByteStream):
    """What was read of a stream, and the rest of it."""

    def __init__(self, chunks: List[bytes], rest: Iterator[bytes], stream: httpx.SyncByteStream) -> None:
        self._chunks, self._rest, self._stream = chunks, rest, stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks
        yield from self._rest

    def close(self) -> None:
        self._stream.close()


class _AsyncReplayed(httpx.AsyncByteStream):
    """The same of an async stream."""

    def __init__(self, chunks: List[bytes], rest: AsyncIterator[bytes], stream: httpx.AsyncByteStream) -> None:
        self._chunks, self._rest, self._stream = chunks, rest, stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        async for chunk in self._rest:
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Discarded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Nothing of a stream, which is closed with it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    async def __aiter__(self) -> AsyncIterator[bytes]:
        nothing: Tuple[bytes, ...] = ()
        for chunk in nothing:
            yield chunk

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _broken(error: httpx.HTTPError) -> Iterator[bytes]:
    raise error
    yield b""


async def _abroken(error: httpx.HTTPError) -> AsyncIterator[bytes]:
    raise error
    yield b""
