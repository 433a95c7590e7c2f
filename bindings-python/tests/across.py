"""Each language's agent pays the other's service: `make across`, which builds both packages first."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Iterator

import pytest
from support import Command, Service, free_port

HERE = pathlib.Path(__file__).resolve()
PYTHON = HERE.parents[1] / "examples"
NODE = HERE.parents[2] / "bindings-node" / "examples"


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture(scope="module")
def fastapi(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(PYTHON), "fastapi_service:app", "--port", str(port)]
    data = str(tmp_path_factory.mktemp("fastapi"))
    running = Command(command, port, NODE=service.invoicer_url, NETWORK="regtest", DATA_DIR=data)
    yield running
    running.close()


@pytest.fixture(scope="module")
def express(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    port = free_port()
    environment = {"NODE": service.invoicer_url, "NETWORK": "regtest", "PORT": str(port)}
    data = str(tmp_path_factory.mktemp("express"))
    running = Command(["node", str(NODE / "express-service.mjs")], port, DATA_DIR=data, **environment)
    yield running
    running.close()


def test_node_pays_python(fastapi: Command, service: Service, tmp_path: pathlib.Path) -> None:
    told = run("node", str(NODE / "agent.mjs"), fastapi.url + "/v1/report", service.payer_url, str(tmp_path / "journal.db"))
    assert json.loads(told) == {"result": "verified"}


@pytest.mark.parametrize("agent", ["agent.py", "agent_async.py"])
def test_python_pays_node(agent: str, express: Command, service: Service, tmp_path: pathlib.Path) -> None:
    told = run(sys.executable, str(PYTHON / agent), express.url + "/v1/report", service.payer_url, str(tmp_path / "journal.db"))
    assert '{"result":"verified"}' in told


def test_one_budget_over_both_languages(express: Command, fastapi: Command, service: Service, tmp_path: pathlib.Path) -> None:
    journal = str(tmp_path / "journal.db")
    first = run("node", str(NODE / "agent-budget.mjs"), fastapi.url + "/v1/report", service.payer_url, journal)
    assert first.splitlines() == ["200", "200", "stopped: budget_exceeded, 28000 msat left"]
    then = run(sys.executable, str(PYTHON / "agent_budget.py"), express.url + "/v1/report", service.payer_url, journal)
    assert then.splitlines() == ["stopped: budget_exceeded, 28000 msat left"]
