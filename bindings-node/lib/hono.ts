/* Charging in Hono. */

import { type ChargeOptions, l402, passageOf } from './gate.js';

export { passageOf };

/** A context of Hono, as far as this has to know it. */
export interface HonoContextLike {
  req: { raw: Request };
  res: Response;
  readonly env: unknown;
}

/**
 * Lets a request on once it is paid for, and each payment once: `app.use(l402Hono({ gate, routes }))`, or with `terms` before one route.
 *
 * Handlers see neither the credential nor `x-l402*` headers; `passageOf(c.req.raw)` is the request's passage. The limit of challenges counts
 * the peer's address where Hono's adapter for Node tells it.
 */
export function l402Hono(options: ChargeOptions): (context: HonoContextLike, next: () => Promise<void>) => Promise<Response | undefined> {
  const shop = l402(options);
  return async (context, next) => {
    const state = { admitted: false };
    const env = context.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined;
    const client = env?.incoming?.socket?.remoteAddress ?? null;
    const response = await shop.handle(
      context.req.raw,
      async (request) => {
        state.admitted = true;
        context.req.raw = request;
        await next();
        return context.res;
      },
      { client },
    );
    if (!state.admitted) return response;
    // In place of the one that the handlers made, whose headers it has.
    (context as { res: Response | undefined }).res = undefined;
    context.res = response;
    return undefined;
  };
}
