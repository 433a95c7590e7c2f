"""The tree of exceptions: one class for each error enum of the Rust crates, each instance with its stable ``code``."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Optional, Type

from ._types import Receipt


class PlanntError(Exception):
    """Any error of this package. ``code`` is the same stable snake_case name that Rust, HTTP bodies and the test vectors have.

    >>> import plannt
    >>> try:
    ...     plannt.read_invoice("lnbc1")
    ... except plannt.PlanntError as error:
    ...     error.code
    'invoice_malformed'
    """

    code: str

    def __init__(self, message: str, code: str = "internal", **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        for name, value in fields.items():
            setattr(self, name, value)

    def __reduce__(self) -> Any:
        return _restore, (type(self), str(self), dict(self.__dict__))


def _restore(kind: Type[PlanntError], message: str, fields: Dict[str, Any]) -> PlanntError:
    return kind(message, **fields)


class InternalError(PlanntError):
    """A defect of this package: please report it. Nothing was lost that the journal or the store had."""


# The core's.


class HexError(PlanntError, ValueError):
    """A text is not hex of the length that is wanted."""


class LengthError(PlanntError, ValueError):
    """Bytes have another length than is wanted."""


class UnknownNetworkError(PlanntError, ValueError):
    """A network's name is none of the known ones."""


class UnknownStateError(PlanntError, ValueError):
    """A text names no state of an intent or a credential."""


class Base64Error(PlanntError, ValueError):
    """A text is not base64 as the protocol reads it."""


class MacaroonError(PlanntError, ValueError):
    """Bytes are no macaroon, or one would outgrow its limits."""


class DischargeError(PlanntError):
    """A macaroon does not hold under its key and its discharges."""


class IdentifierError(PlanntError, ValueError):
    """Bytes are not L402's 66-byte identifier."""


class TokenError(PlanntError, ValueError):
    """A text is no token, or can't be attenuated."""


class CredentialError(PlanntError, ValueError):
    """A credential can't be read. The message never repeats a byte of it."""


class VerifyError(PlanntError):
    """A credential was refused: ``expired``, ``invalid_credential``, ``malformed_credential`` or ``out_of_scope``."""

    #: The condition that fails, for ``out_of_scope``.
    condition: Optional[str] = None


class MintError(PlanntError, ValueError):
    """A token was not minted. After ``token_text_collision`` another payment hash does it."""


class ChallengeError(PlanntError, ValueError):
    """A challenge says two things at once."""


class GrammarError(PlanntError, ValueError):
    """A line is no list of challenges."""


class InvoiceError(PlanntError, ValueError):
    """An invoice is refused."""


class DecodeError(PlanntError, ValueError):
    """A text is nothing that can be decoded."""


class PathError(PlanntError, ValueError):
    """A path can't be taken."""


class OriginError(PlanntError, ValueError):
    """A text is no origin that can be paid."""


class UnexpectedEventError(PlanntError):
    """An event, or an answer, is not one to the flow's step; the flow is as it was."""


# The wallets' and the journal's.


class LightningError(PlanntError):
    """A node did not answer, or its answer can't be used. On its own it says nothing of a payment."""


class PaymentFailedError(PlanntError):
    """A payment was certainly not made, and nothing is in flight. A wallet of one's own raises it to say so.

    >>> raise PaymentFailedError("no route")
    Traceback (most recent call last):
    ...
    plannt.PaymentFailedError: no route
    """

    def __init__(self, message: str, code: str = "rejected", **fields: Any) -> None:
        super().__init__(message, code, **fields)


class PaymentUnknownError(PlanntError):
    """It is not known whether a payment was made: look it up, and pay nothing else for the same thing before."""


class JournalError(PlanntError):
    """The journal of payments can't be used; nothing new was paid."""


# What a call ends in besides a response.


class ClientError(PlanntError):
    """A call brought no response."""

    #: The payment that it is about, where money was spent.
    receipt: Optional[Receipt] = None


class ConfigError(ClientError, ValueError):
    """Something was set up in a way that can't be used."""


class RequestError(ClientError, ValueError):
    """The request can't be sent as it is."""


class TransportError(ClientError):
    """No response came, and nothing was paid by this call."""


class NotDeliveredError(ClientError):
    """Paid, but no response came. The same call again presents the credential, and pays nothing."""


class NotJournaledError(ClientError):
    """The wallet paid, but the journal could not note it. The same call again asks the wallet, and pays nothing."""


class RedirectFailedError(ClientError):
    """Paid and answered with a redirect, from whose end no answer came."""


class RefusalError(ClientError):
    """The call was refused, or ended without delivery. Each reason has a class of its own below."""


class AboveLimitError(RefusalError):
    """Amount and maximum fee are above the limit of a call."""

    amount_msat: int
    max_fee_msat: int
    limit_msat: int


class BodyNotReplayableError(RefusalError):
    """The body is a stream that can't be sent a second time."""


class BudgetExceededError(RefusalError):
    """A budget has too little left for amount and maximum fee."""

    needed_msat: int
    left_msat: int


class BusyError(RefusalError):
    """Another call with the same request is under way, and did not finish in time."""


class AmbiguousChallengeError(RefusalError):
    """The challenge says two things at once."""


class HostNotAllowedError(RefusalError):
    """The host is not among those that may be paid."""

    host: str


class InvoiceRefusedError(RefusalError):
    """The invoice does not parse, is not signed right, has no amount, or a part of a msat."""


class InvoiceExpiredError(RefusalError):
    """The invoice has expired, or has too little time left."""


class JournalRefusalError(RefusalError):
    """The journal could not be read or written; nothing new was paid."""


class PaymentRefusedError(RefusalError):
    """The wallet did not pay, and nothing is in flight."""

    failure: str


class PaymentHashKnownError(RefusalError):
    """The journal knows this payment hash: a hash is paid at most once."""


class PaymentHashMismatchError(RefusalError):
    """The invoice pays for another token than the challenge's."""


class PaymentLostError(RefusalError):
    """A paid credential was answered with 402: nothing was delivered for the money. ``receipt`` tells of it."""


class PaymentUnresolvedError(RefusalError):
    """An earlier payment for the same request is not resolved, so that no new one is made."""


class PlainHttpError(RefusalError):
    """The connection is plain ``http``."""

    host: str


class PreimageMismatchError(RefusalError):
    """The wallet's preimage does not prove the payment."""


class RedirectedError(RefusalError):
    """The server asks for payment after a redirect."""


class TokenExpiredError(RefusalError):
    """The token had expired already."""


class TokenUnusableError(RefusalError):
    """The token can't be sent in a header."""


class WrongNetworkError(RefusalError):
    """The invoice is for another network than the wallet's."""


# The server side's.


class GateError(PlanntError):
    """A gate can't be opened or used."""


class GateConfigError(GateError, ValueError):
    """A gate's settings could not keep the protocol's promises."""


class KeyringError(GateError):
    """The keyring, or the store that belongs to it, can't be used."""


#: The class of each refusal, by its code.
REFUSALS: Dict[str, Type[RefusalError]] = {
    "above_limit": AboveLimitError,
    "body_not_replayable": BodyNotReplayableError,
    "budget_exceeded": BudgetExceededError,
    "busy": BusyError,
    "challenge_after_redirect": RedirectedError,
    "challenge_repeated_parameter": AmbiguousChallengeError,
    "challenge_token_mismatch": AmbiguousChallengeError,
    "host_not_allowed": HostNotAllowedError,
    "invoice_amount_out_of_range": InvoiceRefusedError,
    "invoice_expired": InvoiceExpiredError,
    "invoice_expiring": InvoiceExpiredError,
    "invoice_malformed": InvoiceRefusedError,
    "invoice_no_amount": InvoiceRefusedError,
    "invoice_sub_msat": InvoiceRefusedError,
    "invoice_unknown_features": InvoiceRefusedError,
    "invoice_unknown_network": InvoiceRefusedError,
    "invoice_wrong_signature": InvoiceRefusedError,
    "journal": JournalRefusalError,
    "journal_after_payment": JournalRefusalError,
    "payment_failed": PaymentRefusedError,
    "payment_hash_known": PaymentHashKnownError,
    "payment_hash_mismatch": PaymentHashMismatchError,
    "payment_lost": PaymentLostError,
    "payment_unresolved": PaymentUnresolvedError,
    "plain_http": PlainHttpError,
    "preimage_mismatch": PreimageMismatchError,
    "token_expired": TokenExpiredError,
    "token_unusable": TokenUnusableError,
    "wrong_network": WrongNetworkError,
}


def refusal_class(code: str) -> Type[RefusalError]:
    """The class of a refusal's code; a code that is new here has the common one."""
    return REFUSALS.get(code, RefusalError)


def _name_as_imported(members: Iterable[Any]) -> None:
    for member in members:
        if isinstance(member, type) and issubclass(member, PlanntError):
            member.__module__ = "plannt"


_name_as_imported(list(globals().values()))
