"""Enums without data: strings, with a literal type for each."""

from __future__ import annotations

from typing import Literal

#: A Bitcoin network.
Network = Literal["bitcoin", "regtest", "signet", "simnet", "testnet"]
#: The authentication scheme that a challenge came with; both mean the same.
Scheme = Literal["L402", "LSAT"]
#: Which part of a response a challenge was read from.
ChallengeSource = Literal["body", "header"]
#: An encoding of a macaroon.
Format = Literal["v1", "v2", "v2_json"]
#: Where a payment stands.
IntentState = Literal["failed", "in_flight", "intended", "paid", "unknown"]
#: What became of a paid credential.
CredentialState = Literal["delivered", "dropped", "lost", "spent", "undelivered"]
#: Which credential a request carried.
CredentialUse = Literal["bought", "kept", "none", "recovered"]
#: Why a request was not let through (docs/PROTOCOL.md §3).
Code = Literal[
    "bad_path",
    "bad_request",
    "body_too_large",
    "expired",
    "header_too_large",
    "invalid_credential",
    "malformed_credential",
    "method_not_allowed",
    "misdirected_request",
    "not_found",
    "out_of_scope",
    "payment_required",
    "spent",
    "too_many_challenges",
    "unavailable",
    "upstream_timeout",
    "upstream_unreachable",
    "uri_too_long",
]
