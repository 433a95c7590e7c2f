/* What a token is minted for, and what a credential is held against. */

import { isUint8Array } from 'node:util/types';

import { checked, flag, list, msat, seconds, text, whole } from './check.js';
import { guard, wrong } from './guard.js';
import { native, type NativeMintRequest, type NativeRequestContext } from './native.js';
import type { PaymentHashLike, Time } from './types.js';
import { exactly, PaymentHash } from './values.js';

/** What a {@link MintRequest} is made with. */
export interface MintRequestOptions {
  /** Of the invoice in the same challenge. */
  readonly paymentHash: PaymentHashLike;
  /** The service sold, `[a-z0-9-]+`. */
  readonly service: string;
  /** The service's tier; 0 where it is left out. */
  readonly tier?: number | undefined;
  /** When the credential ends to be valid. */
  readonly validUntil: Time;
  /** The HTTP method, upper case. */
  readonly method: string;
  /** The normalized path, or with a final `*` all paths that begin so. */
  readonly path: string;
  /** What the invoice asks for. */
  readonly maxPriceMsat: bigint;
  /** How many uses are sold; 1 where it is left out. */
  readonly uses?: number | undefined;
  /** SHA-256 of the query, where the route binds it. */
  readonly query?: Uint8Array | null | undefined;
  /** SHA-256 of the body, where the route binds it. */
  readonly digest?: Uint8Array | null | undefined;
  /** Capabilities sold. */
  readonly capabilities?: readonly string[] | undefined;
}

/**
 * What a token is minted for. It may be used again.
 *
 * @example
 * ```js
 * new MintRequest({ paymentHash, service: 'demo', method: 'GET', path: '/v1/demo', validUntil: 1_900_000_000, maxPriceMsat: 21_000n })
 * ```
 */
export class MintRequest {
  readonly #made: NativeMintRequest;
  readonly paymentHash: PaymentHash;
  readonly service: string;
  readonly tier: number;
  readonly validUntil: number;
  readonly method: string;
  readonly path: string;
  readonly maxPriceMsat: bigint;
  readonly uses: number;
  readonly query: Uint8Array | null;
  readonly digest: Uint8Array | null;
  readonly capabilities: readonly string[];

  /** @throws TypeError and RangeError for what the options can't be; whether it can be minted, `mint` tells */
  constructor(options: MintRequestOptions) {
    checked(options);
    this.paymentHash = new PaymentHash(options.paymentHash);
    this.service = text(options.service, 'service');
    this.tier = whole(options.tier ?? 0, 'tier', 255);
    this.validUntil = seconds(options.validUntil);
    this.method = text(options.method, 'method');
    this.path = text(options.path, 'path');
    this.maxPriceMsat = msat(options.maxPriceMsat, 'maxPriceMsat');
    this.uses = whole(options.uses ?? 1, 'uses', 0xffff_ffff);
    if (this.uses === 0) throw new RangeError('uses is at least 1');
    this.query = digestOf(options.query, 'query');
    this.digest = digestOf(options.digest, 'digest');
    this.capabilities = list(options.capabilities ?? [], 'capabilities').map((one) => text(one, 'a capability'));
    this.#made = guard(
      () =>
        new native.MintRequest(
          this.paymentHash.toString(),
          this.service,
          this.method,
          this.path,
          this.validUntil,
          this.maxPriceMsat,
          this.tier,
          this.uses,
          this.query ?? undefined,
          this.digest ?? undefined,
          [...this.capabilities],
        ),
    );
  }

  /** @internal */
  static native(request: MintRequest): NativeMintRequest {
    if (!(#made in Object(request))) throw wrong('a MintRequest', request);
    return request.#made;
  }

  /** Bytes of the token before base64, known before there is an invoice. */
  encodedLen(): number {
    return this.#made.encodedLen();
  }
}

/** Exactly 32 bytes, or nothing; a copy, so that it stays what was checked. */
function digestOf(bytes: unknown, name: string): Buffer | null {
  if (bytes === null || bytes === undefined) return null;
  if (!isUint8Array(bytes)) throw wrong(`${name} as 32 bytes`, bytes);
  return exactly(bytes, 32);
}

/** What a {@link RequestContext} is made with. */
export interface RequestContextOptions {
  /** The verifier's clock. */
  readonly now: Time;
  /** The service that the request's authority chose. */
  readonly service: string;
  /** The tier of that service; 0 where it is left out. */
  readonly tier?: number | undefined;
  /** The request's method, upper case. */
  readonly method: string;
  /** The normalized path. */
  readonly path: string;
  /** SHA-256 of the bytes after the first `?`; of nothing where it is left out. */
  readonly query?: Uint8Array | null | undefined;
  /** Whether the route binds the query. */
  readonly requiresQuery?: boolean | undefined;
  /** SHA-256 of the body, when it was read. */
  readonly digest?: Uint8Array | null | undefined;
  /** Whether the route binds the body. */
  readonly requiresDigest?: boolean | undefined;
  /** The lowest price that this request had during the last validity window. */
  readonly lowestPriceMsat: bigint;
  /** The capability that the route asks for. */
  readonly capability?: string | null | undefined;
  /** Whether conditions that are not known are refused instead of skipped. */
  readonly strict?: boolean | undefined;
}

/**
 * What is asked for, against which a credential is held. It may be used again.
 *
 * @example
 * ```js
 * new RequestContext({ now: new Date(), service: 'demo', method: 'GET', path: '/v1/demo', lowestPriceMsat: 21_000n }).tier // 0
 * ```
 */
export class RequestContext {
  readonly #made: NativeRequestContext;
  readonly now: number;
  readonly service: string;
  readonly tier: number;
  readonly method: string;
  readonly path: string;
  readonly query: Uint8Array | null;
  readonly requiresQuery: boolean;
  readonly digest: Uint8Array | null;
  readonly requiresDigest: boolean;
  readonly lowestPriceMsat: bigint;
  readonly capability: string | null;
  readonly strict: boolean;

  /** @throws TypeError and RangeError for what the options can't be */
  constructor(options: RequestContextOptions) {
    checked(options);
    this.now = seconds(options.now);
    this.service = text(options.service, 'service');
    this.tier = whole(options.tier ?? 0, 'tier', 255);
    this.method = text(options.method, 'method');
    this.path = text(options.path, 'path');
    this.query = digestOf(options.query, 'query');
    this.requiresQuery = flag(options.requiresQuery ?? false, 'requiresQuery');
    this.digest = digestOf(options.digest, 'digest');
    this.requiresDigest = flag(options.requiresDigest ?? false, 'requiresDigest');
    this.lowestPriceMsat = msat(options.lowestPriceMsat, 'lowestPriceMsat');
    this.capability = options.capability === null || options.capability === undefined ? null : text(options.capability, 'capability');
    this.strict = flag(options.strict ?? false, 'strict');
    this.#made = guard(
      () =>
        new native.RequestContext(
          this.now,
          this.service,
          this.method,
          this.path,
          this.lowestPriceMsat,
          this.tier,
          this.query ?? undefined,
          this.requiresQuery,
          this.digest ?? undefined,
          this.requiresDigest,
          this.capability ?? undefined,
          this.strict,
        ),
    );
  }

  /** @internal */
  static native(context: RequestContext): NativeRequestContext {
    if (!(#made in Object(context))) throw wrong('a RequestContext', context);
    return context.#made;
  }
}
