/* Charging: the gate that decides, the table of prices, and the passage of one request, for the middlewares. */

import { guard, guardAsync } from './guard.js';
import { native, type NativeAdmitted, type NativeGate } from './native.js';
import { PathError } from './errors.js';
import { lowered } from './plain.js';
import type { Code, Network } from './types.js';
import { PaymentHash } from './values.js';
import { normalizePath } from './wire.js';

/** A route that costs nothing. */
export const FREE = 'free';
/** No such route: 404, and the application never sees the request. */
export const NOT_FOUND = 'not_found';

/** The terms of a paid request: what its challenge asks for, and what its credential must show. */
export interface Terms {
  /** The service's name, `[a-z0-9-]+`. */
  readonly service: string;
  /** The price now; an invoice rounds it up to the node's unit. */
  readonly priceMsat: bigint;
  /** The service's tier; 0 where it is left out. */
  readonly tier?: number;
  /** The lowest price that this request had during the last validity window: what was paid then is still good. */
  readonly lowestPriceMsat?: bigint;
  /** How many requests one payment buys; 1 where it is left out. */
  readonly uses?: number;
  /** Whether a credential holds for the exact query only. */
  readonly bindsQuery?: boolean;
  /** Whether a credential holds for the exact body only, and then how many bytes a body may have. */
  readonly bindsBody?: number | null;
  /** The capability that a credential must hold and that a minted one gets. */
  readonly capability?: string;
  /** How long a credential is valid, seconds; one hour where it is left out. */
  readonly validitySeconds?: number;
  /** The invoice's description, at most 639 bytes; the service's name where it is left out. */
  readonly memo?: string;
}

/** What a route costs. */
export type Pricing = Terms | typeof FREE | typeof NOT_FOUND;
/** Knows the price of a method and a normalized path. */
export type Pricer = (method: string, path: string) => Pricing;
/** Names and values, in their order. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

/** What a {@link Gate} is opened with. */
export interface GateOptions {
  /** The node that issues invoices, such as `lnd://host:8080?cert=FILE&macaroon=FILE`. */
  readonly node: string;
  /** The node's network. */
  readonly network: Network;
  /** How many challenges one client gets a minute, after a first burst of as many; no limit where it is left out. */
  readonly challengesPerMinute?: number;
  /** How long invoices can be paid, seconds; 600 where it is left out, and at least 360. */
  readonly invoiceExpirySeconds?: number;
  /** How long a challenge may wait for the node, seconds; 5 where it is left out. */
  readonly invoiceDeadline?: number;
  /** How long a request may wait for the spend store, seconds; 5 where it is left out. */
  readonly storeDeadline?: number;
  /** Refuses caveats with conditions that are not known, instead of skipping them. */
  readonly strict?: boolean;
  /**
   * How many invoices are kept ahead of demand for each price at most, twice as many as were asked for, also in the store's folder, so that a challenge does not
   * wait for the node; none where it is left out.
   */
  readonly invoicePool?: number;
  /** Asks the node, besides the preimage, that the invoice is settled: what is not yet is answered with 503. */
  readonly requireSettled?: boolean;
}

/** A request at the gate. */
export interface GateRequest {
  readonly method: string;
  /** Path and query, as they came. */
  readonly target: string;
  readonly headers: HeaderPairs;
  /** What it costs, decided by the normalized path. */
  readonly terms: Pricing;
  /** The whole body, where the terms bind it. */
  readonly body?: Uint8Array | null;
  /** The client's address, for the limit of challenges. */
  readonly client?: string | null;
}

/** The finished answer to a request that may not go on. */
export interface Refused {
  readonly admitted: false;
  readonly status: number;
  /** The challenge is the first. */
  readonly headers: HeaderPairs;
  readonly body: Buffer;
  /** Why, as docs/PROTOCOL.md §3 has it. */
  readonly code: Code | null;
}

/**
 * Price → challenge → verify → spend, for one keyring and its store (docs/PROTOCOL.md §3). Several processes of a machine share one store.
 *
 * @example
 * ```js
 * const gate = await Gate.open('/var/lib/reports', { node: 'lnd://127.0.0.1:8080?cert=tls.cert&macaroon=invoice.macaroon', network: 'bitcoin' });
 * ```
 */
export class Gate {
  readonly #made: NativeGate;

  private constructor(made: NativeGate) {
    this.#made = made;
  }

  /**
   * Opens a gate.
   *
   * @param store a folder, or a URL such as `sqlite:/var/lib/reports`, in which keyring and spent set are made at the first start
   * @throws {@link KeyringError}, {@link GateConfigError}, {@link LightningError}
   */
  static async open(store: string, options: GateOptions): Promise<Gate> {
    const settings = lowered({
      store,
      node: options.node,
      network: options.network,
      challengesPerMinute: options.challengesPerMinute ?? null,
      invoiceExpirySeconds: options.invoiceExpirySeconds ?? 600,
      invoiceDeadline: options.invoiceDeadline ?? 5,
      storeDeadline: options.storeDeadline ?? 5,
      strict: options.strict ?? false,
      invoicePool: options.invoicePool ?? 0,
      requireSettled: options.requireSettled ?? false,
    });
    return new Gate(await guardAsync(() => native.openGate(settings)));
  }

  /** How many uses are still to be given back in the background. */
  get pendingReleases(): number {
    return this.#made.pendingReleases();
  }

  /** Decides about a request: its admission, of which one use is spent, or the finished answer. */
  async enter(request: GateRequest): Promise<Passage | Refused> {
    const { method, target, headers, terms, body, client } = request;
    const told = typeof terms === 'string' ? terms : { ...DEFAULTS, ...terms };
    const entered = await guardAsync(() => this.#made.enter(method, target, headers.flat(), lowered(told), body ?? undefined, client ?? undefined));
    const refused = entered.refused();
    if (refused !== null) {
      const { status, headers, code } = JSON.parse(refused) as { status: number; headers: string[]; code: Code | null };
      return { admitted: false, status, headers: paired(headers), body: entered.body(), code };
    }
    const admitted = entered.admitted();
    if (admitted === null) throw new Error('an admission is taken once');
    return new Passage(admitted);
  }
}

const DEFAULTS = { tier: 0, uses: 1, bindsQuery: false, validitySeconds: 3_600 };

function paired(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? '', flat[2 * i + 1] ?? '']);
}

/** A request on its way through an application, and the use that it spends. Until it is forwarded, the use is given back where it is dropped. */
export class Passage {
  readonly admitted = true;
  /** The normalized path, and the query. */
  readonly target: string;
  /** The request's headers without our credential, names in lower case. */
  readonly headers: HeaderPairs;
  /** The payment that it is a use of; null for a free request. */
  readonly paymentHash: PaymentHash | null;
  /** Uses that are left after it; null for a free request. */
  readonly remaining: number | null;
  readonly #made: NativeAdmitted;

  /** @internal */
  constructor(made: NativeAdmitted) {
    this.#made = made;
    this.target = made.target();
    this.headers = paired(made.headers());
    const grant = JSON.parse(made.grant() ?? 'null') as { paymentHash: string; remaining: number } | null;
    this.paymentHash = grant === null ? null : new PaymentHash(grant.paymentHash);
    this.remaining = grant?.remaining ?? null;
  }

  /** The request goes on now: from here the use is spent. */
  forward(): void {
    this.#made.forward();
  }

  /** Says, before the response begins, that no byte of the request was written to any upstream: the use is given back. */
  async notReached(): Promise<void> {
    await guardAsync(() => this.#made.notReached());
  }

  /** The answer's headers as docs/PROTOCOL.md §3 wants them. */
  answer(headers: HeaderPairs): HeaderPairs {
    return paired(guard(() => this.#made.answer(headers.flat())));
  }
}

/**
 * A path as applications route it: with only those escapes that one could tell from none, so that one resource has one price, however it was
 * written. What the gate refuses stays as it is.
 *
 * @internal
 */
export function routed(rawPath: string): string {
  try {
    const path = decodeURIComponent(normalizePath(rawPath));
    const escaped = path.split('/').map((part) => encodeURIComponent(part).replace(/%(3A|40|24|26|2B|2C|3B|3D)/g, decodeURIComponent));
    return normalizePath(escaped.join('/'));
  } catch {
    return rawPath;
  }
}

/**
 * A table of routes: `'/v1/report'`, a final `*` for all paths that begin so, or with a method, `'POST /v1/*'`. The longest pattern that
 * matches counts, one with a method before one without. Paths are compared in their normalized form (docs/PROTOCOL.md §2), case and a final
 * slash included.
 *
 * @param otherwise what a request is that no route matches; {@link NOT_FOUND} where it is left out, so that a slip gives nothing away
 * @example
 * ```js
 * const price = routes({ '/v1/*': { service: 'demo', priceMsat: 21_000n }, '/v1/status': FREE });
 * price('GET', '/v1/status') // 'free'
 * price('GET', '/V1/status') // 'not_found'
 * ```
 */
export function routes(table: Readonly<Record<string, Pricing>>, otherwise: Pricing = NOT_FOUND): Pricer {
  const exact = new Map<string, Pricing>();
  const prefixes: { readonly path: string; readonly method: string | null; readonly pricing: Pricing }[] = [];
  for (const [pattern, pricing] of Object.entries(table)) {
    const [path = '', ...before] = pattern.split(' ').reverse();
    const method = before.reverse().join(' ').trim().toUpperCase() || null;
    const prefix = path.endsWith('*');
    const plain = prefix ? path.slice(0, -1) : path;
    if (!plain.startsWith('/') || normalizePath(plain) !== plain) {
      throw new TypeError(`the route '${pattern}' is not in the normalized form of a path`);
    }
    const known: unknown[] = [FREE, NOT_FOUND];
    if (typeof pricing !== 'object' && !known.includes(pricing)) {
      throw new TypeError("a route's terms are an object, FREE or NOT_FOUND");
    }
    if (prefix) prefixes.push({ path: routed(plain), method, pricing });
    else exact.set(`${method ?? ''} ${routed(plain)}`, pricing);
  }
  prefixes.sort((a, b) => b.path.length - a.path.length || Number(a.method === null) - Number(b.method === null));
  return (method, path) =>
    exact.get(`${method} ${path}`) ??
    exact.get(` ${path}`) ??
    prefixes.find((route) => path.startsWith(route.path) && (route.method ?? method) === method)?.pricing ??
    otherwise;
}

/** What a middleware charges by: a table or a function for all paths, or the terms of the route that it stands before. */
export interface ChargeOptions {
  /** The gate that decides. */
  readonly gate: Gate;
  /** Prices by path: a table as {@link routes} takes it, or a function of method and normalized path. */
  readonly routes?: Readonly<Record<string, Pricing>> | Pricer;
  /** One price for everything that comes here. */
  readonly terms?: Terms;
  /** What a request is that no route of a table matches. */
  readonly otherwise?: Pricing;
}

/** @internal The pricer of a middleware's options. */
export function pricerOf(options: ChargeOptions): Pricer {
  const { terms, routes: given } = options;
  if ((terms === undefined) === (given === undefined)) throw new TypeError('a middleware has either routes or terms');
  if (terms !== undefined) return () => terms;
  return typeof given === 'function' ? given : routes(given ?? {}, options.otherwise);
}

/** @internal A request's path as it is routed and priced, and its terms. A HEAD asks for what its GET costs. */
export function priced(price: Pricer, method: string, rawPath: string): { readonly path: string; readonly terms: Pricing } {
  const path = routed(rawPath);
  try {
    normalizePath(path);
  } catch (error) {
    // The gate says so itself.
    if (error instanceof PathError) return { path, terms: NOT_FOUND };
    throw error;
  }
  const terms = price(method, path);
  return { path, terms: method === 'HEAD' && terms === NOT_FOUND ? price('GET', path) : terms };
}

/** @internal Whether the gate has to see the body, and then how many bytes at most. */
export function bodyLimit(terms: Pricing, method: string): number | null {
  return typeof terms === 'string' || method === 'HEAD' ? null : (terms.bindsBody ?? null);
}

const passages = new WeakMap<object, Passage>();

/** The passage of a request that a middleware let in: the request as the framework hands it to its handlers; null where there is none. */
export function passageOf(request: object): Passage | null {
  return passages.get(request) ?? null;
}

/** @internal */
export function setPassage(request: object, passage: Passage): void {
  passages.set(request, passage);
}

/** What {@link l402} takes with a request. */
export interface HandleOptions {
  /** The client's address, for the limit of challenges. */
  readonly client?: string | null;
}

/**
 * Charging for any server on the web's `Request` and `Response`: what `handle` is given goes on to `next` once it is paid for, with the
 * normalized path and without the credential.
 *
 * `Headers` write names in lower case; on HTTP/1.1 some clients look for `WWW-Authenticate` spelled so, which the adapters for Node's own
 * servers see to.
 *
 * @example
 * ```js
 * const shop = l402({ gate, routes: { '/v1/report': { service: 'reports', priceMsat: 21_000n } } });
 * const response = await shop.handle(request, (request) => new Response('the report'));
 * ```
 */
export function l402(options: ChargeOptions): {
  handle(request: Request, next: (request: Request) => Response | Promise<Response>, more?: HandleOptions): Promise<Response>;
} {
  const price = pricerOf(options);
  return {
    async handle(request, next, more = {}) {
      const url = new URL(request.url);
      const { path, terms } = priced(price, request.method, url.pathname);
      const limit = bodyLimit(terms, request.method);
      const body = limit === null ? null : await limited(request.body, limit);
      const target = path + (url.search === '' ? '' : url.search);
      const entered = await options.gate.enter({
        method: request.method,
        target,
        headers: [...request.headers],
        terms,
        body,
        client: more.client ?? null,
      });
      if (!entered.admitted) {
        const content = request.method === 'HEAD' ? null : (entered.body as BodyInit);
        return new Response(content, { status: entered.status, headers: entered.headers as [string, string][] });
      }
      const forwarded = new Request(new URL(entered.target, url), {
        method: request.method,
        headers: entered.headers as [string, string][],
        body: body ?? (request.body as BodyInit | null),
        signal: request.signal,
        ...(request.body === null ? {} : { duplex: 'half' }),
      });
      setPassage(forwarded, entered);
      entered.forward();
      const response = await next(forwarded);
      const headers = new Headers(entered.answer([...response.headers]) as [string, string][]);
      return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
    },
  };
}

/** A bound body, one chunk more than its limit at most. */
async function limited(stream: ReadableStream<Uint8Array> | null, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (stream !== null) {
    const reader = stream.getReader();
    while (size <= limit) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.length;
    }
    if (size > limit) void reader.cancel().catch(() => undefined);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
