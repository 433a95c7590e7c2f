// Wallets of one's own, and everything that goes wrong with a wallet: no payment is lost, and none is made twice.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, it } from 'node:test';

import * as plannt from 'plannt';
import { demo, node, options, PRICE } from './support.mjs';

let service;
before(async () => {
  service = await demo();
});
after(() => service.close());

/** A wallet of one's own that pays through the real one, but where it is overridden; null takes a method away. */
function own({ pay, lookUp } = {}) {
  const inner = service.wallet();
  const wallet = {
    walletId: 'own',
    network: 'regtest',
    paid: 0,
    payInvoice(invoice) {
      wallet.paid += 1;
      return pay === undefined ? inner.payInvoice(invoice) : pay(inner, invoice);
    },
    lookupPayment: (hash) => (lookUp === undefined ? inner.lookupPayment(hash) : lookUp(inner, hash)),
  };
  if (lookUp === null) delete wallet.lookupPayment;
  return wallet;
}

const get = (wallet, given, init) => plannt.l402Fetch(fetch, { wallet, ...given })(`${service.url}/v1/demo`, init);
const states = async (given) => (await new plannt.Journal(given.journal).receipts()).map(({ state }) => state);

for (const form of ['object', 'bytes', 'hex', 'no fee']) {
  it(`takes a wallet's answer as ${form}`, async (t) => {
    const pay = async (inner, invoice) => {
      assert.equal(invoice.timeout, 60);
      const { preimage } = await inner.payInvoice(invoice);
      if (form === 'no fee') return { preimage: preimage.exposeBytes() };
      return { preimage: { object: preimage, bytes: preimage.exposeBytes(), hex: preimage.exposeHex() }[form], feeMsat: 7n };
    };
    const response = await get(own({ pay }), options(t));
    assert.equal(response.status, 200);
    const { receipt } = plannt.outcomeOf(response);
    // Without a fee, the maximum is charged: 10 sat and 1%.
    assert.equal(receipt.feeMsat, form === 'no fee' ? 10_210n : 7n);
    assert.equal(receipt.chargedMsat, PRICE + receipt.feeMsat);
  });
}

it('asks a wallet that threw', async (t) => {
  const paid = service.payments().length;
  const pay = async (inner, invoice) => {
    await inner.payInvoice(invoice);
    throw new Error('the answer was lost');
  };
  const wallet = own({ pay });
  assert.equal((await get(wallet, options(t))).status, 200);
  assert.deepEqual([wallet.paid, service.payments().length], [1, paid + 1]);
});

it('never pays again without look-up', async (t) => {
  const given = options(t);
  const pay = () => {
    throw new Error('who knows');
  };
  const wallet = own({ pay, lookUp: null });
  for (let i = 0; i < 3; i++) await assert.rejects(get(wallet, given), plannt.PaymentUnresolvedError);
  assert.equal(wallet.paid, 1);
  assert.deepEqual(await states(given), ['unknown']);
  const [status] = await new plannt.Journal(given.journal).budgetStatus('regtest', new plannt.Budget([plannt.BudgetRule.inTotal(100_000n)]));
  assert.equal(status.reservedMsat, PRICE + 10_210n);
});

it('tries again after a certain failure, and tells its cause', async (t) => {
  const given = options(t);
  const pay = async () => {
    throw new plannt.PaymentFailedError('the purse is locked', 'insufficient_balance');
  };
  const wallet = own({ pay });
  for (let i = 1; i <= 2; i++) {
    await assert.rejects(get(wallet, given), (error) => {
      assert(error instanceof plannt.PaymentRefusedError);
      assert.equal(error.failure, 'insufficient_balance');
      assert(error.cause instanceof plannt.PaymentFailedError);
      return true;
    });
    assert.equal(wallet.paid, i);
  }
  assert.deepEqual(await states(given), ['failed', 'failed']);
});

const nonsense = [undefined, null, {}, { preimage: Buffer.alloc(5) }, { preimage: 'zz'.repeat(32) }, { preimage: 5 }, 42];
nonsense.push({ preimage: Buffer.alloc(32), feeMsat: -1n }, { preimage: Buffer.alloc(32), feeMsat: 3 });
for (const [number, answer] of nonsense.entries()) {
  it(`takes an answer that makes no sense for an unknown outcome (${number})`, async (t) => {
    const given = options(t);
    await assert.rejects(get(own({ pay: () => answer, lookUp: () => 'in_flight' }), given), plannt.PaymentUnresolvedError);
    assert.deepEqual(await states(given), ['in_flight']);
  });
}

for (const [number, state] of [null, 'sure', { status: 'paid' }, { status: 7 }, new Error('no')].entries()) {
  it(`learns nothing of a look-up that makes no sense (${number})`, async (t) => {
    const given = options(t);
    const lookUp = () => {
      if (state instanceof Error) throw state;
      return state;
    };
    await assert.rejects(get(own({ pay: () => null, lookUp }), given), plannt.PaymentUnresolvedError);
    assert.deepEqual(await states(given), ['unknown']);
  });
}

it('believes no preimage that proves nothing', async (t) => {
  const pay = () => ({ preimage: Buffer.alloc(32), feeMsat: 0n });
  await assert.rejects(get(own({ pay }), options(t)), plannt.PreimageMismatchError);
});

it('recovers what was left unfinished', async (t) => {
  const answers = ['in_flight'];
  const pay = async (inner, invoice) => {
    const { preimage } = await inner.payInvoice(invoice);
    answers.push({ status: 'paid', preimage });
    throw new Error('late');
  };
  const wallet = own({ pay, lookUp: () => answers[0] });
  const driver = new plannt.Driver({ wallet, ...options(t) });
  const go = plannt.l402Fetch(fetch, driver);
  await assert.rejects(go(`${service.url}/v1/demo`), plannt.PaymentUnresolvedError);
  assert.deepEqual(
    (await driver.recover()).map(({ state }) => state),
    ['unresolved'],
  );
  answers.shift();
  assert.deepEqual(
    (await driver.recover()).map(({ state }) => state),
    ['paid'],
  );
  assert.deepEqual(await driver.recover(), []);
  const response = await go(`${service.url}/v1/demo`);
  assert.deepEqual([response.status, plannt.outcomeOf(response).credential, wallet.paid], [200, 'recovered', 1]);
});

it('goes on with the payment when it is aborted, and pays nothing again', async (t) => {
  const given = options(t);
  const paid = service.payments().length;
  const pay = async (inner, invoice) => {
    await sleep(300);
    return inner.payInvoice(invoice);
  };
  const wallet = own({ pay });
  const controller = new AbortController();
  const reason = new Error('no longer wanted');
  setTimeout(() => {
    controller.abort(reason);
  }, 150);
  await assert.rejects(get(wallet, given, { signal: controller.signal }), (error) => error === reason);
  const response = await get(wallet, given);
  assert.deepEqual([response.status, plannt.outcomeOf(response).credential], [200, 'recovered']);
  assert.deepEqual([wallet.paid, service.payments().length], [1, paid + 1]);
});

it('refuses what is no wallet, and a network that is not its own', (t) => {
  for (const odd of [undefined, null, {}, 'lnd://']) assert.throws(() => new plannt.Driver({ wallet: odd, ...options(t) }), TypeError);
  assert.throws(() => plannt.wallet('nonsense://'), plannt.LightningError);
  assert.throws(
    () => plannt.wallet('lnd://host?macaroon=00ff00ff&cert=/nowhere'),
    (error) => !error.message.includes('00ff'),
  );
  assert.throws(() => plannt.wallet(service.payerUrl, { network: 'bitcoin' }), plannt.ConfigError);
  assert.throws(() => new plannt.Driver({ wallet: service.wallet(), network: 'bitcoin', ...options(t) }), plannt.ConfigError);
  assert.throws(() => new plannt.Driver({ wallet: service.wallet(), ...options(t), maxPaymentMsat: 5 }), TypeError);
});

it('is the real wallet', async () => {
  const wallet = service.wallet();
  const balance = await wallet.balanceMsat();
  assert(balance > 0n);
  assert.deepEqual(await wallet.lookupPayment(Buffer.alloc(32)), { status: 'not_found' });
  const response = await fetch(`${service.url}/v1/demo`);
  const { invoice } = plannt.readChallenge([response.headers.get('www-authenticate')]);
  const ask = { bolt11: invoice, maxFeeMsat: 1_000n, timeout: 10 };
  const paid = await wallet.payInvoice(ask);
  assert(paid.preimage.proves(plannt.readInvoice(invoice).paymentHash));
  // Paid once, however often it is asked for.
  assert((await wallet.payInvoice(ask)).preimage.equals(paid.preimage));
  assert.equal(await wallet.balanceMsat(), balance - PRICE - paid.feeMsat);
});

for (const [kind, failure] of [
  ['no_route', 'no_route'],
  ['no_balance', 'insufficient_balance'],
]) {
  it(`tells of a node that fails: ${kind}`, async (t) => {
    const given = options(t);
    service.fault({ operation: 'pay', kind, count: 1 });
    await assert.rejects(get(service.wallet(), given), (error) => error instanceof plannt.PaymentRefusedError && error.failure === failure);
    assert.equal((await get(service.wallet(), given)).status, 200);
  });
}

const KILLED = `
import * as plannt from 'plannt';
const [url, payer, journal, die] = process.argv.slice(1);
const inner = plannt.wallet(payer, { network: 'regtest' });
const wallet = {
  walletId: inner.walletId,
  network: 'regtest',
  async payInvoice(invoice) {
    const paid = await inner.payInvoice(invoice);
    if (die === 'kill') process.kill(process.pid, 'SIGKILL');
    if (die === 'exit') process.exit(7);
    return paid;
  },
  lookupPayment: (hash) => inner.lookupPayment(hash),
};
console.log((await plannt.l402Fetch(fetch, { wallet, journal })(url)).status);
`;

for (const die of ['kill', 'exit']) {
  it(`pays once where it dies between payment and retry (${die})`, async (t) => {
    const paid = service.payments().length;
    const args = [`${service.url}/v1/demo`, service.payerUrl, options(t).journal];
    const first = await node(KILLED, ...args, die);
    assert.equal(die === 'kill' ? first.signal : first.code, die === 'kill' ? 'SIGKILL' : 7, JSON.stringify(first));
    const again = await node(KILLED, ...args, 'no');
    assert.equal(again.stdout.trim(), '200', JSON.stringify(again));
    assert.equal(service.payments().length, paid + 1);
  });
}
