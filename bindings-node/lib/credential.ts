/* Keyring, credentials, and what they are held against. */

import { inspect } from 'node:util';
import { isUint8Array } from 'node:util/types';

import { bytesOf, checked, flag, list, msat, seconds, text, whole } from './check.js';
import { errorOf, type Told } from './raised.js';
import { guard, wrong } from './guard.js';
import { Macaroon } from './macaroon.js';
import { native, type NativeCredential, type NativeKeyring, type NativeMintRequest, type NativeRequestContext } from './native.js';
import { revive } from './plain.js';
import type { Network, PaymentHashLike, PreimageLike, Time } from './types.js';
import { exactly, hashText, keyBytes, PaymentHash, Preimage, preimageBytes, type RootKey, type RootKeyLike } from './values.js';

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

/** What a credential that holds is good for. */
export class Verified {
  /** Payment hash, uses and the two times, as the native part writes them: read only where they are asked for. */
  readonly #told: string;

  private constructor(told: string) {
    this.#told = told;
  }

  /** @internal */
  static of(told: string): Verified {
    return new Verified(told);
  }

  /** What was paid; the spend store's entry. */
  get paymentHash(): PaymentHash {
    return new PaymentHash(this.#told.slice(0, 64));
  }

  /** How many uses the entry may have. */
  get uses(): number {
    return parseInt(this.#told.slice(64, 72), 16);
  }

  /** When the credential ends, unix seconds. */
  get validUntil(): number {
    return parseInt(this.#told.slice(72, 88), 16);
  }

  /** Until when the spent set keeps the entry, unix seconds. */
  get keepUntil(): number {
    return parseInt(this.#told.slice(88), 16);
  }

  toJSON(): object {
    const { paymentHash, uses, validUntil, keepUntil } = this;
    return { paymentHash: String(paymentHash), uses, validUntil, keepUntil };
  }

  [inspect.custom](): string {
    return `Verified ${inspect(this.toJSON())}`;
  }
}

/** One token of a credential, as text of the wire. */
export class TokenText {
  readonly #text: string;

  /** `base64`, from `Authorization`, or `hex`, from gRPC metadata. */
  readonly encoding: 'base64' | 'hex';

  private constructor(text: string, encoding: 'base64' | 'hex') {
    this.#text = text;
    this.encoding = encoding;
  }

  /** @internal */
  static of(text: string, encoding: 'base64' | 'hex'): TokenText {
    return new TokenText(text, encoding);
  }

  /** The text. */
  asText(): string {
    return this.#text;
  }

  /** The macaroon's bytes, at most 8 KiB; throws {@link CredentialError}. */
  decode(): Buffer {
    return guard(() => native.decodeTokenText(this.#text, this.encoding === 'hex'));
  }

  [inspect.custom](): string {
    return 'TokenText([redacted])';
  }
}

/**
 * A credential as it came: one or more tokens, and the preimage where the header carries it. Nothing is verified yet.
 *
 * @example
 * ```js
 * Credential.fromAuthorization(['Bearer abc']) // null
 * ```
 */
export class Credential {
  readonly #made: NativeCredential;

  private constructor(made: NativeCredential) {
    if (!(made instanceof native.Credential)) throw new TypeError('a Credential is read: Credential.fromAuthorization(lines)');
    this.#made = made;
  }

  /** @internal */
  static native(credential: Credential): NativeCredential {
    if (!(#made in Object(credential))) throw wrong('a Credential', credential);
    return credential.#made;
  }

  /**
   * Reads the values of a request's `Authorization` lines, in their order: the first with scheme `L402` or `LSAT` decides, even when
   * malformed. Null when no line has that scheme.
   *
   * @throws {@link CredentialError}
   */
  static fromAuthorization(lines: readonly string[]): Credential | null {
    const values = list(lines, 'lines').map((line) => text(line, 'a line'));
    const made = guard(() => native.Credential.fromAuthorization(values));
    return made === null ? null : new Credential(made);
  }

  /** Reads gRPC metadata `token` or `macaroon`: one token in hex, whose preimage is a caveat. */
  static fromGrpcMetadata(macaroonHex: string): Credential {
    return new Credential(guard(() => native.Credential.fromGrpcMetadata(text(macaroonHex, 'macaroonHex'))));
  }

  /** Its tokens in the order of the wire. */
  tokens(): TokenText[] {
    const encoding = this.#made.isHex() ? 'hex' : 'base64';
    return guard(() => this.#made.tokens()).map((text) => TokenText.of(text, encoding));
  }

  /** The preimage after the colon; null for gRPC metadata. */
  get preimage(): Preimage | null {
    const bytes = guard(() => this.#made.preimage());
    return bytes === null ? null : new Preimage(bytes);
  }

  [inspect.custom](): string {
    return 'Credential([redacted])';
  }
}

/**
 * The root keys of one network and one spend store (docs/PROTOCOL.md §1). Never printed.
 *
 * @example
 * ```js
 * const ring = new Keyring('regtest', new RootKey(crypto.randomBytes(32)));
 * const token = ring.mint(request);
 * ring.verify(Credential.fromAuthorization([authorizationValue(token, preimage)]), context).uses // 1
 * ```
 */
export class Keyring {
  readonly #made: NativeKeyring;

  /** A ring of one key, which mints and verifies. */
  constructor(network: Network, minting: RootKeyLike) {
    const made: unknown = minting;
    this.#made = made instanceof native.Keyring ? made : guard(() => new native.Keyring(text(network, 'network'), keyBytes(minting)));
  }

  /** A ring with one more key, which verifies and does not mint. */
  withVerifying(key: RootKeyLike): Keyring {
    const made = guard(() => this.#made.withVerifying(keyBytes(key)));
    return new Keyring(this.network, made as unknown as RootKey);
  }

  /** Mints with a new key from now on; the old ones still verify. */
  rotate(minting: RootKeyLike): void {
    guard(() => {
      this.#made.rotate(keyBytes(minting));
    });
  }

  /** The network that its invoices are on. */
  get network(): Network {
    return this.#made.network() as Network;
  }

  /** How many keys verify; the minting one is one of them. */
  get length(): number {
    return this.#made.size();
  }

  /** Mints a token under the minting key; throws {@link MintError}. */
  mint(request: MintRequest): string {
    return guard(() => this.#made.mint(MintRequest.native(request)));
  }

  /**
   * Mints a token with caveats of one's own instead of L402's, for a server that authenticates and reads them itself; `verify` refuses what
   * does not begin as `mint` begins it.
   */
  mintChain(paymentHash: PaymentHashLike, caveats: readonly (Uint8Array | string)[]): string {
    return guard(() => this.#made.mintChain(hashText(paymentHash), list(caveats, 'caveats').map(bytesOf)));
  }

  /**
   * Checks all of a credential but whether it is spent.
   *
   * @throws {@link VerifyError}, the first failure in the order of docs/PROTOCOL.md §3
   */
  verify(credential: Credential, request: RequestContext): Verified {
    const told = guard(() => this.#made.verify(Credential.native(credential), RequestContext.native(request)));
    if (told.startsWith('{')) throw errorOf(JSON.parse(told) as Told, revive);
    return Verified.of(told);
  }

  /**
   * Who paid for a macaroon of this ring: all that `verify` proves about one token before it reads a caveat. Null when identifier, key,
   * signature or preimage is not right, or there is a third-party caveat.
   */
  authenticate(macaroon: Macaroon, preimage?: PreimageLike | null): PaymentHash | null {
    const proof = preimage === null || preimage === undefined ? undefined : preimageBytes(preimage);
    const hash = guard(() => this.#made.authenticate(Macaroon.native(macaroon), proof));
    return hash === null ? null : new PaymentHash(hash);
  }

  [inspect.custom](): string {
    return `Keyring('${this.network}', [redacted; ${this.length}])`;
  }
}
