/* Keyring and credentials. */

import { inspect } from 'node:util';

import { bytesOf, list, text } from './check.js';
import { guard, wrong } from './guard.js';
import { Macaroon } from './macaroon.js';
import { native, type NativeCredential, type NativeKeyring } from './native.js';
import { revive } from './plain.js';
import { errorOf, type Told } from './raised.js';
import { MintRequest, RequestContext } from './requests.js';
import type { Network, PaymentHashLike, PreimageLike } from './types.js';
import { hashText, keyBytes, PaymentHash, Preimage, preimageBytes, type RootKey, type RootKeyLike } from './values.js';

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
