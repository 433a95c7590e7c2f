/* What the native part tells of an error becomes an instance of its class. */

import {
  type ErrorFields,
  PlanntError,
  AboveLimitError,
  AmbiguousChallengeError,
  Base64Error,
  BodyNotReplayableError,
  BudgetExceededError,
  BusyError,
  ChallengeError,
  ClientError,
  ConfigError,
  CredentialError,
  DecodeError,
  DischargeError,
  GateConfigError,
  GrammarError,
  HexError,
  HostNotAllowedError,
  IdentifierError,
  InternalError,
  InvoiceError,
  InvoiceExpiredError,
  InvoiceRefusedError,
  JournalError,
  JournalRefusalError,
  KeyringError,
  LightningError,
  MacaroonError,
  MintError,
  NotDeliveredError,
  NotJournaledError,
  OriginError,
  PathError,
  PaymentFailedError,
  PaymentHashKnownError,
  PaymentHashMismatchError,
  PaymentLostError,
  PaymentRefusedError,
  PaymentUnknownError,
  PaymentUnresolvedError,
  PlainHttpError,
  PreimageMismatchError,
  RedirectFailedError,
  RedirectedError,
  RefusalError,
  RequestError,
  TokenError,
  TokenExpiredError,
  TokenUnusableError,
  TransportError,
  UnexpectedEventError,
  UnknownNetworkError,
  UnknownStateError,
  VerifyError,
  WrongNetworkError,
} from './errors.js';

/** @internal */
export type ErrorClass = new (message: string, code: string, fields: ErrorFields) => PlanntError;

/** @internal The class of each refusal's code. */
export const REFUSALS: Readonly<Record<string, ErrorClass>> = {
  above_limit: AboveLimitError,
  body_not_replayable: BodyNotReplayableError,
  budget_exceeded: BudgetExceededError,
  busy: BusyError,
  challenge_after_redirect: RedirectedError,
  challenge_repeated_parameter: AmbiguousChallengeError,
  challenge_token_mismatch: AmbiguousChallengeError,
  host_not_allowed: HostNotAllowedError,
  invoice_amount_out_of_range: InvoiceRefusedError,
  invoice_expired: InvoiceExpiredError,
  invoice_expiring: InvoiceExpiredError,
  invoice_malformed: InvoiceRefusedError,
  invoice_no_amount: InvoiceRefusedError,
  invoice_sub_msat: InvoiceRefusedError,
  invoice_unknown_features: InvoiceRefusedError,
  invoice_unknown_network: InvoiceRefusedError,
  invoice_wrong_signature: InvoiceRefusedError,
  journal: JournalRefusalError,
  journal_after_payment: JournalRefusalError,
  payment_failed: PaymentRefusedError,
  payment_hash_known: PaymentHashKnownError,
  payment_hash_mismatch: PaymentHashMismatchError,
  payment_lost: PaymentLostError,
  payment_unresolved: PaymentUnresolvedError,
  plain_http: PlainHttpError,
  preimage_mismatch: PreimageMismatchError,
  token_expired: TokenExpiredError,
  token_unusable: TokenUnusableError,
  wrong_network: WrongNetworkError,
};

/** @internal The classes that the native part names. */
export const CLASSES: Readonly<Record<string, ErrorClass>> = {
  Base64Error,
  ChallengeError,
  ClientError,
  ConfigError,
  CredentialError,
  DecodeError,
  DischargeError,
  GateConfigError,
  GrammarError,
  HexError,
  IdentifierError,
  InternalError,
  InvoiceError,
  JournalError,
  KeyringError,
  LightningError,
  MacaroonError,
  MintError,
  NotDeliveredError,
  NotJournaledError,
  OriginError,
  PathError,
  PaymentFailedError,
  PaymentUnknownError,
  RedirectFailedError,
  RefusalError,
  RequestError,
  TokenError,
  TransportError,
  UnexpectedEventError,
  UnknownNetworkError,
  UnknownStateError,
  VerifyError,
};

/** @internal What the native part tells of an error. */
export interface Told {
  readonly class: string;
  readonly code: string;
  readonly message: string;
  readonly fields: ErrorFields;
}

/** @internal An error as it was told, with its fields as JavaScript's values. */
export function errorOf(told: Told, revive: (value: unknown) => unknown): PlanntError {
  const named = (told.class === 'RefusalError' ? REFUSALS[told.code] : undefined) ?? CLASSES[told.class];
  return new (named ?? PlanntError)(told.message, told.code, revive(told.fields) as ErrorFields);
}
