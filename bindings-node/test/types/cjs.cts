// Compiled, never run: the types as a CommonJS program sees them.

import plannt = require('plannt');
import { Macaroon } from 'plannt';

const macaroon: plannt.Macaroon = Macaroon.create('key', 'id');
macaroon.attenuate(Buffer.from('account = 3735928559'));

const code: plannt.Code = 'payment_required';
export const status: number = plannt.codeStatus(code);
export const amount: bigint | null = plannt.readInvoice('lnbc1').amountMsat;

// @ts-expect-error it is read or created
new plannt.Macaroon();
