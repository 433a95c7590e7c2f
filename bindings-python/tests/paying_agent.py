"""A paying agent on each HTTP library, as the checks over the wire want a client: paying_agent.py LIBRARY URL"""

import os
import sys
from typing import Tuple

import plannt

library, url = sys.argv[1:]
driver = plannt.Driver(plannt.wallet(os.environ["L402_WALLET"], network="regtest"), max_payment_msat=100_000)


def with_aiohttp() -> Tuple[int, bytes]:
    import asyncio

    from plannt.aiohttp import client_session

    async def run() -> Tuple[int, bytes]:
        async with client_session(driver) as session, session.get(url) as response:
            return response.status, await response.read()

    return asyncio.run(run())


def with_httpx() -> Tuple[int, bytes]:
    import httpx

    from plannt.httpx import L402Auth

    answer = httpx.get(url, auth=L402Auth(driver), follow_redirects=True, timeout=60)
    return answer.status_code, answer.content


def with_requests() -> Tuple[int, bytes]:
    import requests

    from plannt.requests import L402Auth

    answer = requests.get(url, auth=L402Auth(driver), timeout=60)
    return answer.status_code, answer.content


try:
    status, body = {"aiohttp": with_aiohttp, "httpx": with_httpx, "requests": with_requests}[library]()
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
sys.stdout.buffer.write(body)
sys.exit(0 if status < 400 else 22)
