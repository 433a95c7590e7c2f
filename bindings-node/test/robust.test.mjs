// Whatever is passed, there is a right answer or a clear error: nothing ends the process.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';

import * as plannt from 'plannt';

import { JUNK } from './junk.mjs';

const NAMES = Object.keys(JUNK);

/** An error of the language or of this package, that tells something of the argument and not of the package's own code. */
function clear(error, what) {
  const known = error instanceof plannt.PlanntError || error instanceof TypeError || error instanceof RangeError;
  assert.ok(known, `${what}: ${inspect(error)}`);
  assert.ok(!(error instanceof plannt.InternalError), `${what}: ${inspect(error)}`);
  assert.doesNotMatch(
    error.message,
    /Cannot (read prop|convert|mix)|is not (a function|iterable)|(at position|in JSON)|undefined \(/,
    `${what}: ${inspect(error)}`,
  );
  assert.ok(error.message.length > 5 && error.message.length < 300, what);
}

/** Calls with each piece of junk at each place, beside arguments that are right. */
function everywhere(what, right, call) {
  for (let place = 0; place < right.length; place += 1) {
    for (const name of NAMES) {
      const given = right.map((argument, index) => (index === place ? JUNK[name] : argument));
      attempt(`${what} with ${name} as argument ${place + 1}`, call, given);
    }
  }
}

/** And with junk alone, every two of them. */
function alone(what, call) {
  const short = NAMES.filter((name) => !name.includes('long'));
  for (const first of short) {
    for (const second of short) attempt(`${what} with ${first}, ${second}`, call, [JUNK[first], JUNK[second], JUNK[second], JUNK[first]]);
  }
}

function attempt(what, call, given) {
  try {
    call(...given);
  } catch (error) {
    clear(error, what);
  }
}

const bytes = Buffer.alloc(32, 7);
const preimage = new plannt.Preimage(bytes);
const ring = new plannt.Keyring('regtest', bytes);
const scope = { service: 'demo', method: 'GET', path: '/v1/demo' };
const minted = { ...scope, paymentHash: preimage.paymentHash(), maxPriceMsat: 21_000n, validUntil: 1_900_000_000 };
const asked = { ...scope, lowestPriceMsat: 21_000n, now: 1_800_000_000 };
const mintRequest = new plannt.MintRequest(minted);
const context = new plannt.RequestContext(asked);
const token = ring.mint(mintRequest);
const credential = plannt.Credential.fromAuthorization([plannt.authorizationValue(token, preimage)]);
const macaroon = plannt.parseToken(token);
const origin = plannt.Origin.parse('https://api.example');
const policy = new plannt.Policy({ network: 'regtest', maxPaymentMsat: 25_000n });
const facts = plannt.requestFacts('GET', origin, '/v1/demo');
const body = {
  token,
  invoice: 'lnbc1',
  paymentHash: preimage.paymentHash(),
  priceMsat: 1n,
  expiresAt: 'x',
  service: 'demo',
  code: 'payment_required',
};
const key = plannt.requestKey(facts, 'wallet');
const rule = plannt.BudgetRule.perDay(100n);

const FUNCTIONS = {
  attenuateToken: [token, ['a=b']],
  authorizationValue: [token, preimage],
  authorizationValueFor: ['LSAT', token, preimage],
  challengeBody: [body],
  challengeHeader: [token, 'lnbc1'],
  codeGrpcStatus: ['expired'],
  codeIsChallenge: ['expired'],
  codeStatus: ['expired'],
  contentDigest: [bytes],
  contentDigestText: [bytes],
  decodeAny: [token],
  errorBody: ['expired', 'why'],
  grpcMetadataValue: [token, preimage],
  intentStateIsUnresolved: ['paid'],
  networkCurrency: ['regtest'],
  normalizePath: ['/v1', { control: true }],
  parseChallenges: ['Basic realm="x"'],
  parseContentDigest: ['sha-256=:AA==:'],
  parseNetwork: ['bcrt'],
  parseToken: [token],
  queryDigest: ['a=b'],
  queryOf: ['/v1?a=b'],
  readChallenge: [['Basic realm="x"'], '{}'],
  readInvoice: ['lnbc1'],
  requestFacts: ['GET', origin, '/', bytes],
  requestKey: [facts, 'wallet'],
  requestKeyDigest: [key],
  resolve: [{ type: 'in_flight' }, preimage.paymentHash(), 1, 2],
  sniffFormat: [bytes],
  tokenFits: [token, facts, 1],
  tokenValidUntil: [token],
};

const flow = () => new plannt.Flow(policy, facts, 'wallet');
const METHODS = {
  'Budget()': [[[rule]], (...given) => new plannt.Budget(...given)],
  'Budget.add': [[rule], (...given) => new plannt.Budget().add(...given)],
  'BudgetRule()': [[1n, 2], (...given) => new plannt.BudgetRule(...given)],
  'BudgetRule.inTotal': [[1n], (...given) => plannt.BudgetRule.inTotal(...given)],
  'BudgetRule.leftMsat': [[1n], (...given) => rule.leftMsat(...given)],
  'BudgetRule.since': [[1], (...given) => rule.since(...given)],
  'Credential()': [[{}], (...given) => new plannt.Credential(...given)],
  'Credential.fromAuthorization': [[['L402 x']], (...given) => plannt.Credential.fromAuthorization(...given)],
  'Credential.fromGrpcMetadata': [['00'], (...given) => plannt.Credential.fromGrpcMetadata(...given)],
  'FeeLimit()': [[1n, 2], (...given) => new plannt.FeeLimit(...given)],
  'FeeLimit.fixed': [[1n], (...given) => plannt.FeeLimit.fixed(...given)],
  'FeeLimit.forAmount': [[1n], (...given) => new plannt.FeeLimit().forAmount(...given)],
  'Flow()': [[policy, facts, 'wallet'], (...given) => new plannt.Flow(...given)],
  'Flow.dryRun': [[policy, facts, 'wallet'], (...given) => plannt.Flow.dryRun(...given)],
  'Flow.handle': [[{ type: 'busy' }, 1], (...given) => flow().handle(...given)],
  'Hosts.contain': [[origin], (...given) => plannt.Hosts.any().contain(...given)],
  'Hosts.listed': [[['a.example']], (...given) => plannt.Hosts.listed(...given)],
  'Identifier()': [[bytes, bytes], (...given) => new plannt.Identifier(...given).toBytes()],
  'Identifier.parse': [[Buffer.alloc(66)], (...given) => plannt.Identifier.parse(...given)],
  'Keyring()': [['regtest', bytes], (...given) => new plannt.Keyring(...given)],
  'Keyring.authenticate': [[macaroon, preimage], (...given) => ring.authenticate(...given)],
  'Keyring.mint': [[mintRequest], (...given) => ring.mint(...given)],
  'Keyring.mintChain': [[bytes, ['a=b']], (...given) => ring.mintChain(...given)],
  'Keyring.rotate': [[bytes], (...given) => new plannt.Keyring('regtest', bytes).rotate(...given)],
  'Keyring.verify': [[credential, context], (...given) => ring.verify(...given)],
  'Keyring.withVerifying': [[bytes], (...given) => ring.withVerifying(...given)],
  'Macaroon()': [[{}], (...given) => new plannt.Macaroon(...given)],
  'Macaroon.attenuate': [['a=b'], (...given) => plannt.Macaroon.create('k', 'i').attenuate(...given)],
  'Macaroon.attenuateThirdParty': [[bytes, 'i', Buffer.alloc(24), 'l'], (...given) => plannt.Macaroon.create('k', 'i').attenuateThirdParty(...given)],
  'Macaroon.bind': [[macaroon], (...given) => macaroon.bind(...given)],
  'Macaroon.create': [['k', 'i', 'l'], (...given) => plannt.Macaroon.create(...given)],
  'Macaroon.equals': [[macaroon], (...given) => macaroon.equals(...given)],
  'Macaroon.fromJson': [['{}'], (...given) => plannt.Macaroon.fromJson(...given)],
  'Macaroon.fromV1': [[bytes], (...given) => plannt.Macaroon.fromV1(...given)],
  'Macaroon.fromV2': [[bytes], (...given) => plannt.Macaroon.fromV2(...given)],
  'Macaroon.parse': [[bytes], (...given) => plannt.Macaroon.parse(...given)],
  'Macaroon.toFormat': [['v1'], (...given) => macaroon.toFormat(...given)],
  'Macaroon.verifyDischarged': [['k', [], () => true], (...given) => plannt.Macaroon.create('k', 'i').verifyDischarged(...given)],
  'Macaroon.verifySignature': [['k'], (...given) => macaroon.verifySignature(...given)],
  'Origin()': [['https', 'a.example', 443], (...given) => new plannt.Origin(...given)],
  'Origin.parse': [['https://a.example'], (...given) => plannt.Origin.parse(...given)],
  'PaymentHash()': [[bytes], (...given) => new plannt.PaymentHash(...given)],
  'PaymentHash.equals': [[bytes], (...given) => preimage.paymentHash().equals(...given)],
  'PaymentHash.fromBytes': [[bytes], (...given) => plannt.PaymentHash.fromBytes(...given)],
  'Policy.maxFeeMsat': [[1n], (...given) => policy.maxFeeMsat(...given)],
  'Preimage()': [[bytes], (...given) => new plannt.Preimage(...given)],
  'Preimage.equals': [[preimage], (...given) => preimage.equals(...given)],
  'Preimage.fromBytes': [[bytes], (...given) => plannt.Preimage.fromBytes(...given)],
  'Preimage.fromHex': [['ab'.repeat(32)], (...given) => plannt.Preimage.fromHex(...given)],
  'Preimage.proves': [[bytes], (...given) => preimage.proves(...given)],
  'RootKey()': [[bytes], (...given) => new plannt.RootKey(...given)],
  'base64.decode': [['AA=='], (...given) => plannt.base64.decode(...given)],
  'base64.decodedLen': [[4], (...given) => plannt.base64.decodedLen(...given)],
  'base64.encode': [[bytes], (...given) => plannt.base64.encode(...given)],
  'caveat.pathMatches': [['/a*', '/a'], (...given) => plannt.caveat.pathMatches(...given)],
  'caveat.split': [['a=b'], (...given) => plannt.caveat.split(...given)],
};

describe('any value', () => {
  for (const [name, right] of Object.entries(FUNCTIONS)) METHODS[name] = [right, plannt[name]];
  for (const [name, [right, call]] of Object.entries(METHODS)) {
    it(name, () => {
      everywhere(name, right, call);
      alone(name, call);
    });
  }

  // Each option of the constructors that take an object of them.
  for (const [Class, right] of [
    [plannt.MintRequest, { ...minted, tier: 0, uses: 1, query: bytes, digest: bytes, capabilities: ['a'] }],
    [
      plannt.RequestContext,
      { ...asked, tier: 0, query: bytes, requiresQuery: true, digest: bytes, requiresDigest: true, capability: 'a', strict: true },
    ],
    [plannt.Policy, { ...policy }],
  ]) {
    it(`${Class.name}()`, () => {
      everywhere(Class.name, [right], (options) => new Class(options));
      for (const option of Object.keys(right)) {
        everywhere(`${Class.name}.${option}`, [right[option]], (value) => new Class({ ...right, [option]: value }));
      }
    });
  }

  // Each member of what a flow is told.
  it('the members of events', () => {
    const receipt = {
      paymentHash: bytes,
      network: 'regtest',
      payee: null,
      amountMsat: 1n,
      feeMsat: null,
      chargedMsat: 0n,
      method: 'GET',
      origin,
      target: '/',
      wallet: 'w',
      createdAt: 1,
      settledAt: null,
      state: 'paid',
      credential: null,
      failure: null,
    };
    const stored = { scheme: 'L402', token, preimage, receipt };
    const intent = {
      paymentHash: bytes,
      request: key,
      scheme: 'L402',
      token,
      invoice: 'lnbc1',
      network: 'regtest',
      payee: null,
      amountMsat: 1n,
      maxFeeMsat: 1n,
      invoiceExpiresAt: 1,
      createdAt: 1,
    };
    const events = [
      { type: 'loaded', loaded: { found: { type: 'delivered', credential: stored }, budgetLeftMsat: 1n } },
      { type: 'loaded', loaded: { found: { type: 'unresolved', intent }, budgetLeftMsat: 1n } },
      { type: 'looked_up', lookUp: { type: 'paid', preimage, feeMsat: 1n } },
      { type: 'payment', result: { type: 'failed', failure: 'x' } },
      { type: 'reserved', reservation: { type: 'over_budget', leftMsat: 1n } },
      { type: 'responded', facts: { status: 402, wwwAuthenticate: ['x'], xL402: 'x', redirected: false } },
    ];
    const holders = (value, path = []) =>
      value?.constructor === Object ? [path, ...Object.keys(value).flatMap((name) => holders(value[name], [...path, name]))] : [path];
    const replaced = (value, [name, ...rest], by) => (name === undefined ? by : { ...value, [name]: replaced(value[name], rest, by) });
    for (const event of events) {
      for (const path of holders(event)) {
        everywhere(`${event.type}: ${path.join('.')}`, [null], (junk) => flow().handle(replaced(event, path, junk), 1));
      }
    }
  });
});
