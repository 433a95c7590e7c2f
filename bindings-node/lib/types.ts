/* Plain data of the protocol and of the paying flow. Amounts are in msat, as `bigint`; times are unix seconds. */

import type { PlanntError } from './errors.js';
import type { Origin } from './policy.js';
import type { PaymentHash, Preimage } from './values.js';

/** A Bitcoin network. */
export type Network = 'bitcoin' | 'regtest' | 'signet' | 'simnet' | 'testnet';
/** The authentication scheme that a challenge came with; both mean the same. */
export type Scheme = 'L402' | 'LSAT';
/** Which part of a response a challenge was read from. */
export type ChallengeSource = 'body' | 'header';
/** An encoding of a macaroon. */
export type Format = 'v1' | 'v2' | 'v2_json';
/** Where a payment stands. */
export type IntentState = 'failed' | 'in_flight' | 'intended' | 'paid' | 'unknown';
/** What became of a paid credential. */
export type CredentialState = 'delivered' | 'dropped' | 'lost' | 'spent' | 'undelivered';
/** Which credential a request carried. */
export type CredentialUse = 'bought' | 'kept' | 'none' | 'recovered';
/** Why a request was not let through (docs/PROTOCOL.md §3). */
export type Code =
  | 'bad_path'
  | 'bad_request'
  | 'body_too_large'
  | 'expired'
  | 'header_too_large'
  | 'invalid_credential'
  | 'malformed_credential'
  | 'method_not_allowed'
  | 'misdirected_request'
  | 'not_found'
  | 'out_of_scope'
  | 'payment_required'
  | 'spent'
  | 'too_many_challenges'
  | 'unavailable'
  | 'upstream_timeout'
  | 'upstream_unreachable'
  | 'uri_too_long';

/** Unix seconds, or a date. */
export type Time = number | Date;
/** A payment hash: the class, 32 bytes, or 64 hex digits. */
export type PaymentHashLike = PaymentHash | Uint8Array | string;
/** A preimage: the class, 32 bytes, or 64 hex digits. */
export type PreimageLike = Preimage | Uint8Array | string;

/** A BOLT 11 invoice's facts, from its own signed text. */
export interface InvoiceFacts {
  readonly paymentHash: PaymentHash;
  /** Null when the payer chooses it. */
  readonly amountMsat: bigint | null;
  readonly network: Network;
  /** When it was made. */
  readonly issuedAt: number;
  /** When it expires. */
  readonly expiresAt: number;
  /** The node that is paid, a compressed public key of 33 bytes. */
  readonly payee: Buffer | null;
  /** Its description, with control characters replaced; null where only a hash is given. */
  readonly description: string | null;
}

/** A complete challenge: a token, and the invoice whose preimage makes it a credential. */
export interface Challenge {
  /** The scheme to answer with. */
  readonly scheme: Scheme;
  /** The token's exact text, to be echoed as it is. */
  readonly token: string;
  /** The BOLT 11 invoice's text, not parsed yet. */
  readonly invoice: string;
  /** Where it was found. */
  readonly source: ChallengeSource;
}

/** One `name=value` of a challenge. */
export interface AuthParam {
  readonly name: string;
  /** With quotes and escapes undone. */
  readonly value: Buffer;
}

/** What follows a scheme: parameters in their order, or one opaque text. */
export type AuthData = { readonly type: 'params'; readonly params: readonly AuthParam[] } | { readonly type: 'token68'; readonly token68: string };

/** One challenge of a `WWW-Authenticate` line, of whatever scheme (RFC 9110 §11.6.1). */
export interface AuthChallenge {
  readonly scheme: string;
  readonly data: AuthData;
}

/** The members of a challenge's JSON body (docs/PROTOCOL.md §3). */
export interface ChallengeBody {
  readonly token: string;
  readonly invoice: string;
  readonly paymentHash: PaymentHashLike;
  /** The invoice's amount. */
  readonly priceMsat: bigint;
  /** When the invoice expires, as RFC 3339 text. */
  readonly expiresAt: string;
  readonly service: string;
  readonly code: Code;
  readonly detail?: string | null;
}

/** One caveat of a macaroon. */
export interface Caveat {
  /** A first party's caveat, or what a third party knows its own by. */
  readonly id: Buffer;
  /** The sealed key of a third party's caveat, 72 bytes; null for a first party's. */
  readonly verificationId: Buffer | null;
  /** Where that third party is; never authenticated. */
  readonly location: string | null;
}

/** What a route takes in its path besides the plain form; nothing where it is left out (docs/PROTOCOL.md §2). */
export interface PathRules {
  readonly backslash?: boolean;
  readonly control?: boolean;
  readonly emptySegments?: boolean;
  readonly encodedSlash?: boolean;
  readonly semicolon?: boolean;
}

/** One request, as the flow sees it: enough to recognize it again, never its headers or body. */
export interface RequestFacts {
  readonly method: string;
  readonly origin: Origin;
  /** Path and query, as sent. */
  readonly target: string;
  /** SHA-256 of the body (of nothing where there is none); null for a stream that can't be sent again. */
  readonly bodySha256: Uint8Array | null;
}

/** What the journal knows a request by: the same method, origin, path, query, body and wallet. */
export interface RequestKey {
  readonly method: string;
  readonly origin: Origin;
  readonly target: string;
  readonly bodySha256: Uint8Array;
  /** The wallet that pays, by its stable id. */
  readonly wallet: string;
}

/** A response's head, as far as the flow cares. */
export interface ResponseFacts {
  readonly status: number;
  /** The values of the `WWW-Authenticate` lines, in their order. */
  readonly wwwAuthenticate: readonly string[];
  /** The value of `x-l402`, if there is one. */
  readonly xL402: string | null;
  /** Whether a redirect was followed on the way to it. */
  readonly redirected: boolean;
}

/** A payment as it is shown: never with the preimage or the token. */
export interface Receipt {
  readonly paymentHash: PaymentHash;
  readonly network: Network;
  /** The node that is paid, a compressed public key of 33 bytes, where the invoice told. */
  readonly payee: Buffer | null;
  /** The invoice's amount. */
  readonly amountMsat: bigint;
  /** What the payment cost beyond that; null until it is paid. */
  readonly feeMsat: bigint | null;
  /** What it takes from the budget: the reservation while unresolved, then the true cost, or nothing. */
  readonly chargedMsat: bigint;
  /** What was paid, fee included; nothing until it is paid. */
  readonly paidMsat: bigint;
  readonly method: string;
  readonly origin: Origin;
  readonly target: string;
  /** The target without its query, which may hold secrets of the user's. */
  readonly path: string;
  /** The wallet, by its stable id. */
  readonly wallet: string;
  /** When the intent was written. */
  readonly createdAt: number;
  /** When it was paid or failed. */
  readonly settledAt: number | null;
  /** Where the payment stands. */
  readonly state: IntentState;
  /** What became of the credential, once paid. */
  readonly credential: CredentialState | null;
  /** Why it failed, as a stable code, where it did. */
  readonly failure: string | null;
}

/** A payment that is about to be made: what the journal writes down before the wallet is asked to pay. */
export interface Intent {
  readonly paymentHash: PaymentHash;
  /** The request that it pays for. */
  readonly request: RequestKey;
  /** The scheme to answer with. */
  readonly scheme: Scheme;
  /** The challenge's token, exactly as received. */
  readonly token: string;
  /** The BOLT 11 text. */
  readonly invoice: string;
  readonly network: Network;
  readonly payee: Buffer | null;
  readonly amountMsat: bigint;
  /** The most that the payment may cost beyond that. */
  readonly maxFeeMsat: bigint;
  /** What it takes from the budget until it is resolved. */
  readonly reservationMsat: bigint;
  /** When the invoice expires. */
  readonly invoiceExpiresAt: number;
  /** When the flow decided to pay. */
  readonly createdAt: number;
}

/** A paid credential from the journal. */
export interface StoredCredential {
  readonly scheme: Scheme;
  readonly token: string;
  readonly preimage: Preimage;
  /** The payment that bought it. */
  readonly receipt: Receipt;
}

/** What an earlier call with the same request left behind. */
export type Pending =
  | { readonly type: 'delivered'; readonly receipt: Receipt }
  | { readonly type: 'undelivered'; readonly receipt: Receipt }
  | { readonly type: 'unresolved'; readonly paymentHash: PaymentHash };

/** What a request would cost, and whether it would be paid. */
export interface Quote {
  readonly paymentHash: PaymentHash;
  readonly network: Network;
  readonly payee: Buffer | null;
  /** The invoice's description: the server's own words. */
  readonly description: string | null;
  readonly amountMsat: bigint;
  /** The most that the payment would cost beyond it. */
  readonly maxFeeMsat: bigint;
  /** Amount plus maximum fee; null where that is more than 64 bits count. */
  readonly totalMsat: bigint | null;
  /** Who asks for it. */
  readonly origin: Origin;
  /** When the invoice expires. */
  readonly invoiceExpiresAt: number;
  /** Until when the credential would be good, where the token tells. */
  readonly validUntil: number | null;
  /** What the tightest budget has left; null without a budget. */
  readonly budgetLeftMsat: bigint | null;
  readonly pending: Pending | null;
  /** Why a real call would not pay, as the refusal's code; null if it would. */
  readonly refusal: string | null;
}

/** How a call that was not refused ended. */
export interface Outcome {
  /** Which credential the last request carried. */
  readonly credential: CredentialUse;
  /** The payment that bought it. */
  readonly receipt: Receipt | null;
  /** Whether the journal missed the credential's last change of state: the next call may try it in vain. */
  readonly journalFailed: boolean;
}

/** What earlier calls left behind for a request, the first that is there in this order. */
export type Found =
  | { readonly type: 'unresolved'; readonly intent: Omit<Intent, 'reservationMsat'> }
  | { readonly type: 'undelivered'; readonly credential: StoredCredential }
  | { readonly type: 'delivered'; readonly credential: StoredCredential }
  | { readonly type: 'nothing' };

/** The answer to `load_credential`. */
export interface Loaded {
  readonly found: Found;
  /** What the tightest budget has left; null without a budget. */
  readonly budgetLeftMsat: bigint | null;
}

/** What a wallet knows of a payment. */
export type LookUp =
  | { readonly type: 'failed'; readonly failure: string }
  | { readonly type: 'in_flight' }
  | { readonly type: 'not_found' }
  | { readonly type: 'paid'; readonly preimage: PreimageLike; readonly feeMsat: bigint }
  | { readonly type: 'unknown' };

/** How a payment ended. */
export type PaymentResult =
  | { readonly type: 'failed'; readonly failure: string }
  | { readonly type: 'paid'; readonly preimage: PreimageLike; readonly feeMsat: bigint }
  | { readonly type: 'unknown' };

/** The answer to `journal_intent`. */
export type Reservation =
  | { readonly type: 'granted' }
  | { readonly type: 'hash_known' }
  | { readonly type: 'key_busy' }
  | { readonly type: 'over_budget'; readonly leftMsat: bigint };

/** What a wallet's answer means for a payment that was left unfinished. */
export type Resolution =
  | { readonly type: 'failed'; readonly failure: string }
  | { readonly type: 'paid'; readonly preimage: Preimage; readonly feeMsat: bigint }
  | { readonly type: 'unresolved'; readonly state: IntentState }
  | { readonly type: 'unproven' };

/** What a flow asks of its driver; each is answered by the event that core's documentation names for it. */
export type Step =
  | { readonly type: 'commit'; readonly paymentHash: PaymentHash; readonly preimage: Preimage; readonly feeMsat: bigint }
  | { readonly type: 'done'; readonly outcome: Outcome }
  | { readonly type: 'hold'; readonly paymentHash: PaymentHash; readonly state: IntentState }
  | { readonly type: 'journal_intent'; readonly intent: Intent }
  | { readonly type: 'load_credential'; readonly request: RequestFacts; readonly key: RequestKey | null; readonly exclusive: boolean }
  | { readonly type: 'look_up_payment'; readonly paymentHash: PaymentHash }
  | { readonly type: 'pay'; readonly intent: Intent }
  | { readonly type: 'quoted'; readonly quote: Quote }
  | { readonly type: 'read_body'; readonly maxBytes: number }
  | { readonly type: 'refused'; readonly refusal: PlanntError }
  | { readonly type: 'release'; readonly paymentHash: PaymentHash; readonly failure: string }
  | { readonly type: 'send_request'; readonly authorization: string | null }
  | { readonly type: 'store_credential'; readonly paymentHash: PaymentHash; readonly state: CredentialState }
  | { readonly type: 'unanswered'; readonly outcome: Outcome };

/** What a driver tells a flow. */
export type Event =
  | { readonly type: 'body'; readonly body: Uint8Array | null }
  | { readonly type: 'busy' }
  | { readonly type: 'journal_failed' }
  | { readonly type: 'loaded'; readonly loaded: Loaded }
  | { readonly type: 'looked_up'; readonly lookUp: LookUp }
  | { readonly type: 'payment'; readonly result: PaymentResult }
  | { readonly type: 'reserved'; readonly reservation: Reservation }
  | { readonly type: 'responded'; readonly facts: ResponseFacts }
  | { readonly type: 'send_failed' }
  | { readonly type: 'stored' };
