"""What the paying flow asks of its driver, and what it is told: a class for each step and event, for ``match``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, Union

from ._literals import CredentialState, IntentState
from ._msat import Msat
from ._plannt import PaymentHash, Preimage
from ._types import Intent, Outcome, Quote, RequestFacts, RequestKey, ResponseFacts, StoredCredential


class Found:
    """What earlier calls left behind for a request: one of the classes in here."""

    @dataclass(frozen=True)
    class Unresolved:
        """A payment that is not resolved, with the same request key."""

        intent: Intent

    @dataclass(frozen=True)
    class Undelivered:
        """A paid credential that brought no answer yet, with the same request key."""

        credential: StoredCredential

    @dataclass(frozen=True)
    class Delivered:
        """A delivered credential of the origin whose readable caveats allow the request."""

        credential: StoredCredential

    @dataclass(frozen=True)
    class Nothing:
        """Nothing."""


FoundAny = Union[Found.Unresolved, Found.Undelivered, Found.Delivered, Found.Nothing]


class LookUp:
    """What a wallet knows of a payment: one of the classes in here."""

    @dataclass(frozen=True)
    class Failed:
        """Certainly not paid, and nothing is in flight."""

        #: Why, as a stable code.
        failure: str

    @dataclass(frozen=True)
    class InFlight:
        """Under way."""

    @dataclass(frozen=True)
    class NotFound:
        """The wallet never saw it: that means failed only once the invoice has expired."""

    @dataclass(frozen=True)
    class Paid:
        """Paid."""

        preimage: Preimage
        #: What it cost beyond the amount.
        fee_msat: int

    @dataclass(frozen=True)
    class Unknown:
        """The wallet could not tell."""


LookUpAny = Union[LookUp.Failed, LookUp.InFlight, LookUp.NotFound, LookUp.Paid, LookUp.Unknown]


class PaymentResult:
    """How a payment ended: one of the classes in here."""

    @dataclass(frozen=True)
    class Failed:
        """Certainly not paid, and nothing is in flight."""

        #: Why, as a stable code.
        failure: str

    @dataclass(frozen=True)
    class Paid:
        """Paid."""

        preimage: Preimage
        #: What it cost beyond the amount.
        fee_msat: int

    @dataclass(frozen=True)
    class Unknown:
        """It may have been paid, or may still be."""


PaymentResultAny = Union[PaymentResult.Failed, PaymentResult.Paid, PaymentResult.Unknown]


class Reservation:
    """The answer to a journaled intent: one of the classes in here."""

    @dataclass(frozen=True)
    class Granted:
        """Reserved and written, durably."""

    @dataclass(frozen=True)
    class HashKnown:
        """The journal knows the payment hash; nothing was written."""

    @dataclass(frozen=True)
    class KeyBusy:
        """The journal has an unfinished payment with the same request key; nothing was written."""

    @dataclass(frozen=True)
    class OverBudget:
        """A budget has too little left; nothing was written."""

        #: What the tightest has left.
        left_msat: int


ReservationAny = Union[Reservation.Granted, Reservation.HashKnown, Reservation.KeyBusy, Reservation.OverBudget]


class Resolution:
    """What a wallet's answer means for a payment that was left unfinished: one of the classes in here."""

    @dataclass(frozen=True)
    class Failed:
        """Certainly failed: free the reservation."""

        failure: str

    @dataclass(frozen=True)
    class Paid:
        """Paid, and proven."""

        preimage: Preimage
        fee_msat: Msat

    @dataclass(frozen=True)
    class Unresolved:
        """Not known yet: it keeps its reservation."""

        state: IntentState

    @dataclass(frozen=True)
    class Unproven:
        """The wallet says paid but proves something else: it keeps its reservation, for a person to look at."""


ResolutionAny = Union[Resolution.Failed, Resolution.Paid, Resolution.Unresolved, Resolution.Unproven]


@dataclass(frozen=True)
class Loaded:
    """The answer to :class:`Step.LoadCredential`."""

    found: FoundAny
    #: What the tightest budget has left; None without a budget.
    budget_left_msat: Optional[int] = None


class Step:
    """What to do next: one of the classes in here. The driver does it and answers with the event that is named."""

    @dataclass(frozen=True)
    class Commit:
        """Journal the payment as paid, durably, before anything else is sent. Answer: :class:`Event.Stored`."""

        payment_hash: PaymentHash
        preimage: Preimage
        fee_msat: Msat

    @dataclass(frozen=True)
    class Done:
        """The end: hand the last response back."""

        outcome: Outcome

    @dataclass(frozen=True)
    class Hold:
        """Journal that the payment is not resolved; it keeps its reservation. Answer: :class:`Event.Stored`."""

        payment_hash: PaymentHash
        state: IntentState

    @dataclass(frozen=True)
    class JournalIntent:
        """Reserve the intent's ``reservation_msat`` and write it, both or none, durably. Answer: :class:`Event.Reserved`."""

        intent: Intent

    @dataclass(frozen=True)
    class LoadCredential:
        """Look for what earlier calls left behind. Answer: :class:`Event.Loaded` or :class:`Event.Busy`."""

        request: RequestFacts
        key: Optional[RequestKey]
        #: Whether to hold the request's key from here to the end of the flow, against every other call and process.
        exclusive: bool

    @dataclass(frozen=True)
    class LookUpPayment:
        """Ask the wallet about a payment. Answer: :class:`Event.LookedUp`."""

        payment_hash: PaymentHash

    @dataclass(frozen=True)
    class Pay:
        """Pay the invoice. Answer: :class:`Event.Payment`."""

        intent: Intent

    @dataclass(frozen=True)
    class Quoted:
        """The end of a dry run."""

        quote: Quote

    @dataclass(frozen=True)
    class ReadBody:
        """Read the last response's body as far as ``max_bytes``, keeping it for the caller. Answer: :class:`Event.Body`."""

        max_bytes: int

    @dataclass(frozen=True)
    class Refused:
        """The end: nothing to hand back."""

        #: An instance of the refusal's class, below :class:`RefusalError`; raise it or show it.
        refusal: Exception

    @dataclass(frozen=True)
    class Release:
        """Journal that the payment certainly failed, and free its reservation. Answer: :class:`Event.Stored`."""

        payment_hash: PaymentHash
        failure: str

    @dataclass(frozen=True)
    class SendRequest:
        """Send the request, with this ``Authorization`` value if there is one, never over a redirect. Answer:
        :class:`Event.Responded` or :class:`Event.SendFailed`."""

        authorization: Optional[str] = field(repr=False)

    @dataclass(frozen=True)
    class StoreCredential:
        """Journal what became of a credential. Answer: :class:`Event.Stored`."""

        payment_hash: PaymentHash
        state: CredentialState

    @dataclass(frozen=True)
    class Unanswered:
        """The end: the request brought no response. A paid credential is kept."""

        outcome: Outcome


StepAny = Union[
    Step.Commit,
    Step.Done,
    Step.Hold,
    Step.JournalIntent,
    Step.LoadCredential,
    Step.LookUpPayment,
    Step.Pay,
    Step.Quoted,
    Step.ReadBody,
    Step.Refused,
    Step.Release,
    Step.SendRequest,
    Step.StoreCredential,
    Step.Unanswered,
]


class Event:
    """What the driver tells the flow: one of the classes in here."""

    @dataclass(frozen=True)
    class Body:
        """The response's body; None where it is longer than asked for, or broke off."""

        body: Optional[bytes]

    @dataclass(frozen=True)
    class Busy:
        """Another call holds the request's key."""

    @dataclass(frozen=True)
    class JournalFailed:
        """The journal could not do what was asked."""

    @dataclass(frozen=True)
    class Loaded:
        """What earlier calls left behind."""

        loaded: Loaded

    @dataclass(frozen=True)
    class LookedUp:
        """What the wallet knows."""

        look_up: LookUpAny

    @dataclass(frozen=True)
    class Payment:
        """How the payment ended."""

        result: PaymentResultAny

    @dataclass(frozen=True)
    class Reserved:
        """Whether the intent was written."""

        reservation: ReservationAny

    @dataclass(frozen=True)
    class Responded:
        """A response's head."""

        facts: ResponseFacts

    @dataclass(frozen=True)
    class SendFailed:
        """No response came."""

    @dataclass(frozen=True)
    class Stored:
        """It is journaled."""


EventAny = Union[
    Event.Body,
    Event.Busy,
    Event.JournalFailed,
    Event.Loaded,
    Event.LookedUp,
    Event.Payment,
    Event.Reserved,
    Event.Responded,
    Event.SendFailed,
    Event.Stored,
]
