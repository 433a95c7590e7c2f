// `client_flow`: a call told as a dialogue between the flow and its driver (conformance/README.md).

import * as plannt from 'plannt';

/** @returns the answer; throws the refusal. */
export function play(input) {
  const made = [policy(input.policy), request(input.request), input.wallet];
  const flow = input.dry_run ? plannt.Flow.dryRun(...made) : new plannt.Flow(...made);
  for (const [at, entry] of input.script.entries()) {
    const step = writeStep(flow.next());
    if (!same(step, entry.step)) return { unexpected: { entry: at, step } };
    if (entry.event === undefined) break;
    flow.handle(readEvent(entry.event), entry.now);
  }
  const end = flow.next();
  if (end.type === 'refused') throw end.refusal;
  return writeStep(end);
}

export function same(a, b) {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

/** With bigints as numbers, and members in one order. */
export function sorted(value) {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name])]),
  );
}

// What a script tells the flow.

const msat = (value) => (value == null ? null : BigInt(value));
const hosts = (patterns) => (patterns === null ? plannt.Hosts.any() : plannt.Hosts.listed(patterns));
const feeLimit = ({ base_msat, parts_per_million }) => new plannt.FeeLimit(BigInt(base_msat), parts_per_million);

const policy = (value) =>
  new plannt.Policy({
    network: value.network,
    maxPaymentMsat: BigInt(value.max_payment_msat),
    allowedHosts: hosts(value.allowed_hosts),
    fitFee: value.fit_fee,
    maxFee: feeLimit(value.max_fee),
    payAfterLoss: value.pay_after_loss,
    plainHttpHosts: hosts(value.plain_http_hosts),
    walletLimitsFee: value.wallet_limits_fee,
    worstCaseFee: feeLimit(value.worst_case_fee),
  });

const request = (value) => ({
  method: value.method,
  origin: plannt.Origin.parse(value.origin),
  target: value.target,
  bodySha256: value.body_sha256 === null ? null : Buffer.from(value.body_sha256, 'hex'),
});

function readEvent(value) {
  switch (value.event) {
    case 'body':
      return { type: 'body', body: value.body === null ? null : Buffer.from(value.body, 'utf8') };
    case 'loaded':
      return { type: 'loaded', loaded: { found: found(value.found), budgetLeftMsat: msat(value.budget_left_msat) } };
    case 'looked_up':
      return { type: 'looked_up', lookUp: result(value) };
    case 'payment':
      return { type: 'payment', result: result(value) };
    case 'reserved': {
      const type = value.reservation;
      return { type: 'reserved', reservation: type === 'over_budget' ? { type, leftMsat: msat(value.left_msat) } : { type } };
    }
    case 'responded': {
      // As the runner has it: the text's own bytes.
      const named = (name) =>
        value.headers.filter(([header]) => header.toLowerCase() === name).map(([, text]) => Buffer.from(text, 'utf8').toString('latin1'));
      const facts = {
        status: value.status,
        wwwAuthenticate: named('www-authenticate'),
        xL402: named('x-l402')[0] ?? null,
        redirected: value.redirected,
      };
      return { type: 'responded', facts };
    }
    default:
      return { type: value.event };
  }
}

function found(value) {
  if (value.found === 'nothing') return { type: 'nothing' };
  if (value.found === 'unresolved') return { type: 'unresolved', intent: intent(value.intent) };
  return { type: value.found, credential: credential(value.credential) };
}

function result(value) {
  if (value.result === 'failed') return { type: 'failed', failure: value.failure };
  if (value.result === 'paid') return { type: 'paid', preimage: value.preimage, feeMsat: msat(value.fee_msat) };
  return { type: value.result };
}

const payee = (value) => (value.payee === null ? null : Buffer.from(value.payee, 'hex'));

const credential = (value) => ({
  scheme: value.scheme,
  token: value.token,
  preimage: new plannt.Preimage(value.preimage),
  receipt: receipt(value.receipt),
});

const receipt = (value) => ({
  paymentHash: new plannt.PaymentHash(value.payment_hash),
  network: value.network,
  payee: payee(value),
  amountMsat: msat(value.amount_msat),
  feeMsat: msat(value.fee_msat),
  chargedMsat: msat(value.charged_msat),
  method: value.method,
  origin: plannt.Origin.parse(value.origin),
  target: value.target,
  wallet: value.wallet,
  createdAt: value.created_at,
  settledAt: value.settled_at,
  state: value.state,
  credential: value.credential,
  failure: value.failure,
});

const intent = (value) => ({
  paymentHash: new plannt.PaymentHash(value.payment_hash),
  request: { ...request(value.request), wallet: value.request.wallet },
  scheme: value.scheme,
  token: value.token,
  invoice: value.invoice,
  network: value.network,
  payee: payee(value),
  amountMsat: msat(value.amount_msat),
  maxFeeMsat: msat(value.max_fee_msat),
  invoiceExpiresAt: value.invoice_expires_at,
  createdAt: value.created_at,
});

// A step of the flow as the scripts write it.

function writeStep(step) {
  switch (step.type) {
    case 'commit':
      return { step: step.type, payment_hash: String(step.paymentHash), preimage: step.preimage.exposeHex(), fee_msat: step.feeMsat };
    case 'done':
    case 'unanswered':
      return { step: step.type, outcome: writeOutcome(step.outcome) };
    case 'hold':
    case 'store_credential':
      return { step: step.type, payment_hash: String(step.paymentHash), state: step.state };
    case 'journal_intent':
      return { step: step.type, intent: writeIntent(step.intent) };
    case 'load_credential':
      return { step: step.type, keyed: step.key !== null, exclusive: step.exclusive };
    case 'look_up_payment':
      return { step: step.type, payment_hash: String(step.paymentHash) };
    case 'pay': {
      const { paymentHash, invoice, amountMsat, maxFeeMsat } = step.intent;
      return { step: step.type, payment_hash: String(paymentHash), invoice, amount_msat: amountMsat, max_fee_msat: maxFeeMsat };
    }
    case 'quoted':
      return { step: step.type, quote: writeQuote(step.quote) };
    case 'read_body':
      return { step: step.type };
    case 'refused': {
      const { code, receipt, paymentHash } = step.refusal;
      if (receipt !== undefined) return { step: step.type, code, receipt: writeReceipt(receipt) };
      return paymentHash === undefined ? { step: step.type, code } : { step: step.type, code, payment_hash: String(paymentHash) };
    }
    case 'release':
      return { step: step.type, payment_hash: String(step.paymentHash), failure: step.failure };
    case 'send_request':
      return { step: step.type, authorization: step.authorization };
    default:
      throw new Error(`a step that the scripts do not know: ${step.type}`);
  }
}

const hex = (bytes) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));

const writeOutcome = ({ credential, receipt, journalFailed }) => ({
  credential,
  receipt: receipt === null ? null : writeReceipt(receipt),
  journal_failed: journalFailed,
});

const writeIntent = (intent) => ({
  payment_hash: String(intent.paymentHash),
  request: {
    method: intent.request.method,
    origin: String(intent.request.origin),
    target: intent.request.target,
    body_sha256: hex(intent.request.bodySha256),
    wallet: intent.request.wallet,
  },
  scheme: intent.scheme,
  token: intent.token,
  invoice: intent.invoice,
  network: intent.network,
  payee: hex(intent.payee),
  amount_msat: intent.amountMsat,
  max_fee_msat: intent.maxFeeMsat,
  invoice_expires_at: intent.invoiceExpiresAt,
  created_at: intent.createdAt,
});

const writeReceipt = (receipt) => ({
  payment_hash: String(receipt.paymentHash),
  network: receipt.network,
  payee: hex(receipt.payee),
  amount_msat: receipt.amountMsat,
  fee_msat: receipt.feeMsat,
  charged_msat: receipt.chargedMsat,
  method: receipt.method,
  origin: String(receipt.origin),
  target: receipt.target,
  wallet: receipt.wallet,
  created_at: receipt.createdAt,
  settled_at: receipt.settledAt,
  state: receipt.state,
  credential: receipt.credential,
  failure: receipt.failure,
});

const writeQuote = (quote) => ({
  payment_hash: String(quote.paymentHash),
  network: quote.network,
  payee: hex(quote.payee),
  description: quote.description,
  amount_msat: quote.amountMsat,
  max_fee_msat: quote.maxFeeMsat,
  origin: String(quote.origin),
  invoice_expires_at: quote.invoiceExpiresAt,
  valid_until: quote.validUntil,
  budget_left_msat: quote.budgetLeftMsat,
  pending: quote.pending === null ? null : writePending(quote.pending),
  refusal: quote.refusal,
});

const writePending = (pending) =>
  pending.type === 'unresolved'
    ? { found: pending.type, payment_hash: String(pending.paymentHash) }
    : { found: pending.type, receipt: writeReceipt(pending.receipt) };
