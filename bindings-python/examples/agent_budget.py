"""An agent that calls until its budget stops it: agent_budget.py URL WALLET_URL [JOURNAL]"""

import sys

import httpx

import plannt
from plannt.httpx import L402Auth

url, wallet_url, *journal = sys.argv[1:]
# 70 sat over all of this user's calls in 24 hours, in whatever process or language they are made.
budget = plannt.Budget([plannt.BudgetRule.per_day(70_000)])
auth = L402Auth(plannt.wallet(wallet_url), budget, max_payment_msat=50_000, journal=journal[0] if journal else None)

with httpx.Client(auth=auth, timeout=60) as client:
    try:
        while True:
            print(client.get(url).status_code)
    except plannt.BudgetExceededError as error:
        print(f"stopped: {error.code}, {error.left_msat} msat left")
