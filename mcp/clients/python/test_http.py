"""Who may call over HTTP, and the life of the process."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import signal
import subprocess
from typing import Any

import pytest

from support import PLANNT, Process, authority

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def post(url: str, headers: dict[str, str], path: str = "/mcp") -> int:
    connection = http.client.HTTPConnection(authority(url), timeout=20)
    accept = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    connection.request("POST", path, json.dumps(INITIALIZE), {**accept, **headers})
    status = connection.getresponse().status
    connection.close()
    return status


def test_pages_and_other_names_do_not_get_in(tmp_path: pathlib.Path) -> None:
    server = Process(tmp_path, "mcp", "--http", "127.0.0.1:0", "--allow-origin", "http://localhost:6274")
    port = authority(server.url).split(":")[1]
    try:
        for headers, status in [
            ({}, 200),
            ({"host": f"localhost:{port}"}, 200),
            ({"host": f"evil.example:{port}"}, 403),
            ({"origin": "https://evil.example"}, 403),
            ({"origin": "null"}, 403),
            ({"origin": "http://localhost:6274"}, 200),
        ]:
            assert post(server.url, headers) == status, headers
        assert post(server.url, {}, "/") == 404
    finally:
        server.close()


def test_a_token_is_asked_for(tmp_path: pathlib.Path) -> None:
    server = Process(tmp_path, "mcp", "--http", "127.0.0.1:0", PLANNT_MCP_TOKEN="0123456789abcdef")
    try:
        for headers, status in [
            ({}, 401),
            ({"authorization": "Bearer wrong"}, 401),
            ({"authorization": "Basic 0123456789abcdef"}, 401),
            ({"authorization": "Bearer 0123456789abcdef"}, 200),
        ]:
            assert post(server.url, headers) == status, headers
    finally:
        server.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--http", "0.0.0.0:0"], "needs a bearer token"),
        (["--http", "127.0.0.1:0", "--token", "short"], "bearer token"),
        (["--token", "0123456789abcdef"], "--http"),
        (["--max-sats", "18446744073709551615"], "out of range"),
    ],
)
def test_it_does_not_start_where_it_would_not_be_safe(tmp_path: pathlib.Path, options: list[str], says: str) -> None:
    run = subprocess.run([PLANNT, "--data-dir", str(tmp_path), "mcp", *options], capture_output=True, text=True, timeout=20, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert says in run.stderr and "0123456789abcdef" not in run.stderr


def stdio(tmp_path: pathlib.Path, **options: Any) -> subprocess.Popen[str]:
    command = [PLANNT, "--data-dir", str(tmp_path), "mcp"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(INITIALIZE) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    assert answer["result"]["serverInfo"]["name"] == "plannt"
    return process


def test_it_ends_with_its_client_or_when_told(tmp_path: pathlib.Path) -> None:
    process = stdio(tmp_path)
    # Standard output held nothing but the protocol.
    output, _ = process.communicate(timeout=20)
    assert (process.returncode, output) == (0, "")
    process = stdio(tmp_path)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    process.communicate()


def test_without_a_wallet_it_still_tells_prices(tmp_path: pathlib.Path) -> None:
    process = stdio(tmp_path)
    assert process.stdin is not None and process.stdout is not None
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "wallet_status", "arguments": {}}}
    initialized = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    process.stdin.write(json.dumps(initialized) + "\n" + json.dumps(call) + "\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    assert answer["result"]["structuredContent"] == {"configured": False, "network": "regtest"}
    process.communicate(timeout=20)
