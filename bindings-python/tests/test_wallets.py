"""Wallets of one's own, and everything that goes wrong with a wallet: no payment is lost, and none is made twice."""

from __future__ import annotations

import asyncio
import pathlib
from typing import Any, Dict, List

import httpx
import pytest
import requests
from support import PRICE, Service, python, wallet_with

import plannt
from plannt.httpx import L402Auth as HttpxAuth
from plannt.requests import L402Auth, outcome


def get(service: Service, wallet: Any, options: Dict[str, Any]) -> requests.Response:
    return requests.get(service.url + "/v1/demo", auth=L402Auth(wallet, **options), timeout=60)


def states(options: Dict[str, Any]) -> List[str]:
    return [receipt.state for receipt in plannt.Journal(options["journal"]).receipts()]


@pytest.mark.parametrize("form", ["dict", "object", "hex", "no fee"])
def test_a_wallet_is_any_object(form: str, service: Service, options: Dict[str, Any]) -> None:
    def pay(inner: plannt.Wallet, bolt11: str, max_fee_msat: int, timeout: float) -> Any:
        assert timeout == 60.0
        paid = inner.pay_invoice(bolt11, max_fee_msat)
        if form == "object":
            return paid
        preimage: Any = paid.preimage.expose_hex() if form == "hex" else paid.preimage.expose_bytes()
        return {"preimage": preimage} if form == "no fee" else {"preimage": preimage, "fee_msat": 7}

    response = get(service, wallet_with(service, pay_invoice=pay), options)
    assert response.status_code == 200
    ended = outcome(response)
    assert ended is not None
    assert ended.receipt is not None
    # Without a fee, the maximum is charged: 10 sat and 1%.
    fees = {"dict": 7, "hex": 7, "no fee": 10_210}
    assert ended.receipt.fee_msat == fees.get(form, ended.receipt.fee_msat)
    assert ended.receipt.charged_msat == PRICE + (ended.receipt.fee_msat or 0)


def test_a_wallet_that_raises_is_asked(service: Service, options: Dict[str, Any]) -> None:
    def pay(inner: plannt.Wallet, bolt11: str, max_fee_msat: int, timeout: float) -> Any:
        inner.pay_invoice(bolt11, max_fee_msat)
        raise ConnectionError("the answer was lost")

    before = len(service.payments())
    wallet = wallet_with(service, pay_invoice=pay)
    assert get(service, wallet, options).status_code == 200
    assert len(wallet.paid) == 1
    assert len(service.payments()) == before + 1


def test_without_look_up_an_unknown_outcome_is_never_paid_again(service: Service, options: Dict[str, Any]) -> None:
    def pay(inner: plannt.Wallet, bolt11: str, max_fee_msat: int, timeout: float) -> Any:
        raise ConnectionError("who knows")

    wallet = wallet_with(service, pay_invoice=pay, lookup_payment=None)
    for _ in range(3):
        with pytest.raises(plannt.PaymentUnresolvedError) as refused:
            get(service, wallet, options)
        assert refused.value.code == "payment_unresolved"
    assert len(wallet.paid) == 1
    assert states(options) == ["unknown"]
    status = plannt.Journal(options["journal"]).budget_status("regtest", plannt.Budget([plannt.BudgetRule.in_total(100_000)]))
    # Amount, 10 sat and 1%.
    assert status[0].reserved_msat == PRICE + 10_210


def test_the_wallets_error_is_the_cause(service: Service, options: Dict[str, Any]) -> None:
    def pay(*_: Any) -> Any:
        raise plannt.PaymentFailedError("the purse is locked", "insufficient_balance")

    wallet = wallet_with(service, pay_invoice=pay)
    for attempt in range(2):
        with pytest.raises(plannt.PaymentRefusedError) as refused:
            get(service, wallet, options)
        assert isinstance(refused.value.__cause__, plannt.PaymentFailedError)
        # It certainly failed, so that the next call tries again.
        assert len(wallet.paid) == attempt + 1
        assert refused.value.failure == "insufficient_balance"
    assert states(options) == ["failed", "failed"]


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"preimage": b"short"}, {"preimage": "zz" * 32}, {"preimage": 5}, {"preimage": bytes(32), "fee_msat": -1}, 42],
)
def test_an_answer_that_makes_no_sense_is_an_unknown_outcome(answer: Any, service: Service, options: Dict[str, Any]) -> None:
    wallet = wallet_with(service, pay_invoice=lambda *_: answer, lookup_payment=lambda *_: "in_flight")
    with pytest.raises(plannt.PaymentUnresolvedError):
        get(service, wallet, options)
    assert states(options) == ["in_flight"]


@pytest.mark.parametrize("state", [None, "sure", {"status": "paid"}, {"status": 7}, RuntimeError("no")])
def test_a_look_up_that_makes_no_sense_says_nothing(state: Any, service: Service, options: Dict[str, Any]) -> None:
    def look_up(*_: Any) -> Any:
        if isinstance(state, Exception):
            raise state
        return state

    wallet = wallet_with(service, pay_invoice=lambda *_: None, lookup_payment=look_up)
    with pytest.raises(plannt.PaymentUnresolvedError):
        get(service, wallet, options)
    assert states(options) == ["unknown"]


def test_a_preimage_that_proves_nothing(service: Service, options: Dict[str, Any]) -> None:
    wallet = wallet_with(service, pay_invoice=lambda *_: {"preimage": bytes(32), "fee_msat": 0})
    with pytest.raises(plannt.PreimageMismatchError):
        get(service, wallet, options)
    assert states(options) == ["unknown"]


def test_later_look_ups_resolve_it(service: Service, options: Dict[str, Any]) -> None:
    answers: List[Any] = ["in_flight"]

    def pay(inner: plannt.Wallet, bolt11: str, max_fee_msat: int, timeout: float) -> Any:
        paid = inner.pay_invoice(bolt11, max_fee_msat)
        answers.append({"status": "paid", "preimage": paid.preimage})
        raise TimeoutError

    wallet = wallet_with(service, pay_invoice=pay, lookup_payment=lambda *_: answers[0])
    driver = plannt.Driver(wallet, **options)
    with pytest.raises(plannt.PaymentUnresolvedError):
        requests.get(service.url + "/v1/demo", auth=L402Auth(driver))
    assert [state for _, state in driver.recover()] == ["unresolved"]
    answers.pop(0)
    assert [state for _, state in driver.recover()] == ["paid"]
    assert driver.recover() == []
    assert driver.receipts()[0].charged_msat == PRICE + 10_210, "no fee was told"
    response = requests.get(service.url + "/v1/demo", auth=L402Auth(driver))
    ended = outcome(response)
    assert ended is not None
    assert (response.status_code, ended.credential) == (200, "recovered")
    assert len(wallet.paid) == 1


def test_async_recovery(service: Service, options: Dict[str, Any]) -> None:
    wallet = wallet_with(service, pay_invoice=lambda *_: None, lookup_payment=lambda *_: "in_flight")
    driver = plannt.Driver(wallet, **options)
    with pytest.raises(plannt.PaymentUnresolvedError):
        requests.get(service.url + "/v1/demo", auth=L402Auth(driver))
    assert [state for _, state in asyncio.run(driver.arecover())] == ["unresolved"]


class AsyncWallet:
    wallet_id = "async"
    network = "regtest"

    def __init__(self, service: Service, hang: bool = False) -> None:
        self.inner = plannt.wallet(service.payer_url)
        self.hang = hang
        self.paid = 0

    async def pay_invoice(self, bolt11: str, max_fee_msat: int, timeout: float) -> Any:
        self.paid += 1
        if self.hang:
            await asyncio.sleep(3_600)
        return await asyncio.to_thread(self.inner.pay_invoice, bolt11, max_fee_msat, timeout)

    async def lookup_payment(self, payment_hash: plannt.PaymentHash) -> Any:
        return await asyncio.to_thread(self.inner.lookup_payment, payment_hash)


def test_an_async_wallet(service: Service, options: Dict[str, Any]) -> None:
    wallet = AsyncWallet(service)

    async def run() -> int:
        async with httpx.AsyncClient(auth=HttpxAuth(wallet, **options)) as client:
            return (await client.get(service.url + "/v1/demo")).status_code

    assert asyncio.run(run()) == 200
    # In a sync client it is refused before anything is reserved.
    with pytest.raises(plannt.ConfigError, match="asynchronous"):
        L402Auth(wallet, **options)
    with pytest.raises(plannt.ConfigError, match="asynchronous"):
        httpx.get(service.url + "/v1/demo", auth=HttpxAuth(wallet, **options))
    assert wallet.paid == 1
    assert states(options) == ["paid"]


def test_cancelled_in_mid_payment(service: Service, options: Dict[str, Any]) -> None:
    wallet = AsyncWallet(service, hang=True)

    async def run() -> int:
        async with httpx.AsyncClient(auth=HttpxAuth(wallet, **options)) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.get(service.url + "/v1/demo"), 1.0)
            # What became of it is asked, and not paid again: the devnet never saw it.
            with pytest.raises(plannt.PaymentUnresolvedError):
                await client.get(service.url + "/v1/demo")
            return wallet.paid

    assert asyncio.run(run()) == 1


def test_what_is_no_wallet(options: Dict[str, Any]) -> None:
    for odd in (None, "lnd://", object()):
        with pytest.raises(TypeError):
            plannt.Driver(odd, **options)
    with pytest.raises(plannt.LightningError):
        plannt.wallet("nonsense://")
    with pytest.raises(plannt.LightningError) as refused:
        plannt.wallet("lnd://host?macaroon=00ff00ff&cert=/nowhere")
    assert "00ff" not in str(refused.value)


def test_a_network_that_is_not_the_wallets(service: Service, options: Dict[str, Any]) -> None:
    with pytest.raises(plannt.ConfigError):
        plannt.wallet(service.payer_url, network="bitcoin")
    with pytest.raises(plannt.ConfigError):
        plannt.Driver(plannt.wallet(service.payer_url), network="bitcoin", **options)


def test_the_real_wallet(service: Service, wallet: plannt.Wallet) -> None:
    balance = wallet.balance_msat()
    assert balance > 0
    assert wallet.network == "regtest"
    assert "macaroon" not in repr(wallet)
    assert wallet.lookup_payment(bytes(32)) == plannt.LookUp.NotFound()
    response = requests.get(service.url + "/v1/demo")
    challenge = plannt.read_challenge([response.headers["WWW-Authenticate"]])
    assert challenge is not None
    paid = wallet.pay_invoice(challenge.invoice, 1_000)
    assert paid.preimage.proves(plannt.read_invoice(challenge.invoice).payment_hash)
    # Paid once, however often it is asked for.
    assert wallet.pay_invoice(challenge.invoice, 1_000).preimage == paid.preimage
    assert wallet.balance_msat() == balance - PRICE - paid.fee_msat


@pytest.mark.parametrize(("kind", "failure"), [("no_route", "no_route"), ("no_balance", "insufficient_balance")])
def test_a_node_that_fails(kind: str, failure: str, service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    service.fault(operation="pay", kind=kind, count=1)
    with pytest.raises(plannt.PaymentRefusedError) as refused:
        get(service, wallet, options)
    assert refused.value.failure == failure
    assert isinstance(refused.value.__cause__, plannt.PaymentFailedError)
    assert get(service, wallet, options).status_code == 200


KILLED = """
import os, sys, requests, plannt
from plannt.requests import L402Auth
url, payer, journal, die = sys.argv[1:]
inner = plannt.wallet(payer, network="regtest")
class Dying:
    wallet_id = inner.wallet_id
    network = "regtest"
    def pay_invoice(self, bolt11, max_fee_msat, timeout):
        paid = inner.pay_invoice(bolt11, max_fee_msat)
        if die == "yes":
            os.kill(os.getpid(), 9)
        return paid
    lookup_payment = staticmethod(inner.lookup_payment)
print(requests.get(url, auth=L402Auth(Dying(), journal=journal)).status_code)
"""


def test_killed_between_payment_and_retry(service: Service, tmp_path: pathlib.Path) -> None:
    before = len(service.payments())
    arguments = (service.url + "/v1/demo", service.payer_url, str(tmp_path / "journal.db"))
    assert python(KILLED, *arguments, "yes").returncode == -9
    again = python(KILLED, *arguments, "no")
    assert again.stdout.strip() == "200", again
    assert len(service.payments()) == before + 1
