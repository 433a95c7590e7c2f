"""Paying with `Requests <https://requests.readthedocs.io>`_: an auth for a call or a session.

.. code-block:: python

    import plannt, requests
    from plannt.requests import L402Auth

    wallet = plannt.wallet("lnd://127.0.0.1:8080?cert=tls.cert&macaroon=payer.macaroon")
    response = requests.get("https://api.example/v1/demo", auth=L402Auth(wallet, max_payment_msat=100_000))
"""

from __future__ import annotations

import threading
import weakref
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

import requests
import requests.auth
from urllib3.exceptions import HTTPError

from ._call import CallStep
from ._driver import MAX_DRAINED_BYTES, Driver, asks_for_payment, is_l402, redirected
from ._errors import PlanntError, TransportError
from ._plannt import Call
from ._types import Budget, BudgetRule, Outcome, RequestFacts

__all__ = ["L402Auth", "outcome"]

_outcomes: weakref.WeakKeyDictionary[requests.Response, Outcome] = weakref.WeakKeyDictionary()

#: What each thread prepared last.
_prepared = threading.local()


class L402Auth(requests.auth.AuthBase):
    """Pays for requests where the server asks and the policy allows.

    Takes what :class:`plannt.Driver` takes. The typed errors of this package come out of Requests' functions. A credential never follows a
    redirect; a 402 after a redirect is not paid. A request with an L402 credential of its own is sent as it is.

    A request has one ``Authorization`` line in Requests, so that one of another scheme gives way to the credential.

    Requests tells an auth of no error: where a credential that was paid before is presented again and no answer comes, or a paid redirect
    leads nowhere, its own error comes out. Nothing is lost by that.
    """

    def __init__(self, wallet: Any, budget: Union[Budget, Sequence[BudgetRule], None] = None, **options: Any) -> None:
        self.driver = wallet if isinstance(wallet, Driver) else Driver(wallet, budget, **options)
        self.driver.payer.check_sync()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """What Requests calls for each request, before it is sent."""
        if is_l402(request.headers.get("Authorization") or ""):
            return request
        # Some servers challenge only who says that they understand it.
        request.headers.setdefault("Accept-Authenticate", "L402")
        body = request.body
        if isinstance(body, str):
            body = body.encode("utf-8")
        replayable = b"" if body is None else body if isinstance(body, bytes) else None
        facts = self.driver.request(request.method or "GET", request.url or "", replayable)
        # Requests tells an auth of no error: what this thread prepared before and has no answer to was not sent, or is lost.
        unanswered = _prepared.last() if hasattr(_prepared, "last") else None
        if unanswered is not None:
            unanswered.abandon()
        exchange = _Exchange(self.driver, facts, request)
        _prepared.last = weakref.ref(exchange)
        exchange.begin(request)
        request.register_hook("response", exchange.answered)  # type: ignore[no-untyped-call]
        return request


def outcome(response: requests.Response) -> Optional[Outcome]:
    """Which credential a request carried, and the receipt of the payment that bought it; None where no driver saw it."""
    return _outcomes.get(response)


class _Exchange:
    """One request, from its preparation to each response that is handed back: a prepared request may be sent several times."""

    def __init__(self, driver: Driver, facts: RequestFacts, request: requests.PreparedRequest) -> None:
        self.driver, self.facts = driver, facts
        # The request has this in its hooks, and holds a key of the journal by it until it is freed.
        self.original = weakref.ref(request)
        self.own = request.headers.get("Authorization")
        self.call: Optional[Call] = None
        self.answering = False
        #: What the credential brought, where that was a redirect.
        self.redirected: Optional[Outcome] = None

    def begin(self, request: requests.PreparedRequest) -> None:
        """Begins a call, and writes what earlier ones have left into a request that is about to be sent."""
        self.call = self.driver.call(self.facts)
        self.present(self.driver.next_step(self.call), request)

    def abandon(self) -> None:
        """Gives the request's key back, and takes from the request what it held by it."""
        if self.answering:
            # The wallet that it pays with makes a request of its own.
            return
        request = self.original()
        if self.call is not None and request is not None:
            self.take_back(request)
        self.close()

    def close(self) -> None:
        if self.call is not None:
            self.call.close()
            self.call = None

    def present(self, step: Any, request: requests.PreparedRequest) -> bool:
        """Writes the credential into a request, and says whether there is one."""
        assert isinstance(step, CallStep.SendRequest)
        if step.authorization is not None:
            request.headers["Authorization"] = step.authorization
        return step.authorization is not None

    def take_back(self, request: requests.PreparedRequest) -> None:
        """A redirect's request is made from this one's headers, after the hooks."""
        if self.own is None:
            request.headers.pop("Authorization", None)
        else:
            request.headers["Authorization"] = self.own

    def answered(self, response: requests.Response, **options: Any) -> requests.Response:
        """Requests' hook: tells the call of a response, pays where that is due, and sends again."""
        if self.redirected is not None and response.request is not self.original():
            _refuse_after_redirect(response, self.redirected)
            return response
        self.last, self.answering = response, True
        try:
            ended = self._answered(response.request, options)
        except BaseException:
            self.last.close()
            raise
        finally:
            self.close()
            self.answering = False
            del self.last
        self.redirected = _outcomes[ended] if ended.is_redirect else None
        return ended

    def _answered(self, original: requests.PreparedRequest, options: Dict[str, Any]) -> requests.Response:
        history: List[requests.Response] = []
        self.take_back(original)
        if self.call is None:
            # It was sent before, or is another's copy: this response is the answer to a request without a credential.
            self.call = self.driver.call(self.facts)
            request = original.copy()
            if self.present(self.driver.next_step(self.call), request):
                self._again(request, history, options)
        while True:
            response = self.last
            lines, spent = _header_lines(response)
            self.call.responded(response.status_code, lines, spent)
            step = self.driver.next_step(self.call)
            if isinstance(step, CallStep.ReadBody):
                body, whole = _read(response, step.max_bytes)
                self.call.body_read(body if whole else None)
                step = self.driver.next_step(self.call)
            if isinstance(step, CallStep.Done):
                response.history = history
                # As it was without the credential, for whoever logs it.
                response.request = original
                _outcomes[response] = step.outcome
                return response
            request = original.copy()
            self.present(step, request)
            self._again(request, history, options)

    def _again(self, request: requests.PreparedRequest, history: List[requests.Response], options: Dict[str, Any]) -> None:
        assert self.call is not None
        _read(self.last, MAX_DRAINED_BYTES)
        self.last.close()
        history.append(self.last)
        try:
            self.last = self.last.connection.send(request, **options)
        except requests.RequestException as error:
            self.call.send_failed(type(error).__name__)
            try:
                self.driver.next_step(self.call)
            except TransportError:
                # Nothing was paid: the library's own says more.
                raise error from None
            except PlanntError as refused:
                raise refused from error
            raise


def _header_lines(response: requests.Response) -> Tuple[List[str], Optional[str]]:
    # Requests joins lines of one name; urllib3 has them apart.
    raw = getattr(response.raw, "headers", None)
    if raw is not None and hasattr(raw, "getlist"):
        lines = list(raw.getlist("WWW-Authenticate"))
    else:
        line = response.headers.get("WWW-Authenticate")
        lines = [] if line is None else [line]
    return lines, response.headers.get("x-l402")


def _refuse_after_redirect(response: requests.Response, before: Outcome) -> None:
    if response.status_code != 402:
        return
    lines, _ = _header_lines(response)
    body, whole = _read(response, MAX_DRAINED_BYTES)
    if asks_for_payment(lines, body if whole else None):
        response.close()
        raise redirected(before)


def _read(response: requests.Response, max_bytes: int) -> Tuple[bytes, bool]:
    """A body as far as ``max_bytes``, and whether that is all; the caller of Requests still gets all of it."""
    chunks, size = [], 0
    rest: Iterator[bytes] = response.raw.stream(8192, decode_content=True)
    try:
        for chunk in rest:
            chunks.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                break
        whole = size <= max_bytes
    except (HTTPError, OSError) as error:
        rest, whole = _broken(error), False
    response.raw = _Replayed(response.raw, chunks, rest)
    return b"".join(chunks), whole


def _broken(error: Exception) -> Iterator[bytes]:
    raise error
    yield b""


class _Replayed:
    """What was read of a urllib3 response, and the rest of it."""

    def __init__(self, raw: Any, chunks: List[bytes], rest: Iterator[bytes]) -> None:
        self._raw, self._chunks, self._rest = raw, chunks, rest

    def stream(self, amt: int = 65_536, decode_content: Optional[bool] = None) -> Iterator[bytes]:
        while self._chunks:
            yield self._chunks.pop(0)
        yield from self._rest

    def read(self, amt: Optional[int] = None, decode_content: Optional[bool] = None) -> bytes:
        found = b""
        for chunk in self.stream():
            found += chunk
            if amt is not None and len(found) >= amt:
                break
        if amt is not None and len(found) > amt:
            self._chunks.insert(0, found[amt:])
            found = found[:amt]
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
