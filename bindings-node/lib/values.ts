/* Payment hashes, preimages and root keys. */

import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';
import { isUint8Array } from 'node:util/types';

import { LengthError } from './errors.js';
import { guard, wrong } from './guard.js';
import { native } from './native.js';
import type { PaymentHashLike, PreimageLike } from './types.js';

const INSPECT = inspect.custom;
/** What the native part would give back as it is. */
const HASH = /^[0-9a-f]{64}$/;

/** @internal A copy of as many bytes. */
export function exactly(bytes: Uint8Array, length: number): Buffer {
  if (bytes.length !== length) throw new LengthError(`${length} bytes are wanted, not ${bytes.length}`, 'wrong_length');
  return Buffer.from(bytes);
}

function bytesOnly(data: unknown): Uint8Array {
  if (!isUint8Array(data)) throw wrong('32 bytes', data);
  return data;
}

function hexText(text: unknown): string {
  if (typeof text !== 'string') throw wrong('a string of hex', text);
  return text;
}

/**
 * A payment hash: SHA-256 of the preimage, 32 bytes (BOLT 11, field `p`).
 *
 * @example
 * ```js
 * String(new PaymentHash(Buffer.alloc(32))).length // 64
 * ```
 */
export class PaymentHash {
  readonly #hex: string;

  /**
   * @param data 32 bytes, or 64 hex digits of either case
   * @throws {@link LengthError}, {@link HexError}
   */
  constructor(data: PaymentHashLike) {
    if (data instanceof PaymentHash) this.#hex = data.#hex;
    else if (isUint8Array(data)) this.#hex = exactly(data, 32).toString('hex');
    else if (typeof data === 'string') this.#hex = HASH.test(data) ? data : guard(() => native.parsePaymentHash(data)).toString('hex');
    else throw wrong('a payment hash', data);
  }

  /** Wraps 32 bytes. */
  static fromBytes(data: Uint8Array): PaymentHash {
    return new PaymentHash(bytesOnly(data));
  }

  /** Its 32 bytes. */
  asBytes(): Buffer {
    return Buffer.from(this.#hex, 'hex');
  }

  /** Whether it is the same. */
  equals(other: PaymentHashLike): boolean {
    return hashText(other) === this.#hex;
  }

  /** 64 lower-case hex digits. */
  toString(): string {
    return this.#hex;
  }

  toJSON(): string {
    return this.#hex;
  }

  [INSPECT](): string {
    return `PaymentHash('${this.#hex}')`;
  }
}

/** @internal A payment hash's hex. */
export function hashText(data: PaymentHashLike): string {
  return (data instanceof PaymentHash ? data : new PaymentHash(data)).toString();
}

/** A secret of 32 bytes, which shows itself only when asked to. */
class Secret {
  readonly #bytes: Buffer;

  protected constructor(data: unknown, what: string) {
    if (data instanceof Secret && new.target === data.constructor) this.#bytes = data.#bytes;
    else if (isUint8Array(data)) this.#bytes = exactly(data, 32);
    else if (typeof data === 'string') this.#bytes = guard(() => native.parseSecret(data));
    else throw wrong(what, data);
  }

  /** Its bytes, in the clear. */
  exposeBytes(): Buffer {
    return Buffer.from(this.#bytes);
  }

  /** 64 lower-case hex digits, in the clear. */
  exposeHex(): string {
    return this.#bytes.toString('hex');
  }

  /** Whether it is the same; in constant time. */
  equals(other: unknown): boolean {
    return other instanceof Secret && other.constructor === this.constructor && timingSafeEqual(this.#bytes, other.#bytes);
  }

  toString(): string {
    return `${this.constructor.name}([redacted])`;
  }

  toJSON(): string {
    return '[redacted]';
  }

  [INSPECT](): string {
    return this.toString();
  }
}

/**
 * A payment's preimage, 32 bytes: whoever has it has paid. It does not print itself.
 *
 * @example
 * ```js
 * const preimage = new Preimage('ab'.repeat(32));
 * `${preimage}` // 'Preimage([redacted])'
 * preimage.proves(preimage.paymentHash()) // true
 * ```
 */
export class Preimage extends Secret {
  /**
   * @param data 32 bytes, or 64 hex digits of either case
   * @throws {@link LengthError}, {@link HexError}, which do not repeat it
   */
  constructor(data: PreimageLike) {
    super(data, 'a preimage');
  }

  /** Wraps 32 bytes. */
  static fromBytes(data: Uint8Array): Preimage {
    return new Preimage(bytesOnly(data));
  }

  /** Reads 64 hex digits of either case. */
  static fromHex(text: string): Preimage {
    return new Preimage(hexText(text));
  }

  /** SHA-256 of it. */
  paymentHash(): PaymentHash {
    return new PaymentHash(guard(() => native.paymentHashOf(this.exposeBytes())));
  }

  /** Whether SHA-256 of it is `paymentHash`; in constant time. */
  proves(paymentHash: PaymentHashLike): boolean {
    return guard(() => native.preimageProves(this.exposeBytes(), hashText(paymentHash)));
  }
}

/** @internal A preimage's bytes. */
export function preimageBytes(data: PreimageLike): Buffer {
  return (data instanceof Preimage ? data : new Preimage(data)).exposeBytes();
}

/** A root key: the class, 32 bytes, or 64 hex digits. */
export type RootKeyLike = RootKey | Uint8Array | string;

/**
 * A server's root key, 32 bytes of a cryptographic random source. It does not print itself.
 *
 * One root key serves one network and one spend store, and nothing else.
 *
 * @example
 * ```js
 * new RootKey(crypto.randomBytes(32))
 * ```
 */
export class RootKey extends Secret {
  /**
   * @param data 32 bytes, or 64 hex digits of either case
   * @throws {@link LengthError}, {@link HexError}, which do not repeat it
   */
  constructor(data: RootKeyLike) {
    super(data, 'a root key');
  }

  /** Wraps 32 bytes. */
  static fromBytes(data: Uint8Array): RootKey {
    return new RootKey(bytesOnly(data));
  }

  /** Reads 64 hex digits of either case. */
  static fromHex(text: string): RootKey {
    return new RootKey(hexText(text));
  }
}

/** @internal A root key's bytes. */
export function keyBytes(data: RootKeyLike): Buffer {
  return (data instanceof RootKey ? data : new RootKey(data)).exposeBytes();
}
