// Charging in each framework, on real sockets, paid by a real wallet.

import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';

import * as plannt from 'plannt';
import { open, SHOPS } from './shops.mjs';
import { buy, demo, folder, options } from './support.mjs';

let service;
before(async () => {
  service = await demo();
});
after(() => service.close());

const gateAt = (store, more = {}) => plannt.Gate.open(store, { node: service.invoicerUrl, network: 'regtest', ...more });

/** As bytes on the wire: no library in between that normalizes a path or a header's name. */
function raw(url, path, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const request = httpRequest({ hostname, port, path, method, headers, agent: false }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, headers: response.headers, rawHeaders: response.rawHeaders, body: String(Buffer.concat(chunks)) });
    });
    request.on('error', reject).end(body);
  });
}

async function bought(url, path, more = {}) {
  const answer = await raw(url, path, more);
  assert.equal(answer.status, 402, answer.body);
  return buy(service, answer.headers['www-authenticate']);
}

const presented = (url, path, credential, more = {}) => raw(url, path, { ...more, headers: { authorization: credential, ...more.headers } });
const codeOf = (answer) => JSON.parse(answer.body).code;

for (const name of Object.keys(SHOPS)) {
  describe(name, () => {
    let shop, store;
    before(async () => {
      store = join(service.home, `shop-${name}`);
      shop = await open(name, await gateAt(store));
    });
    after(() => shop.close());

    it('challenges to the byte', async () => {
      const answer = await raw(shop.url, '/v1/report');
      assert.equal(answer.status, 402);
      const { macaroon, invoice, price_msat } = JSON.parse(answer.body);
      assert.equal(answer.headers['www-authenticate'], `L402 macaroon="${macaroon}", invoice="${invoice}", version="0", token="${macaroon}"`);
      assert.deepEqual([answer.headers['cache-control'], price_msat], ['no-store', 21_000]);
      if (name === 'express' || name === 'fastify') assert.equal(answer.rawHeaders[0], 'WWW-Authenticate');
    });

    it('lets one of a hundred in', async () => {
      const credential = await bought(shop.url, '/v1/report');
      const answers = await Promise.all(Array.from({ length: 100 }, () => presented(shop.url, '/v1/report', credential)));
      const won = answers.filter(({ status }) => status === 200);
      assert.equal(won.length, 1);
      assert.equal(won[0].headers['x-l402'], 'spent');
      const others = new Set(answers.filter(({ status }) => status === 402).map(codeOf));
      assert.deepEqual([...others], ['spent']);
    });

    it('shows the handler what it may see, and the client what became of it', async () => {
      const credential = await bought(shop.url, '/v1/%72eport');
      const answer = await presented(shop.url, '/v1/%72eport', credential, { headers: { 'X-L402': 'spent', 'X-L402-Other': '1' } });
      assert.equal(answer.status, 200, answer.body);
      const seen = JSON.parse(answer.body);
      assert.deepEqual([seen.authorization, seen.own, seen.remaining], [null, [], 0]);
      if (name !== 'fastify' && name !== 'hono') assert.equal(seen.url, '/v1/report');
      assert.deepEqual([answer.headers['x-l402'], answer.headers['cache-control']], ['spent', 'private, max-age=60']);
    });

    it('sells several uses', async () => {
      const credential = await bought(shop.url, '/v1/bundle');
      const states = [];
      for (let i = 0; i < 4; i++) states.push((await presented(shop.url, '/v1/bundle', credential)).headers['x-l402']);
      assert.deepEqual(states, ['valid; remaining=2', 'valid; remaining=1', 'spent', undefined]);
    });

    it('binds a body, and leaves it to the handler', async () => {
      const post = (body) => ({ method: 'POST', body, headers: { 'content-type': 'text/plain' } });
      const credential = await bought(shop.url, '/v1/generate', post('a prompt'));
      const other = await presented(shop.url, '/v1/generate', credential, post('another'));
      assert.deepEqual([other.status, codeOf(other)], [402, 'out_of_scope']);
      const answer = await presented(shop.url, '/v1/generate', credential, post('a prompt'));
      assert.deepEqual([answer.status, JSON.parse(answer.body).body], [200, 'a prompt']);
      const large = await raw(shop.url, '/v1/generate', post('x'.repeat(65)));
      assert.deepEqual([large.status, codeOf(large)], [413, 'body_too_large']);
      const empty = await raw(shop.url, '/v1/generate', { method: 'POST' });
      assert.equal(empty.status, 402);
    });

    it('tells the price to a HEAD', async () => {
      const answer = await raw(shop.url, '/v1/report', { method: 'HEAD' });
      assert.deepEqual([answer.status, answer.headers['x-l402-price-msat'], answer.headers['www-authenticate']], [402, '21000', undefined]);
    });

    const paths = { '/v1//report': 400, '/v1/%2e%2e/status': 400, '/v1%2Freport': 400, '/v1/report%00': 400, '/nothing': 404, '/status': 200 };
    Object.assign(paths, { '/V1/report': 404, '/v1/report/': 404, '/v1/%72eport': 402, '/v1/report:make': 402, '/v1/report%3Amake': 402 });
    for (const [path, status] of Object.entries(paths)) {
      // The web's URL has taken dots out by itself before anyone sees them.
      const dots = path.includes('%2e') && (name === 'web' || name === 'hono');
      it(`answers ${path} with ${dots ? 'no more than it is' : status}`, async () => {
        const answer = await raw(shop.url, path);
        assert.ok(dots ? [200, 400, 404].includes(answer.status) : answer.status === status, `${answer.status} ${answer.body}`);
      });
    }

    it('gives back what was not reached', async () => {
      const credential = await bought(shop.url, '/v1/proxy');
      for (let i = 0; i < 2; i++) {
        const answer = await presented(shop.url, '/v1/proxy', credential);
        assert.deepEqual([answer.status, answer.headers['x-l402']], [502, 'unspent']);
      }
    });

    it('is paid by our own fetch', async (t) => {
      const pay = plannt.l402Fetch(fetch, { wallet: service.wallet(), ...options(t) });
      const response = await pay(`${shop.url}/v1/report`);
      assert.deepEqual([response.status, response.headers.get('x-l402')], [200, 'spent']);
    });

    it('forgets nothing when it starts again', async () => {
      const credential = await bought(shop.url, '/v1/report');
      assert.equal((await presented(shop.url, '/v1/report', credential)).status, 200);
      const again = await open(name, await gateAt(store));
      try {
        assert.equal(codeOf(await presented(again.url, '/v1/report', credential)), 'spent');
      } finally {
        await again.close();
      }
    });
  });
}

it('shares one spend set over a cluster of four', async (t) => {
  const store = folder(t);
  cluster.setupPrimary({ exec: new URL('cluster-worker.mjs', import.meta.url).pathname, args: [store, service.invoicerUrl] });
  const workers = Array.from({ length: 4 }, () => cluster.fork());
  t.after(() => {
    for (const worker of workers) worker.process.kill('SIGKILL');
  });
  const ports = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  const url = `http://127.0.0.1:${ports[0]}`;
  const credential = await bought(url, '/v1/report');
  const answers = await Promise.all(Array.from({ length: 100 }, () => presented(url, '/v1/report', credential)));
  const won = answers.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  const workersSeen = new Set(answers.map(({ headers }) => headers['x-worker']));
  assert.equal(workersSeen.size, 4, 'each worker was asked');
});

it('refuses to start without its store, and with one that is not known', async (t) => {
  const store = folder(t);
  await gateAt(store);
  for (const name of readdirSync(store).filter((one) => one.startsWith('spends'))) rmSync(join(store, name));
  await assert.rejects(gateAt(store), (error) => error instanceof plannt.KeyringError && error.code === 'store_missing');
  await assert.rejects(gateAt('redis://user:secret@host'), (error) => error.code === 'store_unknown_scheme' && !error.message.includes('secret'));
  await assert.rejects(gateAt(`sqlite:${store}/a`, { invoiceExpirySeconds: 60 }), plannt.GateConfigError);
  await assert.rejects(gateAt(`${store}/b`, { network: 'bitcoin' }), plannt.GateConfigError);
  await assert.rejects(gateAt(`${store}/c`, { node: 'nonsense' }), plannt.LightningError);
});

it('limits the challenges of one client', async (t) => {
  const gate = await gateAt(folder(t), { challengesPerMinute: 5 });
  const terms = { service: 'demo', priceMsat: 21_000n };
  const ask = (client) => gate.enter({ method: 'GET', target: '/x', headers: [], terms, client });
  const statuses = [];
  for (let i = 0; i < 6; i++) statuses.push((await ask('192.0.2.1')).status);
  assert.deepEqual(statuses, [402, 402, 402, 402, 402, 429]);
  assert.equal((await ask('192.0.2.2')).status, 402);
});

it('serves on from its pool of invoices without the node', async (t) => {
  const [gate, other] = await Promise.all([gateAt(folder(t), { invoicePool: 8 }), gateAt(folder(t))]);
  const status = async (gate) =>
    (await gate.enter({ method: 'GET', target: '/v1/x', headers: [], terms: { service: 'demo', priceMsat: 21_000n } })).status;
  const before = service.invoices().length;
  for (let i = 0; i < 4; i++) assert.equal(await status(gate), 402);
  // As many as were asked for, and as many again.
  const until = Date.now() + 30_000;
  while (service.invoices().length < before + 8) {
    assert.ok(Date.now() < until, 'the pool is not filled');
    await setTimeout(50);
  }
  service.fault({ operation: 'issue', kind: 'down' });
  t.after(() => service.mend());
  assert.deepEqual([await status(gate), await status(other)], [402, 503]);
});

it('asks for settlement where that is wanted', async (t) => {
  const gate = await gateAt(folder(t), { requireSettled: true });
  const ask = (headers) => gate.enter({ method: 'GET', target: '/v1/x', headers, terms: { service: 'demo', priceMsat: 21_000n } });
  const challenge = (await ask([])).headers.find(([name]) => name === 'WWW-Authenticate')[1];
  const headers = [['Authorization', await buy(service, challenge)]];
  service.fault({ operation: 'look_up_invoice', kind: 'down' });
  t.after(() => service.mend());
  const unknown = await ask(headers);
  assert.deepEqual([unknown.status, unknown.code], [503, 'unavailable']);
  service.mend();
  assert.equal((await ask(headers)).admitted, true);
});

it('answers odd requests', async (t) => {
  const gate = await gateAt(folder(t));
  const terms = { service: 'demo', priceMsat: 21_000n };
  const odd = [
    { method: 'GE T', target: '/', headers: [] },
    { method: 'GET', target: 'no target', headers: [] },
    { method: 'GET', target: '/', headers: [['bad name', 'x']] },
    { method: 'GET', target: '/', headers: [['x', 'a\nb']] },
  ];
  for (const one of odd) assert.equal((await gate.enter({ ...one, terms })).status, 400);
  await assert.rejects(gate.enter({ method: 'GET', target: '/', headers: [], terms: { service: 'demo', priceMsat: 0n } }), TypeError);
  await assert.rejects(gate.enter({ method: 'GET', target: '/', headers: [], terms: 'cheap' }), TypeError);
});

it('checks its tables', () => {
  const terms = { service: 'demo', priceMsat: 1n };
  for (const pattern of ['v1', '/v1/%64emo', '/a//b', 'GET v1']) assert.throws(() => plannt.routes({ [pattern]: terms }));
  assert.throws(() => plannt.routes({ '/v1': 21 }), TypeError);
  const price = plannt.routes({ '/v1/*': terms, 'POST /v1/x': plannt.NOT_FOUND, '/v1/free': plannt.FREE }, plannt.FREE);
  assert.equal(price('GET', '/v1/x'), terms);
  assert.equal(price('POST', '/v1/x'), 'not_found');
  assert.deepEqual([price('GET', '/v1/free'), price('GET', '/elsewhere')], ['free', 'free']);
});
