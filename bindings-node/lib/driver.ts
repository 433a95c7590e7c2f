/* The paying side for any HTTP stack: a wallet, a policy, a budget and the journal, and the loop over a call's steps. */

import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ConfigError, HexError, LengthError, PaymentFailedError, RequestError } from './errors.js';
import { requestFacts } from './flow.js';
import { guard, guardAsync } from './guard.js';
import { native, type NativeCall, type NativeJournal, type NativeUnfinished } from './native.js';
import { msat } from './check.js';
import { lowered, revived } from './plain.js';
import { Budget, type BudgetRule, FeeLimit, Hosts, Origin, Policy, policyData } from './policy.js';
import type { Network, Outcome, PaymentHashLike, Quote, Receipt, RequestFacts } from './types.js';
import { hashText, PaymentHash, preimageBytes } from './values.js';
import type { PaidInvoice, PayingWallet } from './wallet.js';

/** What one call may cost where nothing else is said: 1,000 sat, fee included. */
export const DEFAULT_MAX_PAYMENT_MSAT = 1_000_000n;

/** How much of a 402's body is read for the sake of its connection, bytes. */
export const MAX_DRAINED_BYTES = 65_536;

/** How long a wallet may take beyond the time that it was told, and for a look-up, seconds. */
const GRACE_SECONDS = 30;

/** How much of a budget rule is used. */
export interface BudgetStatus {
  readonly rule: { readonly limitMsat: bigint; readonly windowSeconds: number | null };
  /** Spent within its window, fees included. */
  readonly spentMsat: bigint;
  /** Reserved by payments that are not resolved. */
  readonly reservedMsat: bigint;
  /** What is left. */
  readonly leftMsat: bigint;
}

/** What became of an unfinished payment. */
export interface Recovered {
  readonly paymentHash: PaymentHash;
  /** `busy` where another call is working on it. */
  readonly state: 'busy' | 'failed' | 'paid' | 'unresolved';
}

/** What a {@link Call} asks of its driver. */
export type CallStep =
  | { readonly type: 'done'; readonly outcome: Outcome; readonly paymentTook: number | null }
  | { readonly type: 'look_up_payment'; readonly paymentHash: PaymentHash }
  | {
      readonly type: 'pay';
      readonly bolt11: string;
      readonly paymentHash: PaymentHash;
      readonly amountMsat: bigint;
      readonly maxFeeMsat: bigint;
      readonly timeout: number;
    }
  | { readonly type: 'quoted'; readonly quote: Quote }
  | { readonly type: 'read_body'; readonly maxBytes: number }
  | { readonly type: 'send_request'; readonly authorization: string | null }
  | { readonly type: 'wait'; readonly seconds: number };

/** What an adapter has to do. */
export type HttpStep = Exclude<CallStep, { type: 'look_up_payment' | 'pay' | 'wait' }>;

/** The head of a response, for {@link Call.responded}. */
export interface ResponseHead {
  readonly status: number;
  /** The values of the `WWW-Authenticate` lines, joined or not. */
  readonly wwwAuthenticate: readonly string[];
  /** The value of `x-l402`. */
  readonly xL402: string | null;
  /** Whether a redirect was followed on the way to it. */
  readonly redirected: boolean;
}

/** @internal What a wallet knows of a payment, as the native part takes it. */
export interface Answer {
  readonly status: 'paid' | 'failed' | 'in_flight' | 'not_found' | 'unknown';
  readonly message?: string;
  readonly preimage?: string;
  readonly feeMsat?: bigint;
}

/**
 * The journal of payments, in one SQLite file that all of a user's processes share. Keyed by payment hash: a hash is paid at most once, ever;
 * every write is on the disk before the promise resolves. It is opened on first use.
 */
export class Journal {
  /** @internal */
  readonly made: NativeJournal;

  constructor(path: string) {
    this.made = guard(() => new native.Journal(path));
  }

  /** The file. */
  get path(): string {
    return this.made.path();
  }

  /** The newest receipts first, at most `limit`. */
  async receipts(limit = 100): Promise<Receipt[]> {
    return revived(await guardAsync(() => this.made.receipts(limit)));
  }

  /** The receipt of one payment, or null. */
  async receipt(paymentHash: PaymentHashLike): Promise<Receipt | null> {
    return revived(await guardAsync(() => this.made.receipt(hashText(paymentHash))));
  }

  /** Replaces the budget that all of the user's processes share. */
  async setBudget(budget: Budget): Promise<void> {
    await guardAsync(() => this.made.setBudget(lowered(budget.rules)));
  }

  /** How much of each rule is used on a network: the journal's own rules, and those of `budget`. */
  async budgetStatus(network: Network, budget = new Budget()): Promise<BudgetStatus[]> {
    return revived(await guardAsync(() => this.made.budgetStatus(network, lowered(budget.rules))));
  }

  /** The hashes of a wallet's payments that are not resolved, oldest first. */
  async unresolved(wallet: string): Promise<PaymentHash[]> {
    return (await guardAsync(() => this.made.unresolved(wallet))).map((hash) => new PaymentHash(hash));
  }

  /** @internal */
  async unfinished(wallet: string, paymentHash: PaymentHash): Promise<NativeUnfinished | null> {
    return guardAsync(() => this.made.unfinished(wallet, String(paymentHash)));
  }
}

/**
 * One paying call, step by step: it does the journal's work by itself, and asks its driver for HTTP and for the wallet. `close()` gives the
 * request's key back to other calls; what is paid or under way stays in the journal.
 */
export class Call {
  readonly #made: NativeCall;

  /** @internal */
  constructor(made: NativeCall) {
    this.#made = made;
  }

  /** Does the journal's steps up to the next one that is the driver's. Rejects with {@link ClientError}, and then the call is over. */
  async advance(): Promise<CallStep> {
    return revived(await guardAsync(() => this.#made.advance()));
  }

  async #answer(answer: object): Promise<void> {
    await guardAsync(() => this.#made.answer(lowered(answer)));
  }

  /** The head of the response came. Rejects with {@link UnexpectedEventError} when the call asked for something else; so do the others. */
  responded(head: ResponseHead): Promise<void> {
    return this.#answer({ type: 'responded', ...head });
  }

  /** No response came. The message has no secrets in it. */
  sendFailed(message: string): Promise<void> {
    return this.#answer({ type: 'send_failed', message });
  }

  /** The last response's body; null where it is longer than was asked for or breaks off. */
  bodyRead(body: Uint8Array | null): Promise<void> {
    return this.#answer({ type: 'body_read', body });
  }

  /** The wallet paid. Where it tells no fee, the maximum is charged. */
  paid(paid: PaidInvoice): Promise<void> {
    const preimage = preimageBytes(paid.preimage).toString('hex');
    const fee = paid.feeMsat === null || paid.feeMsat === undefined ? null : msat(paid.feeMsat, 'feeMsat');
    return this.#answer({ type: 'paid', preimage, feeMsat: fee });
  }

  /** The payment certainly failed, and nothing is in flight. */
  paymentFailed(message: string, code = 'rejected'): Promise<void> {
    return this.#answer({ type: 'payment_failed', message, code });
  }

  /** It is not known whether the wallet paid. */
  paymentUnknown(message: string): Promise<void> {
    return this.#answer({ type: 'payment_unknown', message });
  }

  /** @internal What the wallet knows of the payment. */
  lookedUp(answer: Answer): Promise<void> {
    return this.#answer({ type: 'looked_up', ...answer });
  }

  /** Gives the request's key back to other calls. */
  async close(): Promise<void> {
    await guardAsync(() => this.#made.close());
  }
}

/** What a {@link Driver} is made with. */
export interface DriverOptions {
  /** What {@link wallet} gives, or any object that can pay an invoice. */
  readonly wallet: PayingWallet;
  /** Rules over everything that a user's calls spend, besides those that the journal keeps. */
  readonly budget?: Budget | readonly BudgetRule[] | undefined;
  /** The wallet's network; its own where it tells, else `bitcoin`. */
  readonly network?: Network | undefined;
  /** The most that one call may cost, fee included. */
  readonly maxPaymentMsat?: bigint | undefined;
  /** The most that the fee may be; 10 sat and 1% of the amount, and what the limit of a call leaves, where it is left out. */
  readonly maxFee?: FeeLimit | undefined;
  /** Hosts that may be paid, `name`, `name:port` or `*.name`; any where it is left out. */
  readonly allowedHosts?: Hosts | readonly string[] | undefined;
  /** Hosts that may be paid over plain `http`, besides this machine and `.onion`. */
  readonly plainHttpHosts?: Hosts | readonly string[] | undefined;
  /** Whether a call that lost a paid credential may pay again at once. */
  readonly payAfterLoss?: boolean | undefined;
  /** All of these limits as a {@link Policy}, instead of them. */
  readonly policy?: Policy | undefined;
  /** The journal's file or a {@link Journal}; the one of all of a user's processes where it is left out. */
  readonly journal?: Journal | string | undefined;
  /** How long the wallet may try to pay, seconds; 60 where it is left out. */
  readonly paymentTimeout?: number | undefined;
  /** How long to wait for another call with the same request, seconds; 120 where it is left out. */
  readonly lockWait?: number | undefined;
}

/** The journal that all of a user's processes share, the command line's among them: below `$PLANNT_HOME`, else `$XDG_DATA_HOME/plannt`, else
 * `~/.local/share/plannt`. */
export function defaultJournal(): string {
  const { PLANNT_HOME: home, XDG_DATA_HOME: data } = process.env;
  const shared = data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local', 'share');
  // An empty one is none.
  const base = home === undefined || home === '' ? join(shared, 'plannt') : home;
  return join(base, 'client', 'journal.db');
}

/** Pays for the calls of an HTTP stack. Every adapter has one; it may be shared between them. */
export class Driver {
  readonly wallet: PayingWallet;
  readonly walletId: string;
  readonly policy: Policy;
  readonly budget: Budget;
  readonly journal: Journal;
  readonly paymentTimeout: number;
  readonly lockWait: number;

  /** @throws {@link ConfigError}, or a `TypeError`, for what can't be used */
  constructor(options: DriverOptions) {
    const { wallet } = options;
    if (typeof (wallet as PayingWallet | undefined)?.payInvoice !== 'function') {
      throw new TypeError('a wallet has a method payInvoice({ bolt11, maxFeeMsat, timeout })');
    }
    this.wallet = wallet;
    this.walletId = wallet.walletId ?? `node:${wallet.constructor.name}`;
    const own = wallet.network ?? null;
    this.policy =
      options.policy ??
      new Policy({
        network: options.network ?? own ?? 'bitcoin',
        maxPaymentMsat: msat(options.maxPaymentMsat ?? DEFAULT_MAX_PAYMENT_MSAT, 'maxPaymentMsat'),
        allowedHosts: hosts(options.allowedHosts ?? Hosts.any()),
        fitFee: options.maxFee === undefined,
        maxFee: options.maxFee ?? new FeeLimit(10_000n, 10_000),
        payAfterLoss: options.payAfterLoss,
        plainHttpHosts: hosts(options.plainHttpHosts ?? []),
        walletLimitsFee: wallet.limitsFee ?? true,
      });
    if (own !== null && own !== this.policy.network) {
      throw new ConfigError(`the wallet is on ${own}, not on ${this.policy.network}`, 'config');
    }
    this.budget = options.budget instanceof Budget ? options.budget : new Budget(options.budget ?? []);
    this.journal = options.journal instanceof Journal ? options.journal : new Journal(options.journal ?? defaultJournal());
    this.paymentTimeout = options.paymentTimeout ?? 60;
    this.lockWait = options.lockWait ?? 120;
    guard(() => {
      native.checkSettings(this.#settings(false));
    });
  }

  #settings(dryRun: boolean): string {
    return lowered({
      policy: policyData(this.policy),
      budget: this.budget.rules,
      walletId: this.walletId,
      paymentTimeout: this.paymentTimeout,
      lockWait: this.lockWait,
      dryRun,
    });
  }

  /** The facts of a request; `body` is null for a stream that can't be sent again. */
  request(method: string, url: URL, body: Uint8Array | null): RequestFacts {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new RequestError("the request can't be sent: the URL is neither http nor https", 'invalid_request');
    }
    const origin = new Origin(url.protocol.slice(0, -1), url.hostname, url.port === '' ? null : Number(url.port));
    // An empty query is one, too; URL does not tell it from none but by its text.
    const empty = url.search === '' && url.href.split('#')[0]?.endsWith('?') === true;
    return requestFacts(method, origin, `${url.pathname}${empty ? '?' : url.search}`, body);
  }

  /** Begins a call; with `dryRun` one that only asks for the price. */
  async call(request: RequestFacts, options: { readonly dryRun?: boolean } = {}): Promise<Call> {
    const settings = this.#settings(options.dryRun ?? false);
    return new Call(await guardAsync(() => native.beginCall(this.journal.made, settings, lowered(request))));
  }

  /** Goes on to the next step that is HTTP's, and pays on the way where that is due. */
  async nextStep(call: Call): Promise<HttpStep> {
    let blame: unknown;
    for (;;) {
      const step = await call.advance().catch((error: unknown) => {
        if (blame !== undefined && error instanceof Error && error.cause === undefined) error.cause = blame;
        throw error;
      });
      if (step.type === 'pay') blame = await this.#pay(call, step);
      else if (step.type === 'look_up_payment') await call.lookedUp(await this.#lookUp(step.paymentHash));
      else if (step.type === 'wait') await sleep(step.seconds * 1000);
      else return step;
    }
  }

  /** Pays, and tells the call how it went; gives back what the wallet threw. */
  async #pay(call: Call, step: Extract<CallStep, { type: 'pay' }>): Promise<unknown> {
    const { bolt11, maxFeeMsat, timeout } = step;
    let paid: PaidInvoice;
    try {
      paid = await within(timeout + GRACE_SECONDS, async () => this.wallet.payInvoice({ bolt11, maxFeeMsat, timeout }));
    } catch (error) {
      // Only what says so itself has certainly not paid.
      if (error instanceof PaymentFailedError) await call.paymentFailed(error.message, error.code);
      else await call.paymentUnknown(words(error));
      return error;
    }
    try {
      if ((paid as PaidInvoice | undefined)?.preimage === undefined) throw new TypeError('it has no preimage');
      await call.paid(paid);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError || error instanceof HexError || error instanceof LengthError)) throw error;
      await call.paymentUnknown(`the wallet's answer can't be read: ${error.message}`);
      return error;
    }
    return undefined;
  }

  async #lookUp(paymentHash: PaymentHash): Promise<Answer> {
    if (typeof this.wallet.lookupPayment !== 'function') return { status: 'unknown', message: "this wallet can't look payments up" };
    try {
      return readStatus(await within(GRACE_SECONDS, async () => this.wallet.lookupPayment?.(paymentHash)));
    } catch (error) {
      return { status: 'unknown', message: words(error) };
    }
  }

  /** The newest receipts first, at most `limit`. */
  receipts(limit = 100): Promise<Receipt[]> {
    return this.journal.receipts(limit);
  }

  /** How much of each budget rule is used on this driver's network. */
  budgetStatus(): Promise<BudgetStatus[]> {
    return this.journal.budgetStatus(this.policy.network, this.budget);
  }

  /** Asks the wallet about every payment that was left unfinished. */
  async recover(): Promise<Recovered[]> {
    const recovered: Recovered[] = [];
    for (const paymentHash of await this.journal.unresolved(this.walletId)) {
      const held = await this.journal.unfinished(this.walletId, paymentHash);
      if (held === null) {
        recovered.push({ paymentHash, state: 'busy' });
        continue;
      }
      const answer = lowered(await this.#lookUp(paymentHash));
      recovered.push({ paymentHash, state: await guardAsync(() => held.resolve(answer)) });
    }
    return recovered;
  }
}

function hosts(given: Hosts | readonly string[]): Hosts {
  return given instanceof Hosts ? given : Hosts.listed(given);
}

/** What a wallet's look-up says. */
function readStatus(given: unknown): Answer {
  const told = typeof given === 'string' ? { status: given } : (given as Record<string, unknown> | null | undefined);
  switch (told?.status) {
    case 'paid': {
      const { preimage, feeMsat } = told as unknown as PaidInvoice;
      const proof = preimageBytes(preimage).toString('hex');
      return feeMsat === null || feeMsat === undefined
        ? { status: 'paid', preimage: proof }
        : { status: 'paid', preimage: proof, feeMsat: msat(feeMsat, 'feeMsat') };
    }
    case 'failed':
      return { status: 'failed', message: (told as { failure?: string }).failure ?? 'rejected' };
    case 'in_flight':
    case 'not_found':
      return { status: told.status };
    default:
      throw new TypeError("the wallet's look-up says neither paid, failed, in_flight nor not_found");
  }
}

function words(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** A promise that never settles would hold the call for ever. */
async function within<T>(seconds: number, work: () => Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(seconds * 1000, undefined, { signal: timer.signal, ref: true }).then(() => {
    throw new Error('no answer in time');
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    timer.abort();
    late.catch(() => undefined);
  }
}

/** Whether an `Authorization` value is a credential of one's own: then it decides, and the driver stays out of it. */
export function isL402(authorization: string): boolean {
  return /^\s*(L402|LSAT)(\s|$)/i.test(authorization);
}
