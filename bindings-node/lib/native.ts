/* What the native part offers: simple values, and JSON for plain data. The rest of `lib/` is the package. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** @internal */
export interface NativeKeyring {
  withVerifying(key: Uint8Array): NativeKeyring;
  rotate(minting: Uint8Array): void;
  network(): string;
  size(): number;
  mint(request: NativeMintRequest): string;
  mintChain(paymentHash: string, caveats: Uint8Array[]): string;
  verify(credential: NativeCredential, request: NativeRequestContext): string;
  authenticate(macaroon: NativeMacaroon, preimage?: Uint8Array): string | null;
}

/** @internal */
export interface NativeMintRequest {
  encodedLen(): number;
}

/** @internal */
export type NativeRequestContext = object & { readonly __context?: never };

/** @internal */
export interface NativeCredential {
  tokens(): string[];
  isHex(): boolean;
  preimage(): Buffer | null;
}

/** @internal */
export interface NativeMacaroon {
  toFormat(format: string): Buffer;
  attenuated(caveat: Uint8Array): NativeMacaroon;
  attenuatedThirdParty(key: Uint8Array, id: Uint8Array, nonce: Uint8Array, location?: string): NativeMacaroon;
  bind(discharge: NativeMacaroon): NativeMacaroon;
  verifySignature(rootKey: Uint8Array): boolean;
  verifyDischarged(rootKey: Uint8Array, discharges: NativeMacaroon[], satisfied: (caveat: Buffer) => boolean): void;
  location(): string | null;
  identifier(): Buffer;
  caveats(): string;
  signature(): Buffer;
  equals(other: NativeMacaroon): boolean;
}

/** @internal */
export interface NativeFlow {
  next(): string;
  handle(event: string, now: number): void;
}

/** @internal */
export interface NativeWallet {
  facts(): string;
  payInvoice(bolt11: string, maxFeeMsat: string, timeout: number): Promise<string>;
  lookupPayment(paymentHash: string): Promise<string>;
  balanceMsat(): Promise<string>;
}

/** @internal */
export interface NativeJournal {
  path(): string;
  receipts(limit: number): Promise<string>;
  receipt(paymentHash: string): Promise<string>;
  setBudget(budget: string): Promise<void>;
  budgetStatus(network: string, budget: string): Promise<string>;
  unresolved(wallet: string): Promise<string[]>;
  unfinished(wallet: string, paymentHash: string): Promise<NativeUnfinished | null>;
}

/** @internal */
export interface NativeUnfinished {
  resolve(answer: string): Promise<'busy' | 'failed' | 'paid' | 'unresolved'>;
}

/** @internal */
export interface NativeCall {
  advance(): Promise<string>;
  answer(answer: string): Promise<void>;
  close(): Promise<void>;
}

/** @internal */
export interface NativeGate {
  pendingReleases(): number;
  enter(method: string, target: string, headers: string[], terms: string, body?: Uint8Array, client?: string): Promise<NativeEntered>;
}

/** @internal */
export interface NativeEntered {
  refused(): string | null;
  body(): Buffer;
  admitted(): NativeAdmitted | null;
}

/** @internal */
export interface NativeAdmitted {
  target(): string;
  headers(): string[];
  grant(): string | null;
  forward(): void;
  answer(headers: string[]): string[];
  notReached(): Promise<void>;
}

/** @internal */
export interface Native {
  Keyring: new (network: string, minting: Uint8Array) => NativeKeyring;
  MintRequest: new (
    paymentHash: string,
    service: string,
    method: string,
    path: string,
    validUntil: number,
    maxPriceMsat: bigint,
    tier: number,
    uses: number,
    query: Uint8Array | undefined,
    digest: Uint8Array | undefined,
    capabilities: string[],
  ) => NativeMintRequest;
  RequestContext: new (
    now: number,
    service: string,
    method: string,
    path: string,
    lowestPriceMsat: bigint,
    tier: number,
    query: Uint8Array | undefined,
    requiresQuery: boolean,
    digest: Uint8Array | undefined,
    requiresDigest: boolean,
    capability: string | undefined,
    strict: boolean,
  ) => NativeRequestContext;
  Credential: (abstract new () => NativeCredential) & {
    fromAuthorization(lines: string[]): NativeCredential | null;
    fromGrpcMetadata(macaroonHex: string): NativeCredential;
  };
  Macaroon: (abstract new () => NativeMacaroon) & {
    create(rootKey: Uint8Array, identifier: Uint8Array, location?: string): NativeMacaroon;
    parse(data: Uint8Array): NativeMacaroon;
    fromFormat(data: Uint8Array, format: string): NativeMacaroon;
  };
  Flow: new (policy: string, request: string, wallet: string, dryRun: boolean) => NativeFlow;
  Wallet: new (url: string) => NativeWallet;
  Journal: new (path: string) => NativeJournal;
  constants(): string;
  parsePaymentHash(text: string): Buffer;
  parseSecret(text: string): Buffer;
  paymentHashOf(preimage: Uint8Array): string;
  preimageProves(preimage: Uint8Array, paymentHash: string): boolean;
  identifierParse(data: Uint8Array): [Buffer, Buffer];
  identifierToBytes(paymentHash: string, tokenId: Uint8Array): Buffer;
  attenuateToken(token: string, caveats: string[]): string;
  parseToken(token: string): NativeMacaroon;
  sniffFormat(data: Uint8Array): string | null;
  decodeTokenText(text: string, hex: boolean): Buffer;
  authorizationValue(scheme: string, token: string, preimage: Uint8Array): string;
  grpcMetadataValue(token: string, preimage: Uint8Array): string;
  readChallenge(lines: string[], body?: Uint8Array): string | null;
  parseChallenges(line: string): string;
  challengeHeader(token: string, invoice: string): string;
  errorBody(code: string, detail?: string): string;
  challengeBody(body: string): string;
  codeFacts(code: string): [number, number, number];
  parseNetwork(text: string): [string, string];
  readInvoice(bolt11: string): string;
  decodeAny(text: string): string;
  normalizePath(path: string, rules?: string): string;
  queryOf(target: string): string;
  queryDigest(query: string): Buffer;
  contentDigest(body: Uint8Array): Buffer;
  contentDigestText(digest: Uint8Array): string;
  parseContentDigest(text: string): Buffer | null;
  caveatSplit(caveat: Uint8Array): [string, string] | null;
  caveatPathMatches(pattern: string, path: string): boolean;
  base64Decode(text: string): Buffer;
  base64Encode(data: Uint8Array): string;
  base64DecodedLen(characters: number): number;
  originFacts(scheme: string, host: string, port?: number): string;
  originParse(text: string): string;
  hostsContain(hosts: string, origin: string): boolean;
  feeLimitForAmount(limit: string, amountMsat: string): string;
  policyMaxFeeMsat(policy: string, amountMsat: string): string;
  budgetRules(rules: string): string;
  budgetRuleSince(rule: string, now: number): number;
  budgetRuleLeftMsat(rule: string, spentMsat: string): string;
  requestKeyDigest(key: string): Buffer;
  intentStateIsUnresolved(state: string): boolean;
  tokenFits(token: string, request: string, now: number): boolean;
  tokenValidUntil(token: string): number | null;
  resolve(answer: string, paymentHash: string, invoiceExpiresAt: number, now: number): string;
  beginCall(journal: NativeJournal, settings: string, request: string): Promise<NativeCall>;
  checkSettings(settings: string): void;
  openGate(settings: string): Promise<NativeGate>;
}

/** The platform's part of a package name: `linux-x64-gnu`. */
function platform(): string {
  const { platform: os, arch } = process;
  if (os !== 'linux') return `${os}-${arch}${os === 'win32' ? '-msvc' : ''}`;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return `linux-${arch}-${report.header?.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

function find(): Native {
  const load = createRequire(__filename);
  const { version } = load('../package.json') as { version: string };
  const name = platform();
  // The platform's own package, as it is published; else what was built here.
  try {
    return checked(load(`plannt-${name}`) as Native, version, `plannt-${name}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
  }
  const built = join(__dirname, '..', 'native', `plannt.${name}.node`);
  if (existsSync(built)) return checked(load(built) as Native, version, built);
  throw new Error(
    `plannt has no binary for ${name}: install the package plannt-${name} of version ${version} beside it, or build it with a Rust toolchain (npm run build)`,
  );
}

function checked(found: Native, version: string, where: string): Native {
  const { version: other } = JSON.parse(found.constants()) as { version: string };
  if (other === version) return found;
  throw new Error(`${where} is of version ${other}, and plannt of ${version}: install the same version of both`);
}

/** @internal */
export const native: Native = find();
