"""An agent that pays for several calls at once: agent_async.py URL WALLET_URL [JOURNAL]"""

import asyncio
import sys

import httpx

import plannt
from plannt.httpx import L402Auth


async def main(url: str, wallet_url: str, journal: "str | None" = None) -> None:
    auth = L402Auth(plannt.wallet(wallet_url), max_payment_msat=100_000, journal=journal)
    async with httpx.AsyncClient(auth=auth, timeout=60) as client:
        responses = await asyncio.gather(*(client.get(url, params={"part": part}) for part in range(3)))
    for response in responses:
        print(response.status_code, response.text)


asyncio.run(main(*sys.argv[1:]))
