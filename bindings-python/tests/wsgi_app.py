"""A WSGI application that charges, for gunicorn."""

from __future__ import annotations

import json
import os
from typing import Any, Iterable

import plannt
from plannt.wsgi import L402Middleware


def inner(environ: Any, start_response: Any) -> Iterable[bytes]:
    passage = environ["plannt"]
    if environ["PATH_INFO"] == "/v1/proxy":
        passage.not_reached()
        start_response("502 Bad Gateway", [("Content-Type", "text/plain")])
        return [b"upstream unreachable"]
    seen = {name: environ[name] for name in ("PATH_INFO", "QUERY_STRING") if name in environ}
    seen["headers"] = sorted(name for name in environ if name.startswith("HTTP_"))
    seen["body"] = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Cache-Control", "public"), ("X-L402", "forged")])
    return [json.dumps(seen).encode()]


# Made before gunicorn forks its workers, with --preload.
application = L402Middleware(
    inner,
    gate=plannt.Gate(os.environ["DATA_DIR"], node=os.environ["NODE"], network="regtest"),
    routes={
        "/v1/report": plannt.Terms("reports", 21_000),
        "/v1/proxy": plannt.Terms("reports", 21_000),
        "POST /v1/generate": plannt.Terms("reports", 21_000, binds_body=64),
        "/status": plannt.FREE,
    },
)
