/* Challenges, headers, invoices, paths: what stands on the wire, read and written by functions. */

import { bytes, bytesOf, checked, flag, list, optionalText, text, whole } from './check.js';
import type { Decoded } from './decoded.js';
import { guard } from './guard.js';
import { native } from './native.js';
import { lowered, revived } from './plain.js';
import type {
  AuthChallenge,
  Challenge,
  ChallengeBody,
  Code,
  InvoiceFacts,
  Network,
  PathRules,
  PaymentHashLike,
  PreimageLike,
  Scheme,
} from './types.js';
import { exactly, hashText, PaymentHash, preimageBytes } from './values.js';

/**
 * A macaroon's identifier as L402 has it (docs/PROTOCOL.md §1).
 *
 * @example
 * ```js
 * Identifier.parse(macaroon.identifier).paymentHash
 * ```
 */
export class Identifier {
  /** Bytes of an identifier. */
  static readonly LEN = 66;
  /** Of the invoice. */
  readonly paymentHash: PaymentHash;
  /** What the server's root key makes of the payment hash, 32 bytes. */
  readonly tokenId: Buffer;

  constructor(paymentHash: PaymentHashLike, tokenId: Uint8Array) {
    this.paymentHash = new PaymentHash(paymentHash);
    this.tokenId = exactly(bytes(tokenId, 'tokenId'), 32);
  }

  /** Reads 66 bytes; throws {@link IdentifierError}. */
  static parse(data: Uint8Array): Identifier {
    const [hash, tokenId] = guard(() => native.identifierParse(bytes(data, 'an identifier')));
    return new Identifier(hash, tokenId);
  }

  /** The 66 bytes. */
  toBytes(): Buffer {
    return guard(() => native.identifierToBytes(hashText(this.paymentHash), this.tokenId));
  }
}

/** The value of the `Authorization` header that presents `token` with its preimage: `L402 <token>:<64 hex>`. */
export function authorizationValue(token: string, preimage: PreimageLike): string {
  return authorizationValueFor('L402', token, preimage);
}

/** The same under the scheme that the challenge came with. */
export function authorizationValueFor(scheme: Scheme, token: string, preimage: PreimageLike): string {
  return guard(() => native.authorizationValue(text(scheme, 'scheme'), text(token, 'token'), preimageBytes(preimage)));
}

/** The value of gRPC metadata `macaroon`: the token with the preimage as its last caveat, v2 binary in hex; throws {@link TokenError}. */
export function grpcMetadataValue(token: string, preimage: PreimageLike): string {
  return guard(() => native.grpcMetadataValue(text(token, 'token'), preimageBytes(preimage)));
}

/**
 * Reads a 402's challenge: the first complete one of its `WWW-Authenticate` lines, else the JSON body's (docs/PROTOCOL.md §5, step 2). Null
 * when there is none. A character of a line stands for one byte.
 *
 * @throws {@link ChallengeError} for one that says two things at once
 */
export function readChallenge(wwwAuthenticate: readonly string[], body?: Uint8Array | string | null): Challenge | null {
  const lines = list(wwwAuthenticate, 'wwwAuthenticate').map((line) => text(line, 'a line'));
  const told = guard(() => native.readChallenge(lines, body === null || body === undefined ? undefined : bytesOf(body)));
  return told === null ? null : revived<Challenge>(told);
}

/** Reads a whole `WWW-Authenticate` line, of whatever schemes (RFC 9110 §11.6.1); throws {@link GrammarError}. */
export function parseChallenges(line: string): AuthChallenge[] {
  return revived<AuthChallenge[]>(guard(() => native.parseChallenges(text(line, 'line'))));
}

/** The value of the `WWW-Authenticate` line that offers `token` for `invoice`, to the byte. */
export function challengeHeader(token: string, invoice: string): string {
  return guard(() => native.challengeHeader(text(token, 'token'), text(invoice, 'invoice')));
}

/** The body of a challenge: one JSON object, its first members in the order that deployed clients rely on. */
export function challengeBody(body: ChallengeBody): string {
  return guard(() => native.challengeBody(lowered({ ...checked(body), paymentHash: hashText(body.paymentHash) })));
}

/** The body of an answer that is no challenge: `error`, then `code`, then `detail` where there is one. */
export function errorBody(code: Code, detail?: string | null): string {
  return guard(() => native.errorBody(text(code, 'code'), optionalText(detail, 'detail')));
}

/** The HTTP status that a code's answer comes with. */
export function codeStatus(code: Code): number {
  return guard(() => native.codeFacts(text(code, 'code')))[0];
}

/** The `grpc-status` of a code's answer. */
export function codeGrpcStatus(code: Code): number {
  return guard(() => native.codeFacts(text(code, 'code')))[1];
}

/** Whether a code's answer is a 402 with a fresh challenge. */
export function codeIsChallenge(code: Code): boolean {
  return guard(() => native.codeFacts(text(code, 'code')))[2] === 1;
}

/** The network with that name (`mainnet` is `bitcoin`) or BOLT 11 currency prefix; throws {@link UnknownNetworkError}. */
export function parseNetwork(name: string): Network {
  return guard(() => native.parseNetwork(text(name, 'a network')))[0] as Network;
}

/** The BOLT 11 currency prefix after `ln` of a network. */
export function networkCurrency(network: Network): string {
  return guard(() => native.parseNetwork(text(network, 'network')))[1];
}

/**
 * Parses a BOLT 11 invoice, and checks its checksum, its fields, its amount and its signature.
 *
 * @throws {@link InvoiceError}
 */
export function readInvoice(bolt11: string): InvoiceFacts {
  return revived<InvoiceFacts>(guard(() => native.readInvoice(text(bolt11, 'bolt11'))));
}

/**
 * Says what a text of the protocol is and what is in it: a challenge, a credential, a token or an invoice. Nothing is verified against a key,
 * and no preimage is repeated.
 *
 * @throws {@link DecodeError}
 * @example
 * ```js
 * decodeAny(macaroon.toV2().toString('hex')).type // 'token'
 * ```
 */
export function decodeAny(encoded: string): Decoded {
  const told = guard(() => native.decodeAny(text(encoded, 'what is decoded')));
  return JSON.parse(told, (name, value: unknown) => (name === 'amountMsat' && typeof value === 'string' ? BigInt(value) : value)) as Decoded;
}

/**
 * Writes a path in the one form that routing, price and caveat share (docs/PROTOCOL.md §2).
 *
 * @throws {@link PathError}
 * @example
 * ```js
 * normalizePath('/v1/%64emo') // '/v1/demo'
 * ```
 */
export function normalizePath(path: string, rules?: PathRules | null): string {
  const { backslash = false, control = false, emptySegments = false, encodedSlash = false, semicolon = false } = rules ? checked(rules) : {};
  const all = Object.entries({ backslash, control, emptySegments, encodedSlash, semicolon }).map(([name, rule]) => [name, flag(rule, name)]);
  return guard(() => native.normalizePath(text(path, 'path'), JSON.stringify(Object.fromEntries(all))));
}

/** What follows a target's first `?`; empty when there is none. */
export function queryOf(target: string): string {
  return guard(() => native.queryOf(text(target, 'target')));
}

/** SHA-256 of a query's bytes. */
export function queryDigest(query: string): Buffer {
  return guard(() => native.queryDigest(text(query, 'query')));
}

/** SHA-256 of a body. */
export function contentDigest(body: Uint8Array | string): Buffer {
  return guard(() => native.contentDigest(bytesOf(body)));
}

/** A digest as RFC 9530 writes it: `sha-256=:…:`. */
export function contentDigestText(digest: Uint8Array): string {
  return guard(() => native.contentDigestText(exactly(bytes(digest, 'digest'), 32)));
}

/** Reads `sha-256=:…:`; null for anything else. */
export function parseContentDigest(digest: string): Buffer | null {
  return guard(() => native.parseContentDigest(text(digest, 'digest')));
}

/** Reading first-party caveats (docs/PROTOCOL.md §2). */
export const caveat = {
  /** Condition and value: split at the first `=`, spaces around each trimmed. Null for what is not UTF-8 or has no `=`. */
  split(caveat: Uint8Array | string): [condition: string, value: string] | null {
    return guard(() => native.caveatSplit(bytesOf(caveat)));
  },
  /** Whether a `path` caveat's value allows a normalized path; only a final `*` is special. */
  pathMatches(pattern: string, path: string): boolean {
    return guard(() => native.caveatPathMatches(text(pattern, 'pattern'), text(path, 'path')));
  },
};

/** Base64 as the protocol reads and writes it (docs/PROTOCOL.md §1). */
export const base64 = {
  /** Standard or url-safe, padded or not, one alphabet, zero spare bits; throws {@link Base64Error}. */
  decode(encoded: string): Buffer {
    return guard(() => native.base64Decode(text(encoded, 'base64')));
  },
  /** In the standard alphabet, with padding. */
  encode(data: Uint8Array): string {
    return guard(() => native.base64Encode(bytes(data, 'what is encoded')));
  },
  /** The most bytes that so many characters decode to. */
  decodedLen(characters: number): number {
    return guard(() => native.base64DecodedLen(whole(characters, 'characters', 0xffff_ffff)));
  },
};
