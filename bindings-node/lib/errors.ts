/* The tree of errors: one class for each error enum of the Rust crates, each instance with its stable `code`. */

import type { Receipt } from './types.js';

/** What an error tells besides its message. */
export type ErrorFields = Readonly<Record<string, unknown>>;

/**
 * Any error of this package.
 *
 * `code` is the same stable snake_case name that Rust, HTTP bodies and the test vectors have.
 *
 * @example
 * ```js
 * try {
 *   readInvoice('lnbc1');
 * } catch (error) {
 *   error.code // 'invoice_malformed'
 * }
 * ```
 */
export class PlanntError extends Error {
  /** The stable code. */
  readonly code: string;

  constructor(message: string, code = 'internal', fields: ErrorFields = {}) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    Object.assign(this, fields);
  }
}

/** A defect of this package: please report it. */
export class InternalError extends PlanntError {}

/** A text is not hex of the length that is wanted. */
export class HexError extends PlanntError {}
/** Bytes have another length than is wanted. */
export class LengthError extends PlanntError {}
/** A network's name is none of the known ones. */
export class UnknownNetworkError extends PlanntError {}
/** A text names no state of an intent or a credential. */
export class UnknownStateError extends PlanntError {}
/** A text is not base64 as the protocol reads it. */
export class Base64Error extends PlanntError {}
/** Bytes are no macaroon, or one would outgrow its limits. */
export class MacaroonError extends PlanntError {}
/** A macaroon does not hold under its key and its discharges. */
export class DischargeError extends PlanntError {}
/** Bytes are not L402's 66-byte identifier. */
export class IdentifierError extends PlanntError {}
/** A text is no token, or can't be attenuated. */
export class TokenError extends PlanntError {}
/** A credential can't be read. The message never repeats a byte of it. */
export class CredentialError extends PlanntError {}
/** A credential was refused: `expired`, `invalid_credential`, `malformed_credential` or `out_of_scope`. */
export class VerifyError extends PlanntError {
  /** The condition that fails, for `out_of_scope`. */
  declare readonly condition: string | null;
}
/** A token was not minted. After `token_text_collision` another payment hash does it. */
export class MintError extends PlanntError {}
/** A challenge says two things at once. */
export class ChallengeError extends PlanntError {}
/** A line is no list of challenges. */
export class GrammarError extends PlanntError {}
/** An invoice is refused. */
export class InvoiceError extends PlanntError {}
/** A text is nothing that can be decoded. */
export class DecodeError extends PlanntError {}
/** A path can't be taken. */
export class PathError extends PlanntError {}
/** A text is no origin that can be paid. */
export class OriginError extends PlanntError {}
/** An event, or an answer, is not one to the flow's step; the flow is as it was. */
export class UnexpectedEventError extends PlanntError {}

/** A node did not answer, or its answer can't be used. On its own it says nothing of a payment. */
export class LightningError extends PlanntError {}
/** A payment was certainly not made, and nothing is in flight. A wallet of one's own throws it to say so. */
export class PaymentFailedError extends PlanntError {
  constructor(message: string, code = 'rejected', fields: ErrorFields = {}) {
    super(message, code, fields);
  }
}
/** It is not known whether a payment was made: look it up, and pay nothing else for the same thing before. */
export class PaymentUnknownError extends PlanntError {}
/** The journal of payments can't be used; nothing new was paid. */
export class JournalError extends PlanntError {}

/** A call brought no response. */
export class ClientError extends PlanntError {
  /** The payment that it is about, where money was spent. */
  declare readonly receipt?: Receipt;
}
/** Something was set up in a way that can't be used. */
export class ConfigError extends ClientError {}
/** The request can't be sent as it is. */
export class RequestError extends ClientError {}
/** No response came, and nothing was paid by this call. */
export class TransportError extends ClientError {}
/** Paid, but no response came. The same call again presents the credential, and pays nothing. */
export class NotDeliveredError extends ClientError {}
/** The wallet paid, but the journal could not note it. The same call again asks the wallet, and pays nothing. */
export class NotJournaledError extends ClientError {}
/** Paid and answered with a redirect, from whose end no answer came. */
export class RedirectFailedError extends ClientError {}
/** The call was refused, or ended without delivery. Each reason has a class of its own. */
export class RefusalError extends ClientError {}

/** Amount and maximum fee are above the limit of a call. */
export class AboveLimitError extends RefusalError {
  declare readonly amountMsat: bigint;
  declare readonly maxFeeMsat: bigint;
  declare readonly limitMsat: bigint;
}
/** The body is a stream that can't be sent a second time. */
export class BodyNotReplayableError extends RefusalError {}
/** A budget has too little left for amount and maximum fee. */
export class BudgetExceededError extends RefusalError {
  declare readonly neededMsat: bigint;
  declare readonly leftMsat: bigint;
}
/** Another call with the same request is under way, and did not finish in time. */
export class BusyError extends RefusalError {}
/** The challenge says two things at once. */
export class AmbiguousChallengeError extends RefusalError {}
/** The host is not among those that may be paid. */
export class HostNotAllowedError extends RefusalError {
  declare readonly host: string;
}
/** The invoice does not parse, is not signed right, has no amount, or a part of a msat. */
export class InvoiceRefusedError extends RefusalError {}
/** The invoice has expired, or has too little time left. */
export class InvoiceExpiredError extends RefusalError {}
/** The journal could not be read or written. */
export class JournalRefusalError extends RefusalError {}
/** The wallet did not pay, and nothing is in flight. */
export class PaymentRefusedError extends RefusalError {
  declare readonly failure: string;
}
/** The journal knows this payment hash: a hash is paid at most once. */
export class PaymentHashKnownError extends RefusalError {}
/** The invoice pays for another token than the challenge's. */
export class PaymentHashMismatchError extends RefusalError {}
/** A paid credential was answered with 402: nothing was delivered for the money. `receipt` tells of it. */
export class PaymentLostError extends RefusalError {}
/** An earlier payment for the same request is not resolved, so that no new one is made. */
export class PaymentUnresolvedError extends RefusalError {}
/** The connection is plain `http`. */
export class PlainHttpError extends RefusalError {
  declare readonly host: string;
}
/** The wallet's preimage does not prove the payment. */
export class PreimageMismatchError extends RefusalError {}
/** The server asks for payment after a redirect. */
export class RedirectedError extends RefusalError {}
/** The token had expired already. */
export class TokenExpiredError extends RefusalError {}
/** The token can't be sent in a header. */
export class TokenUnusableError extends RefusalError {}
/** The invoice is for another network than the wallet's. */
export class WrongNetworkError extends RefusalError {}

/** A gate can't be opened or used. */
export class GateError extends PlanntError {}
/** A gate's settings could not keep the protocol's promises. */
export class GateConfigError extends GateError {}
/** The keyring, or the store that belongs to it, can't be used. */
export class KeyringError extends GateError {}
