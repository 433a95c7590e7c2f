"""One resource has one price, however its path is written: applications route by the unescaped path."""

from __future__ import annotations

import asyncio
import pathlib
from typing import Any, Dict, List

import pytest
import support
from support import Service

import plannt
from plannt.asgi import L402Middleware
from plannt.wsgi import L402Middleware as WsgiMiddleware

TERMS = plannt.Terms("demo", 21_000)


@pytest.fixture(scope="module")
def gate(service: Service, tmp_path_factory: pytest.TempPathFactory) -> plannt.Gate:
    return plannt.Gate(tmp_path_factory.mktemp("paths"), node=service.invoicer_url, network="regtest")


class Asgi:
    """An ASGI application behind the middleware, driven by hand."""

    def __init__(self, gate: plannt.Gate, routes: Any, otherwise: Any = plannt.FREE, messages: Any = ()) -> None:
        self.scopes: List[Any] = []
        self.app = L402Middleware(self.inner, gate=gate, routes=routes, otherwise=otherwise)
        self.messages = list(messages)

    async def inner(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"ok"})

    def run(self, raw_path: bytes, **more: Any) -> List[Any]:
        sent: List[Any] = []

        async def receive() -> Any:
            return self.messages.pop(0) if self.messages else {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        # The decoded path is the server's, which the middleware doesn't trust to say the same.
        scope: Dict[str, Any] = {"type": "http", "method": "GET", "path": "/of-the-server", "raw_path": raw_path, "query_string": b""}
        asyncio.run(self.app({**scope, "headers": [], **more}, receive, send))
        return sent

    def status(self, raw_path: bytes, **more: Any) -> int:
        status: int = self.run(raw_path, **more)[0]["status"]
        return status


WRITTEN = [b"/v1/report:make", b"/v1/report%3Amake", b"/v1/report%3amake", b"/%76%31/report%3Amake"]


@pytest.mark.parametrize("raw_path", WRITTEN)
@pytest.mark.parametrize("pattern", ["/v1/report:make", "/v1/report%3Amake", "/v1/report:*"])
def test_escapes_are_no_way_around_a_price(gate: plannt.Gate, raw_path: bytes, pattern: str) -> None:
    """What no route names is free here: a path that the table doesn't know would be given away."""
    asgi = Asgi(gate, {pattern: TERMS})
    assert asgi.status(raw_path) == 402
    assert asgi.scopes == []


def test_what_is_paid_is_what_is_routed(gate: plannt.Gate, service: Service) -> None:
    asgi = Asgi(gate, {"/v1/*": TERMS}, otherwise=plannt.NOT_FOUND)
    line = dict(asgi.run(b"/v1/a%3Ab%20c%2a")[0]["headers"])[b"WWW-Authenticate"].decode()
    credential = [(b"authorization", support.buy(service, line).encode())]
    # Written in another way, it is the same resource.
    assert asgi.status(b"/v1/a:b%20c*", headers=credential) == 200
    assert asgi.scopes[0]["path"] == "/v1/a:b c*"
    assert asgi.scopes[0]["raw_path"] == b"/v1/a:b%20c%2A"
    assert asgi.scopes[0]["headers"] == []


@pytest.mark.parametrize("raw_path", [b"/v1%2Freport", b"/v1/%2e%2e/free", b"/v1//x", b"/v1/x;y", b"/v1/%00", b"/v1/%5cx", b"/v1/%zz"])
def test_what_no_application_reads_alike_is_refused(gate: plannt.Gate, raw_path: bytes) -> None:
    asgi = Asgi(gate, {"/v1/*": TERMS})
    assert asgi.status(raw_path) == 400
    assert asgi.run(raw_path, type="websocket") == [{"type": "websocket.close", "code": 1008}]
    assert asgi.scopes == []


def test_paths_beyond_ascii(gate: plannt.Gate) -> None:
    asgi = Asgi(gate, {"/v1/caf%C3%A9": TERMS})
    assert asgi.status(b"/v1/caf%c3%a9") == 402
    # A server that tells no raw path.
    assert asgi.status(b"", path="/v1/café") == 402
    # Bytes that are no UTF-8 are another path, to the application as to the table.
    assert asgi.status(b"/v1/caf%e9") == 200
    assert asgi.scopes[-1]["path"] == "/v1/caf\N{REPLACEMENT CHARACTER}"


def test_a_free_websocket_hands_no_credential_on(gate: plannt.Gate) -> None:
    asgi = Asgi(gate, {"/feed": plannt.FREE})
    headers = [(b"authorization", b"L402 abc:" + b"0" * 64), (b"x-l402", b"spent"), (b"x-other", b"1")]
    asgi.run(b"/f%65ed", type="websocket", headers=headers)
    (scope,) = asgi.scopes
    assert (scope["type"], scope["path"], scope["headers"]) == ("websocket", "/feed", [(b"x-other", b"1")])


def test_a_client_that_goes_away_is_charged_nothing(gate: plannt.Gate) -> None:
    gone = [{"type": "http.request", "body": b"a part", "more_body": True}, {"type": "http.disconnect"}]
    asgi = Asgi(gate, plannt.Terms("demo", 21_000, binds_body=100), messages=gone)
    assert asgi.run(b"/v1/x", method="POST") == []
    assert asgi.scopes == []


def test_a_price_function_that_raises_lets_nothing_in(gate: plannt.Gate) -> None:
    def broken(_method: str, _path: str) -> Any:
        raise RuntimeError("a defect of the table's")

    asgi = Asgi(gate, broken)
    with pytest.raises(RuntimeError, match="a defect"):
        asgi.run(b"/v1/x")
    nonsense: Any = lambda _method, _path: "cheap"  # noqa: E731
    with pytest.raises((TypeError, ValueError)):
        Asgi(gate, nonsense).run(b"/v1/x")
    assert asgi.scopes == []


def test_a_price_function_gets_the_one_form_of_a_path(gate: plannt.Gate) -> None:
    asked: List[Any] = []

    def price(method: str, path: str) -> Any:
        asked.append((method, path))
        return plannt.FREE

    asgi = Asgi(gate, price)
    assert [asgi.status(path) for path in WRITTEN] == [200] * 4
    assert set(asked) == {("GET", "/v1/report:make")}


def test_wsgi_prices_what_it_routes(gate: plannt.Gate, tmp_path: pathlib.Path) -> None:
    seen: List[Any] = []

    def application(environ: Any, start_response: Any) -> Any:
        seen.append((environ["SCRIPT_NAME"], environ["PATH_INFO"]))
        start_response("200 OK", [])
        return [b"ok"]

    app = WsgiMiddleware(application, gate=gate, routes={"/app/report:make": TERMS}, otherwise=plannt.FREE)
    statuses = []

    def start(status: str, _headers: Any, _exc_info: Any = None) -> None:
        statuses.append(status)

    for path in ("/report:make", "/caf\xc3\xa9", "//x"):
        b"".join(app({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/app", "PATH_INFO": path}, start))
    assert [status[:3] for status in statuses] == ["402", "200", "400"]
    assert seen == [("/app", "/caf\xc3\xa9")]
