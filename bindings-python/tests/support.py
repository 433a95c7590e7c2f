"""The real things: `plannt serve --demo` with its devnet, uvicorn, and a small server that answers as a test wants."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import plannt

PLANNT = os.environ.get("PLANNT_BIN", "plannt")
PRICE = 21_000


def plannt_command(home: pathlib.Path, *arguments: str) -> str:
    """Runs the command line to its end."""
    run = subprocess.run([PLANNT, "--data-dir", str(home), *arguments], capture_output=True, text=True, check=True)
    return run.stdout


class Service:
    """`plannt serve --demo` with all its state under `home`."""

    def __init__(self, home: pathlib.Path) -> None:
        self.home = home
        command = [PLANNT, "--data-dir", str(home), "serve", "--demo", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line + self.process.stdout.read()
        self.url = line.split()[-1]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        urls = json.loads((home / "devnet" / "devnet.json").read_text())
        self.payer_url: str = urls["payer_url"]
        self.invoicer_url: str = urls["invoicer_url"]

    def payments(self) -> List[Dict[str, Any]]:
        """The payments that were asked of the devnet."""
        return [json.loads(line) for line in plannt_command(self.home, "devnet", "payments").splitlines()]

    def invoices(self) -> List[Dict[str, Any]]:
        """The invoices that the devnet has made."""
        return [json.loads(line) for line in plannt_command(self.home, "devnet", "invoices").splitlines()]

    def fault(self, **fault: Any) -> None:
        """Makes the devnet fail as docs/DEVNET.md says."""
        plannt_command(self.home, "devnet", "fault", json.dumps(fault))

    def mend(self) -> None:
        """Ends all that `fault` began."""
        plannt_command(self.home, "devnet", "clear")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Seen:
    """A request as a server got it."""

    def __init__(self, method: str, path: str, headers: List[Tuple[str, str]], body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def lines(self, name: str) -> List[str]:
        return [value for header, value in self.headers if header.lower() == name]


Reply = Tuple[int, List[Tuple[str, str]], bytes]


@contextlib.contextmanager
def server(rule: Callable[[Seen], Reply]) -> Iterator[Tuple[str, List[Seen]]]:
    """An HTTP server that answers by a rule."""
    seen: List[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.read_chunked() if "Transfer-Encoding" in self.headers else self.read_sized()
            seen.append(Seen(self.command, self.path, list(self.headers.items()), body))
            status, headers, content = rule(seen[-1])
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def read_sized(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def read_chunked(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        do_GET = do_POST = do_HEAD = answer

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", seen
    finally:
        httpd.shutdown()
        httpd.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Command:
    """A server in a process of its own, ready once its port answers."""

    def __init__(self, arguments: List[str], port: int, **environment: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        self.process = subprocess.Popen(
            arguments,
            env={**os.environ, **environment},
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.output.seek(0)
                said = self.output.read().decode()
                self.close()
                raise AssertionError(said)
            time.sleep(0.05)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in an interpreter of its own."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)


def challenge_line(service: Service, path: str = "/v1/demo") -> str:
    """A fresh challenge of the demo service's."""
    import urllib.error
    import urllib.request

    try:
        urllib.request.urlopen(service.url + path)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.headers["WWW-Authenticate"]
    raise AssertionError("not challenged")


def buy(service: Service, line: str) -> str:
    """Pays for a challenge, and gives back the `Authorization` value."""
    challenge = plannt.read_challenge([line])
    assert challenge is not None
    paid = plannt.wallet(service.payer_url).pay_invoice(challenge.invoice, 1_000)
    return plannt.authorization_value(challenge.token, paid.preimage)


def wallet_with(service: Service, **overrides: Optional[Callable[..., Any]]) -> Any:
    """A wallet of one's own that pays through the real one, but where it is overridden; None takes a method away."""
    inner = plannt.wallet(service.payer_url, network="regtest")

    class Own:
        wallet_id = "own"
        network = "regtest"

        def __init__(self) -> None:
            self.paid: List[str] = []

        def pay_invoice(self, bolt11: str, max_fee_msat: int, timeout: float) -> Any:
            self.paid.append(bolt11)
            given = overrides.get("pay_invoice")
            if given is not None:
                return given(inner, bolt11, max_fee_msat, timeout)
            return inner.pay_invoice(bolt11, max_fee_msat, timeout)

        if "lookup_payment" not in overrides or overrides["lookup_payment"] is not None:

            def lookup_payment(self, payment_hash: plannt.PaymentHash) -> Any:
                given = overrides.get("lookup_payment")
                return given(inner, payment_hash) if given is not None else inner.lookup_payment(payment_hash)

    return Own()
