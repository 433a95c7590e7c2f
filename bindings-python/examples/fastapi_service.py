"""A FastAPI service that charges for a report, 21 sat each.

    NODE='lnd://127.0.0.1:8080?cert=tls.cert&macaroon=invoice.macaroon' NETWORK=bitcoin uvicorn fastapi_service:app

The keyring and the spent set are in $DATA_DIR; all workers on the machine share them.
"""

import os
from typing import Dict

from fastapi import FastAPI, Request

import plannt
from plannt.asgi import L402Middleware

app = FastAPI()
app.add_middleware(
    L402Middleware,
    gate=plannt.Gate(
        os.environ.get("DATA_DIR", "data"),
        node=os.environ["NODE"],
        network=plannt.parse_network(os.environ.get("NETWORK", "bitcoin")),
    ),
    routes={
        "/v1/report": plannt.Terms("reports", price_msat=21_000),
        "POST /v1/generate": plannt.Terms("reports", price_msat=50_000, binds_body=65_536),
        "/v1/bundle": plannt.Terms("reports", price_msat=60_000, uses=3),
        "/status": plannt.FREE,
    },
)


@app.get("/v1/report")
@app.get("/v1/bundle")
def report() -> Dict[str, object]:
    return {"result": "verified"}


@app.post("/v1/generate")
async def generate(request: Request) -> Dict[str, object]:
    body = await request.body()
    return {"length": len(body), "payment_hash": str(request.scope["plannt"].payment_hash)}


@app.get("/status")
def status() -> Dict[str, object]:
    return {"status": "up"}
