/* The core's constants. */

import { native } from './native.js';
import type { Code, CredentialState, IntentState, Network } from './types.js';

interface Constants {
  readonly version: string;
  readonly MAX_AUTHORIZATION_BYTES: number;
  readonly MAX_BYTES: number;
  readonly MAX_CAVEATS: number;
  readonly MAX_CREDENTIAL_TOKENS: number;
  readonly MAX_MINTED_TOKEN_BYTES: number;
  readonly MAX_TOKEN_BYTES: number;
  readonly MAX_TOKEN_CAVEATS: number;
  readonly MAX_TOKEN_TEXT_BYTES: number;
  readonly MIN_INVOICE_SECONDS: number;
  readonly SPEND_GRACE_SECONDS: number;
  readonly CODES: readonly Code[];
  readonly NETWORKS: readonly Network[];
  readonly INTENT_STATES: readonly IntentState[];
  readonly CREDENTIAL_STATES: readonly CredentialState[];
}

const constants = JSON.parse(native.constants()) as Constants;

/** This package's version. */
export const version = constants.version;
/** Longest `Authorization` header that is read, in bytes over all its lines. */
export const MAX_AUTHORIZATION_BYTES = constants.MAX_AUTHORIZATION_BYTES;
/** The most bytes that a macaroon takes, in whichever encoding. */
export const MAX_BYTES = constants.MAX_BYTES;
/** The most caveats that a macaroon carries. */
export const MAX_CAVEATS = constants.MAX_CAVEATS;
/** Most tokens that one credential may carry before the colon. */
export const MAX_CREDENTIAL_TOKENS = constants.MAX_CREDENTIAL_TOKENS;
/** The most bytes of a minted token, before base64. */
export const MAX_MINTED_TOKEN_BYTES = constants.MAX_MINTED_TOKEN_BYTES;
/** Longest token that the L402 layer reads, in bytes before base64. */
export const MAX_TOKEN_BYTES = constants.MAX_TOKEN_BYTES;
/** The most caveats of a token that the L402 layer reads. */
export const MAX_TOKEN_CAVEATS = constants.MAX_TOKEN_CAVEATS;
/** The longest token text that is paid for, in characters. */
export const MAX_TOKEN_TEXT_BYTES = constants.MAX_TOKEN_TEXT_BYTES;
/** The least time that an invoice must still be valid for to be paid, seconds. */
export const MIN_INVOICE_SECONDS = constants.MIN_INVOICE_SECONDS;
/** How long an entry of the spent set outlives the minted `valid_until`, seconds. */
export const SPEND_GRACE_SECONDS = constants.SPEND_GRACE_SECONDS;
/** Every code of docs/PROTOCOL.md §3. */
export const CODES = constants.CODES;
/** Every network. */
export const NETWORKS = constants.NETWORKS;
/** Every state of an intent. */
export const INTENT_STATES = constants.INTENT_STATES;
/** Every state of a credential. */
export const CREDENTIAL_STATES = constants.CREDENTIAL_STATES;
