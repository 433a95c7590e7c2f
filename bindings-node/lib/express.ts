/* Charging in Express, or any other server with its kind of middleware. */

import type { IncomingMessage, ServerResponse } from 'node:http';

import { bodyLimit, type ChargeOptions, passageOf, priced, pricerOf, setPassage } from './gate.js';
import { finish, peek, rawHeaders, refuse, splitTarget, strip } from './server.js';

export { passageOf };

/** A request of Express, as far as this has to know it. */
export type ExpressRequest = IncomingMessage & { originalUrl?: string; baseUrl?: string; ip?: string | undefined };
/** A middleware of Express. */
export type ExpressMiddleware = (request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * Lets a request on once it is paid for, and each payment once.
 *
 * With `routes` it stands before the whole application, `app.use(l402Express({ gate, routes }))`: what matches no route is 404. Express
 * compares paths without regard to case and to a final slash; this doesn't, and so gives nothing away. With `terms` it stands before one
 * route, `app.get('/v1/report', l402Express({ gate, terms }), handler)`, whatever way that was reached.
 *
 * Handlers see the normalized path, and neither the credential nor `x-l402*` headers; `passageOf(req)` is the request's passage.
 */
export function l402Express(options: ChargeOptions): ExpressMiddleware {
  const price = pricerOf(options);
  const charge = async (request: ExpressRequest, response: ServerResponse): Promise<boolean> => {
    const method = request.method ?? 'GET';
    const { path: raw, query } = splitTarget(request.originalUrl ?? request.url ?? '/');
    const { path, terms } = priced(price, method, raw);
    const limit = bodyLimit(terms, method);
    const body = limit === null ? null : await peek(request, limit);
    const client = request.ip ?? request.socket.remoteAddress ?? null;
    const entered = await options.gate.enter({ method, target: path + query, headers: rawHeaders(request), terms, body, client });
    if (!entered.admitted) {
      refuse(request, response, entered);
      return false;
    }
    const base = request.baseUrl ?? '';
    if (options.terms === undefined && entered.target.startsWith(base)) {
      const rest = entered.target.slice(base.length);
      request.url = rest.startsWith('/') ? rest : `/${rest}`;
      request.originalUrl = entered.target;
    }
    strip(request, entered);
    setPassage(request, entered);
    finish(response, entered);
    // From here it is spent, whatever the handlers make of it.
    entered.forward();
    return true;
  };
  return (request, response, next) => {
    charge(request, response).then(
      (admitted) => {
        if (admitted) next();
      },
      (error: unknown) => {
        next(error);
      },
    );
  };
}
