"""The checks over the wire (conformance/WIRE.md): each adapter as a client, FastAPI and a WSGI application as servers."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import Dict, Iterator, List

import pytest
from support import PLANNT, Command, Service
from test_charging import gunicorn, uvicorn

TESTS = pathlib.Path(__file__).resolve().parent
#: What differs between the adapters; all else is the driver's, which one of them shows.
ADAPTERS_OWN = ["client.echo", "client.once", "client.redirect", "client.transport", "client.untouched"]
LIBRARIES = {"httpx": ["client"], "aiohttp": ADAPTERS_OWN, "requests": [*ADAPTERS_OWN, "client.pays.interim_answer"]}


def expected(name: str) -> List[str]:
    path = TESTS / "expected" / f"{name}.txt"
    return ["--expected-failures", str(path)] if path.exists() else []


@pytest.fixture(scope="module")
def clients() -> Iterator[Dict[str, subprocess.Popen[str]]]:
    """All at once: most of their time is the servers' silence."""
    running = {}
    for library, only in LIBRARIES.items():
        command = [PLANNT, "conformance", "client", "--strict", *expected(library)]
        command += [argument for identifier in only for argument in ("--only", identifier)]
        command += ["--", sys.executable, str(TESTS / "paying_agent.py"), library, "{url}"]
        running[library] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    yield running
    for process in running.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_client(library: str, clients: Dict[str, subprocess.Popen[str]]) -> None:
    output, _ = clients[library].communicate(timeout=400)
    failed = [line for line in output.splitlines() if not line.lstrip().startswith("passed")]
    assert clients[library].returncode == 0, "\n".join(failed)


@pytest.mark.parametrize("kind", ["uvicorn", "gunicorn"])
def test_a_server(kind: str, service: Service, tmp_path: pathlib.Path) -> None:
    # A worker of gunicorn's keeps connections only where it has threads.
    threads = ["--threads", "4"] if kind == "gunicorn" else []
    running: Command = (uvicorn if kind == "uvicorn" else gunicorn)(service, tmp_path / "data", "--workers", "2", *threads)
    other = "/v1/bundle" if kind == "uvicorn" else "/v1/proxy"
    command = [PLANNT, "conformance", "server", running.url + "/v1/report", "--wallet", service.payer_url, "--strict", *expected(kind)]
    command += ["--paid-path", other, "--free-path", "/status", "--missing-path", "/nothing"]
    command += ["--post-path", "/v1/generate", "--post-body", '{"prompt":"hello"}']
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    finally:
        running.close()
    failed = [line for line in run.stdout.splitlines() if not line.lstrip().startswith("passed")]
    assert run.returncode == 0, "\n".join(failed) + run.stderr
