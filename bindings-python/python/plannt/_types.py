"""Plain data of the protocol and of the paying flow: frozen classes without logic of their own, which the native part reads and makes.

Amounts are in msat, times are unix seconds, both ``int``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Iterable, List, Optional, Tuple, Union

from . import _plannt
from ._literals import ChallengeSource, Code, CredentialState, CredentialUse, IntentState, Network, Scheme
from ._msat import Msat
from ._plannt import PaymentHash, Preimage

BytesLike = Union[bytes, bytearray, memoryview]


# The protocol's.


@dataclass(frozen=True)
class Identifier:
    """A macaroon's identifier as L402 has it (docs/PROTOCOL.md §1).

    >>> import plannt
    >>> identifier = plannt.Identifier(plannt.PaymentHash(bytes(32)), bytes(32))
    >>> len(bytes(identifier)) == plannt.Identifier.LEN == 66
    True
    >>> plannt.Identifier.parse(bytes(identifier)) == identifier
    True
    """

    #: Of the invoice.
    payment_hash: PaymentHash
    #: What the server's root key makes of the payment hash, 32 bytes.
    token_id: bytes

    #: Bytes of an identifier.
    LEN = 66

    @classmethod
    def parse(cls, data: BytesLike) -> Identifier:
        """Reads 66 bytes; raises :class:`IdentifierError`."""
        return _plannt.identifier_parse(data)

    def to_bytes(self) -> bytes:
        """The 66 bytes."""
        return _plannt.identifier_to_bytes(self.payment_hash, self.token_id)

    __bytes__ = to_bytes


@dataclass(frozen=True)
class InvoiceFacts:
    """A BOLT 11 invoice's facts, from its own signed text."""

    payment_hash: PaymentHash
    #: None when the payer chooses it.
    amount_msat: Optional[Msat]
    network: Network
    #: When it was made, unix seconds.
    issued_at: int
    #: When it expires, unix seconds.
    expires_at: int
    #: The node that is paid, a compressed public key of 33 bytes.
    payee: Optional[bytes]
    #: Its description, with control characters replaced; None where only a hash is given.
    description: Optional[str]


@dataclass(frozen=True)
class Challenge:
    """A complete challenge: a token, and the invoice whose preimage makes it a credential."""

    #: The scheme to answer with.
    scheme: Scheme
    #: The token's exact text, to be echoed as it is.
    token: str = field(repr=False)
    #: The BOLT 11 invoice's text, not parsed yet.
    invoice: str
    #: Where it was found.
    source: ChallengeSource


@dataclass(frozen=True)
class AuthParam:
    """One ``name=value`` of a challenge."""

    name: str
    #: With quotes and escapes undone.
    value: bytes


@dataclass(frozen=True)
class AuthChallenge:
    """One challenge of a ``WWW-Authenticate`` line, of whatever scheme (RFC 9110 §11.6.1)."""

    scheme: str
    #: The parameters in their order, or the ``token68`` text, or nothing.
    data: Union[List[AuthParam], str, None]


@dataclass(frozen=True)
class ChallengeBody:
    """The members of a challenge's JSON body (docs/PROTOCOL.md §3)."""

    token: str = field(repr=False)
    invoice: str
    payment_hash: PaymentHash
    #: The invoice's amount.
    price_msat: int
    #: When the invoice expires, as RFC 3339 text.
    expires_at: str
    service: str
    code: Code
    detail: Optional[str] = None

    def to_json(self) -> str:
        """One JSON object, its first members in the order that deployed clients rely on."""
        return _plannt.challenge_body(self)


@dataclass(frozen=True)
class Caveat:
    """One caveat of a macaroon."""

    #: A first party's caveat, or what a third party knows its own by.
    id: bytes
    #: The sealed key of a third party's caveat, 72 bytes.
    verification_id: Optional[bytes] = None
    #: Where that third party is; never authenticated.
    location: Optional[str] = None

    @property
    def is_third_party(self) -> bool:
        """Whether a third party has to discharge it."""
        return self.verification_id is not None


@dataclass(frozen=True)
class PathRules:
    """What a route takes in its path besides the plain form; nothing by default (docs/PROTOCOL.md §2)."""

    backslash: bool = False
    control: bool = False
    empty_segments: bool = False
    encoded_slash: bool = False
    semicolon: bool = False


# What may be paid.


@dataclass(frozen=True)
class FeeLimit:
    """The most that a payment may cost beyond the invoice's amount: ``base_msat``, plus a part of the amount.

    >>> FeeLimit(5_000, 10_000).for_amount(21_000)
    Msat(5210)
    """

    base_msat: int = 5_000
    #: Millionths of the amount on top of it.
    parts_per_million: int = 10_000

    @classmethod
    def fixed(cls, base_msat: int) -> FeeLimit:
        """The same limit for each amount."""
        return cls(base_msat, 0)

    @classmethod
    def none(cls) -> FeeLimit:
        """No fee at all."""
        return cls(0, 0)

    def for_amount(self, amount_msat: int) -> Msat:
        """The limit for an amount; a fraction of a msat rounds up."""
        return _plannt.fee_limit_for_amount(self, amount_msat)


@dataclass(frozen=True)
class Origin:
    """A request's scheme, host and port.

    >>> Origin.parse("HTTPS://API.example")
    Origin('https://api.example')
    """

    scheme: str
    #: A name, an IPv4 address, or an IPv6 address in brackets; kept in lower case.
    host: str
    #: The scheme's own when None is given.
    port: Optional[int] = None

    def __post_init__(self) -> None:
        scheme, host, port = _plannt.origin_new(self.scheme, self.host, self.port)
        object.__setattr__(self, "scheme", scheme)
        object.__setattr__(self, "host", host)
        object.__setattr__(self, "port", port)

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Reads ``scheme://host[:port]``; raises :class:`OriginError`."""
        return cls(*_plannt.origin_parse(text))

    @property
    def is_https(self) -> bool:
        """Whether the scheme is ``https``."""
        return self.scheme == "https"

    @property
    def is_private(self) -> bool:
        """Whether plain ``http`` to it stays on this machine or inside Tor: a loopback address, ``localhost``, or ``.onion``."""
        return _plannt.origin_is_private(str(self))

    def __str__(self) -> str:
        assert self.port is not None
        return _plannt.origin_text(self.scheme, self.host, self.port)

    def __repr__(self) -> str:
        return f"Origin({str(self)!r})"


@dataclass(frozen=True)
class Hosts:
    """A set of hosts: any where ``patterns`` is None, else those listed, as ``name``, ``name:port``, or ``*.name`` for all below a name.

    >>> hosts = Hosts.listed(["api.example:8443", "*.shop.example"])
    >>> hosts.contain(Origin.parse("https://a.shop.example"))
    True
    >>> hosts.contain(Origin.parse("https://shop.example"))
    False
    """

    patterns: Optional[Tuple[str, ...]] = None

    @classmethod
    def any(cls) -> Hosts:
        """Every host."""
        return cls(None)

    @classmethod
    def none(cls) -> Hosts:
        """No host."""
        return cls(())

    @classmethod
    def listed(cls, patterns: Iterable[str]) -> Hosts:
        """The patterns given."""
        if isinstance(patterns, str):
            raise TypeError("patterns is a list of texts, not one text")
        return cls(tuple(patterns))

    def contain(self, origin: Origin) -> bool:
        """Whether an origin's host (and port, where the pattern names one) is among them."""
        return _plannt.hosts_contain(self, str(origin))


@dataclass(frozen=True)
class Policy:
    """What a call may do. Every limit counts the invoice's amount plus the maximum fee. :func:`dataclasses.replace` makes another.

    >>> Policy("regtest", max_payment_msat=25_000).max_fee_msat(21_000)
    Msat(5210)
    >>> Policy("regtest", max_payment_msat=25_000, fit_fee=True).max_fee_msat(21_000)
    Msat(4000)
    """

    #: The wallet's network.
    network: Network
    #: The most that one call may cost, fee included.
    max_payment_msat: int
    #: Hosts that may be paid.
    allowed_hosts: Hosts = Hosts()
    #: Whether the maximum fee gives way to the limit of a call, where the wallet takes a limit.
    fit_fee: bool = False
    #: The most that the fee may be.
    max_fee: FeeLimit = FeeLimit()
    #: Whether a call that lost a paid credential may pay again at once.
    pay_after_loss: bool = False
    #: Hosts that may be paid over plain ``http``, besides this machine and ``.onion``.
    plain_http_hosts: Hosts = Hosts(())
    #: Whether the wallet takes a fee limit. If not, ``worst_case_fee`` is reserved, and any excess is charged.
    wallet_limits_fee: bool = True
    #: What to reserve for the fee of a wallet that takes no limit.
    worst_case_fee: FeeLimit = FeeLimit(10_000, 30_000)

    def max_fee_msat(self, amount_msat: int) -> Msat:
        """The fee that is reserved for an amount."""
        return _plannt.policy_max_fee_msat(self, amount_msat)


@dataclass(frozen=True)
class BudgetRule:
    """One limit over everything that a user's calls spend, fees included.

    >>> BudgetRule.per_day(100_000).left_msat(79_000)
    Msat(21000)
    """

    limit_msat: int
    #: Over how many seconds up to now; None is for ever.
    window_seconds: Optional[int] = None

    @classmethod
    def per_day(cls, limit_msat: int) -> BudgetRule:
        """A limit over the last 24 hours."""
        return cls(limit_msat, 86_400)

    @classmethod
    def in_total(cls, limit_msat: int) -> BudgetRule:
        """A limit over all time."""
        return cls(limit_msat, None)

    def since(self, now: int) -> int:
        """The first second that still counts at ``now``."""
        return _plannt.budget_rule_since(self, now)

    def left_msat(self, spent_msat: int) -> Msat:
        """What is left of it when ``spent_msat`` is spent or reserved."""
        return _plannt.budget_rule_left_msat(self, spent_msat)


class Budget:
    """Several rules; a payment has to fit each. Of two with the same window the smaller limit counts.

    >>> budget = Budget([BudgetRule.per_day(100), BudgetRule.per_day(50)])
    >>> budget.rules
    (BudgetRule(limit_msat=50, window_seconds=86400),)
    """

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[BudgetRule] = ()) -> None:
        self._rules: Tuple[BudgetRule, ...] = _plannt.budget_rules(list(rules))

    @classmethod
    def unlimited(cls) -> Budget:
        """No limit."""
        return cls()

    @property
    def rules(self) -> Tuple[BudgetRule, ...]:
        """Its rules."""
        return self._rules

    def add(self, rule: BudgetRule) -> None:
        """Adds a rule."""
        self._rules = _plannt.budget_rules([*self._rules, rule])

    def left_msat(self, spent_msat: Callable[[BudgetRule], int]) -> Optional[Msat]:
        """What is left under every rule, where ``spent_msat`` tells what a rule's window holds; None without rules.

        >>> Budget([BudgetRule.per_day(100), BudgetRule.in_total(1_000)]).left_msat(lambda rule: 30)
        Msat(70)
        """
        return _plannt.budget_left_msat(self._rules, spent_msat)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Budget) and self._rules == other._rules

    def __hash__(self) -> int:
        return hash(self._rules)

    def __repr__(self) -> str:
        return f"Budget({list(self._rules)!r})"


@dataclass(frozen=True)
class BudgetStatus:
    """How much of a rule is used."""

    rule: BudgetRule
    #: Spent within its window, fees included.
    spent_msat: Msat
    #: Reserved by payments that are not resolved.
    reserved_msat: Msat
    #: What is left.
    left_msat: Msat


# Requests, payments and credentials.


@dataclass(frozen=True)
class RequestFacts:
    """One request, as the flow sees it: enough to recognize it again, never its headers or body."""

    method: str
    origin: Origin
    #: Path and query, as sent.
    target: str
    #: SHA-256 of the body (of nothing where there is none); None for a stream that can't be sent again.
    body_sha256: Optional[bytes]

    @classmethod
    def of(cls, method: str, origin: Origin, target: str, body: Optional[BytesLike] = b"") -> RequestFacts:
        """The facts of a request whose body is in memory; None for one that can be sent once only."""
        return cls(method, origin, target, None if body is None else _plannt.content_digest(body))

    def key(self, wallet: str) -> Optional[RequestKey]:
        """What the journal knows this request by, or None where its body can't be repeated."""
        if self.body_sha256 is None:
            return None
        return RequestKey(self.method, self.origin, self.target, self.body_sha256, wallet)

    @property
    def path(self) -> str:
        """The target's path, without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the first ``?``; empty when there is none."""
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class RequestKey:
    """What the journal knows a request by: the same method, origin, path, query, body and wallet."""

    method: str
    origin: Origin
    target: str
    body_sha256: bytes
    #: The wallet that pays, by its stable id.
    wallet: str

    def digest(self) -> bytes:
        """One SHA-256 over all of it."""
        return _plannt.request_key_digest(self)


@dataclass(frozen=True)
class ResponseFacts:
    """A response's head, as far as the flow cares."""

    status: int
    #: The values of the ``WWW-Authenticate`` lines, in their order.
    www_authenticate: Tuple[bytes, ...] = ()
    #: The value of ``x-l402``, if there is one.
    x_l402: Optional[bytes] = None
    #: Whether a redirect was followed on the way to it.
    redirected: bool = False


@dataclass(frozen=True)
class Receipt:
    """A payment as it is shown: never with the preimage or the token."""

    payment_hash: PaymentHash
    network: Network
    #: The node that is paid, a compressed public key of 33 bytes, where the invoice told.
    payee: Optional[bytes]
    #: The invoice's amount.
    amount_msat: Msat
    #: What the payment cost beyond that; None until it is paid.
    fee_msat: Optional[Msat]
    #: What it takes from the budget: the reservation while unresolved, then the true cost, or nothing.
    charged_msat: Msat
    method: str
    origin: Origin
    target: str
    #: The wallet, by its stable id.
    wallet: str
    #: When the intent was written, unix seconds.
    created_at: int
    #: When it was paid or failed, unix seconds.
    settled_at: Optional[int]
    #: Where the payment stands.
    state: IntentState
    #: What became of the credential, once paid.
    credential: Optional[CredentialState]
    #: Why it failed, as a stable code, where it did.
    failure: Optional[str]

    @property
    def paid_msat(self) -> Msat:
        """What was paid, fee included; nothing until it is paid."""
        return _plannt.receipt_paid_msat(self)

    @property
    def path(self) -> str:
        """The target without its query, which may hold secrets of the user's."""
        return self.target.partition("?")[0]

    @property
    def payee_hex(self) -> Optional[str]:
        """The payee as 66 hex digits."""
        return None if self.payee is None else self.payee.hex()


@dataclass(frozen=True)
class Intent:
    """A payment that is about to be made: what the journal writes down before the wallet is asked to pay."""

    payment_hash: PaymentHash
    #: The request that it pays for.
    request: RequestKey
    #: The scheme to answer with.
    scheme: Scheme
    #: The challenge's token, exactly as received.
    token: str = field(repr=False)
    #: The BOLT 11 text.
    invoice: str = field(repr=False)
    network: Network
    payee: Optional[bytes]
    amount_msat: Msat
    #: The most that the payment may cost beyond that.
    max_fee_msat: Msat
    #: When the invoice expires, unix seconds.
    invoice_expires_at: int
    #: When the flow decided to pay, unix seconds.
    created_at: int

    @property
    def reservation_msat(self) -> Msat:
        """What it takes from the budget until it is resolved."""
        return _plannt.intent_reservation_msat(self)


@dataclass(frozen=True)
class StoredCredential:
    """A paid credential from the journal."""

    scheme: Scheme
    token: str = field(repr=False)
    preimage: Preimage
    #: The payment that bought it.
    receipt: Receipt


@dataclass(frozen=True)
class Quote:
    """What a request would cost, and whether it would be paid."""

    payment_hash: PaymentHash
    network: Network
    payee: Optional[bytes]
    #: The invoice's description: the server's own words.
    description: Optional[str]
    amount_msat: Msat
    #: The most that the payment would cost beyond it.
    max_fee_msat: Msat
    #: Who asks for it.
    origin: Origin
    #: When the invoice expires, unix seconds.
    invoice_expires_at: int
    #: Until when the credential would be good, unix seconds, where the token tells.
    valid_until: Optional[int]
    #: What the tightest budget has left; None without a budget.
    budget_left_msat: Optional[Msat]
    #: What an earlier call with the same request left behind: a :class:`Pending`.
    pending: Optional[PendingAny]
    #: Why a real call would not pay, as the refusal's code; None if it would.
    refusal: Optional[str]

    @property
    def total_msat(self) -> Optional[Msat]:
        """Amount plus maximum fee; None where that is more than 64 bits count."""
        total = self.amount_msat + self.max_fee_msat
        return Msat(total) if total < 1 << 64 else None

    @property
    def payee_hex(self) -> Optional[str]:
        """The payee as 66 hex digits."""
        return None if self.payee is None else self.payee.hex()


class Pending:
    """What an earlier call with the same request left behind: one of the classes in here."""

    @dataclass(frozen=True)
    class Delivered:
        """A delivered credential of this origin that may fit; a call tries it first."""

        receipt: Receipt

    @dataclass(frozen=True)
    class Undelivered:
        """A paid credential that brought no answer yet; a call tries it first."""

        receipt: Receipt

    @dataclass(frozen=True)
    class Unresolved:
        """A payment that is not resolved; a call asks the wallet about it first."""

        payment_hash: PaymentHash


PendingAny = Union[Pending.Delivered, Pending.Undelivered, Pending.Unresolved]


@dataclass(frozen=True)
class Outcome:
    """How a call that was not refused ended."""

    #: Which credential the last request carried.
    credential: CredentialUse = "none"
    #: The payment that bought it.
    receipt: Optional[Receipt] = None
    #: Whether the journal missed the credential's last change of state: the next call may try it in vain.
    journal_failed: bool = False
