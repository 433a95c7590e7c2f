"""Forks, threads, event loops that are closed, Ctrl-C, and the interpreter's end: a clear error or the right answer, and never an abort."""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator

import httpx
import pytest
from support import PRICE, Service, challenge_line, plannt_command, python

import plannt
from plannt.httpx import L402Auth


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of this module's own, whose devnet may be broken."""
    running = Service(tmp_path_factory.mktemp("faulty"))
    yield running
    running.close()


FORKS = """
import asyncio, os, sys
import httpx, plannt
from plannt.httpx import L402Auth

url, payer, node, folder = sys.argv[1:]
wallet = plannt.wallet(payer, network="regtest")
driver = plannt.Driver(wallet, journal=os.path.join(folder, "journal.db"), max_payment_msat=100_000)
gate = plannt.Gate(os.path.join(folder, "gate"), node=node, network="regtest")
ring = plannt.Keyring("regtest", plannt.RootKey(bytes(range(32))))

async def pay(name):
    async with httpx.AsyncClient(auth=L402Auth(driver), timeout=60) as client:
        return (await client.get(f"{url}?from={name}")).status_code

def use(name):
    assert wallet.balance_msat() > 0
    assert asyncio.run(pay(name)) == 200
    assert httpx.get(f"{url}?sync={name}", auth=L402Auth(driver), timeout=60).status_code == 200
    assert len(driver.receipts()) >= 2
    assert gate.enter("GET", "/x", [], plannt.Terms("demo", 21_000)).status == 402
    assert ring.mint(plannt.MintRequest(bytes(32), "demo", "GET", "/", 1_900_000_000, 1))

use("parent")
# Held over the fork: the child can neither use them nor end the parent's hold.
call = driver.call(driver.request("GET", url, b""))
call.advance()
children = []
for number in range(4):
    child = os.fork()
    if child == 0:
        try:
            call.advance()
        except plannt.ConfigError as error:
            assert error.code == "forked"
        del call
        use(f"child {number}")
        grandchild = os.fork()
        if grandchild == 0:
            use(f"grandchild {number}")
            sys.exit(0)
        # An ordinary exit: the interpreter is taken down whole.
        sys.exit(0 if os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 0 else 3)
    children.append(child)
use("parent again")
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
call.close()
print(codes)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_fork_after_use(service: Service, tmp_path: pathlib.Path) -> None:
    ran = python(FORKS, service.url + "/v1/demo", service.payer_url, service.invoicer_url, str(tmp_path))
    assert (ran.stdout.strip(), ran.returncode) == ("[0, 0, 0, 0]", 0), ran.stderr
    # Parent twice, four children, four grandchildren; two calls each.
    assert len(plannt.Journal(tmp_path / "journal.db").receipts(1_000)) == 20


def test_64_threads_at_once(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    auth = L402Auth(wallet, **options)
    gate = plannt.Gate(pathlib.Path(options["journal"]).parent / "gate", node=service.invoicer_url, network="regtest")

    def work(number: int) -> Any:
        if number % 4 == 0:
            return wallet.balance_msat() > 0
        if number % 4 == 1:
            entered = gate.enter("GET", "/x", [], plannt.Terms("demo", 21_000))
            return isinstance(entered, plannt.Refused) and entered.status == 402
        if number % 4 == 2:
            return len(auth.driver.receipts()) >= 0
        return httpx.get(f"{service.url}/v1/demo?thread={number}", auth=auth, timeout=60).status_code == 200

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(work, range(64)))
    assert len(auth.driver.receipts()) == 16


def test_one_auth_on_several_event_loops(service: Service, wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    auth = L402Auth(wallet, **options)

    async def run() -> int:
        async with httpx.AsyncClient(auth=auth, timeout=60) as client:
            return (await client.get(service.url + "/v1/demo")).status_code

    assert [asyncio.run(run()) for _ in range(3)] == [200] * 3
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: asyncio.run(run()), range(4))) == [200] * 4


def test_an_event_loop_that_is_closed_in_the_middle(faulty: Service, options: Dict[str, Any]) -> None:
    """What was begun ends by itself, and the next call picks it up: nothing is paid twice."""
    faulty.fault(operation="pay", kind="slow", ms=700, count=1)
    auth = L402Auth(plannt.wallet(faulty.payer_url, network="regtest"), **options)
    before = len(faulty.payments())

    async def run() -> int:
        async with httpx.AsyncClient(auth=auth, timeout=60) as client:
            return (await client.get(faulty.url + "/v1/demo")).status_code

    loop = asyncio.new_event_loop()
    task = loop.create_task(run())
    loop.run_until_complete(asyncio.wait([task], timeout=0.4))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()
    late = run()
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_until_complete(late)
    late.close()
    deadline = time.monotonic() + 10
    while len(faulty.payments()) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert asyncio.run(run()) == 200
    assert len(faulty.payments()) == before + 1


def test_without_an_event_loop(wallet: plannt.Wallet, options: Dict[str, Any]) -> None:
    driver = plannt.Driver(wallet, **options)
    waiting = driver.arecover()
    with pytest.raises(RuntimeError, match="no running event loop"):
        waiting.send(None)


STUCK = """
import sys, httpx, plannt
from plannt.httpx import L402Auth
url, payer, journal = sys.argv[1:]
auth = L402Auth(plannt.wallet(payer, network="regtest"), journal=journal, max_payment_msat=100_000)
print("begun", flush=True)
httpx.get(url, auth=auth, timeout=60)
"""


def test_ctrl_c_ends_the_waiting_for_a_wallet(faulty: Service, tmp_path: pathlib.Path) -> None:
    faulty.fault(operation="pay", kind="stuck", count=1)
    journal = plannt.Journal(tmp_path / "journal.db")
    command = [sys.executable, "-c", STUCK, faulty.url + "/v1/demo", faulty.payer_url, str(tmp_path / "journal.db")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "begun\n"
    deadline = time.monotonic() + 20
    while not journal.receipts() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    interrupted = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=20)
    assert time.monotonic() - interrupted < 5
    assert "KeyboardInterrupt" in errors
    (receipt,) = journal.receipts()
    assert receipt.state in ("intended", "unknown", "in_flight")

    driver = plannt.Driver(plannt.wallet(faulty.payer_url, network="regtest"), journal=journal)
    assert driver.recover() == [(receipt.payment_hash, "unresolved")]
    plannt_command(faulty.home, "devnet", "settle", str(receipt.payment_hash))
    before = len(faulty.payments())
    assert driver.recover() == [(receipt.payment_hash, "paid")]
    assert httpx.get(faulty.url + "/v1/demo", auth=L402Auth(driver)).status_code == 200
    assert len(faulty.payments()) == before


END = """
import asyncio, sys, threading, time
import plannt

payer, journal, line, kind, path = sys.argv[1:]
wallet = plannt.wallet(payer, network="regtest")
driver = plannt.Driver(wallet, journal=journal, max_payment_msat=100_000)

async def pay():
    call = driver.call(driver.request("GET", "http://127.0.0.1:1/" + path, b""))
    assert (await driver.anext_step(call)).authorization is None
    call.responded(402, [line], None)
    await driver.anext_step(call)

async def main():
    tasks = [asyncio.create_task(pay()), asyncio.create_task(driver.arecover())]
    tasks += [asyncio.create_task(asyncio.to_thread(wallet.balance_msat)) for _ in range(4)]
    if kind == "paid":
        await asyncio.gather(*tasks)
    elif kind == "raised":
        await asyncio.sleep(0.02)
        raise SystemExit(0)
    elif kind == "cancelled":
        await asyncio.wait(tasks, timeout=0.02)
    else:
        for _ in range(4):
            threading.Thread(target=lambda: [wallet.balance_msat() for _ in range(10_000)], daemon=True).start()
        await asyncio.wait(tasks, timeout=0.02)

asyncio.run(main())
"""

KINDS = ("paid", "raised", "cancelled", "daemons")


def test_100_ends_of_an_interpreter(service: Service, tmp_path: pathlib.Path) -> None:
    """Some pay to the end, some leave in the middle, and some have daemon threads that wait for the node."""
    lines = [challenge_line(service, f"/v1/demo?end={number}") for number in range(100)]

    def end(number: int) -> subprocess.CompletedProcess[str]:
        journal = str(tmp_path / f"journal-{number % 8}.db")
        return python(END, service.payer_url, journal, lines[number], KINDS[number % len(KINDS)], str(number))

    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(end, range(100)))
    assert [(number, one.returncode, one.stderr) for number, one in enumerate(ran) if one.returncode != 0] == []


LEFT_BEHIND = """
import asyncio, sys, time
import plannt
from plannt.httpx import L402Auth
import httpx

url, payer, journal = sys.argv[1:]
auth = L402Auth(plannt.wallet(payer, network="regtest"), journal=journal, max_payment_msat=100_000)

async def main():
    async with httpx.AsyncClient(auth=auth) as client:
        try:
            await asyncio.wait_for(client.get(url), 1.0)
        except asyncio.TimeoutError:
            print("left")

asyncio.run(main())
"""


def test_a_wallet_that_hangs_holds_no_interpreter_up(faulty: Service, tmp_path: pathlib.Path) -> None:
    faulty.fault(operation="pay", kind="stuck", count=1)
    begun = time.monotonic()
    ran = python(LEFT_BEHIND, faulty.url + "/v1/demo?left", faulty.payer_url, str(tmp_path / "journal.db"))
    assert (ran.stdout, ran.returncode) == ("left\n", 0), ran.stderr
    assert time.monotonic() - begun < 20
    (receipt,) = plannt.Journal(tmp_path / "journal.db").receipts()
    assert receipt.charged_msat > PRICE
    plannt_command(faulty.home, "devnet", "fail", str(receipt.payment_hash))


AT_EXIT = """
import atexit, sys

@atexit.register
def after_the_packages_own_end():
    try:
        wallet.balance_msat()
    except plannt.ConfigError as error:
        print(error.code)

import plannt

wallet = plannt.wallet(sys.argv[1])
atexit.register(lambda: print(wallet.balance_msat() > 0))
wallet.balance_msat()
"""


def test_used_while_the_interpreter_ends(service: Service) -> None:
    ran = python(AT_EXIT, service.payer_url)
    assert (ran.stdout, ran.returncode) == ("True\nshut_down\n", 0), ran.stderr


def test_nothing_is_written_by_an_import(tmp_path: pathlib.Path) -> None:
    modules = ["plannt", *(f"plannt.{name}" for name in ("aiohttp", "asgi", "httpx", "requests", "wsgi"))]
    script = f"import threading, {', '.join(modules)}\nprint(threading.active_count())"
    ran = python(script, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path), PLANNT_HOME=str(tmp_path / "p"))
    assert (ran.stdout, ran.stderr) == ("1\n", "")
    assert list(tmp_path.iterdir()) == []
