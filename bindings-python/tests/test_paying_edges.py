"""Where HTTP libraries tell their adapters little: lost answers, redirects of paid requests, requests that are sent again."""

from __future__ import annotations

import asyncio
import pathlib
import socket
import threading
from typing import Any, Callable, Dict, List, Optional

import aiohttp
import httpx
import pytest
import requests
from support import PRICE, Reply, Seen, Service, buy, challenge_line, free_port, server, wallet_with
from test_paying import Fetch, each, with_requests

import plannt
import plannt.aiohttp
import plannt.httpx
import plannt.requests
from plannt.requests import L402Auth

LIBRARIES = (httpx.HTTPError, requests.RequestException, aiohttp.ClientError)


def paid_for(line: str, answer: Callable[[Seen], Reply]) -> Callable[[Seen], Reply]:
    """A rule that challenges who shows no credential."""

    def rule(seen: Seen) -> Reply:
        return answer(seen) if seen.lines("authorization") else (402, [("WWW-Authenticate", line)], b"pay")

    return rule


def lost(_seen: Seen) -> Reply:
    raise ConnectionAbortedError


@each
def test_a_lost_answer_tells_of_the_money(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    with server(paid_for(challenge_line(service), lost)) as (url, _), pytest.raises(plannt.NotDeliveredError) as error:
        fetch(url + "/v1/demo", wallet, **options)
    assert error.value.receipt is not None
    assert (error.value.receipt.paid_msat, error.value.receipt.credential) == (PRICE, "undelivered")
    assert isinstance(error.value.__cause__, LIBRARIES)


@each
def test_losing_it_again_holds_nobody_up(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    answers: List[Any] = [lost, lost, lost, lambda _seen: (200, [("x-l402", "spent")], b"ok")]
    before = len(service.payments())
    with server(paid_for(challenge_line(service), lambda seen: answers.pop(0)(seen))) as (url, _):
        for _ in range(3):
            with pytest.raises((plannt.NotDeliveredError, *LIBRARIES)):
                fetch(url + "/v1/demo", wallet, lock_wait=0.0, **options)
        status, _, _, outcome = fetch(url + "/v1/demo", wallet, lock_wait=0.0, **options)
    assert (status, outcome.credential) == (200, "recovered")
    assert len(service.payments()) == before + 1


@each
def test_where_nothing_was_paid_the_librarys_own_error_comes(fetch: Fetch, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    with pytest.raises(LIBRARIES):
        fetch(f"http://127.0.0.1:{free_port()}/", wallet, **options)


@each
def test_a_paid_redirect_to_what_costs_more(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    rule = paid_for(challenge_line(service), lambda _seen: (302, [("Location", service.url + "/v1/demo")], b""))
    before = len(service.payments())
    with server(rule) as (url, _), pytest.raises(plannt.RedirectedError) as refused:
        fetch(url + "/v1/demo", wallet, follow=True, **options)
    assert len(service.payments()) == before + 1
    assert refused.value.receipt is not None
    assert refused.value.receipt.paid_msat == PRICE


@each
def test_a_paid_redirect_to_nowhere(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    rule = paid_for(challenge_line(service), lambda _seen: (302, [("Location", nowhere)], b""))
    # Requests tells an auth of no error there.
    expected = requests.ConnectionError if fetch is with_requests else plannt.RedirectFailedError
    with server(rule) as (url, _), pytest.raises(expected) as failed:
        fetch(url + "/v1/demo", wallet, follow=True, **options)
    (receipt,) = plannt.Journal(options["journal"]).receipts()
    assert receipt.credential == "delivered"
    if isinstance(failed.value, plannt.RedirectFailedError):
        assert failed.value.receipt == receipt


@each
def test_a_redirect_that_is_not_followed_is_handed_back(
    fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]
) -> None:
    rule = paid_for(challenge_line(service), lambda _seen: (302, [("Location", "/end"), ("x-l402", "spent")], b"over there"))
    with server(rule) as (url, _):
        status, headers, body, outcome = fetch(url + "/v1/demo", wallet, follow=False, **options)
    assert (status, headers["location"], body, outcome.credential) == (302, "/end", b"over there", "bought")


@each
def test_a_body_without_an_end_is_cut_off(fetch: Fetch, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    """A 402 that goes on for ever holds nobody up, once its challenge was read from its header."""
    line = challenge_line(service)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            first, _ = listening.accept()
            with first:
                first.recv(65_536)
                first.sendall(f"HTTP/1.1 402 Payment Required\r\nWWW-Authenticate: {line}\r\n\r\n".encode())
                try:
                    while True:
                        first.sendall(b"x" * 65_536)
                except OSError:
                    pass
            second, _ = listening.accept()
            with second:
                second.recv(65_536)
                second.sendall(b"HTTP/1.1 200 OK\r\nx-l402: spent\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        got = fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/v1/demo", wallet, **options)
        thread.join(10)
    assert (got[0], got[2]) == (200, b"ok")


def test_a_request_of_httpx_is_as_it_was(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    """Also after an error: sent again by hand, it carries no credential that the journal knows nothing of."""
    line = challenge_line(service)
    with server(paid_for(line, lost)) as (url, seen), httpx.Client() as client:
        request = client.build_request("GET", url + "/v1/demo")
        with pytest.raises(plannt.NotDeliveredError):
            client.send(request, auth=plannt.httpx.L402Auth(wallet, **options))
        assert client.send(request, auth=None).status_code == 402
    assert seen[-1].lines("authorization") == []


def test_logs_of_a_paid_request_show_no_credential(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    shown: List[str] = []
    hooks = {"request": [lambda request: shown.append(repr(request.headers))], "response": []}
    with httpx.Client(auth=plannt.httpx.L402Auth(wallet, **options), event_hooks=hooks) as client:
        response = client.get(service.url + "/v1/demo")
    assert response.status_code == 200
    assert "authorization" not in response.request.headers
    paid = requests.get(service.url + "/v1/demo", auth=L402Auth(wallet, **options))
    assert "Authorization" not in paid.request.headers
    assert not any("L402 " in text for text in shown)


def test_a_prepared_request_may_be_sent_again(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    prepared = requests.Request("GET", service.url + "/v1/demo", auth=L402Auth(wallet, **options)).prepare()
    before = len(service.payments())
    with requests.Session() as session:
        outcomes = [plannt.requests.outcome(session.send(one)) for one in (prepared, prepared, prepared.copy())]
    assert [outcome.credential for outcome in outcomes if outcome is not None] == ["bought"] * 3
    assert len(service.payments()) == before + 3


def test_a_prepared_request_that_is_never_sent_holds_nobody_up(
    service: Service, wallet: plannt.Wallet, options: Dict[str, Any]
) -> None:
    """Not even where an earlier call left a credential that it would have presented."""
    answers: List[Any] = [lost, lambda _seen: (200, [("x-l402", "spent")], b"ok")]
    with server(paid_for(challenge_line(service), lambda seen: answers.pop(0)(seen))) as (url, _):
        auth = L402Auth(wallet, lock_wait=0.0, **options)
        with pytest.raises(plannt.NotDeliveredError):
            requests.get(url, auth=auth)
        never = requests.Request("GET", url, auth=auth).prepare()
        assert "Authorization" in never.headers
        assert requests.get(url, auth=auth).status_code == 200
        assert "Authorization" not in never.headers


def test_a_wallet_that_pays_for_its_own_requests(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    auth = L402Auth(wallet, **options)

    def pay(inner: plannt.Wallet, bolt11: str, max_fee_msat: int, timeout: float) -> Any:
        assert requests.get(service.url + "/v1/demo?of=the-wallet", auth=auth).status_code == 200
        return inner.pay_invoice(bolt11, max_fee_msat, timeout)

    own = wallet_with(service, pay_invoice=pay)
    before = len(service.payments())
    response = requests.get(service.url + "/v1/demo?of=the-agent", auth=L402Auth(own, **options))
    outcome = plannt.requests.outcome(response)
    assert outcome is not None
    assert (response.status_code, outcome.credential, len(own.paid)) == (200, "bought", 1)
    assert len(service.payments()) == before + 2


def test_two_sessions_of_aiohttp_in_one_task(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    """One session that tells of redirects does not speak for another that doesn't."""

    async def run() -> None:
        middleware = plannt.aiohttp.L402Middleware(wallet, **options)
        async with plannt.aiohttp.client_session(wallet, **options) as told, told.get(service.url + "/status") as response:
            assert response.status == 200
            async with aiohttp.ClientSession(middlewares=(middleware,)) as silent:
                await silent.get(service.url + "/v1/demo")

    with pytest.raises(plannt.ConfigError, match="trace_config"):
        asyncio.run(run())


def test_a_wallet_that_pays_for_its_own_requests_on_aiohttp(
    service: Service, wallet: plannt.Wallet, options: Dict[str, Any]
) -> None:
    """It changes nothing of what is known of the agent's redirects."""
    rule = paid_for(challenge_line(service), lambda _seen: (302, [("Location", service.url + "/status")], b""))

    async def run(url: str) -> int:
        async with plannt.aiohttp.client_session(wallet, **options) as inner:

            class Own:
                network = "regtest"
                wallet_id = "own"

                async def pay_invoice(self, bolt11: str, max_fee_msat: int, timeout: float) -> Any:
                    async with inner.get(service.url + "/v1/demo?of=the-wallet") as response:
                        assert response.status == 200
                    return await asyncio.to_thread(wallet.pay_invoice, bolt11, max_fee_msat, timeout)

            async with plannt.aiohttp.client_session(Own(), **options) as session, session.get(url) as response:
                return response.status

    before = len(service.payments())
    with server(rule) as (url, _):
        assert asyncio.run(run(url)) == 200
    assert len(service.payments()) == before + 2


def test_redirects_of_one_task_do_not_stay(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    def rule(seen: Seen) -> Reply:
        return (200, [], b"") if seen.path == "/end" else (302, [("Location", "/end")], b"")

    async def run(url: str) -> Optional[plannt.Outcome]:
        async with plannt.aiohttp.client_session(wallet, **options) as session:
            async with session.get(url) as response:
                assert response.status == 200
            async with session.get(service.url + "/v1/demo") as response:
                return plannt.aiohttp.outcome(response)

    with server(rule) as (url, _):
        outcome = asyncio.run(run(url))
    assert outcome is not None
    assert outcome.credential == "bought"


def test_an_own_lsat_credential_is_left_alone(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    own = buy(service, challenge_line(service)).replace("L402 ", "lsat ")
    before = len(service.payments())
    auth = plannt.httpx.L402Auth(wallet, **options)
    assert httpx.get(service.url + "/v1/demo", headers={"Authorization": own}, auth=auth).status_code == 200
    assert httpx.get(service.url + "/v1/demo", headers={"Authorization": own}, auth=auth).status_code == 402
    assert len(service.payments()) == before
    assert not pathlib.Path(options["journal"]).exists() or not plannt.Journal(options["journal"]).receipts()
