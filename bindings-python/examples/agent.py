"""An agent that pays for one call: agent.py URL WALLET_URL [JOURNAL]"""

import sys

import requests

import plannt
from plannt.requests import L402Auth, outcome

url, wallet_url, *journal = sys.argv[1:]
wallet = plannt.wallet(wallet_url)
auth = L402Auth(wallet, max_payment_msat=100_000, journal=journal[0] if journal else None)

response = requests.get(url, auth=auth, timeout=60)
response.raise_for_status()
print(response.text)

paid = outcome(response)
if paid is not None and paid.receipt is not None:
    print(f"paid {paid.receipt.amount_msat.sats} sat and {paid.receipt.fee_msat} msat of fee", file=sys.stderr)
