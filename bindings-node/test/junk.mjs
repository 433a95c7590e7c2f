// Values that no function of this package is made for, or that lie.

import { runInNewContext } from 'node:vm';

import * as plannt from 'plannt';

function detached() {
  const bytes = new Uint8Array(32);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

const grumpy = new Proxy(
  {},
  {
    get() {
      throw new TypeError('a trap');
    },
  },
);

/** Each by its name. */
export const JUNK = {
  undefined,
  null: null,
  true: true,
  zero: 0,
  'minus one': -1,
  half: 1.5,
  NaN,
  Infinity,
  'two to the 53': 2 ** 53,
  'two to the 64': 2 ** 64,
  'zero as bigint': 0n,
  'minus one as bigint': -1n,
  'the most of 64 bits': 2n ** 64n - 1n,
  'more than 64 bits': 2n ** 64n,
  'much more than 64 bits': 2n ** 640n,
  'no text': '',
  'a text': 'x',
  'half of a pair': '\ud800',
  'a NUL': 'a\0b',
  'a long text': 'L402 '.repeat(200_000),
  '64 digits': 'ab'.repeat(32),
  'no bytes': new Uint8Array(0),
  '31 bytes': Buffer.alloc(31),
  '32 bytes': Buffer.alloc(32),
  'bytes in the middle': new Uint8Array(100).subarray(7, 39),
  'shared bytes': new Uint8Array(new SharedArrayBuffer(32)),
  'detached bytes': detached(),
  'bytes of another realm': runInNewContext('new Uint8Array(32)'),
  floats: new Float64Array(4),
  'signed bytes': new Int8Array(32),
  'a buffer': new ArrayBuffer(32),
  'a view': new DataView(new ArrayBuffer(32)),
  'a symbol': Symbol('x'),
  'a function': () => 1,
  'a function that throws': () => {
    throw new RangeError('a callback');
  },
  'an object': {},
  'no prototype': Object.create(null),
  'a proxy': grumpy,
  'a list': [],
  'a list of junk': [1, null, 'x', {}, Symbol('x')],
  'a long list': Array.from({ length: 10_000 }, () => 'x'),
  'no date': new Date(NaN),
  'a date': new Date(1_800_000_000_000),
  'an old date': new Date(-1),
  'a map': new Map([['a', 1]]),
  'a promise': Promise.resolve(),
  'an object like another': Object.create(plannt.Keyring.prototype),
  'a keyring': new plannt.Keyring('regtest', Buffer.alloc(32)),
  'a macaroon': plannt.Macaroon.create('key', 'id'),
  'a preimage': new plannt.Preimage(Buffer.alloc(32)),
  'a credential': plannt.Credential.fromAuthorization([`L402 AgEC:${'ab'.repeat(32)}`]),
  'an origin': plannt.Origin.parse('https://api.example'),
  'a policy': new plannt.Policy({ network: 'regtest', maxPaymentMsat: 1n }),
  'a body of a flow': { type: 'body', body: 1 },
  'an event that is none': { type: 'x' },
};
