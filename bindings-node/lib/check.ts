/* What is wrong with an argument is told where it is given: TypeError for another type, RangeError for another range. */

import { isDate, isUint8Array } from 'node:util/types';

import { wrong } from './guard.js';
import type { Time } from './types.js';

const MOST = (1n << 64n) - 1n;

/** @internal An amount in msat, or another count of 64 bits. */
export function msat(amount: unknown, name = 'an amount'): bigint {
  if (typeof amount !== 'bigint') throw wrong(`${name} in msat as a bigint`, amount);
  if (amount < 0n || amount > MOST) throw new RangeError(`${name} is from 0 to 2^64 - 1 msat`);
  return amount;
}

/** @internal Unix seconds. */
export function seconds(time: Time): number {
  const number = isDate(time) ? Math.floor(time.getTime() / 1000) : time;
  if (typeof number !== 'number') throw wrong('a time as a number of seconds or a Date', time);
  if (!Number.isInteger(number) || number < 0) throw new RangeError('a time is a whole number of seconds from 0 on');
  return number;
}

/** @internal Bytes of text, or bytes. */
export function bytesOf(data: unknown): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (!isUint8Array(data)) throw wrong('text or a Uint8Array', data);
  return data;
}

/** @internal Bytes. */
export function bytes(given: unknown, name: string): Uint8Array {
  if (!isUint8Array(given)) throw wrong(`${name} as a Uint8Array`, given);
  return given;
}

/** @internal Text that may be absent. */
export function optionalText(given: unknown, name: string): string | undefined {
  return given === null || given === undefined ? undefined : text(given, name);
}

/** @internal An object of options. */
export function checked<T>(given: T): T {
  if (typeof given !== 'object' || given === null) throw wrong('an object of options', given);
  return given;
}

/** @internal A whole number. */
export function whole(number: unknown, name: string, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof number !== 'number') throw wrong(`${name} as a number`, number);
  if (!Number.isInteger(number) || number < 0 || number > most) throw new RangeError(`${name} is a whole number from 0 to ${most}`);
  return number;
}

/** @internal A boolean. */
export function flag(given: unknown, name: string): boolean {
  if (typeof given !== 'boolean') throw wrong(`${name} as a boolean`, given);
  return given;
}

/** @internal Text. */
export function text(given: unknown, name: string): string {
  if (typeof given !== 'string') throw wrong(`${name} as a string`, given);
  return given;
}

/** @internal A list, which is no single text. */
export function list(given: unknown, name: string): unknown[] {
  if (typeof given === 'string' || typeof (given as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function')
    throw wrong(`${name} as a list`, given);
  return [...(given as Iterable<unknown>)];
}
