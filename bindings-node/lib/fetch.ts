/* Paying with fetch. */

import { Driver, type DriverOptions, isL402, MAX_DRAINED_BYTES, type Call, type HttpStep } from './driver.js';
import { NotDeliveredError, RedirectedError, RedirectFailedError, TransportError } from './errors.js';
import { readChallenge } from './wire.js';
import type { Outcome, Quote, Receipt } from './types.js';

/** A function like `fetch`. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

const outcomes = new WeakMap<Response, Outcome>();

/**
 * A `fetch` that pays where the server asks and the policy allows.
 *
 * The typed errors of this package come out of it; so does whatever `fetch` rejects with, where nothing was paid. A credential never follows
 * a redirect; a 402 after a redirect is not paid. A request with an L402 credential of its own is sent as it is. Bodies are sent twice, so a
 * `ReadableStream` is never paid for. Aborted while the wallet pays, the payment is journaled all the same, and the next call with the same
 * request presents it.
 *
 * @param fetch the function that sends; the global one is fine
 * @example
 * ```js
 * const pay = l402Fetch(fetch, { wallet: wallet('lnd://…'), budget: [BudgetRule.perDay(100_000n)] });
 * const response = await pay('https://api.example/v1/demo');
 * ```
 */
export function l402Fetch(fetch: Fetch, options: DriverOptions | Driver): Fetch {
  const driver = options instanceof Driver ? options : new Driver(options);
  return (input, init) => new Exchange(fetch, driver, input, init).run();
}

/**
 * Asks what a request would cost, and pays nothing: the quote, or the response where the server asks for no payment.
 *
 * @example
 * ```js
 * const { quote } = await quoteFetch(fetch, options, 'https://api.example/v1/demo');
 * ```
 */
export async function quoteFetch(
  fetch: Fetch,
  options: DriverOptions | Driver,
  input: string | URL | Request,
  init?: RequestInit,
): Promise<{ readonly quote: Quote | null; readonly response: Response }> {
  const driver = options instanceof Driver ? options : new Driver(options);
  return new Exchange(fetch, driver, input, init).quote();
}

/** Which credential a request carried, and the receipt of the payment that bought it; null where no driver saw it. */
export function outcomeOf(response: Response): Outcome | null {
  return outcomes.get(response) ?? null;
}

/** One request and its last response. */
class Exchange {
  readonly #fetch: Fetch;
  readonly #driver: Driver;
  readonly #input: string | URL | Request;
  readonly #init: RequestInit;
  /** Method, URL, headers, mode and signal, as fetch reads them. */
  readonly #request: Request;
  /** The body, where it can be sent again. */
  #body: Uint8Array | null = null;
  #response: Response | null = null;
  #failure: unknown;

  constructor(fetch: Fetch, driver: Driver, input: string | URL | Request, init: RequestInit = {}) {
    this.#fetch = fetch;
    this.#driver = driver;
    this.#input = input;
    this.#init = init;
    this.#request = new Request(input, this.#once() ? { ...init, body: null } : init);
  }

  /** Whether the body is a stream that is gone once sent. */
  #once(): boolean {
    const { body } = this.#init;
    return body instanceof ReadableStream || (body !== null && typeof body === 'object' && Symbol.asyncIterator in body);
  }

  async run(): Promise<Response> {
    if (isL402(this.#request.headers.get('authorization') ?? '')) return this.#fetch(this.#input, this.#init);
    const call = await this.#begin(false);
    let step = await this.#step(call, () => this.#driver.nextStep(call));
    for (;;) {
      if (step.type === 'done') {
        void call.close();
        return await this.#finish(step.outcome);
      }
      step = await this.#step(call, await this.#http(call, step));
    }
  }

  async quote(): Promise<{ readonly quote: Quote | null; readonly response: Response }> {
    this.#request.headers.delete('authorization');
    const call = await this.#begin(true);
    try {
      for (;;) {
        const step = await this.#driver.nextStep(call);
        if (step.type === 'done' || step.type === 'quoted') {
          return { quote: step.type === 'quoted' ? step.quote : null, response: this.#last() };
        }
        await (
          await this.#http(call, step)
        )();
      }
    } finally {
      void call.close();
    }
  }

  async #begin(dryRun: boolean): Promise<Call> {
    const { signal } = this.#request;
    signal.throwIfAborted();
    if (!this.#once()) this.#body = new Uint8Array(await this.#request.arrayBuffer());
    const facts = this.#driver.request(this.#request.method, new URL(this.#request.url), this.#body);
    return this.#driver.call(facts, { dryRun });
  }

  #last(): Response {
    if (this.#response === null) throw new Error('a call is done only after a response');
    return this.#response;
  }

  /** Does a step of HTTP's, and gives what goes on from there. */
  async #http(call: Call, step: HttpStep): Promise<() => Promise<HttpStep>> {
    const next = () => this.#driver.nextStep(call);
    if (step.type === 'read_body') {
      await call.bodyRead(await read(this.#last(), step.maxBytes));
      return next;
    }
    if (step.type !== 'send_request') throw new Error(`nothing of HTTP's: ${step.type}`);
    if (this.#response !== null) await drain(this.#response);
    try {
      this.#response = await this.#send(step.authorization);
    } catch (error) {
      this.#failure = error;
      await call.sendFailed(error instanceof Error ? error.name : 'no response');
      return next;
    }
    const { status, headers, redirected } = this.#response;
    const line = headers.get('www-authenticate');
    // A redirect that is not shown is one all the same: status 0.
    await call.responded({
      status: status === 0 ? 302 : status,
      wwwAuthenticate: line === null ? [] : [line],
      xL402: headers.get('x-l402'),
      redirected: redirected && step.authorization === null,
    });
    return next;
  }

  async #send(authorization: string | null): Promise<Response> {
    const headers = new Headers(this.#request.headers);
    // Some servers challenge only who says that they understand it.
    if (!headers.has('accept-authenticate')) headers.set('accept-authenticate', 'L402');
    // In place of the caller's own: fetch writes one line of a name, and two credentials in one are none.
    if (authorization !== null) headers.set('authorization', authorization);
    const init: RequestInit = { ...this.#init, method: this.#request.method, headers, signal: this.#request.signal };
    // The credential goes no further than the first answer.
    init.redirect = authorization === null ? this.#request.redirect : 'manual';
    if (!this.#once()) init.body = this.#body === null || this.#body.length === 0 ? null : (this.#body as BodyInit);
    return this.#fetch(this.#request.url, init);
  }

  /**
   * Goes on with a call, but for as long as the caller wants to wait: what was begun with the wallet is journaled also when nobody waits any
   * more.
   */
  async #step(call: Call, next: () => Promise<HttpStep>): Promise<HttpStep> {
    const { signal } = this.#request;
    const going = next();
    let abort: (() => void) | undefined;
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = () => {
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', abort);
      if (signal.aborted) abort();
    });
    try {
      return await Promise.race([going, aborted]);
    } catch (error) {
      void going.catch(() => undefined).then(() => call.close());
      if (this.#response !== null) void this.#response.body?.cancel().catch(() => undefined);
      throw this.#blamed(error);
    } finally {
      if (abort !== undefined) signal.removeEventListener('abort', abort);
      aborted.catch(() => undefined);
    }
  }

  /** What fetch rejected with, where it says more than the call's error. */
  #blamed(error: unknown): unknown {
    if (this.#failure === undefined) return error;
    if (error instanceof TransportError) return this.#failure;
    if (error instanceof NotDeliveredError) error.cause = this.#failure;
    return error;
  }

  /** Hands the last response back; a redirect that answered the credential is followed without it, where the caller follows redirects. */
  async #finish(outcome: Outcome): Promise<Response> {
    const response = this.#last();
    const location = response.headers.get('location');
    const carried = outcome.credential !== 'none';
    if (!carried || location === null || ![301, 302, 303, 307, 308].includes(response.status) || this.#request.redirect === 'manual') {
      outcomes.set(response, outcome);
      return response;
    }
    const paid = outcome.credential === 'bought' ? outcome.receipt : null;
    if (this.#request.redirect === 'error') throw failed(paid, new TypeError('fetch failed: the server redirects'));
    await drain(response);
    let last: Response;
    try {
      last = await this.#fetch(...this.#after(response.status, new URL(location, response.url || this.#request.url)));
    } catch (error) {
      throw failed(paid, error);
    }
    if (last.status === 402) {
      const line = last.headers.get('www-authenticate');
      if (readChallenge(line === null ? [] : [line], await read(last, MAX_DRAINED_BYTES)) !== null) {
        void last.body?.cancel();
        const message = 'the server asks for payment after a redirect: call the final address itself to pay';
        throw new RedirectedError(message, 'challenge_after_redirect', paid === null ? {} : { receipt: paid });
      }
    }
    outcomes.set(last, outcome);
    return last;
  }

  /** The request after a redirect (RFC 9110 §15.4): fetch follows from there on. */
  #after(status: number, url: URL): [string, RequestInit] {
    const { method } = this.#request;
    const headers = new Headers(this.#request.headers);
    const toGet = (status === 303 && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST');
    if (url.origin !== new URL(this.#request.url).origin) {
      for (const name of ['authorization', 'proxy-authorization', 'cookie', 'host']) headers.delete(name);
    }
    const init: RequestInit = { ...this.#init, method: toGet ? 'GET' : method, headers, signal: this.#request.signal, redirect: 'follow' };
    if (toGet) {
      for (const name of ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location']) headers.delete(name);
    }
    init.body = toGet || this.#body === null || this.#body.length === 0 ? null : (this.#body as BodyInit);
    return [url.href, init];
  }
}

function failed(paid: Receipt | null, cause: unknown): unknown {
  if (paid === null) return cause;
  const error = new RedirectFailedError(
    `paid ${paid.paidMsat} msat and got a redirect, but no answer from where it leads: ask there without paying`,
    'redirect_failed',
    { receipt: paid },
  );
  error.cause = cause;
  return error;
}

/** A body as far as `maxBytes`, or null where it is longer or breaks off; the caller of fetch still gets all of it. */
async function read(response: Response, maxBytes: number): Promise<Uint8Array | null> {
  const reader = response.clone().body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(chunks);
      chunks.push(value);
      size += value.length;
      if (size > maxBytes) {
        // The other branch goes on.
        void reader.cancel().catch(() => undefined);
        return null;
      }
    }
  } catch {
    return null;
  }
}

/** Before the next one: a short body is read, so that its connection is good for more; a long one is given up. */
async function drain(response: Response): Promise<void> {
  const reader = response.body?.getReader();
  let size = 0;
  try {
    while (reader !== undefined && size <= MAX_DRAINED_BYTES) {
      const { done, value } = await reader.read();
      if (done) return;
      size += value.length;
    }
    await reader?.cancel();
  } catch {
    // It broke off, and nobody wants the rest.
  }
}
