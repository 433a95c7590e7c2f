/* Plain data on their way to and from the native part, as JSON: amounts are decimal texts there, bytes and hashes are hex. */

import { isDate, isUint8Array } from 'node:util/types';

import { msat, seconds } from './check.js';
import { errorOf, type Told } from './raised.js';
import { setReviver } from './guard.js';
import { Origin } from './policy.js';
import { PaymentHash, Preimage } from './values.js';

const BYTES = new Set(['payee', 'bodySha256', 'id', 'verificationId', 'value']);

/** @internal What the native part wrote, with JavaScript's values: `T` is what the caller knows of the text. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function revived<T>(text: string): T {
  return revive(JSON.parse(text)) as T;
}

/** @internal */
export function revive(value: unknown, key = ''): unknown {
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
  if (isUint8Array(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
  if (isDate(value)) return seconds(value);
  if (Array.isArray(value)) return value.map(lower);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, lower(member)]));
  }
  return value;
}
