/* Charging in Fastify. */

import type { IncomingMessage, ServerResponse } from 'node:http';

import { bodyLimit, type ChargeOptions, passageOf, priced, pricerOf, setPassage, type Terms } from './gate.js';
import { finish, peek, rawHeaders, refuse, splitTarget, strip } from './server.js';

export { passageOf };

/** A request of Fastify, as far as this has to know it. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  readonly ip: string;
  readonly routeOptions: { readonly config: object };
}
/** A reply of Fastify, as far as this has to know it. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse;
  hijack(): unknown;
}
/** An instance of Fastify, as far as this has to know it. */
export interface FastifyInstanceLike {
  addHook(name: 'onRequest', hook: (request: never, reply: never) => Promise<unknown>): unknown;
}

/** What {@link l402Fastify} takes: `routes` for the whole application, or nothing but the gate, where routes have terms of their own. */
export type FastifyChargeOptions = Omit<ChargeOptions, 'terms'>;

/**
 * A plugin that lets a request on once it is paid for, and each payment once: `await app.register(l402Fastify, { gate, routes })`, or without
 * `routes` and `app.get('/v1/report', { config: { l402: { service: 'reports', priceMsat: 21_000n } } }, handler)`; then routes without terms
 * are free.
 *
 * Handlers see neither the credential nor `x-l402*` headers; `passageOf(request.raw)` is the request's passage. What `reply.raw` answers is
 * rewritten, too.
 */
export function l402Fastify(app: FastifyInstanceLike, options: FastifyChargeOptions, done?: (error?: Error) => void): void {
  const price = options.routes === undefined ? null : pricerOf(options);
  app.addHook('onRequest', async (request: FastifyRequestLike, reply: FastifyReplyLike) => {
    const { raw } = request;
    const method = raw.method ?? 'GET';
    const { path: target, query } = splitTarget(raw.url ?? '/');
    const own = (request.routeOptions.config as { l402?: Terms }).l402;
    const { path, terms } = priced(price ?? (() => own ?? 'free'), method, target);
    const limit = bodyLimit(terms, method);
    const body = limit === null ? null : await peek(raw, limit);
    const entered = await options.gate.enter({ method, target: path + query, headers: rawHeaders(raw), terms, body, client: request.ip });
    if (!entered.admitted) {
      reply.hijack();
      refuse(raw, reply.raw, entered);
      return;
    }
    strip(raw, entered);
    setPassage(raw, entered);
    finish(reply.raw, entered);
    // From here it is spent, whatever the handlers make of it.
    entered.forward();
  });
  done?.();
}
// Its hooks are for the whole application, and not for a scope of the plugin's own.
Object.assign(l402Fastify, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'plannt' });
