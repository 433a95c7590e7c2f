/* Wallets: those of the Rust backends, and any object that can pay an invoice. */

import { inspect } from 'node:util';

import { ConfigError } from './errors.js';
import { guard, guardAsync } from './guard.js';
import { native, type NativeWallet } from './native.js';
import { msat } from './check.js';
import { revived } from './plain.js';
import type { Network, PaymentHashLike, PreimageLike } from './types.js';
import { hashText, type PaymentHash, type Preimage } from './values.js';

/** An invoice to pay, and its limits. */
export interface PayInvoice {
  /** The invoice's text. */
  readonly bolt11: string;
  /** The most that routing may cost on top of the invoice's amount. */
  readonly maxFeeMsat: bigint;
  /** How long the node may try, seconds. */
  readonly timeout: number;
}

/** A payment that was made, as any wallet tells it. */
export interface PaidInvoice {
  /** The proof: the class, 32 bytes, or 64 hex digits. */
  readonly preimage: PreimageLike;
  /** What routing cost; where a wallet does not tell, the maximum is charged. */
  readonly feeMsat?: bigint | null;
}

/** What any wallet knows of a payment. */
export type PaymentStatus =
  | ({ readonly status: 'paid' } & PaidInvoice)
  | { readonly status: 'failed'; readonly failure?: string }
  | { readonly status: 'in_flight' }
  | { readonly status: 'not_found' };

/**
 * Anything that can pay an invoice.
 *
 * The outcome of a call that throws is unknown, unless it throws {@link PaymentFailedError}: it keeps its reservation, is asked about by
 * `lookupPayment`, and is never paid again.
 */
export interface PayingWallet {
  /** Pays an invoice, at most once for a payment hash however often it is called. */
  payInvoice(invoice: PayInvoice): Promise<PaidInvoice> | PaidInvoice;
  /** What became of a payment. */
  lookupPayment?(paymentHash: PaymentHash): Promise<PaymentStatus | PaymentStatus['status']> | PaymentStatus | PaymentStatus['status'];
  /** A name for this wallet, the same at each start, without secrets; its class's name where it has none. */
  readonly walletId?: string;
  /** The network that it is on. */
  readonly network?: Network | null;
  /** Whether `maxFeeMsat` holds at this wallet; it does where nothing is said. */
  readonly limitsFee?: boolean;
}

/** A Lightning wallet behind a URL; made by {@link wallet}. */
export class Wallet implements PayingWallet {
  readonly #made: NativeWallet;
  /** A name for this wallet, the same at each start, without secrets. */
  readonly walletId: string;
  /** The network that it is on, if that was said. */
  readonly network: Network | null;
  /** Whether a maximum fee holds at this wallet. */
  readonly limitsFee: boolean;

  /**
   * @param url such as `lnd://host:8080?cert=FILE&macaroon=FILE`; the other kinds are in docs/BACKENDS.md
   * @throws {@link LightningError} with the code `config` for a URL or a file that can't be used; the message never repeats the URL
   */
  constructor(url: string, options: { readonly network?: Network | null | undefined } = {}) {
    this.#made = guard(() => new native.Wallet(url));
    const facts = JSON.parse(this.#made.facts()) as { walletId: string; network: Network | null; limitsFee: boolean };
    const named = options.network ?? null;
    if (facts.network !== null && named !== null && facts.network !== named) {
      throw new ConfigError(`the wallet's URL says ${facts.network}, not ${named}`, 'config');
    }
    this.walletId = facts.walletId;
    this.network = named ?? facts.network;
    this.limitsFee = facts.limitsFee;
  }

  /**
   * Pays an invoice, at most once for a payment hash however often it is called.
   *
   * @throws {@link PaymentFailedError} where it was certainly not paid, and {@link PaymentUnknownError} where that is not known: then look
   * it up, and pay nothing else for the same thing before
   */
  async payInvoice(invoice: PayInvoice): Promise<{ preimage: Preimage; feeMsat: bigint }> {
    const fee = msat(invoice.maxFeeMsat, 'maxFeeMsat').toString();
    return revived(await guardAsync(() => this.#made.payInvoice(invoice.bolt11, fee, invoice.timeout)));
  }

  /** What became of a payment. Answers at once, also for one in flight; throws {@link LightningError} where nothing is known. */
  async lookupPayment(paymentHash: PaymentHashLike): Promise<PaymentStatus> {
    return revived(await guardAsync(() => this.#made.lookupPayment(hashText(paymentHash))));
  }

  /** What the wallet can spend over its channels; routing fees and channel reserves come out of it. */
  async balanceMsat(): Promise<bigint> {
    return BigInt(await guardAsync(() => this.#made.balanceMsat()));
  }

  [inspect.custom](): string {
    return `Wallet('${this.walletId}')`;
  }
}

/**
 * The Lightning wallet behind a URL. Nothing is sent to it yet.
 *
 * @example
 * ```js
 * const payer = wallet('lnd://127.0.0.1:8080?cert=tls.cert&macaroon=payer.macaroon');
 * await payer.balanceMsat();
 * ```
 */
export function wallet(url: string, options: { readonly network?: Network | null } = {}): Wallet {
  return new Wallet(url, options);
}
