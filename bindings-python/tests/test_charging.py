"""Charging in real servers, with several workers over one store, paid by a real wallet."""

from __future__ import annotations

import asyncio
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator, List

import httpx
import pytest
import support
from support import Command, Service, free_port

import plannt
from plannt.asgi import L402Middleware
from plannt.httpx import L402Auth

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"
TESTS = pathlib.Path(__file__).resolve().parent


def uvicorn(service: Service, data: pathlib.Path, *arguments: str) -> Command:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "fastapi_service:app", "--port", str(port), *arguments]
    return Command(command, port, NODE=service.invoicer_url, NETWORK="regtest", DATA_DIR=str(data))


def gunicorn(service: Service, data: pathlib.Path, *arguments: str) -> Command:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(TESTS), "wsgi_app:application", "-b", f"127.0.0.1:{port}", *arguments]
    return Command(command, port, NODE=service.invoicer_url, DATA_DIR=str(data))


@pytest.fixture(scope="module")
def fastapi(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    running = uvicorn(service, tmp_path_factory.mktemp("fastapi"), "--workers", "4")
    yield running
    running.close()


@pytest.fixture(scope="module")
def wsgi(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    running = gunicorn(service, tmp_path_factory.mktemp("wsgi"), "--preload", "--workers", "2", "--threads", "4")
    yield running
    running.close()


def buy(service: Service, url: str, method: str = "GET", content: bytes = b"") -> str:
    answer = httpx.request(method, url, content=content)
    assert answer.status_code == 402, answer.text
    return support.buy(service, answer.headers["www-authenticate"])


def presented(url: str, credential: str, method: str = "GET", content: bytes = b"") -> httpx.Response:
    return httpx.request(method, url, content=content, headers={"Authorization": credential})


def code(answer: httpx.Response) -> str:
    found: str = answer.json()["code"]
    return found


def both(test: Any) -> Any:
    return pytest.mark.parametrize("kind", ["fastapi", "wsgi"])(test)


@both
def test_a_challenge_to_the_byte(kind: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(kind).url + "/v1/report"
    answer = httpx.get(url)
    assert answer.status_code == 402
    body = answer.json()
    token, invoice = body["macaroon"], body["invoice"]
    line = f'L402 macaroon="{token}", invoice="{invoice}", version="0", token="{token}"'
    assert answer.headers["www-authenticate"] == line
    assert answer.headers["cache-control"] == "no-store"
    assert body["price_msat"] == 21_000
    # Some clients look for this spelling.
    assert b"WWW-Authenticate" in [name for name, _ in answer.headers.raw]
    first = [name.lower() for name, _ in answer.headers.raw if name.lower() not in (b"date", b"server", b"connection")]
    assert first[0] == b"www-authenticate"


@both
def test_one_credential_one_success(kind: str, service: Service, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(kind).url + "/v1/report"
    credential = buy(service, url)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: presented(url, credential), range(100)))
    won = [answer for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert won[0].headers["x-l402"] == "spent"
    assert {code(answer) for answer in answers if answer.status_code == 402} == {"spent"}
    assert {answer.status_code for answer in answers} <= {200, 402, 503}


@both
def test_an_agent_pays_by_itself(kind: str, wallet: plannt.Wallet, options: Dict[str, Any], request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(kind).url + "/v1/report"
    answer = httpx.get(url, auth=L402Auth(wallet, **options))
    assert (answer.status_code, answer.headers["x-l402"]) == (200, "spent")


@both
def test_a_body_that_is_bound(kind: str, service: Service, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(kind).url + "/v1/generate"
    credential = buy(service, url, "POST", b"a prompt")
    other = presented(url, credential, "POST", b"another")
    assert (other.status_code, code(other)) == (402, "out_of_scope")
    answer = presented(url, credential, "POST", b"a prompt")
    assert answer.status_code == 200
    found = answer.json()
    assert found.get("length", len(found.get("body", ""))) == len(b"a prompt")
    large = httpx.post(url, content=b"x" * 70_000)
    assert (large.status_code, code(large)) == (413, "body_too_large")


@both
def test_a_head_asks_for_the_price(kind: str, request: pytest.FixtureRequest) -> None:
    answer = httpx.head(request.getfixturevalue(kind).url + "/v1/report")
    assert (answer.status_code, answer.headers["x-l402-price-msat"]) == (402, "21000")
    assert "www-authenticate" not in answer.headers


@both
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1//report", 400),
        ("/v1/%2e%2e/status", 400),
        ("/v1/report;x", 400),
        ("/v1/report%00", 400),
        ("/V1/report", 404),
        ("/v1/report/", 404),
        ("/nothing", 404),
        ("/v1/%72eport", 402),
        ("/status", 200),
    ],
)
def test_paths(kind: str, path: str, status: int, request: pytest.FixtureRequest) -> None:
    # Httpx would normalize it.
    base = httpx.URL(request.getfixturevalue(kind).url)
    target = base.copy_with(raw_path=path.encode())
    assert httpx.get(target).status_code == status


def test_an_escaped_slash_is_refused(fastapi: Command) -> None:
    # WSGI has unescaped it, so that it is one.
    assert httpx.get(httpx.URL(fastapi.url).copy_with(raw_path=b"/v1%2Freport")).status_code == 400


def test_several_uses(fastapi: Command, service: Service) -> None:
    url = fastapi.url + "/v1/bundle"
    credential = buy(service, url)
    states = [presented(url, credential).headers.get("x-l402") for _ in range(4)]
    assert states == ["valid; remaining=2", "valid; remaining=1", "spent", None]


def test_what_the_application_sees_and_answers(wsgi: Command, service: Service) -> None:
    url = wsgi.url + "/v1/report?a=1"
    credential = buy(service, url)
    answer = httpx.get(url, headers={"Authorization": credential, "X-L402": "spent", "X-L402-Other": "1"})
    seen = answer.json()
    assert (seen["PATH_INFO"], seen["QUERY_STRING"]) == ("/v1/report", "a=1")
    assert not {"HTTP_AUTHORIZATION", "HTTP_X_L402", "HTTP_X_L402_OTHER"} & set(seen["headers"])
    assert answer.headers.get_list("x-l402") == ["spent"]
    assert answer.headers["cache-control"] == "private"


def test_what_was_not_reached_is_not_spent(wsgi: Command, service: Service) -> None:
    url = wsgi.url + "/v1/proxy"
    credential = buy(service, url)
    for _ in range(2):
        answer = presented(url, credential)
        assert (answer.status_code, answer.headers["x-l402"]) == (502, "unspent")


def test_a_restart_forgets_nothing(service: Service, tmp_path: pathlib.Path) -> None:
    first = uvicorn(service, tmp_path / "data")
    credential = buy(service, first.url + "/v1/report")
    assert presented(first.url + "/v1/report", credential).status_code == 200
    first.close()
    second = uvicorn(service, tmp_path / "data")
    try:
        assert code(presented(second.url + "/v1/report", credential)) == "spent"
    finally:
        second.close()
    (tmp_path / "data" / "spends.sqlite").unlink()
    with pytest.raises(plannt.KeyringError) as refused:
        plannt.Gate(tmp_path / "data", node=service.invoicer_url, network="regtest")
    assert refused.value.code == "store_missing"


def test_a_store_by_url(service: Service, tmp_path: pathlib.Path) -> None:
    plannt.Gate(f"sqlite:{tmp_path}/one", node=service.invoicer_url, network="regtest")
    assert (tmp_path / "one" / "keyring.json").exists()
    with pytest.raises(plannt.KeyringError) as refused:
        plannt.Gate("redis://user:secret@host", node=service.invoicer_url, network="regtest")
    assert refused.value.code == "store_unknown_scheme"
    assert "secret" not in str(refused.value)


def test_a_gate_that_can_not_keep_its_promises(service: Service, tmp_path: pathlib.Path) -> None:
    with pytest.raises(plannt.GateConfigError):
        plannt.Gate(tmp_path / "a", node=service.invoicer_url, network="regtest", invoice_expiry_seconds=60)
    with pytest.raises(plannt.GateConfigError):
        plannt.Gate(tmp_path / "b", node=service.invoicer_url, network="bitcoin")
    with pytest.raises(plannt.LightningError):
        plannt.Gate(tmp_path / "c", node="nonsense", network="regtest")


def test_tables_are_checked() -> None:
    terms = plannt.Terms("demo", 1)
    for pattern in ("v1", "/v1/%64emo", "/a//b", "GET v1"):
        with pytest.raises((ValueError, plannt.PathError)):
            plannt.Routes({pattern: terms})
    with pytest.raises(TypeError):
        plannt.Routes({"/v1": 21})  # type: ignore[dict-item]
    routes = plannt.Routes({"/v1/*": terms, "POST /v1/x": plannt.NOT_FOUND, "/v1/free": plannt.FREE}, otherwise=plannt.FREE)
    assert routes("GET", "/v1/x") == terms
    assert routes("POST", "/v1/x") == "not_found"
    assert routes("GET", "/v1/free") == routes("GET", "/elsewhere") == "free"


class Asgi:
    """An ASGI application that is driven by hand."""

    def __init__(self, gate: plannt.Gate, routes: Any) -> None:
        self.scopes: List[Any] = []
        self.app = L402Middleware(self.inner, gate=gate, routes=routes)

    async def inner(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http":
            if scope["path"] == "/v1/broken":
                raise RuntimeError("a defect of the application's")
            await send({"type": "http.response.start", "status": 200, "headers": [(b"Cache-Control", b"public, max-age=9")]})
            await send({"type": "http.response.body", "body": b"ok"})

    def run(self, scope: Dict[str, Any]) -> List[Any]:
        sent: List[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        return sent


def http_scope(path: str, **more: Any) -> Dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], **more}


@pytest.fixture
def gate(service: Service, tmp_path: pathlib.Path) -> plannt.Gate:
    return plannt.Gate(tmp_path / "gate", node=service.invoicer_url, network="regtest", challenges_per_minute=5)


def test_lifespan_and_websockets(gate: plannt.Gate) -> None:
    asgi = Asgi(gate, {"/v1/*": plannt.Terms("demo", 21_000), "/free": plannt.FREE})
    asgi.run({"type": "lifespan"})
    assert [scope["type"] for scope in asgi.scopes] == ["lifespan"]
    assert asgi.run({"type": "websocket", "path": "/v1/feed", "headers": []}) == [{"type": "websocket.close", "code": 1008}]
    asgi.run({"type": "websocket", "path": "/free", "headers": []})
    assert [scope["type"] for scope in asgi.scopes] == ["lifespan", "websocket"]


def test_challenges_are_limited_by_client(gate: plannt.Gate) -> None:
    asgi = Asgi(gate, plannt.Terms("demo", 21_000))
    statuses = [asgi.run(http_scope("/v1/x", client=("192.0.2.1", 1)))[0]["status"] for _ in range(6)]
    assert statuses == [402] * 5 + [429]
    assert asgi.run(http_scope("/v1/x", client=("192.0.2.2", 1)))[0]["status"] == 402


@pytest.fixture
def faulty(service: Service) -> Iterator[Service]:
    yield service
    service.mend()


def test_a_pool_of_invoices_serves_on_without_the_node(faulty: Service, tmp_path: pathlib.Path) -> None:
    options: Dict[str, Any] = {"node": faulty.invoicer_url, "network": "regtest"}
    gate = plannt.Gate(tmp_path / "pool", invoice_pool=8, **options)
    other = plannt.Gate(tmp_path / "none", **options)

    def status(gate: plannt.Gate) -> int:
        refused = gate.enter("GET", "/v1/x", [], plannt.Terms("demo", 21_000))
        assert isinstance(refused, plannt.Refused)
        return refused.status

    before, until = len(faulty.invoices()), time.monotonic() + 30
    assert [status(gate) for _ in range(4)] == [402] * 4
    # As many as were asked for, and as many again.
    while len(faulty.invoices()) < before + 8:
        assert time.monotonic() < until
        time.sleep(0.05)
    faulty.fault(operation="issue", kind="down")
    assert (status(gate), status(other)) == (402, 503)


def test_settlement_is_asked_for_where_that_is_wanted(faulty: Service, tmp_path: pathlib.Path) -> None:
    options: Dict[str, Any] = {"node": faulty.invoicer_url, "network": "regtest"}
    gate = plannt.Gate(tmp_path / "gate", require_settled=True, **options)
    terms = plannt.Terms("demo", 21_000)
    refused = gate.enter("GET", "/v1/x", [], terms)
    assert isinstance(refused, plannt.Refused)
    headers = [("Authorization", support.buy(faulty, dict(refused.headers)[b"WWW-Authenticate"].decode()))]
    faulty.fault(operation="look_up_invoice", kind="down")
    unknown = gate.enter("GET", "/v1/x", headers, terms)
    assert isinstance(unknown, plannt.Refused)
    assert (unknown.status, unknown.code) == (503, "unavailable")
    faulty.mend()
    assert isinstance(gate.enter("GET", "/v1/x", headers, terms), plannt.Admitted)


def test_an_application_that_fails_has_spent_it(gate: plannt.Gate, service: Service) -> None:
    asgi = Asgi(gate, plannt.Terms("demo", 21_000))
    start = asgi.run(http_scope("/v1/broken"))[0]
    line = dict(start["headers"])[b"WWW-Authenticate"].decode()
    headers = [(b"authorization", support.buy(service, line).encode())]
    with pytest.raises(RuntimeError, match="a defect"):
        asgi.run(http_scope("/v1/broken", headers=headers))
    body = asgi.run(http_scope("/v1/broken", headers=headers))[1]["body"]
    assert b'"code":"spent"' in body


def test_a_dropped_request_is_given_back(gate: plannt.Gate, service: Service) -> None:
    terms = plannt.Terms("demo", 21_000)
    refused = gate.enter("GET", "/v1/x", [], terms)
    assert isinstance(refused, plannt.Refused)
    assert (refused.status, refused.code) == (402, "payment_required")
    line = dict(refused.headers)[b"WWW-Authenticate"].decode()
    headers = [("Authorization", support.buy(service, line))]
    for _ in range(2):
        admitted = gate.enter("GET", "/v1/x", headers, terms)
        assert isinstance(admitted, plannt.Admitted)
        del admitted
        while gate.pending_releases():
            pass
    admitted = gate.enter("GET", "/v1/x", headers, terms)
    assert isinstance(admitted, plannt.Admitted)
    admitted.forward()
    assert dict(admitted.answer([]))[b"x-l402"] == b"spent"
    with pytest.raises(plannt.UnexpectedEventError):
        admitted.answer([])


def test_odd_requests_get_an_answer(gate: plannt.Gate) -> None:
    terms = plannt.Terms("demo", 21_000)
    odd: List[Any] = [
        ("GE T", "/", []),
        ("GET", "no target", []),
        ("GET", "/", [("bad name", "x")]),
        ("GET", "/", [("x", b"a\nb")]),
    ]
    for method, target, headers in odd:
        answer = gate.enter(method, target, headers, terms)
        assert isinstance(answer, plannt.Refused)
        assert answer.status == 400
    with pytest.raises(ValueError, match="price_msat"):
        gate.enter("GET", "/", [], plannt.Terms("demo", 0))
    with pytest.raises(ValueError, match="terms"):
        gate.enter("GET", "/", [], "cheap")  # type: ignore[arg-type]
