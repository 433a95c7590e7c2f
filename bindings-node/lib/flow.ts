/* The paying flow: the core's state machine. */

import { bytesOf, checked, seconds, text } from './check.js';
import { guard, wrong } from './guard.js';
import { native, type NativeFlow } from './native.js';
import { lowered, revived } from './plain.js';
import { type Policy, policyData, Origin } from './policy.js';
import type { Event, IntentState, LookUp, PaymentHashLike, PaymentResult, RequestFacts, RequestKey, Resolution, Step, Time } from './types.js';
import { hashText, preimageBytes } from './values.js';

/**
 * The facts of a request whose body is in memory; `null` for one that can be sent once only.
 *
 * @example
 * ```js
 * requestFacts('GET', Origin.parse('https://api.example'), '/v1/demo')
 * ```
 */
export function requestFacts(method: string, origin: Origin, target: string, body: Uint8Array | null = new Uint8Array()): RequestFacts {
  if (!(origin instanceof Origin)) throw wrong('an Origin', origin);
  const bodySha256 = body === null ? null : guard(() => native.contentDigest(bytesOf(body)));
  return { method: text(method, 'method'), origin, target: text(target, 'target'), bodySha256 };
}

/** What the journal knows a request by, or null where its body can't be repeated. */
export function requestKey(request: RequestFacts, wallet: string): RequestKey | null {
  const { method, origin, target, bodySha256 } = checked(request);
  return bodySha256 === null ? null : { method, origin, target, bodySha256, wallet: text(wallet, 'wallet') };
}

/** One SHA-256 over all of a request's key. */
export function requestKeyDigest(key: RequestKey): Buffer {
  return guard(() => native.requestKeyDigest(lowered(checked(key))));
}

/**
 * One paying call as a state machine without I/O (docs/PROTOCOL.md §5): `next()` says what to do, `handle()` takes what came of it. At most
 * one payment a flow; a payment of unknown outcome keeps its reservation; nothing is stored as paid before its preimage hashes right.
 *
 * @example
 * ```js
 * const flow = new Flow(policy, requestFacts('GET', origin, '/v1/demo'), 'my wallet');
 * flow.next().type // 'load_credential'
 * flow.handle({ type: 'loaded', loaded: { found: { type: 'nothing' }, budgetLeftMsat: null } }, now);
 * flow.next() // { authorization: null, type: 'send_request' }
 * ```
 */
export class Flow {
  readonly #made: NativeFlow;

  /** Starts a call for the wallet with this stable id. */
  constructor(policy: Policy, request: RequestFacts, wallet: string) {
    this.#made = begin(policy, request, wallet, new.target === DryRun);
  }

  /** Starts a call that pays nothing, presents nothing and writes nothing: it ends in `quoted`, or in `done` where nothing is to be paid. */
  static dryRun(policy: Policy, request: RequestFacts, wallet: string): Flow {
    return new DryRun(policy, request, wallet);
  }

  /** What to do next. The same until `handle` takes the answer. */
  next(): Step {
    return revived<Step>(guard(() => this.#made.next()));
  }

  /**
   * Takes what came of the step.
   *
   * @throws {@link UnexpectedEventError} for an event that does not answer the step; the flow is as it was
   */
  handle(event: Event, now: Time): void {
    const told = withProof(checked(event));
    guard(() => {
      this.#made.handle(lowered(told), seconds(now));
    });
  }
}

/** A flow that pays nothing. */
class DryRun extends Flow {}

function begin(policy: Policy, request: RequestFacts, wallet: string, dryRun: boolean): NativeFlow {
  return guard(() => new native.Flow(lowered(policyData(policy)), lowered(checked(request)), text(wallet, 'wallet'), dryRun));
}

/** With the preimage as the native part reads it. */
function proved(result: LookUp | PaymentResult): unknown {
  checked(result);
  return 'preimage' in result ? { ...result, preimage: preimageBytes(result.preimage).toString('hex') } : result;
}

function withProof(event: Event): unknown {
  if (event.type === 'looked_up') return { ...event, lookUp: proved(event.lookUp) };
  return event.type === 'payment' ? { ...event, result: proved(event.result) } : event;
}

/** What a wallet's answer means for a payment that was left unfinished (docs/PROTOCOL.md §5.4): "not found" means failed only once the
 * invoice has expired. */
export function resolve(answer: LookUp, paymentHash: PaymentHashLike, invoiceExpiresAt: Time, now: Time): Resolution {
  return revived<Resolution>(guard(() => native.resolve(lowered(proved(answer)), hashText(paymentHash), seconds(invoiceExpiresAt), seconds(now))));
}

/** Whether a state of an intent may still become paid. */
export function intentStateIsUnresolved(state: IntentState): boolean {
  return guard(() => native.intentStateIsUnresolved(text(state, 'state')));
}

/** Whether a kept credential's readable caveats allow a request at `now`; what can't be read is no reason to leave it out. */
export function tokenFits(token: string, request: RequestFacts, now: Time): boolean {
  return guard(() => native.tokenFits(text(token, 'token'), lowered(checked(request)), seconds(now)));
}

/** Until when a token's caveats let it be used, unix seconds; null where they don't tell. */
export function tokenValidUntil(token: string): number | null {
  return guard(() => native.tokenValidUntil(text(token, 'token')));
}
