/* What may be paid: limits, hosts, budgets. The rules are the core's. */

import { inspect } from 'node:util';

import { checked, flag, list, msat, seconds, text, whole } from './check.js';
import { guard, wrong } from './guard.js';
import { native } from './native.js';
import type { Network, Time } from './types.js';

interface OriginFacts {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly isPrivate: boolean;
  readonly text: string;
}

/**
 * A request's scheme, host and port.
 *
 * @example
 * ```js
 * String(Origin.parse('HTTPS://API.example')) // 'https://api.example'
 * ```
 */
export class Origin {
  /** `http` or `https`. */
  readonly scheme: 'http' | 'https';
  /** A name, an IPv4 address, or an IPv6 address in brackets; in lower case. */
  readonly host: string;
  /** The scheme's own when none was named. */
  readonly port: number;
  /** Whether plain `http` to it stays on this machine or inside Tor: a loopback address, `localhost`, or `.onion`. */
  readonly isPrivate: boolean;
  readonly #text: string;

  /** @throws {@link OriginError} */
  constructor(scheme: string, host: string, port?: number | null) {
    const facts = JSON.parse(
      guard(() =>
        native.originFacts(
          text(scheme, 'scheme'),
          text(host, 'host'),
          port === null || port === undefined ? undefined : whole(port, 'port', 0xffff_ffff),
        ),
      ),
    ) as OriginFacts;
    this.scheme = facts.scheme;
    this.host = facts.host;
    this.port = facts.port;
    this.isPrivate = facts.isPrivate;
    this.#text = facts.text;
  }

  /** Reads `scheme://host[:port]`; throws {@link OriginError}. */
  static parse(origin: string): Origin {
    const facts = JSON.parse(guard(() => native.originParse(text(origin, 'an origin')))) as OriginFacts;
    return new Origin(facts.scheme, facts.host, facts.port);
  }

  /** Whether the scheme is `https`. */
  get isHttps(): boolean {
    return this.scheme === 'https';
  }

  /** `https://host`, with the port only where it is not the scheme's. */
  toString(): string {
    return this.#text;
  }

  toJSON(): string {
    return this.#text;
  }

  [inspect.custom](): string {
    return `Origin('${this.#text}')`;
  }
}

/**
 * The most that a payment may cost beyond the invoice's amount: `baseMsat`, plus a part of the amount.
 *
 * @example
 * ```js
 * new FeeLimit(5_000n, 10_000).forAmount(21_000n) // 5210n
 * ```
 */
export class FeeLimit {
  /** No fee at all. */
  static readonly NONE = new FeeLimit(0n, 0);

  /**
   * @param baseMsat in msat, whatever the amount
   * @param partsPerMillion millionths of the amount on top of it
   */
  constructor(
    readonly baseMsat = 5_000n,
    readonly partsPerMillion = 10_000,
  ) {
    msat(baseMsat, 'baseMsat');
    whole(partsPerMillion, 'partsPerMillion', 0xffff_ffff);
  }

  /** The same limit for each amount. */
  static fixed(baseMsat: bigint): FeeLimit {
    return new FeeLimit(baseMsat, 0);
  }

  /** The limit for an amount; a fraction of a msat rounds up. */
  forAmount(amountMsat: bigint): bigint {
    return BigInt(guard(() => native.feeLimitForAmount(json(this), msat(amountMsat, 'amountMsat').toString())));
  }
}

/**
 * A set of hosts: any, or those listed, as `name`, `name:port`, or `*.name` for all below a name.
 *
 * @example
 * ```js
 * Hosts.listed(['*.shop.example']).contain(Origin.parse('https://a.shop.example')) // true
 * ```
 */
export class Hosts {
  private constructor(
    /** The patterns; null is every host. */
    readonly patterns: readonly string[] | null,
  ) {}

  /** Every host. */
  static any(): Hosts {
    return new Hosts(null);
  }

  /** No host. */
  static none(): Hosts {
    return new Hosts([]);
  }

  /** The patterns given. */
  static listed(patterns: Iterable<string>): Hosts {
    return new Hosts(list(patterns, 'patterns').map((pattern) => text(pattern, 'a pattern')));
  }

  /** Whether an origin's host (and port, where the pattern names one) is among them. */
  contain(origin: Origin): boolean {
    if (!(origin instanceof Origin)) throw wrong('an Origin', origin);
    return guard(() => native.hostsContain(json({ patterns: this.patterns }), origin.toString()));
  }
}

/** What a {@link Policy} is made with. */
export interface PolicyOptions {
  /** The wallet's network. */
  readonly network: Network;
  /** The most that one call may cost, fee included. */
  readonly maxPaymentMsat: bigint;
  /** Hosts that may be paid; any where it is left out. */
  readonly allowedHosts?: Hosts | undefined;
  /** Whether the maximum fee gives way to the limit of a call, where the wallet takes a limit. */
  readonly fitFee?: boolean | undefined;
  /** The most that the fee may be; 5 sat and 1% of the amount where it is left out. */
  readonly maxFee?: FeeLimit | undefined;
  /** Whether a call that lost a paid credential may pay again at once. */
  readonly payAfterLoss?: boolean | undefined;
  /** Hosts that may be paid over plain `http`, besides this machine and `.onion`. */
  readonly plainHttpHosts?: Hosts | undefined;
  /** Whether the wallet takes a fee limit. If not, `worstCaseFee` is reserved, and any excess is charged. */
  readonly walletLimitsFee?: boolean | undefined;
  /** What to reserve for the fee of a wallet that takes no limit. */
  readonly worstCaseFee?: FeeLimit | undefined;
}

/**
 * What a call may do. Every limit counts the invoice's amount plus the maximum fee.
 *
 * @example
 * ```js
 * new Policy({ network: 'regtest', maxPaymentMsat: 25_000n }).maxFeeMsat(21_000n) // 5210n
 * ```
 */
export class Policy implements Required<PolicyOptions> {
  readonly network: Network;
  readonly maxPaymentMsat: bigint;
  readonly allowedHosts: Hosts;
  readonly fitFee: boolean;
  readonly maxFee: FeeLimit;
  readonly payAfterLoss: boolean;
  readonly plainHttpHosts: Hosts;
  readonly walletLimitsFee: boolean;
  readonly worstCaseFee: FeeLimit;

  /** @throws TypeError and RangeError for what the options can't be, {@link UnknownNetworkError} */
  constructor(options: PolicyOptions) {
    checked(options);
    this.network = guard(() => native.parseNetwork(text(options.network, 'network')))[0] as Network;
    this.maxPaymentMsat = msat(options.maxPaymentMsat, 'maxPaymentMsat');
    this.allowedHosts = hosts(options.allowedHosts ?? Hosts.any(), 'allowedHosts');
    this.fitFee = flag(options.fitFee ?? false, 'fitFee');
    this.maxFee = limit(options.maxFee ?? new FeeLimit(), 'maxFee');
    this.payAfterLoss = flag(options.payAfterLoss ?? false, 'payAfterLoss');
    this.plainHttpHosts = hosts(options.plainHttpHosts ?? Hosts.none(), 'plainHttpHosts');
    this.walletLimitsFee = flag(options.walletLimitsFee ?? true, 'walletLimitsFee');
    this.worstCaseFee = limit(options.worstCaseFee ?? new FeeLimit(10_000n, 30_000), 'worstCaseFee');
  }

  /** The fee that is reserved for an amount. */
  maxFeeMsat(amountMsat: bigint): bigint {
    return BigInt(guard(() => native.policyMaxFeeMsat(policyJson(this), msat(amountMsat, 'amountMsat').toString())));
  }
}

function limit(given: unknown, name: string): FeeLimit {
  if (!(given instanceof FeeLimit)) throw wrong(`${name} as a FeeLimit`, given);
  return given;
}

function hosts(given: unknown, name: string): Hosts {
  if (!(given instanceof Hosts)) throw wrong(`${name} as Hosts`, given);
  return given;
}

/** @internal A policy as the native part reads it. */
export function policyData(policy: Policy): object {
  if (!(policy instanceof Policy)) throw wrong('a Policy', policy);
  const { network, maxPaymentMsat, fitFee, maxFee, payAfterLoss, walletLimitsFee, worstCaseFee } = policy;
  const hosts = { allowedHosts: policy.allowedHosts.patterns, plainHttpHosts: policy.plainHttpHosts.patterns };
  return { network, maxPaymentMsat, fitFee, maxFee, payAfterLoss, walletLimitsFee, worstCaseFee, ...hosts };
}

function policyJson(policy: Policy): string {
  return json(policyData(policy));
}

/**
 * One limit over everything that a user's calls spend, fees included.
 *
 * @example
 * ```js
 * BudgetRule.perDay(100_000n).leftMsat(79_000n) // 21000n
 * ```
 */
export class BudgetRule {
  /**
   * @param limitMsat the most that may be spent
   * @param windowSeconds over how many seconds up to now; null is for ever
   */
  constructor(
    readonly limitMsat: bigint,
    readonly windowSeconds: number | null = null,
  ) {
    msat(limitMsat, 'limitMsat');
    if (windowSeconds !== null) whole(windowSeconds, 'windowSeconds');
  }

  /** A limit over the last 24 hours. */
  static perDay(limitMsat: bigint): BudgetRule {
    return new BudgetRule(limitMsat, 86_400);
  }

  /** A limit over all time. */
  static inTotal(limitMsat: bigint): BudgetRule {
    return new BudgetRule(limitMsat, null);
  }

  /** The first second that still counts at `now`. */
  since(now: Time): number {
    return guard(() => native.budgetRuleSince(json(this), seconds(now)));
  }

  /** What is left of it when `spentMsat` is spent or reserved. */
  leftMsat(spentMsat: bigint): bigint {
    return BigInt(guard(() => native.budgetRuleLeftMsat(json(this), msat(spentMsat, 'spentMsat').toString())));
  }
}

/**
 * Several rules; a payment has to fit each. Of two with the same window the smaller limit counts.
 *
 * @example
 * ```js
 * new Budget([BudgetRule.perDay(100n), BudgetRule.perDay(50n)]).rules.length // 1
 * ```
 */
export class Budget {
  #rules: readonly BudgetRule[];

  constructor(rules: Iterable<BudgetRule> = []) {
    this.#rules = united(list(rules, 'rules').map(aRule));
  }

  /** No limit. */
  static unlimited(): Budget {
    return new Budget();
  }

  /** Its rules. */
  get rules(): readonly BudgetRule[] {
    return this.#rules;
  }

  /** Adds a rule. */
  add(rule: BudgetRule): void {
    this.#rules = united([...this.#rules, aRule(rule)]);
  }

  /** What is left under every rule, where `spentMsat` tells what a rule's window holds; null without rules. */
  leftMsat(spentMsat: (rule: BudgetRule) => bigint): bigint | null {
    const left = this.#rules.map((rule) => rule.leftMsat(spentMsat(rule)));
    return left.reduce<bigint | null>((least, one) => (least === null || one < least ? one : least), null);
  }
}

function aRule(given: unknown): BudgetRule {
  if (!(given instanceof BudgetRule)) throw wrong('a BudgetRule', given);
  return given;
}

function united(rules: BudgetRule[]): readonly BudgetRule[] {
  const read = JSON.parse(guard(() => native.budgetRules(json(rules)))) as { limitMsat: string; windowSeconds: number | null }[];
  return read.map((rule) => new BudgetRule(BigInt(rule.limitMsat), rule.windowSeconds));
}

function json(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? member.toString() : member));
}
