"""Wallets: those of the Rust backends, and any object that can pay an invoice."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Callable, Mapping, Optional, Tuple, Union

from ._call import CallStep
from ._errors import ConfigError, HexError, LengthError, PaymentFailedError
from ._flow import LookUp
from ._literals import Network
from ._plannt import Call, PaymentHash, Wallet
from ._threads import in_thread

#: How long a wallet may take beyond the time that it was told, and for a look-up, seconds.
GRACE_SECONDS = 30.0

#: What a wallet knows of a payment, as the native part takes it: state, words, preimage, fee.
Answer = Tuple[str, str, Any, Optional[int]]


def wallet(url: str, *, network: Optional[Network] = None) -> Wallet:
    """The Lightning wallet behind a URL, such as ``lnd://host:8080?cert=FILE&macaroon=FILE``; the other kinds are in docs/BACKENDS.md.

    Nothing is sent to it yet. Raises :class:`LightningError` with the code ``config`` for a URL or a file that can't be used; the message
    never repeats the URL, which may hold a key.

    >>> import plannt
    >>> plannt.wallet("nonsense://")
    Traceback (most recent call last):
    ...
    plannt.LightningError: lightning configuration: the URL's scheme names no backend: expected one of cln://, ...
    """
    return Wallet(url, network=network)


class Payer:
    """What pays for a driver: a :class:`Wallet`, or any object with ``pay_invoice(bolt11, max_fee_msat, timeout)`` and, where it can,
    ``lookup_payment(payment_hash)``, each a function or a coroutine function."""

    def __init__(self, wallet: Any) -> None:
        pay = getattr(wallet, "pay_invoice", None)
        if not callable(pay):
            raise TypeError("a wallet has a method pay_invoice(bolt11, max_fee_msat, timeout)")
        self._wallet = wallet
        self._pay: Callable[..., Any] = pay
        look_up = getattr(wallet, "lookup_payment", None)
        self._look_up: Optional[Callable[..., Any]] = look_up if callable(look_up) else None
        kind = type(wallet)
        #: Part of the key by which the journal finds an unfinished call.
        self.wallet_id = str(getattr(wallet, "wallet_id", None) or f"python:{kind.__module__}.{kind.__qualname__}")
        self.network: Optional[Network] = getattr(wallet, "network", None)
        self.limits_fee = bool(getattr(wallet, "limits_fee", True))

    def check_sync(self) -> None:
        """Refuses a wallet of coroutines before anything is reserved."""
        for method in (self._pay, self._look_up):
            if method is not None and inspect.iscoroutinefunction(method):
                message = "this wallet is asynchronous: use it with an async client, or give it plain functions"
                raise ConfigError(message, "config")

    def pay(self, call: Call, step: CallStep.Pay) -> Optional[BaseException]:
        """Pays, and tells the call how it went; gives back what the wallet raised."""
        try:
            result = self._pay(step.bolt11, max_fee_msat=step.max_fee_msat, timeout=step.timeout)
            if inspect.isawaitable(result):
                _drop(result)
                raise ConfigError("this wallet is asynchronous: use it with an async client", "config")
        except Exception as error:
            return _failed(call, error)
        return _paid(call, result)

    def look_up(self, payment_hash: PaymentHash) -> Answer:
        """What the wallet knows of a payment."""
        if self._look_up is None:
            return _UNABLE
        try:
            state = self._look_up(payment_hash)
            if inspect.isawaitable(state):
                _drop(state)
                raise ConfigError("this wallet is asynchronous: use it with an async client", "config")
            return read_state(state)
        except Exception as error:
            return ("unknown", _words(error), None, None)

    async def apay(self, call: Call, step: CallStep.Pay) -> Optional[BaseException]:
        """As :meth:`pay`, without holding up the event loop."""
        try:
            limit = step.timeout + GRACE_SECONDS
            result = await _within(limit, self._pay, step.bolt11, max_fee_msat=step.max_fee_msat, timeout=step.timeout)
        except Exception as error:
            return _failed(call, error)
        return _paid(call, result)

    async def alook_up(self, payment_hash: PaymentHash) -> Answer:
        """As :meth:`look_up`, without holding up the event loop."""
        if self._look_up is None:
            return _UNABLE
        try:
            return read_state(await _within(GRACE_SECONDS, self._look_up, payment_hash))
        except Exception as error:
            return ("unknown", _words(error), None, None)


_UNABLE: Answer = ("unknown", "this wallet can't look payments up", None, None)


async def _within(seconds: float, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    if inspect.iscoroutinefunction(function):
        return await asyncio.wait_for(function(*arguments, **named), seconds)
    result = await asyncio.wait_for(in_thread(lambda: function(*arguments, **named)), seconds)
    return await asyncio.wait_for(result, seconds) if inspect.isawaitable(result) else result


def _drop(awaitable: Any) -> None:
    close = getattr(awaitable, "close", None)
    if callable(close):
        close()


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _failed(call: Call, error: Exception) -> Exception:
    # Only what says so itself has certainly not paid.
    if isinstance(error, PaymentFailedError):
        call.payment_failed(str(error), error.code)
    else:
        call.payment_unknown(_words(error))
    return error


def _paid(call: Call, result: Any) -> Optional[BaseException]:
    try:
        call.paid(_preimage(result), _member(result, "fee_msat"))
    except (HexError, LengthError, TypeError, ValueError) as error:
        call.payment_unknown(f"the wallet's answer can't be read: {error}")
        return error
    return None


def _member(result: Any, name: str) -> Any:
    if isinstance(result, Mapping):
        return result.get(name)
    return getattr(result, name, None)


def _preimage(result: Any) -> Any:
    preimage = _member(result, "preimage")
    if preimage is None:
        raise TypeError("it has no preimage")
    return preimage


_STATES: Tuple[Tuple[type, str], ...] = ((LookUp.InFlight, "in_flight"), (LookUp.NotFound, "not_found"), (LookUp.Unknown, "unknown"))


def read_state(state: Any) -> Answer:
    """What a wallet's look-up says: a class of :class:`LookUp`, a status, or a mapping or an object with ``status``.

    >>> read_state("not_found")
    ('not_found', '', None, None)
    >>> read_state({"status": "paid", "preimage": b"", "fee_msat": 3})
    ('paid', '', b'', 3)
    """
    if isinstance(state, LookUp.Paid):
        return ("paid", "", state.preimage, state.fee_msat)
    if isinstance(state, LookUp.Failed):
        return ("failed", state.failure, None, None)
    for kind, name in _STATES:
        if isinstance(state, kind):
            return (name, "", None, None)
    status: Union[str, Any] = state if isinstance(state, str) else _member(state, "status")
    if status == "paid":
        return ("paid", "", _preimage(state), _member(state, "fee_msat"))
    if status == "failed":
        return ("failed", str(_member(state, "failure") or "rejected"), None, None)
    if status in ("in_flight", "not_found"):
        return (status, "", None, None)
    raise TypeError("the wallet's look-up says neither paid, failed, in_flight nor not_found")
