"""The examples, against `plannt serve --demo` and the service that is one of them."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from support import PRICE, Service
from test_charging import EXAMPLES, uvicorn

import plannt


def run(example: str, *arguments: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / example), *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_an_agent(service: Service, tmp_path: pathlib.Path) -> None:
    ran = run("agent.py", service.url + "/v1/demo", service.payer_url, tmp_path / "journal.db")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"result": "verified"}
    assert "paid 21 sat" in ran.stderr


def test_an_async_agent(service: Service, tmp_path: pathlib.Path) -> None:
    ran = run("agent_async.py", service.url + "/v1/demo", service.payer_url, tmp_path / "journal.db")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ['200 {"result":"verified"}'] * 3
    assert len(plannt.Journal(tmp_path / "journal.db").receipts()) == 3


def test_a_budget_that_stops_an_agent(service: Service, tmp_path: pathlib.Path) -> None:
    before = len(service.payments())
    ran = run("agent_budget.py", service.url + "/v1/demo", service.payer_url, tmp_path / "journal.db")
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    paid = len(service.payments()) - before
    assert lines[:-1] == ["200"] * paid
    assert lines[-1].startswith("stopped: budget_exceeded")
    assert 0 < paid * PRICE <= 70_000


@pytest.mark.parametrize("example", ["agent.py", "agent_async.py"])
def test_an_agent_pays_the_fastapi_service(example: str, service: Service, tmp_path: pathlib.Path) -> None:
    running = uvicorn(service, tmp_path / "data")
    try:
        ran = run(example, running.url + "/v1/report", service.payer_url, tmp_path / "journal.db")
    finally:
        running.close()
    assert ran.returncode == 0, ran.stderr
    assert '"result":"verified"' in ran.stdout
