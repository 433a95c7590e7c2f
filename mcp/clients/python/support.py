"""The real things: `plannt serve --demo` with its devnet, a server that answers by a rule, and `plannt mcp` behind the official SDK."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

PLANNT = os.environ.get("PLANNT_BIN", "plannt")
TRANSPORTS = ["stdio", "http"]
#: Protocol 2026-07-28, and what there was before it.
MODES: list[Literal["auto", "legacy"]] = ["auto", "legacy"]


class Process:
    """`plannt …`, ready once it has said where it listens."""

    def __init__(self, home: pathlib.Path, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [PLANNT, "--data-dir", str(home), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        while line and not line.startswith("listening on "):
            line = self.process.stdout.readline()
        assert line, "it ended before it listened"
        self.url = line.split()[-1]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class World:
    """The demo service and its devnet, all state under `home`."""

    def __init__(self, home: pathlib.Path) -> None:
        self.home = home
        self.service = Process(home, "serve", "--demo", "--listen", "127.0.0.1:0", "--challenges-per-minute", "6000")
        self.url = self.service.url

    def plannt(self, *arguments: str) -> str:
        run = subprocess.run([PLANNT, "--data-dir", str(self.home), *arguments], capture_output=True, text=True, check=True)
        return run.stdout

    def payments(self) -> list[dict[str, Any]]:
        """What the wallet was asked to pay."""
        return [json.loads(line) for line in self.plannt("devnet", "payments").splitlines()]

    def paid(self) -> list[int]:
        """The amounts that it paid, msat."""
        return [int(payment["amount_msat"]) for payment in self.payments() if payment["status"] == "SUCCEEDED"]

    def fault(self, **fault: Any) -> None:
        """Makes the devnet fail as docs/DEVNET.md says."""
        self.plannt("devnet", "fault", json.dumps(fault))

    @contextlib.asynccontextmanager
    async def client(self, transport: str, *options: str, private: tuple[str, ...] = (), **client: Any) -> AsyncIterator[Client]:
        """An SDK's client of `plannt mcp` with these options."""
        arguments = ["mcp", *options, "--allow-private", authority(self.url)]
        for url in private:
            arguments += ["--allow-private", authority(url)]
        if transport == "stdio":
            parameters = StdioServerParameters(command=PLANNT, args=["--data-dir", str(self.home), *arguments])
            async with Client(stdio_client(parameters), **client) as connected:
                yield connected
            return
        token = "0123456789abcdef"
        server = Process(self.home, *arguments, "--http", "127.0.0.1:0", PLANNT_MCP_TOKEN=token)
        try:
            async with (
                httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=60) as session,
                Client(streamable_http_client(server.url, http_client=session), **client) as connected,
            ):
                yield connected
        finally:
            server.close()

    def close(self) -> None:
        self.service.close()


def authority(url: str) -> str:
    return url.split("/")[2]


class Seen:
    """A request as a server got it, and the status that it answered."""

    def __init__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.status = 0


Reply = tuple[int, dict[str, str], bytes]


@contextlib.contextmanager
def server(rule: Callable[[Seen], Reply]) -> Iterator[tuple[str, list[Seen]]]:
    """An HTTP server that answers by a rule."""
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            seen.append(request)
            request.status, headers, content = rule(request)
            self.send_response(request.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                with contextlib.suppress(OSError):
                    self.wfile.write(content)

        do_GET = do_POST = do_HEAD = answer

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", seen
    finally:
        httpd.shutdown()
        httpd.server_close()


def relay(world: World) -> Callable[[Seen], Reply]:
    """Hands every request on to the demo service, so that what it answers can be counted."""

    def rule(seen: Seen) -> Reply:
        connection = http.client.HTTPConnection(authority(world.url))
        kept = {name: value for name, value in seen.headers.items() if name not in ("host", "content-length")}
        connection.request(seen.method, seen.path, seen.body or None, kept)
        answer = connection.getresponse()
        body = answer.read()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in ("content-length", "date", "connection")}
        connection.close()
        return answer.status, headers, body

    return rule


def told(result: CallToolResult) -> dict[str, Any]:
    """A tool's structured result, which is in its text too."""
    assert not result.is_error, result.content
    first = result.content[0]
    assert first.type == "text"
    assert json.loads(first.text) == result.structured_content
    return dict(result.structured_content or {})


def error(result: CallToolResult) -> dict[str, Any]:
    """A tool's error: `code`, `message`, `paid`, and the receipt where money was spent."""
    assert result.is_error, result.structured_content
    assert result.structured_content is None
    first = result.content[0]
    assert first.type == "text"
    return dict(json.loads(first.text)["error"])
