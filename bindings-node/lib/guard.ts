/* The border to the native part: its errors become the package's own. */

import { InternalError } from './errors.js';
import { errorOf, type Told } from './raised.js';

/** @internal What was given, as it is told in a TypeError: never its value, which may be a secret. */
export function wrong(wanted: string, given: unknown): TypeError {
  const kind = given === null ? 'null' : typeof given;
  const name = kind === 'object' ? (given as { constructor?: { name: string } }).constructor?.name : undefined;
  return new TypeError(`${wanted} is wanted, not ${name ?? kind}`);
}

const PREFIX = '{"plannt":';

/** Where `lib/plain.ts` puts how values are revived: an error's fields may be anything. */
const reviver: { revive: (value: unknown) => unknown } = { revive: (value) => value };

/** @internal */
export function setReviver(revive: (value: unknown) => unknown): void {
  reviver.revive = revive;
}

/** @internal */
export function convert(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.message.startsWith(PREFIX)) {
    const { plannt } = JSON.parse(error.message) as { plannt: Told };
    const made = errorOf(plannt, reviver.revive);
    Error.captureStackTrace(made, guard);
    return made;
  }
  const { code } = error as NodeJS.ErrnoException;
  // What napi says of an argument that is not what it takes; it shows the argument, which may be a secret.
  if (code !== undefined && (code === 'InvalidArg' || code.endsWith('Expected'))) {
    return new TypeError(error.message.replace(/ JavaScript value `[^]*`/, ' the value').slice(0, 200));
  }
  if (code === 'GenericFailure' || code === 'Unknown') return new InternalError(error.message, 'internal');
  return error;
}

/** @internal Calls the native part. */
export function guard<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw convert(error);
  }
}

/** @internal Calls the native part and waits for it. */
export async function guardAsync<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw convert(error);
  }
}
