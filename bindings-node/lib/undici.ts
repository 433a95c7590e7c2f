/* Paying with undici: an interceptor for any of its dispatchers. */

import type { Dispatcher } from 'undici';

import { Driver, type DriverOptions, isL402, type Call, type HttpStep } from './driver.js';
import type { Outcome } from './types.js';

type Handler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;
type Headers = Record<string, string | string[] | undefined>;

/** Told of each call that ends in a response: which credential it carried, and the receipt. */
export type OnOutcome = (outcome: Outcome, request: { readonly method: string; readonly url: string }) => void;

/**
 * An interceptor that pays where the server asks and the policy allows: `new Agent().compose(l402Interceptor({ wallet }))`.
 *
 * Compose it after the redirect interceptor, so that it is asked first and once for each request:
 * `new Agent().compose(interceptors.redirect({ maxRedirections: 5 }), l402Interceptor(options))` sends no credential over a redirect, since
 * then redirects are followed below it, without one. The responses that are not 402 stream through untouched. Bodies that are streams are
 * sent once, and never paid for.
 *
 * @example
 * ```js
 * const agent = new Agent().compose(l402Interceptor({ wallet: wallet('lnd://…'), maxPaymentMsat: 100_000n }));
 * const { body } = await request('https://api.example/v1/demo', { dispatcher: agent });
 * ```
 */
export function l402Interceptor(options: (DriverOptions | Driver) & { readonly onOutcome?: OnOutcome }): Dispatcher.DispatcherComposeInterceptor {
  const driver = options instanceof Driver ? options : new Driver(options);
  return (dispatch) => (opts, handler) => {
    if (headerLines(opts.headers, 'authorization').some(isL402)) return dispatch(opts, handler);
    void new Exchange(dispatch, driver, opts, handler, options.onOutcome).run();
    return true;
  };
}

/** One response's head, with what goes on from there. */
interface Head {
  readonly controller: Controller;
  readonly status: number;
  readonly headers: Headers;
  readonly message: string | undefined;
}

/** One request, until its response streams to the caller's handler. */
class Exchange {
  readonly #dispatch: Dispatcher['dispatch'];
  readonly #driver: Driver;
  readonly #opts: Dispatcher.DispatchOptions;
  readonly #handler: Handler;
  readonly #onOutcome: OnOutcome | undefined;
  #attempt: Attempt | null = null;
  #failure: Error | null = null;
  #started = false;
  #aborted: Error | null = null;

  constructor(
    dispatch: Dispatcher['dispatch'],
    driver: Driver,
    opts: Dispatcher.DispatchOptions,
    handler: Handler,
    onOutcome: OnOutcome | undefined,
  ) {
    this.#dispatch = dispatch;
    this.#driver = driver;
    this.#opts = opts;
    this.#handler = handler;
    this.#onOutcome = onOutcome;
  }

  async run(): Promise<void> {
    let call: Call | undefined;
    try {
      const url = new URL(this.#opts.path, String(this.#opts.origin));
      call = await this.#driver.call(this.#driver.request(this.#opts.method, url, replayable(this.#opts.body)));
      let step = await this.#driver.nextStep(call);
      while (step.type !== 'done') step = await this.#http(call, step);
      this.#onOutcome?.(step.outcome, { method: this.#opts.method, url: url.href });
      this.#attempt?.release();
    } catch (error) {
      this.#attempt?.discard();
      const reason = this.#aborted ?? this.#failure ?? error;
      this.#fail(reason instanceof Error ? reason : new Error(String(reason)));
    } finally {
      void call?.close();
    }
  }

  async #http(call: Call, step: HttpStep): Promise<HttpStep> {
    if (this.#aborted !== null) throw this.#aborted;
    if (step.type === 'read_body') {
      await call.bodyRead((await this.#attempt?.body(step.maxBytes)) ?? null);
    } else if (step.type === 'send_request') {
      this.#attempt?.discard();
      this.#attempt = new Attempt(this.#handler, (controller, context) => {
        this.#start(controller, context);
      });
      const { headers } = this.#opts;
      const sent = { ...this.#opts, headers: withCredential(headers, step.authorization) } as Dispatcher.DispatchOptions;
      // Below it, a redirect would carry the credential along.
      if (step.authorization !== null) (sent as { maxRedirections?: number }).maxRedirections = 0;
      try {
        this.#dispatch(sent, this.#attempt);
        const head = await this.#attempt.head;
        await call.responded({
          status: head.status,
          wwwAuthenticate: [head.headers['www-authenticate'] ?? []].flat(),
          xL402: [head.headers['x-l402'] ?? []].flat()[0] ?? null,
          redirected: this.#attempt.redirected && step.authorization === null,
        });
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error(String(error));
        await call.sendFailed(this.#failure.name);
      }
    }
    try {
      return await this.#driver.nextStep(call);
    } catch (error) {
      // A payment is more than what undici has to say.
      if ((error as { code?: string }).code !== 'transport') this.#failure = null;
      throw error;
    }
  }

  /** The caller's handler is told of the start once, however often it is sent. */
  #start(controller: Controller, context: unknown): void {
    if (this.#started) return;
    this.#started = true;
    this.#handler.onRequestStart?.(
      {
        get aborted() {
          return controller.aborted;
        },
        get paused() {
          return controller.paused;
        },
        get reason() {
          return controller.reason;
        },
        pause: () => this.#attempt?.controller?.pause(),
        resume: () => this.#attempt?.controller?.resume(),
        abort: (reason: Error) => {
          this.#aborted = reason;
          this.#attempt?.controller?.abort(reason);
        },
      },
      context,
    );
  }

  #fail(error: Error): void {
    // Where nothing was sent, there is nothing to pause.
    const controller = this.#attempt?.controller ?? { aborted: true, paused: false, reason: error, pause: nothing, resume: nothing, abort: nothing };
    this.#start(controller, {});
    this.#handler.onResponseError?.(controller, error);
  }
}

function nothing(): void {
  // Of a request that was not sent.
}

/** One time that the request is sent: holds its response back until it is known whose it is. */
class Attempt implements Handler {
  controller: Controller | null = null;
  /** The head of its response. */
  readonly head: Promise<Head>;
  redirected = false;
  readonly #outer: Handler;
  readonly #start: (controller: Controller, context: unknown) => void;
  #known!: (head: Head) => void;
  #broke!: (error: Error) => void;
  #got: Head | null = null;
  #chunks: Buffer[] = [];
  #size = 0;
  #end: Record<string, unknown> | null = null;
  #error: Error | null = null;
  #wanted: { most: number; done: (body: Buffer | null) => void } | null = null;
  #state: 'held' | 'released' | 'discarded' = 'held';

  constructor(outer: Handler, start: (controller: Controller, context: unknown) => void) {
    this.#outer = outer;
    this.#start = start;
    this.head = new Promise((resolve, reject) => {
      this.#known = resolve;
      this.#broke = reject;
    });
    this.head.catch(() => undefined);
  }

  onRequestStart(controller: Controller, context: { history?: unknown[] } | undefined): void {
    this.controller = controller;
    // The redirect interceptor's own handler starts again for each hop.
    this.redirected = (context?.history?.length ?? 0) > 0;
    this.#start(controller, context);
  }

  onResponseStart(controller: Controller, status: number, headers: Headers, message?: string): void {
    if (status < 200) return;
    this.#got = { controller, status, headers, message };
    // Nothing more comes until it is known what becomes of this.
    controller.pause();
    this.#known(this.#got);
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#state === 'released') {
      this.#outer.onResponseData?.(controller, chunk);
      return;
    }
    if (this.#state === 'discarded') {
      this.#size += chunk.length;
      if (this.#size > 65_536) controller.abort(new Error('the rest of a 402 is not wanted'));
      return;
    }
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#wanted !== null && this.#size > this.#wanted.most) this.#give(null);
    if (this.#wanted === null) controller.pause();
  }

  onResponseEnd(controller: Controller, trailers: Record<string, unknown>): void {
    if (this.#state === 'released') this.#outer.onResponseEnd?.(controller, trailers as never);
    this.#end = trailers;
    this.#give(Buffer.concat(this.#chunks));
  }

  onResponseError(controller: Controller, error: Error): void {
    if (this.#state === 'released') this.#outer.onResponseError?.(controller, error);
    this.#error = error;
    this.#broke(error);
    this.#give(null);
  }

  /** The body as far as `most` bytes, or null where it is longer or breaks off. */
  async body(most: number): Promise<Buffer | null> {
    if (this.#error !== null || this.#size > most) return null;
    if (this.#end !== null) return Buffer.concat(this.#chunks);
    return new Promise((done) => {
      this.#wanted = { most, done };
      this.controller?.resume();
    });
  }

  #give(body: Buffer | null): void {
    const wanted = this.#wanted;
    this.#wanted = null;
    if (body === null && this.#state === 'held') this.controller?.pause();
    wanted?.done(body);
  }

  /** Gives the response to the caller's handler. */
  release(): void {
    if (this.#got === null) return;
    this.#state = 'released';
    const { controller, status, headers, message } = this.#got;
    this.#outer.onResponseStart?.(controller, status, headers, message);
    for (const chunk of this.#chunks) this.#outer.onResponseData?.(controller, chunk);
    this.#chunks = [];
    if (this.#end !== null) this.#outer.onResponseEnd?.(controller, this.#end as never);
    else if (this.#error !== null) this.#outer.onResponseError?.(controller, this.#error);
    else controller.resume();
  }

  /** Lets a short rest run off, for the sake of the connection. */
  discard(): void {
    if (this.#state !== 'held') return;
    this.#state = 'discarded';
    this.#chunks = [];
    if (this.#end === null && this.#error === null) this.controller?.resume();
  }
}

type Given = Dispatcher.DispatchOptions['headers'];

/** Names and values of whatever undici takes for headers. */
function pairs(headers: Given): [string, string][] {
  if (headers === null || headers === undefined) return [];
  const found: [string, string][] = [];
  const add = (name: unknown, value: unknown): void => {
    if (value === undefined || value === null) return;
    for (const one of [value].flat() as unknown[]) found.push([String(name), String(one)]);
  };
  if (Array.isArray(headers)) {
    for (let i = 0; i + 1 < headers.length; i += 2) add(headers[i], headers[i + 1]);
  } else if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<[string, unknown]>) add(name, value);
  } else {
    for (const [name, value] of Object.entries(headers)) add(name, value);
  }
  return found;
}

function headerLines(headers: Given, name: string): string[] {
  return pairs(headers)
    .filter(([one]) => one.toLowerCase() === name)
    .map(([, value]) => value);
}

/** Flat, as undici takes them: the credential is the first such line. */
function withCredential(headers: Given, authorization: string | null): string[] {
  const given = pairs(headers);
  const understands = given.some(([name]) => name.toLowerCase() === 'accept-authenticate');
  return [
    // Some servers challenge only who says that they understand it.
    ...(understands ? [] : ['accept-authenticate', 'L402']),
    ...(authorization === null ? [] : ['authorization', authorization]),
    ...given.flat(),
  ];
}

/** A body that can be sent again, or null. */
function replayable(body: unknown): Uint8Array | null {
  if (body === null || body === undefined) return new Uint8Array();
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  return body instanceof Uint8Array ? body : null;
}
