"""Paying through each adapter, against the real service."""

from __future__ import annotations

import asyncio
import gzip
import json
import pathlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List, Tuple

import aiohttp
import httpx
import pytest
import requests
from support import PRICE, Reply, Seen, Service, buy, challenge_line, python, server

import plannt
import plannt.aiohttp
import plannt.httpx
import plannt.requests

#: Status, headers and body of a GET or POST, and the outcome.
Got = Tuple[int, Any, bytes, Any]
Fetch = Callable[..., Got]


def with_httpx(url: str, wallet: Any, budget: Any = None, *, follow: bool = False, **given: Any) -> Got:
    body = given.pop("body", None)
    auth = plannt.httpx.L402Auth(wallet, budget, **given)
    with httpx.Client(auth=auth, follow_redirects=follow) as client:
        response = client.get(url) if body is None else client.post(url, content=body)
        return response.status_code, response.headers, response.content, plannt.httpx.outcome(response)


def with_async_httpx(url: str, wallet: Any, budget: Any = None, *, follow: bool = False, **given: Any) -> Got:
    body = given.pop("body", None)

    async def run() -> Got:
        auth = plannt.httpx.L402Auth(wallet, budget, **given)
        async with httpx.AsyncClient(auth=auth, follow_redirects=follow) as client:
            response = await (client.get(url) if body is None else client.post(url, content=body))
            return response.status_code, response.headers, response.content, plannt.httpx.outcome(response)

    return asyncio.run(run())


def with_requests(url: str, wallet: Any, budget: Any = None, *, follow: bool = False, **given: Any) -> Got:
    body = given.pop("body", None)
    auth = plannt.requests.L402Auth(wallet, budget, **given)
    with requests.Session() as session:
        session.auth = auth
        response = session.request("GET" if body is None else "POST", url, data=body, allow_redirects=follow)
        return response.status_code, response.headers, response.content, plannt.requests.outcome(response)


def with_aiohttp(url: str, wallet: Any, budget: Any = None, *, follow: bool = False, **given: Any) -> Got:
    body = given.pop("body", None)

    async def run() -> Got:
        async with plannt.aiohttp.client_session(wallet, budget, **given) as session:
            method = "GET" if body is None else "POST"
            async with session.request(method, url, data=body, allow_redirects=follow) as response:
                return response.status, response.headers, await response.read(), plannt.aiohttp.outcome(response)

    return asyncio.run(run())


ADAPTERS = [with_httpx, with_async_httpx, with_requests, with_aiohttp]
each = pytest.mark.parametrize("fetch", ADAPTERS)


@each
def test_a_call_is_paid_for(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    before = len(service.payments())
    status, headers, body, outcome = fetch(service.url + "/v1/demo", wallet, **options)
    assert (status, json.loads(body)) == (200, {"result": "verified"})
    assert headers["x-l402"] == "spent"
    assert outcome.credential == "bought"
    assert outcome.receipt.amount_msat.sats == 21
    assert outcome.receipt.amount_msat == PRICE
    assert outcome.receipt.state == "paid"
    assert len(service.payments()) == before + 1


@each
def test_what_is_free_is_not_paid_for(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    before = len(service.payments())
    status, _, _, outcome = fetch(service.url + "/status", wallet, **options)
    assert (status, outcome.credential, outcome.receipt) == (200, "none", None)
    assert len(service.payments()) == before


@each
def test_a_budget_stops_it(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    budget = plannt.Budget([plannt.BudgetRule.per_day(70_000)])
    before = len(service.payments())
    assert fetch(service.url + "/v1/demo", wallet, budget, **options)[0] == 200
    assert fetch(service.url + "/v1/demo", wallet, budget, **options)[0] == 200
    with pytest.raises(plannt.BudgetExceededError) as refused:
        fetch(service.url + "/v1/demo", wallet, budget, **options)
    assert refused.value.code == "budget_exceeded"
    assert refused.value.left_msat == 70_000 - 2 * PRICE
    assert len(service.payments()) == before + 2


@each
def test_a_limit_of_a_call_stops_it(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    options["max_payment_msat"] = 20_999
    with pytest.raises(plannt.AboveLimitError) as refused:
        fetch(service.url + "/v1/demo", wallet, **options)
    assert (refused.value.amount_msat, refused.value.limit_msat) == (PRICE, 20_999)


@each
def test_a_host_that_is_not_allowed(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    with pytest.raises(plannt.HostNotAllowedError):
        fetch(service.url + "/v1/demo", wallet, allowed_hosts=["api.example"], **options)


@each
def test_the_wrong_network(fetch: Fetch, service: Service, options: Dict[str, Any]) -> None:
    wallet = plannt.wallet(service.payer_url.replace("network=regtest", ""))
    with pytest.raises(plannt.WrongNetworkError) as refused:
        fetch(service.url + "/v1/demo", wallet, network="bitcoin", **options)
    assert refused.value.code == "wrong_network"


@each
def test_bodies_are_sent_again(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    line = challenge_line(service)
    paid = {"L402"}

    def rule(seen: Seen) -> Reply:
        if seen.lines("authorization"):
            return 200, [("x-l402", "spent")], seen.body
        return 402, [("WWW-Authenticate", line)], b"pay"

    with server(rule) as (url, requests_seen):
        status, _, body, _ = fetch(url + "/echo?q=1", wallet, body=b"the same", **options)
        assert (status, body) == (200, b"the same")
        assert [one.body for one in requests_seen] == [b"the same", b"the same"]
        assert [one.path for one in requests_seen] == ["/echo?q=1"] * 2
        assert requests_seen[0].lines("accept-authenticate") == ["L402"]
        assert requests_seen[1].lines("authorization")[0].split()[0] in paid


@each
@pytest.mark.parametrize("where", ["same", "other"])
def test_a_credential_follows_no_redirect(
    fetch: Fetch, where: str, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]
) -> None:
    line = challenge_line(service)

    def elsewhere(seen: Seen) -> Reply:
        return 200, [], b"at the end"

    with server(elsewhere) as (other, other_seen):

        def rule(seen: Seen) -> Reply:
            if seen.path == "/end":
                return elsewhere(seen)
            if seen.lines("authorization"):
                return 302, [("Location", ("" if where == "same" else other) + "/end")], b""
            return 402, [("WWW-Authenticate", line)], b"pay"

        with server(rule) as (url, seen):
            status, _, body, outcome = fetch(url + "/paid", wallet, follow=True, **options)
            assert (status, body) == (200, b"at the end")
            assert outcome is None or outcome.credential == "bought"
            reached = [one for one in seen + other_seen if one.path == "/end"]
            assert len(reached) == 1
            assert reached[0].lines("authorization") == []
            # The redirect was the answer to the credential: it is delivered, and kept.
            receipts = plannt.Journal(options["journal"]).receipts()
            assert [receipt.credential for receipt in receipts] == ["delivered"]


@each
def test_a_402_after_a_redirect_is_not_paid(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    def rule(seen: Seen) -> Reply:
        return 307, [("Location", service.url + "/v1/demo")], b""

    before = len(service.payments())
    with server(rule) as (url, _), pytest.raises(plannt.RedirectedError) as refused:
        fetch(url, wallet, follow=True, **options)
    assert refused.value.code == "challenge_after_redirect"
    assert len(service.payments()) == before


@each
def test_a_402_without_a_challenge_is_handed_back_whole(fetch: Fetch, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    for body in (b"", b"no challenge here", b"x" * 300_000):

        def rule(seen: Seen, body: bytes = body) -> Reply:
            return 402, [], body

        with server(rule) as (url, _):
            status, _, content, outcome = fetch(url, wallet, **options)
            assert (status, content) == (402, body)
            assert outcome.credential == "none"


@each
def test_a_challenge_in_a_compressed_body(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    challenge = plannt.read_challenge([challenge_line(service)])
    assert challenge is not None
    body = gzip.compress(json.dumps({"invoice": challenge.invoice, "macaroon": challenge.token}).encode())

    def rule(seen: Seen) -> Reply:
        if seen.lines("authorization"):
            return 200, [("x-l402", "spent")], b"ok"
        return 402, [("Content-Type", "application/json"), ("Content-Encoding", "gzip")], body

    with server(rule) as (url, _):
        assert fetch(url, wallet, **options)[0] == 200


@each
def test_an_own_credential_is_left_alone(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    own = buy(service, challenge_line(service))
    before = len(service.payments())
    if fetch is with_requests:
        auth = plannt.requests.L402Auth(wallet, **options)
        prepared = requests.Request("GET", service.url + "/v1/demo", headers={"Authorization": own}, auth=auth).prepare()
        statuses = [requests.Session().send(prepared).status_code for _ in range(2)]
    elif fetch is with_aiohttp:

        async def run() -> List[int]:
            async with plannt.aiohttp.client_session(wallet, **options) as session:
                found = []
                for _ in range(2):
                    async with session.get(service.url + "/v1/demo", headers={"Authorization": own}) as response:
                        found.append(response.status)
                return found

        statuses = asyncio.run(run())
    else:
        with httpx.Client(auth=plannt.httpx.L402Auth(wallet, **options)) as client:
            statuses = [client.get(service.url + "/v1/demo", headers={"Authorization": own}).status_code for _ in range(2)]
    assert statuses == [200, 402]
    assert len(service.payments()) == before


@each
def test_several_uses_are_tried_first(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    line = challenge_line(service)
    uses = {"left": 2}

    def rule(seen: Seen) -> Reply:
        if seen.lines("authorization") and uses["left"]:
            uses["left"] -= 1
            return 200, [("x-l402", f"valid; remaining={uses['left']}" if uses["left"] else "spent")], b"ok"
        return 402, [("WWW-Authenticate", line)], b"pay"

    before = len(service.payments())
    with server(rule) as (url, seen):
        assert fetch(url + "/v1/demo", wallet, **options)[3].credential == "bought"
        assert fetch(url + "/v1/demo", wallet, **options)[3].credential == "kept"
        assert len(seen) == 3
    assert len(service.payments()) == before + 1


@each
def test_a_stream_is_never_paid_for(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    line = challenge_line(service)

    def parts() -> Any:
        yield b"a"
        yield b"b"

    async def aparts() -> Any:
        yield b"a"
        yield b"b"

    body = parts() if fetch in (with_httpx, with_requests) else aparts()

    def rule(seen: Seen) -> Reply:
        return 402, [("WWW-Authenticate", line)], b""

    with server(rule) as (url, _), pytest.raises(plannt.BodyNotReplayableError):
        fetch(url, wallet, body=body, **options)


@each
def test_a_lost_answer_is_presented_again(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    line = challenge_line(service)
    state = {"lose": True}

    def rule(seen: Seen) -> Reply:
        if not seen.lines("authorization"):
            return 402, [("WWW-Authenticate", line)], b"pay"
        if state["lose"]:
            raise ConnectionAbortedError
        return 200, [("x-l402", "spent")], b"ok"

    before = len(service.payments())
    with server(rule) as (url, _):
        with pytest.raises((plannt.NotDeliveredError, httpx.HTTPError)) as lost:
            fetch(url + "/v1/demo", wallet, **options)
        if isinstance(lost.value, plannt.NotDeliveredError):
            assert lost.value.receipt is not None
            assert lost.value.receipt.paid_msat == PRICE
        state["lose"] = False
        status, _, _, outcome = fetch(url + "/v1/demo", wallet, **options)
        assert (status, outcome.credential) == (200, "recovered")
    assert len(service.payments()) == before + 1


def test_fifty_at_once_under_one_budget(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    budget = plannt.Budget([plannt.BudgetRule.in_total(10 * PRICE)])
    before = len(service.payments())
    driver = plannt.Driver(wallet, budget, max_fee=plannt.FeeLimit.none(), **options)
    auth = plannt.requests.L402Auth(driver)

    def one(number: int) -> str:
        try:
            return str(requests.get(f"{service.url}/v1/demo?n={number}", auth=auth).status_code)
        except plannt.PlanntError as error:
            return error.code

    with ThreadPoolExecutor(50) as pool:
        ended = sorted(pool.map(one, range(50)))
    assert ended == ["200"] * 10 + ["budget_exceeded"] * 40
    assert len(service.payments()) == before + 10
    assert [status.left_msat for status in driver.budget_status()] == [0]


def test_fifty_at_once_on_one_event_loop(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    budget = plannt.Budget([plannt.BudgetRule.in_total(10 * PRICE)])
    before = len(service.payments())

    async def run() -> List[str]:
        auth = plannt.httpx.L402Auth(wallet, budget, max_fee=plannt.FeeLimit.none(), **options)
        async with httpx.AsyncClient(auth=auth, timeout=60) as client:

            async def one(number: int) -> str:
                try:
                    return str((await client.get(f"{service.url}/v1/demo?n={number}")).status_code)
                except plannt.PlanntError as error:
                    return error.code

            return sorted(await asyncio.gather(*(one(number) for number in range(50))))

    assert asyncio.run(run()) == ["200"] * 10 + ["budget_exceeded"] * 40
    assert len(service.payments()) == before + 10


def test_one_request_at_once_from_many_is_paid_by_each(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    auth = plannt.requests.L402Auth(wallet, **options)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: requests.get(service.url + "/v1/demo", auth=auth).status_code, range(8)))
    assert statuses == [200] * 8


SCRIPT = """
import sys, httpx, plannt
from plannt.httpx import L402Auth
url, payer, journal = sys.argv[1:]
auth = L402Auth(plannt.wallet(payer, network="regtest"), [plannt.BudgetRule.in_total(40_000)], journal=journal)
try:
    print(httpx.get(url, auth=auth).status_code)
except plannt.BudgetExceededError as error:
    print(error.code)
"""


def test_a_budget_holds_over_processes(service: Service, tmp_path: pathlib.Path) -> None:
    arguments = (service.url + "/v1/demo", service.payer_url, str(tmp_path / "journal.db"))
    ran = [python(SCRIPT, *arguments) for _ in range(2)]
    assert [one.stdout.strip() for one in ran] == ["200", "budget_exceeded"], ran


def test_the_default_journal_is_the_command_lines(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("PLANNT_HOME", str(tmp_path))
    auth = plannt.requests.L402Auth(plannt.wallet(service.payer_url, network="regtest"))
    assert requests.get(service.url + "/v1/demo", auth=auth).status_code == 200
    from support import plannt_command

    line = json.loads(plannt_command(tmp_path, "receipts", "--json"))
    assert line["amount_msat"] == PRICE


def test_a_quote_pays_and_writes_nothing(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    before = len(service.payments())
    auth = plannt.httpx.L402Auth(wallet, **options)
    response = httpx.get(service.url + "/v1/demo", auth=plannt.httpx.asking(auth))
    quote = plannt.httpx.quote(response)
    assert response.status_code == 402
    assert quote is not None
    assert (quote.amount_msat, quote.network, quote.refusal) == (PRICE, "regtest", None)
    assert not pathlib.Path(options["journal"]).exists()
    assert len(service.payments()) == before
    free = httpx.get(service.url + "/status", auth=plannt.httpx.asking(auth))
    assert plannt.httpx.quote(free) is None


def test_normal_answers_stream(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    auth = plannt.httpx.L402Auth(wallet, **options)
    with httpx.Client(auth=auth) as client, client.stream("GET", service.url + "/v1/demo") as response:
        assert response.status_code == 200
        assert not response.is_stream_consumed
        assert json.loads(b"".join(response.iter_bytes())) == {"result": "verified"}


def test_a_session_without_the_trace_is_refused(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    async def run() -> None:
        middleware = plannt.aiohttp.L402Middleware(wallet, **options)
        async with aiohttp.ClientSession(middlewares=(middleware,)) as session:
            await session.get(service.url + "/v1/demo")

    with pytest.raises(plannt.ConfigError, match="trace_config"):
        asyncio.run(run())
