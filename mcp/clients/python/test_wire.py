"""The checks over the wire (conformance/WIRE.md) with `plannt mcp` as the client: servers that are honest, odd or hostile."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from support import PLANNT


def test_every_check_of_clients_passes() -> None:
    agent = pathlib.Path(__file__).with_name("agent.py")
    command = [PLANNT, "conformance", "client", "--strict", "--", sys.executable, "-S", "-E", str(agent), PLANNT, "{url}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    failed = [line for line in run.stdout.splitlines() if not line.lstrip().startswith("passed")]
    assert run.returncode == 0, "\n".join(failed) + run.stderr
