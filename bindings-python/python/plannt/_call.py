"""What a paying call asks of its driver."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Union

from ._msat import Msat
from ._plannt import PaymentHash
from ._types import Outcome, Quote


class CallStep:
    """What a :class:`Call` asks of its driver: one of the classes in here. The driver answers with the method that is named."""

    @dataclass(frozen=True)
    class Done:
        """The end: hand the last response back."""

        outcome: Outcome
        #: How long the payment took, seconds, where this call paid.
        payment_took: Optional[float]

    @dataclass(frozen=True)
    class LookUpPayment:
        """Ask the wallet about a payment. Answer: :meth:`Call.looked_up`."""

        payment_hash: PaymentHash

    @dataclass(frozen=True)
    class Pay:
        """Pay the invoice. Answer: :meth:`Call.paid`, :meth:`Call.payment_failed` or :meth:`Call.payment_unknown`."""

        bolt11: str
        payment_hash: PaymentHash
        amount_msat: Msat
        max_fee_msat: Msat
        #: How long the wallet may try, seconds.
        timeout: float

    @dataclass(frozen=True)
    class Quoted:
        """The end of a dry run."""

        quote: Quote

    @dataclass(frozen=True)
    class ReadBody:
        """Read the last response's body as far as ``max_bytes``, keeping it for the caller. Answer: :meth:`Call.body_read`."""

        max_bytes: int

    @dataclass(frozen=True)
    class SendRequest:
        """Send the request, with this ``Authorization`` value as the first such line if there is one, following no redirect with it.
        Answer: :meth:`Call.responded` or :meth:`Call.send_failed`."""

        authorization: Optional[str] = field(repr=False)

    @dataclass(frozen=True)
    class Wait:
        """Another call holds the request's key: call :meth:`Call.advance` again after this time."""

        seconds: float


#: What an adapter has to do.
HttpStep = Union[CallStep.Done, CallStep.Quoted, CallStep.ReadBody, CallStep.SendRequest]
CallStepAny = Union[HttpStep, CallStep.LookUpPayment, CallStep.Pay, CallStep.Wait]
