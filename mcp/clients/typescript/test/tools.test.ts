// What the tools do.

import assert from 'node:assert/strict';
import test from 'node:test';

import { Ajv2020 } from 'ajv/dist/2020.js';

import { PROTOCOL, agent, everywhere } from './agents.js';
import { World, authority, failure, refusal, relay, server, told } from './support.js';

const NAMES = ['fetch', 'quote', 'discover', 'budget', 'receipts', 'wallet_status'];

everywhere('one call pays and verifies', async (t, world, how) => {
  const { url, seen } = await server(t, relay(world));
  const { call, protocol } = await agent(t, world, how, { reach: [url] });
  assert.equal(protocol, PROTOCOL[how.line]);
  const { status, body, paid, verified, x_l402, receipt } = told(await call('fetch', { url: `${url}/v1/demo` }));
  assert.deepEqual(
    { status, body, paid, verified, x_l402 },
    { status: 200, body: { result: 'verified' }, paid: true, verified: true, x_l402: 'spent' },
  );
  const { sats, fee_sats, host, payment_hash, time } = receipt as Record<string, unknown>;
  assert.deepEqual({ sats, fee_sats, host }, { sats: 21, fee_sats: 0, host: authority(url) });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual(
    seen.map(({ method, status }) => [method, status]),
    [
      ['GET', 402],
      ['GET', 200],
    ],
  );
  assert.deepEqual(
    (await world.payments()).map((payment) => [payment.payment_hash, Number(payment.amount_msat), payment.status]),
    [[payment_hash, 21_000, 'SUCCEEDED']],
  );
});

everywhere('every tool is listed, and every result fits its schema', async (t, world, how) => {
  const { call, listTools } = await agent(t, world, how, { options: ['--max-sats-per-session', '500', '--confirm-above', '200'] });
  const tools = await listTools();
  assert.deepEqual(
    tools.map(({ name }) => name),
    NAMES,
  );
  const ajv = new Ajv2020({ strict: true });
  const host = authority(world.url);
  const calls: [name: string, args: Record<string, unknown>][] = [
    ['fetch', { url: `${world.url}/v1/demo` }],
    ['fetch', { url: `${world.url}/status` }],
    ['quote', { url: `${world.url}/v1/demo` }],
    ['quote', { url: `${world.url}/status` }],
    ['discover', { host }],
    ['budget', {}],
    ['receipts', { limit: 5, host }],
    ['wallet_status', {}],
  ];
  for (const { name, inputSchema, outputSchema, annotations } of tools) {
    assert(outputSchema, name);
    assert.equal(annotations?.readOnlyHint, name !== 'fetch', name);
    const [input, output] = [ajv.compile(inputSchema), ajv.compile(outputSchema)];
    for (const [, args] of calls.filter(([called]) => called === name)) {
      assert(input(args), ajv.errorsText(input.errors));
      assert(output(told(await call(name, args))), ajv.errorsText(output.errors));
    }
  }
});

everywhere('prices are asked and nothing is paid', async (t, world, how) => {
  const { call } = await agent(t, world, how, { options: ['--max-sats', '50'] });
  const quote = async (path: string) => told(await call('quote', { url: world.url + path }));
  const demo = await quote('/v1/demo');
  assert.deepEqual([demo.free, demo.price_sats, demo.would_pay], [false, 21, true]);
  const data = await quote('/v1/data');
  assert.deepEqual([data.would_pay, (data.refusal as { code: string }).code], [false, 'above_limit']);
  assert.deepEqual(await quote('/status'), { free: true, host: authority(world.url), status: 200 });
  const { routes, network, sources } = told(await call('discover', { host: authority(world.url) }));
  const prices = (routes as { path: string; price_sats: number }[]).map(({ path, price_sats }) => [path, price_sats]);
  assert.deepEqual(Object.fromEntries(prices), { '/status': 0, '/v1/demo': 21, '/v1/data': 100 });
  assert.deepEqual({ network, sources }, { network: 'regtest', sources: ['l402.json'] });
  assert.deepEqual(await world.payments(), []);
});

everywhere('limits hold, and no call raises them', async (t, world, how) => {
  const demo = { url: `${world.url}/v1/demo` };
  const data = { url: `${world.url}/v1/data` };
  const session = await agent(t, world, how, { options: ['--max-sats', '50', '--max-sats-per-session', '60'] });
  for (const args of [data, { ...data, max_sats: 1_000_000 }, { ...demo, max_sats: 20 }, { ...demo, max_sats: 0 }])
    assert.equal(refusal(await session.call('fetch', args)), 'above_limit');
  assert.deepEqual(await world.payments(), []);
  for (const args of [{ ...demo, max_sats: 21 }, demo]) told(await session.call('fetch', args));
  assert.equal(refusal(await session.call('fetch', demo)), 'budget_exceeded');
  assert.equal(refusal(await session.call('fetch', { ...demo, max_sats: 1_000_000 })), 'budget_exceeded');
  const left = { limit_sats: 60, spent_sats: 42, reserved_sats: 0, left_sats: 18 };
  const { session: told_session, per_call_sats } = told(await session.call('budget', {}));
  assert.deepEqual([told_session, per_call_sats], [left, 50]);
  // A day is over all sessions.
  const day = await agent(t, world, how, { options: ['--max-sats-per-day', '60'] });
  assert.equal(refusal(await day.call('fetch', demo)), 'budget_exceeded');
  assert.deepEqual(told(await day.call('budget', {})).rules, [{ ...left, window_seconds: 86_400 }]);
  assert.deepEqual(await world.paid(), [21_000, 21_000]);
});

everywhere('arguments that make no sense are told to the model', async (t, world, how) => {
  const { call } = await agent(t, world, how);
  const { url } = world;
  const calls: [name: string, args: Record<string, unknown>][] = [
    ['fetch', {}],
    ['fetch', { url: 'not a url' }],
    ['fetch', { url: 'ftp://127.0.0.1/' }],
    ['fetch', { url, max_price: 1 }],
    ['fetch', { url, max_sats: -1 }],
    ['fetch', { url, headers: { 'a b': 'c' } }],
    ['fetch', { url, headers: { Host: 'other.example' } }],
    ['fetch', { url, method: 'A B' }],
    ['quote', {}],
    ['discover', { host: '' }],
    ['budget', { limit: 1 }],
    ['receipts', { limit: -1 }],
  ];
  for (const [name, args] of calls)
    assert(['invalid_arguments', 'invalid_request'].includes(failure(await call(name, args)).code), JSON.stringify([name, args]));
  await assert.rejects(call('pay', {}), /no tool/);
});

test('hosts and addresses are for the one who starts it to name', async (t) => {
  const world = await World.begin(t);
  const away = world.url.replace('127.0.0.1', '127.0.0.2');
  const { url, seen } = await server(t, ({ path }) => [
    302,
    { location: path === '/away' ? `${away}/v1/demo` : 'http://169.254.169.254/latest' },
    '',
  ]);
  const { call } = await agent(t, world, { line: 'sdk 2', transport: 'stdio' }, { options: ['--allow-host', authority(url)], reach: [url] });
  assert.equal(refusal(await call('fetch', { url: `${world.url}/v1/demo` })), 'host_not_allowed');
  assert.deepEqual(told(await call('budget', {})).payable_hosts, [authority(url)]);
  const { port } = new URL(url);
  for (const host of ['localhost', '127.0.0.2', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '10.0.0.1', '169.254.169.254', '2130706434'])
    for (const tool of ['fetch', 'quote']) assert.equal(refusal(await call(tool, { url: `http://${host}:${port}/` })), 'address_not_allowed', host);
  assert.equal(refusal(await call('discover', { host: 'localhost' })), 'address_not_allowed');
  // The one that may be reached does not lead to one that may not.
  for (const path of ['/away', '/metadata']) assert.equal(refusal(await call('fetch', { url: url + path })), 'address_not_allowed');
  assert.deepEqual(
    seen.map(({ path }) => path),
    ['/away', '/metadata'],
  );
  assert.deepEqual(await world.payments(), []);
});
