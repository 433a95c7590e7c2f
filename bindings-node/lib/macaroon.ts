/* Macaroons as a format, whatever they are used for. */

import { bytes, bytesOf, list, optionalText, text } from './check.js';
import { guard, wrong } from './guard.js';
import { native, type NativeMacaroon } from './native.js';
import { revived } from './plain.js';
import type { Caveat, Format } from './types.js';
import { exactly } from './values.js';

/**
 * A macaroon, in whichever of the three encodings it came (docs/PROTOCOL.md §1). Reading is strict: any bytes give a value or a
 * {@link MacaroonError}; at most 64 KiB and 4,096 caveats.
 *
 * @example
 * ```js
 * const macaroon = Macaroon.create('key', 'id');
 * macaroon.attenuate('account = 3735928559');
 * macaroon.verifySignature('key') // true
 * Macaroon.parse(macaroon.toV2()).equals(macaroon) // true
 * ```
 */
export class Macaroon {
  #made: NativeMacaroon;

  private constructor(made: NativeMacaroon) {
    if (!(made instanceof native.Macaroon)) throw new TypeError('a Macaroon is created or read: Macaroon.create(…), Macaroon.parse(…)');
    this.#made = made;
  }

  /** @internal */
  static of(made: NativeMacaroon): Macaroon {
    return new Macaroon(made);
  }

  /** @internal */
  static native(macaroon: Macaroon): NativeMacaroon {
    if (!(#made in Object(macaroon))) throw wrong('a Macaroon', macaroon);
    return macaroon.#made;
  }

  /** Makes a macaroon under `rootKey`, which goes through `macaroons-key-generator` first, as in every library. */
  static create(rootKey: Uint8Array | string, identifier: Uint8Array | string, location?: string | null): Macaroon {
    return new Macaroon(guard(() => native.Macaroon.create(bytesOf(rootKey), bytesOf(identifier), optionalText(location, 'location'))));
  }

  /** Reads a macaroon of any format; its first byte tells which. */
  static parse(data: Uint8Array): Macaroon {
    return new Macaroon(guard(() => native.Macaroon.parse(bytes(data, 'a macaroon'))));
  }

  /** Reads v1: packets with a length of four hex digits. */
  static fromV1(data: Uint8Array): Macaroon {
    return new Macaroon(guard(() => native.Macaroon.fromFormat(bytes(data, 'a macaroon'), 'v1')));
  }

  /** Reads v2 binary. */
  static fromV2(data: Uint8Array): Macaroon {
    return new Macaroon(guard(() => native.Macaroon.fromFormat(bytes(data, 'a macaroon'), 'v2')));
  }

  /** Reads v2 JSON. */
  static fromJson(text: string | Uint8Array): Macaroon {
    return new Macaroon(guard(() => native.Macaroon.fromFormat(bytesOf(text), 'v2_json')));
  }

  /** Writes v1. */
  toV1(): Buffer {
    return this.toFormat('v1');
  }

  /** Writes v2 binary. */
  toV2(): Buffer {
    return this.toFormat('v2');
  }

  /** Writes v2 JSON. */
  toJson(): string {
    return this.toFormat('v2_json').toString('utf8');
  }

  /** Writes it in a format. */
  toFormat(format: Format): Buffer {
    return guard(() => this.#made.toFormat(text(format, 'format')));
  }

  /** Adds a first-party caveat; anyone who holds the macaroon can. When it would outgrow a limit, it stays as it was. */
  attenuate(caveat: Uint8Array | string): void {
    this.#made = guard(() => this.#made.attenuated(bytesOf(caveat)));
  }

  /** Adds a caveat that the holder of `key` (32 bytes) discharges; `nonce` (24 bytes) never comes again under one signature. */
  attenuateThirdParty(key: Uint8Array, id: Uint8Array | string, nonce: Uint8Array, location?: string | null): void {
    this.#made = guard(() =>
      this.#made.attenuatedThirdParty(bytes(key, 'key'), bytesOf(id), exactly(bytes(nonce, 'nonce'), 24), optionalText(location, 'location')),
    );
  }

  /** The discharge as it is presented with this macaroon, whose caveats are all added by then. */
  bind(discharge: Macaroon): Macaroon {
    return new Macaroon(guard(() => this.#made.bind(Macaroon.native(discharge))));
  }

  /** Whether the signature is that of `rootKey`; in constant time. It says nothing of whether the caveats hold. */
  verifySignature(rootKey: Uint8Array | string): boolean {
    return guard(() => this.#made.verifySignature(bytesOf(rootKey)));
  }

  /**
   * Checks that the macaroon holds under `rootKey`: its signature, each third-party caveat by one of the bound `discharges`, and each
   * first-party caveat by `satisfied`, which is asked only once all signatures are right.
   *
   * @throws {@link DischargeError} where it does not
   */
  verifyDischarged(rootKey: Uint8Array | string, discharges: readonly Macaroon[], satisfied: (caveat: Buffer) => boolean): void {
    const bound = list(discharges, 'discharges').map((discharge) => Macaroon.native(discharge as Macaroon));
    if (typeof satisfied !== 'function') throw wrong('satisfied as a function', satisfied);
    guard(() => {
      this.#made.verifyDischarged(bytesOf(rootKey), bound, satisfied);
    });
  }

  /** Where it says that it is for; never authenticated. */
  get location(): string | null {
    return this.#made.location();
  }

  /** The identifier's bytes. */
  get identifier(): Buffer {
    return this.#made.identifier();
  }

  /** The caveats in order. */
  get caveats(): Caveat[] {
    return revived<Caveat[]>(this.#made.caveats());
  }

  /** The signature, a MAC of 32 bytes over all before. */
  get signature(): Buffer {
    return this.#made.signature();
  }

  /** Whether it is the same; signatures are compared in constant time. */
  equals(other: unknown): boolean {
    return other instanceof Macaroon && this.#made.equals(other.#made);
  }
}

/** The format that bytes of this kind begin with, or null. */
export function sniffFormat(data: Uint8Array): Format | null {
  return guard(() => native.sniffFormat(bytes(data, 'a macaroon'))) as Format | null;
}

/** The macaroon in a token's text; throws {@link TokenError}. */
export function parseToken(token: string): Macaroon {
  return Macaroon.of(guard(() => native.parseToken(text(token, 'token'))));
}

/**
 * Adds first-party caveats to a token, as its holder; the result is narrower, never wider. A token of any macaroon format is taken, and
 * stays in its format.
 *
 * @throws {@link TokenError}
 */
export function attenuateToken(token: string, caveats: readonly string[]): string {
  return guard(() =>
    native.attenuateToken(
      text(token, 'token'),
      list(caveats, 'caveats').map((caveat) => text(caveat, 'a caveat')),
    ),
  );
}
