"""One `fetch` of `plannt mcp` as a command: agent.py PLANNT URL. It speaks the protocol itself, since it is run a few hundred times."""

import base64
import json
import os
import subprocess
import sys

plannt, url = sys.argv[1:]
command = [plannt, "--data-dir", os.environ["L402_HOME"], "mcp", "--wallet", os.environ["L402_WALLET"], "--network", "regtest"]
command += ["--allow-private", "127.0.0.1", "--allow-private", "localhost"]
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
assert server.stdin is not None and server.stdout is not None


def send(**message: object) -> None:
    assert server.stdin is not None
    server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    server.stdin.flush()


def answer() -> dict[str, object]:
    assert server.stdout is not None
    message: dict[str, object] = json.loads(server.stdout.readline())
    return message


info = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "agent", "version": "1"}}
send(id=1, method="initialize", params=info)
answer()
send(method="notifications/initialized")
send(id=2, method="tools/call", params={"name": "fetch", "arguments": {"url": url}})
result = answer()["result"]
assert isinstance(result, dict)
if result.get("isError"):
    server.kill()
    sys.exit(str(result["content"]))
told = result["structuredContent"]
body = told.get("body", "")
text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
content = text.encode()
if "resource" in told:
    send(id=3, method="resources/read", params={"uri": told["resource"]})
    read = answer()["result"]
    assert isinstance(read, dict)
    [whole] = read["contents"]
    content = whole["text"].encode() if "text" in whole else base64.b64decode(whole["blob"])
server.stdin.close()
server.wait()
sys.stdout.buffer.write(content)
sys.exit(22 if told["status"] >= 400 else 0 if "incomplete" not in told else 7)
