/* What a text of the protocol is and what is in it, as `decodeAny` says it. */

import type { ChallengeSource, Format, Network, Scheme } from './types.js';

/** What a text is. */
export type Decoded =
  | ({ readonly type: 'challenge' } & DecodedChallenge)
  | ({ readonly type: 'credential' } & DecodedCredential)
  | ({ readonly type: 'invoice' } & DecodedInvoice)
  | ({ readonly type: 'token' } & DecodedToken);

/** A part that may be unreadable while the whole is not: what is in it, or the error's stable code and its message. */
export type Reading<T> = (T & { readonly error?: undefined }) | { readonly error: string; readonly message: string };

/** A challenge's content. */
export interface DecodedChallenge {
  readonly scheme: Scheme;
  readonly source: ChallengeSource;
  /** Its token; other servers' may be anything. */
  readonly token: Reading<DecodedToken>;
  readonly invoice: Reading<DecodedInvoice>;
  /** Whether token and invoice have the same payment hash; null where one of them has none. */
  readonly paymentHashMatches: boolean | null;
}

/** A credential's content, without its preimage. */
export interface DecodedCredential {
  readonly tokens: readonly Reading<DecodedToken>[];
  /** Whether SHA-256 of the preimage is the payment hash of every token; null where a token has none. */
  readonly preimageMatches: boolean | null;
}

/** An invoice's content. */
export interface DecodedInvoice {
  /** Hex. */
  readonly paymentHash: string;
  /** The amount in msat; null when the payer chooses it. */
  readonly amountMsat: bigint | null;
  readonly network: Network;
  /** When it was made, unix seconds. */
  readonly issuedAt: number;
  /** When it expires, unix seconds. */
  readonly expiresAt: number;
  /** The payee's public key, hex. */
  readonly payee: string | null;
  /** The description, control characters replaced. */
  readonly description: string | null;
}

/** A token's content. */
export interface DecodedToken {
  readonly format: Format;
  /** Bytes before base64 or hex. */
  readonly bytes: number;
  /** Where it says that it is for; never authenticated. */
  readonly location: string | null;
  /** The identifier, hex. */
  readonly identifier: string;
  /** The payment hash, hex, where the identifier is L402's. */
  readonly paymentHash: string | null;
  /** The token id, hex, where the identifier is L402's. */
  readonly tokenId: string | null;
  /** The caveats in order. */
  readonly caveats: readonly DecodedCaveat[];
  /** The signature, hex. Without the root key nobody can tell whether it is right. */
  readonly signature: string;
}

/** A caveat's content. */
export interface DecodedCaveat {
  /** What stands before the first `=`. */
  readonly condition?: string;
  /** What stands after it; `[redacted]` for a preimage. */
  readonly value?: string;
  /** The caveat's bytes in hex, where they are no `condition=value` or can't be printed. */
  readonly hex?: string;
  /** Whether a third party has to discharge it. */
  readonly thirdParty: boolean;
  /** Where that third party is; never authenticated. */
  readonly location?: string;
}
