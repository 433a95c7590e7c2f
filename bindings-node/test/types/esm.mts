// Compiled, never run: the types as an ESM program sees them.

import { Credential, type Event, Flow, Keyring, Origin, Policy, RequestContext, requestFacts, type Step, Verified, VerifyError } from 'plannt';
import type * as undici from 'plannt/undici';
import type * as express from 'plannt/express';
import type * as fastify from 'plannt/fastify';
import type * as hono from 'plannt/hono';

export type Adapters = [typeof undici, typeof express, typeof fastify, typeof hono];

const policy = new Policy({ network: 'regtest', maxPaymentMsat: 25_000n });
const flow = new Flow(policy, requestFacts('GET', Origin.parse('https://api.example'), '/v1/demo'), 'wallet');

/** A step's members are those of its type. */
export function amountOf(step: Step): bigint | null {
  switch (step.type) {
    case 'pay':
      return step.intent.amountMsat;
    case 'commit':
      return step.feeMsat;
    default:
      return null;
  }
}

const stored: Event = { type: 'stored' };
flow.handle(stored, new Date());

const credential = Credential.fromAuthorization(['L402 x']);
const context = new RequestContext({ now: 0, service: 'demo', method: 'GET', path: '/', lowestPriceMsat: 0n, digest: null });
try {
  if (credential !== null) new Keyring('regtest', Buffer.alloc(32)).verify(credential, context).validUntil.toFixed();
} catch (error) {
  if (error instanceof VerifyError) error.condition?.length.toFixed();
}

// @ts-expect-error an amount is a bigint
new Policy({ network: 'regtest', maxPaymentMsat: 25_000 });
// @ts-expect-error a network is one of five
new Policy({ network: 'mainnet', maxPaymentMsat: 1n });
// @ts-expect-error an event has its members
flow.handle({ type: 'body' }, 0);
// @ts-expect-error only the package makes one
new Verified();
