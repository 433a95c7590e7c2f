/**
 * Plannt: Bitcoin-native access control for autonomous agents (L402). The protocol is one Rust core; this package has it whole, pays with it
 * ({@link l402Fetch}, `plannt/undici`) and charges with it ({@link l402}, `plannt/express`, `plannt/fastify`, `plannt/hono`).
 *
 * Amounts are in msat, thousandths of a satoshi, as `bigint`; times are unix seconds.
 *
 * @packageDocumentation
 */

export * from './constants.js';
export * from './credential.js';
export type * from './decoded.js';
export {
  type BudgetStatus,
  Call,
  type CallStep,
  defaultJournal,
  Driver,
  type DriverOptions,
  type HttpStep,
  Journal,
  type Recovered,
  type ResponseHead,
} from './driver.js';
export * from './errors.js';
export { type Fetch, l402Fetch, outcomeOf, quoteFetch } from './fetch.js';
export * from './flow.js';
export {
  type ChargeOptions,
  FREE,
  Gate,
  type GateOptions,
  type GateRequest,
  type HandleOptions,
  type HeaderPairs,
  l402,
  NOT_FOUND,
  Passage,
  passageOf,
  type Pricer,
  type Pricing,
  type Refused,
  routes,
  type Terms,
} from './gate.js';
export { attenuateToken, Macaroon, parseToken, sniffFormat } from './macaroon.js';
export { Budget, BudgetRule, FeeLimit, Hosts, Origin, Policy, type PolicyOptions } from './policy.js';
export { MintRequest, type MintRequestOptions, RequestContext, type RequestContextOptions } from './requests.js';
export type * from './types.js';
export { PaymentHash, Preimage, RootKey, type RootKeyLike } from './values.js';
export * from './wallet.js';
export * from './wire.js';
