"""The paying side for any HTTP library: a wallet, a policy, a budget and the journal, and the loop over a call's steps."""

from __future__ import annotations

import asyncio
import os
import pathlib
import time
from functools import partial
from typing import Any, Iterable, List, Optional, Sequence, Tuple, Union
from urllib.parse import urlsplit

from ._call import CallStep, HttpStep
from ._errors import ChallengeError, ConfigError, PlanntError, RedirectedError, RedirectFailedError, RequestError
from ._literals import Network
from ._plannt import Call, Journal, PaymentHash, read_challenge
from ._threads import in_thread
from ._types import Budget, BudgetRule, BudgetStatus, FeeLimit, Hosts, Origin, Outcome, Policy, Receipt, RequestFacts
from ._wallet import Payer

#: What one call may cost where nothing else is said, msat: 1,000 sat, fee included.
DEFAULT_MAX_PAYMENT_MSAT = 1_000_000

#: How much of a 402's body is read for the sake of its connection, bytes.
MAX_DRAINED_BYTES = 65_536

PathLike = Union[str, "os.PathLike[str]"]


def default_journal() -> pathlib.Path:
    """The journal that all of a user's processes share, the command line's among them: below ``$PLANNT_HOME``, else
    ``$XDG_DATA_HOME/plannt``, else ``~/.local/share/plannt``."""
    home = os.environ.get("PLANNT_HOME")
    if home:
        return pathlib.Path(home, "client", "journal.db")
    base = os.environ.get("XDG_DATA_HOME", "")
    data = pathlib.Path(base) if os.path.isabs(base) else pathlib.Path.home() / ".local" / "share"
    return data / "plannt" / "client" / "journal.db"


class Driver:
    """Pays for the calls of an HTTP library. Every adapter has one; it may be shared between them, between threads, and used after a fork.

    :param wallet: what :func:`plannt.wallet` gives, or any object that can pay an invoice.
    :param budget: rules over everything that a user's calls spend, besides those that the journal keeps.
    :param network: the wallet's network; its own where it tells, else ``bitcoin``.
    :param max_payment_msat: the most that one call may cost, fee included.
    :param max_fee: the most that the fee may be; 10 sat and 1% of the amount, and what the limit of a call leaves, where nothing is said.
    :param allowed_hosts: hosts that may be paid, ``name``, ``name:port`` or ``*.name``; any where it is None.
    :param plain_http_hosts: hosts that may be paid over plain ``http``, besides this machine and ``.onion``.
    :param pay_after_loss: whether a call that lost a paid credential may pay again at once.
    :param policy: all of these limits as a :class:`Policy`, instead of them.
    :param journal: the journal's file or a :class:`Journal`; the one of all of a user's processes where it is None.
    :param payment_timeout: how long the wallet may try, seconds.
    :param lock_wait: how long to wait for another call with the same request, seconds.
    """

    def __init__(
        self,
        wallet: Any,
        budget: Union[Budget, Sequence[BudgetRule], None] = None,
        *,
        network: Optional[Network] = None,
        max_payment_msat: int = DEFAULT_MAX_PAYMENT_MSAT,
        max_fee: Optional[FeeLimit] = None,
        allowed_hosts: Union[Hosts, Sequence[str], None] = None,
        plain_http_hosts: Union[Hosts, Sequence[str]] = (),
        pay_after_loss: bool = False,
        policy: Optional[Policy] = None,
        journal: Union[Journal, PathLike, None] = None,
        payment_timeout: float = 60.0,
        lock_wait: float = 120.0,
    ) -> None:
        self.payer = wallet if isinstance(wallet, Payer) else Payer(wallet)
        own = self.payer.network
        if policy is None:
            named: Network = network or own or "bitcoin"
            policy = Policy(
                named,
                max_payment_msat,
                allowed_hosts=_hosts(allowed_hosts),
                fit_fee=max_fee is None,
                max_fee=FeeLimit(10_000, 10_000) if max_fee is None else max_fee,
                pay_after_loss=pay_after_loss,
                plain_http_hosts=_hosts(plain_http_hosts),
                wallet_limits_fee=self.payer.limits_fee,
            )
        if own is not None and own != policy.network:
            raise ConfigError(f"the wallet is on {own}, not on {policy.network}", "config")
        # What is wrong with it is said here, and not at the first call.
        policy.max_fee_msat(0)
        self.policy = policy
        self.budget = budget if isinstance(budget, Budget) else Budget(budget or ())
        self.journal = journal if isinstance(journal, Journal) else Journal(os.fspath(journal or default_journal()))
        self.payment_timeout = float(payment_timeout)
        self.lock_wait = float(lock_wait)

    def request(self, method: str, url: str, body: Optional[bytes]) -> RequestFacts:
        """The facts of a request, whose ``url`` is as it is sent; ``body`` is None for a stream that can't be sent again."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            port = parts.port
        except ValueError as error:
            raise RequestError(f"the request can't be sent: {error}", "invalid_request") from None
        # IPv6 has lost its brackets.
        origin = Origin(parts.scheme, f"[{host}]" if ":" in host else host, port)
        target = parts.path or "/"
        # An empty query is one, too.
        if parts.query or "?" in url.partition("#")[0]:
            target = f"{target}?{parts.query}"
        return RequestFacts.of(method, origin, target, body)

    def call(self, request: RequestFacts, *, dry_run: bool = False) -> Call:
        """Begins a call; with ``dry_run`` one that only asks for the price."""
        return Call(
            self.journal,
            self.payer.wallet_id,
            self.policy,
            self.budget,
            request,
            payment_timeout=self.payment_timeout,
            lock_wait=self.lock_wait,
            dry_run=dry_run,
        )

    def next_step(self, call: Call) -> HttpStep:
        """Goes on to the next step that is HTTP's, and pays on the way where that is due."""
        blame: Optional[BaseException] = None
        while True:
            try:
                step = call.advance()
            except PlanntError as error:
                raise error from blame
            if isinstance(step, CallStep.Pay):
                blame = self.payer.pay(call, step)
            elif isinstance(step, CallStep.LookUpPayment):
                call.looked_up(self.payer.look_up(step.payment_hash))
            elif isinstance(step, CallStep.Wait):
                time.sleep(step.seconds)
            else:
                return step

    async def anext_step(self, call: Call) -> HttpStep:
        """As :meth:`next_step`, without holding up the event loop."""
        blame: Optional[BaseException] = None
        while True:
            try:
                step = await in_thread(call.advance)
            except PlanntError as error:
                raise error from blame
            if isinstance(step, CallStep.Pay):
                blame = await self.payer.apay(call, step)
            elif isinstance(step, CallStep.LookUpPayment):
                answer = await self.payer.alook_up(step.payment_hash)
                await in_thread(partial(call.looked_up, answer))
            elif isinstance(step, CallStep.Wait):
                await asyncio.sleep(step.seconds)
            else:
                return step

    def receipts(self, limit: int = 100) -> List[Receipt]:
        """The newest receipts first, at most ``limit``."""
        return self.journal.receipts(limit)

    def budget_status(self) -> List[BudgetStatus]:
        """How much of each budget rule is used on this driver's network."""
        return self.journal.budget_status(self.policy.network, self.budget)

    def recover(self) -> List[Tuple[PaymentHash, str]]:
        """Asks the wallet about every payment that was left unfinished: pairs of payment hash and what became of it, ``paid``,
        ``failed``, ``unresolved``, or ``busy`` where another call is working on it."""
        self.payer.check_sync()
        recovered: List[Tuple[PaymentHash, str]] = []
        for payment_hash in self.journal.unresolved(self.payer.wallet_id):
            held = self.journal.unfinished(self.payer.wallet_id, payment_hash)
            state = "busy" if held is None else held.resolve(self.payer.look_up(payment_hash))
            recovered.append((payment_hash, state))
        return recovered

    async def arecover(self) -> List[Tuple[PaymentHash, str]]:
        """As :meth:`recover`, without holding up the event loop."""
        recovered: List[Tuple[PaymentHash, str]] = []
        wallet = self.payer.wallet_id
        for payment_hash in await in_thread(partial(self.journal.unresolved, wallet)):
            held = await in_thread(partial(self.journal.unfinished, wallet, payment_hash))
            if held is None:
                recovered.append((payment_hash, "busy"))
                continue
            answer = await self.payer.alook_up(payment_hash)
            recovered.append((payment_hash, await in_thread(partial(held.resolve, answer))))
        return recovered


def _hosts(hosts: Union[Hosts, Sequence[str], None]) -> Hosts:
    if hosts is None:
        return Hosts.any()
    return hosts if isinstance(hosts, Hosts) else Hosts.listed(hosts)


def is_l402(authorization: str) -> bool:
    """Whether an ``Authorization`` value is a credential of one's own: then it decides, and the driver stays out of it.

    >>> is_l402("lsat abc"), is_l402("Basic abc")
    (True, False)
    """
    return authorization.split(None, 1)[:1] != [] and authorization.split(None, 1)[0].upper() in ("L402", "LSAT")


def bought(outcome: Optional[Outcome]) -> Optional[Receipt]:
    """What a call paid, if it did."""
    return outcome.receipt if outcome is not None and outcome.credential == "bought" else None


def asks_for_payment(lines: Iterable[Union[str, bytes]], body: Optional[bytes]) -> bool:
    """Whether a 402 has a challenge, also one that says two things at once."""
    try:
        return read_challenge(list(lines), body) is not None
    except ChallengeError:
        return True


def redirected(before: Optional[Outcome]) -> RedirectedError:
    """A server asks for payment after a redirect; ``before`` is what the redirect itself may have cost."""
    message = "the server asks for payment after a redirect: call the final address itself to pay"
    return RedirectedError(message, "challenge_after_redirect", receipt=bought(before))


def redirect_failed(paid: Receipt, reason: str) -> RedirectFailedError:
    """The credential brought a redirect, and what it leads to gave no answer."""
    message = f"paid {paid.paid_msat} msat and got a redirect, but no answer from where it leads ({reason}): ask there without paying"
    return RedirectFailedError(message, "redirect_failed", receipt=paid)
