// Paying through fetch and undici, against the real service.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { after, before, describe, it } from 'node:test';

import * as plannt from 'plannt';
import { l402Interceptor } from 'plannt/undici';
import { Agent, interceptors, request } from 'undici';
import { buy, challengeLine, demo, node, options, PRICE, server } from './support.mjs';

let service;
before(async () => {
  service = await demo();
});
after(() => service.close());

async function withFetch(url, given, { body, follow = false, headers } = {}) {
  const pay = plannt.l402Fetch(fetch, given);
  const init = { redirect: follow ? 'follow' : 'manual', headers };
  if (body !== undefined) Object.assign(init, { method: 'POST', body, duplex: 'half' });
  const response = await pay(url, init);
  return {
    status: response.status,
    xL402: response.headers.get('x-l402'),
    body: Buffer.from(await response.arrayBuffer()),
    outcome: plannt.outcomeOf(response),
  };
}

async function withUndici(url, given, { body, follow = false, headers } = {}) {
  let outcome = null;
  const onOutcome = (told) => {
    outcome = told;
  };
  const agent = new Agent();
  const redirect = interceptors.redirect({ maxRedirections: 5 });
  const pay = l402Interceptor({ ...given, onOutcome });
  const dispatcher = follow ? agent.compose(redirect, pay) : agent.compose(pay);
  try {
    const response = await request(url, { dispatcher, method: body === undefined ? 'GET' : 'POST', body, headers });
    return {
      status: response.statusCode,
      xL402: response.headers['x-l402'] ?? null,
      body: Buffer.from(await response.body.arrayBuffer()),
      outcome,
    };
  } finally {
    await agent.destroy();
  }
}

for (const [name, get] of Object.entries({ fetch: withFetch, undici: withUndici })) {
  describe(name, () => {
    const setup = (t, more = {}) => ({ wallet: service.wallet(), ...options(t), ...more });

    it('pays for a call', async (t) => {
      const paid = service.payments().length;
      const { status, xL402, body, outcome } = await get(`${service.url}/v1/demo`, setup(t));
      assert.deepEqual([status, xL402, JSON.parse(body)], [200, 'spent', { result: 'verified' }]);
      assert.equal(outcome.credential, 'bought');
      assert.equal(outcome.receipt.amountMsat, PRICE);
      assert.equal(outcome.receipt.state, 'paid');
      assert.equal(service.payments().length, paid + 1);
    });

    it('does not pay for what is free', async (t) => {
      const paid = service.payments().length;
      const { status, outcome } = await get(`${service.url}/status`, setup(t));
      assert.deepEqual([status, outcome.credential, outcome.receipt], [200, 'none', null]);
      assert.equal(service.payments().length, paid);
    });

    it('is stopped by a budget', async (t) => {
      const given = setup(t, { budget: [plannt.BudgetRule.perDay(70_000n)] });
      const url = `${service.url}/v1/demo`;
      assert.equal((await get(url, given)).status, 200);
      assert.equal((await get(url, given)).status, 200);
      await assert.rejects(get(url, given), (error) => {
        assert(error instanceof plannt.BudgetExceededError);
        assert.deepEqual([error.code, error.leftMsat], ['budget_exceeded', 70_000n - 2n * PRICE]);
        return true;
      });
    });

    it('is stopped by the limit of a call', async (t) => {
      await assert.rejects(get(`${service.url}/v1/demo`, setup(t, { maxPaymentMsat: 20_999n })), (error) => {
        assert(error instanceof plannt.AboveLimitError);
        assert.deepEqual([error.amountMsat, error.limitMsat], [PRICE, 20_999n]);
        return true;
      });
    });

    it('pays no host that is not allowed', async (t) => {
      await assert.rejects(get(`${service.url}/v1/demo`, setup(t, { allowedHosts: ['api.example'] })), plannt.HostNotAllowedError);
    });

    it('sends bodies again', async (t) => {
      const line = await challengeLine(service);
      const shop = await server(t, ({ headers, body }) =>
        headers.authorization ? [200, { 'x-l402': 'spent' }, body] : [402, { 'WWW-Authenticate': line }, 'pay'],
      );
      const { status, body } = await get(`${shop.url}/echo?q=1`, setup(t), { body: 'the same' });
      assert.deepEqual([status, String(body)], [200, 'the same']);
      assert.deepEqual(
        shop.seen.map((one) => `${one.path} ${one.body}`),
        ['/echo?q=1 the same', '/echo?q=1 the same'],
      );
      assert.equal(shop.seen[0].headers['accept-authenticate'], 'L402');
      assert.match(shop.seen[1].headers.authorization, /^L402 /);
    });

    for (const where of ['the same origin', 'another origin']) {
      it(`takes no credential over a redirect to ${where}`, async (t) => {
        const line = await challengeLine(service);
        const other = await server(t, () => [200, {}, 'at the end']);
        const shop = await server(t, ({ path, headers }) => {
          if (path === '/end') return [200, {}, 'at the end'];
          if (headers.authorization) return [302, { Location: `${where === 'the same origin' ? '' : other.url}/end` }, ''];
          return [402, { 'WWW-Authenticate': line }, 'pay'];
        });
        const given = setup(t);
        const { status, body } = await get(`${shop.url}/paid`, given, { follow: true });
        const reached = [...shop.seen, ...other.seen].filter((one) => one.path === '/end');
        for (const one of reached) assert.equal(one.headers.authorization, undefined);
        // Undici's interceptor hands the redirect back: it is the answer to the credential.
        if (name === 'undici') assert.equal(status, 302);
        else assert.deepEqual([status, String(body), reached.length], [200, 'at the end', 1]);
        const [receipt] = await new plannt.Journal(given.journal).receipts();
        assert.equal(receipt.credential, 'delivered');
      });
    }

    it('pays no 402 after a redirect', async (t) => {
      const paid = service.payments().length;
      const shop = await server(t, () => [307, { Location: `${service.url}/v1/demo` }, '']);
      await assert.rejects(get(shop.url, setup(t), { follow: true }), (error) => {
        assert.equal(error.code, 'challenge_after_redirect');
        assert(error instanceof plannt.RedirectedError);
        return true;
      });
      assert.equal(service.payments().length, paid);
    });

    it('hands a 402 without a challenge back whole', async (t) => {
      for (const body of ['', 'no challenge here', 'x'.repeat(300_000)]) {
        const shop = await server(t, () => [402, {}, body]);
        const answer = await get(shop.url, setup(t));
        assert.deepEqual([answer.status, answer.outcome.credential], [402, 'none']);
        assert.equal(String(answer.body), body);
      }
    });

    it('leaves an own credential alone', async (t) => {
      const own = await buy(service, await challengeLine(service));
      const paid = service.payments().length;
      const given = setup(t);
      const statuses = [];
      for (let i = 0; i < 2; i++) {
        statuses.push((await get(`${service.url}/v1/demo`, given, { headers: { Authorization: own } })).status);
      }
      assert.deepEqual(statuses, [200, 402]);
      assert.equal(service.payments().length, paid);
    });

    it('tries several uses first', async (t) => {
      const line = await challengeLine(service);
      let left = 2;
      const shop = await server(t, ({ headers }) => {
        if (!headers.authorization || left === 0) return [402, { 'WWW-Authenticate': line }, 'pay'];
        left -= 1;
        return [200, { 'x-l402': left ? `valid; remaining=${left}` : 'spent' }, 'ok'];
      });
      const given = setup(t);
      assert.equal((await get(`${shop.url}/v1/demo`, given)).outcome.credential, 'bought');
      assert.equal((await get(`${shop.url}/v1/demo`, given)).outcome.credential, 'kept');
      assert.equal(shop.seen.length, 3);
    });

    it('never pays for a stream', async (t) => {
      const line = await challengeLine(service);
      const shop = await server(t, () => [402, { 'WWW-Authenticate': line }, '']);
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from('a'));
          controller.close();
        },
      });
      await assert.rejects(
        get(shop.url, setup(t), { body: name === 'fetch' ? body : (await import('node:stream')).Readable.from(['a']) }),
        plannt.BodyNotReplayableError,
      );
    });

    it('presents again what brought no answer', async (t) => {
      const line = await challengeLine(service);
      let lose = true;
      const shop = await server(t, ({ headers }) => {
        if (!headers.authorization) return [402, { 'WWW-Authenticate': line }, 'pay'];
        return lose ? undefined : [200, { 'x-l402': 'spent' }, 'ok'];
      });
      const given = setup(t);
      const paid = service.payments().length;
      await assert.rejects(get(`${shop.url}/v1/demo`, given), (error) => {
        assert(error instanceof plannt.NotDeliveredError, error.stack);
        assert.equal(error.receipt.paidMsat, PRICE);
        return true;
      });
      lose = false;
      const { status, outcome } = await get(`${shop.url}/v1/demo`, given);
      assert.deepEqual([status, outcome.credential], [200, 'recovered']);
      assert.equal(service.payments().length, paid + 1);
    });

    it('says what the network said where nothing was paid', async (t) => {
      await assert.rejects(get('http://127.0.0.1:9/', setup(t)), (error) => !(error instanceof plannt.PlanntError));
    });

    it('keeps fifty at once under one budget', async (t) => {
      const driver = new plannt.Driver(setup(t, { budget: [plannt.BudgetRule.inTotal(10n * PRICE)], maxFee: plannt.FeeLimit.NONE }));
      const paid = service.payments().length;
      const one = (n) =>
        get(`${service.url}/v1/demo?n=${n}`, {
          wallet: driver.wallet,
          budget: driver.budget,
          journal: driver.journal,
          maxFee: plannt.FeeLimit.NONE,
        }).then(
          ({ status }) => String(status),
          (error) => error.code,
        );
      const ended = await Promise.all(Array.from({ length: 50 }, (_, n) => one(n)));
      assert.deepEqual(ended.sort(), [...Array(10).fill('200'), ...Array(40).fill('budget_exceeded')]);
      assert.equal(service.payments().length, paid + 10);
      assert.equal((await driver.budgetStatus())[0].leftMsat, 0n);
    });
  });
}

it('reads a challenge in a compressed body', async (t) => {
  const { invoice, token } = plannt.readChallenge([await challengeLine(service)]);
  const body = gzipSync(JSON.stringify({ invoice, macaroon: token }));
  const shop = await server(t, ({ headers }) =>
    headers.authorization ? [200, { 'x-l402': 'spent' }, 'ok'] : [402, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body],
  );
  assert.equal((await withFetch(shop.url, { wallet: service.wallet(), ...options(t) })).status, 200);
});

it('quotes, and writes nothing', async (t) => {
  const given = { wallet: service.wallet(), ...options(t) };
  const paid = service.payments().length;
  const { quote, response } = await plannt.quoteFetch(fetch, given, `${service.url}/v1/demo`);
  assert.deepEqual([response.status, quote.amountMsat, quote.network, quote.refusal], [402, PRICE, 'regtest', null]);
  assert.equal(existsSync(given.journal), false);
  assert.equal((await plannt.quoteFetch(fetch, given, `${service.url}/status`)).quote, null);
  assert.equal(service.payments().length, paid);
});

const SCRIPT = `
import * as plannt from 'plannt';
const [url, payer, journal] = process.argv.slice(1);
const pay = plannt.l402Fetch(fetch, { wallet: plannt.wallet(payer, { network: 'regtest' }), journal, budget: [plannt.BudgetRule.inTotal(40_000n)] });
await pay(url).then(({ status }) => console.log(status), ({ code }) => console.log(code));
`;

it('holds a budget over processes', async (t) => {
  const args = [`${service.url}/v1/demo`, service.payerUrl, options(t).journal];
  const ran = [await node(SCRIPT, ...args), await node(SCRIPT, ...args)];
  assert.deepEqual(
    ran.map(({ stdout }) => stdout.trim()),
    ['200', 'budget_exceeded'],
    JSON.stringify(ran),
  );
});

it('shares the default journal with the command line', async (t) => {
  const { journal } = options(t);
  const home = journal.replace(/\/journal\.db$/, '');
  const before = process.env.PLANNT_HOME;
  process.env.PLANNT_HOME = home;
  try {
    assert.equal((await plannt.l402Fetch(fetch, { wallet: service.wallet() })(`${service.url}/v1/demo`)).status, 200);
  } finally {
    if (before === undefined) delete process.env.PLANNT_HOME;
    else process.env.PLANNT_HOME = before;
  }
  const { execFileSync } = await import('node:child_process');
  const told = execFileSync(process.env.PLANNT_BIN ?? 'plannt', ['--data-dir', home, 'receipts', '--json'], { encoding: 'utf8' });
  assert.equal(JSON.parse(told).amount_msat, Number(PRICE));
});
