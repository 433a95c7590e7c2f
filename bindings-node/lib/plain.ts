/* Plain data on their way to and from the native part, as JSON: amounts are decimal texts there, bytes and hashes are hex. */

import { errorOf, type Told } from './errors.js';
import { setReviver } from './guard.js';
import { Origin } from './policy.js';
import type { Time } from './types.js';
import { PaymentHash, Preimage } from './values.js';

const BYTES = new Set(['payee', 'bodySha256', 'id', 'verificationId', 'value']);
const MOST = (1n << 64n) - 1n;

/** @internal An amount in msat, or another count of 64 bits. */
export function msat(amount: unknown, name = 'an amount'): bigint {
  if (typeof amount !== 'bigint') throw new TypeError(`${name} in msat is a bigint, not a ${typeof amount}`);
  if (amount < 0n || amount > MOST) throw new RangeError(`${name} is from 0 to 2^64 - 1 msat`);
  return amount;
}

/** @internal Unix seconds. */
export function seconds(time: Time): number {
  const number = time instanceof Date ? Math.floor(time.getTime() / 1000) : time;
  if (typeof number !== 'number') throw new TypeError(`a time is a number of seconds or a Date, not a ${typeof time}`);
  if (!Number.isInteger(number) || number < 0) throw new RangeError('a time is a whole number of seconds from 0 on');
  return number;
}

/** @internal What the native part wrote, with JavaScript's values. */
export function revived<T>(text: string): T {
  return revive(JSON.parse(text)) as T;
}

function revive(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => revive(item));
  if (value !== null && typeof value === 'object') {
    if (key === 'refusal') return errorOf(value as Told, revive);
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, revive(member, name)]));
  }
  if (typeof value !== 'string') return value;
  if (key.endsWith('Msat')) return BigInt(value);
  if (key === 'paymentHash') return new PaymentHash(value);
  if (key === 'preimage') return new Preimage(value);
  if (key === 'origin') return Origin.parse(value);
  return BYTES.has(key) ? Buffer.from(value, 'hex') : value;
}
setReviver(revive);

/** @internal What the native part reads, as JSON. */
export function lowered(value: unknown): string {
  return JSON.stringify(lower(value));
}

function lower(value: unknown): unknown {
  if (typeof value === 'bigint') return msat(value).toString();
  if (value instanceof PaymentHash || value instanceof Origin) return value.toString();
  if (value instanceof Preimage) return value.exposeHex();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (value instanceof Date) return seconds(value);
  if (Array.isArray(value)) return value.map(lower);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, lower(member)]));
  }
  return value;
}

/** @internal Bytes of text, or bytes. */
export function bytesOf(data: Uint8Array | string): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (!(data instanceof Uint8Array)) throw new TypeError(`bytes are wanted, not ${data === null ? 'null' : typeof data}`);
  return data;
}
