// Questions to a person, progress, and calls that are given up: both generations of the protocol.

import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { StreamableHTTPClientTransport, isInputRequiredResult, specTypeSchemas, withInputRequired } from '@modelcontextprotocol/client';
import type { CallToolResult } from '@modelcontextprotocol/client';

import { Person, agent, client2, everywhere, serveHttp } from './agents.js';
import { TOKEN, World, authority, failure, refusal, server, told } from './support.js';
import type { Told } from './support.js';

everywhere('a person is asked above the threshold', async (t, world, how) => {
  const [demo, data] = [`${world.url}/v1/demo`, `${world.url}/v1/data`];
  for (const answer of ['accept', 'decline', 'cancel'] as const) {
    const person = new Person(answer);
    const { call } = await agent(t, world, how, { options: ['--confirm-above', '50'], person });
    told(await call('fetch', { url: demo }));
    assert.deepEqual(person.asked, []);
    const result = await call('fetch', { url: data });
    if (answer === 'accept') assert.equal((told(result).receipt as Told).sats, 100);
    else assert.equal(refusal(result), 'declined');
    const [question = '', ...more] = person.asked;
    assert.deepEqual(more, []);
    assert(question.startsWith(`Pay 100 sats to ${authority(world.url)}? At most 111 sats with the fee.`), question);
    assert(question.includes('demo'), question);
    // An answer counts once: who calls again is asked again.
    if (answer === 'accept') told(await call('fetch', { url: data }));
    else assert.equal(refusal(await call('fetch', { url: data })), 'declined');
    assert.equal(person.asked.length, 2);
  }
  assert.deepEqual((await world.paid()).sort(), [100_000, 100_000, 21_000, 21_000, 21_000]);
});

everywhere('where nobody can be asked it is refused', async (t, world, how) => {
  const { call } = await agent(t, world, how, { options: ['--confirm-above', '50'] });
  assert.equal(refusal(await call('fetch', { url: `${world.url}/v1/data` })), 'confirmation_unavailable');
  assert.equal(told(await call('quote', { url: `${world.url}/v1/data` })).needs_confirmation, true);
  assert.deepEqual(await world.payments(), []);
});

everywhere('nobody is asked for what would be refused', async (t, world, how) => {
  const person = new Person('accept');
  const { call } = await agent(t, world, how, { options: ['--confirm-above', '50', '--max-sats-per-session', '60'], person });
  const url = `${world.url}/v1/data`;
  assert.equal(refusal(await call('fetch', { url })), 'budget_exceeded');
  assert.equal(refusal(await call('fetch', { url, max_sats: 70 })), 'above_limit');
  assert.deepEqual([person.asked, await world.payments()], [[], []]);
});

test('an agreement counts once, for its own call', async (t) => {
  const world = await World.begin(t);
  const url = await serveHttp(t, world, { options: ['--confirm-above', '10'] });
  const connect = () => {
    const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${TOKEN}` } } });
    return client2(t, transport, 'sdk 2', new Person('accept'), true);
  };
  const [client, other] = [await connect(), await connect()];
  const call = (args: Told, more: Told = {}, by = client) =>
    by.request({ method: 'tools/call', params: { name: 'fetch', arguments: args, ...more } }, withInputRequired(specTypeSchemas.CallToolResult), {
      allowInputRequired: true,
    });
  const demo = { url: `${world.url}/v1/demo` };
  const ask = async () => {
    const asked = await call(demo);
    assert(isInputRequiredResult(asked));
    assert.deepEqual(Object.keys(asked.inputRequests ?? {}), ['pay']);
    assert(asked.requestState);
    return asked.requestState;
  };
  const answer = (requestState: string, action = 'accept') => ({ requestState, inputResponses: { pay: { action, content: {} } } });
  const refused = async (...args: Parameters<typeof call>) => refusal((await call(...args)) as CallToolResult);

  // Another call, another price limit, another state: each is none, and ends the question.
  assert.equal(await refused({ url: `${world.url}/v1/data` }, answer(await ask())), 'confirmation_expired');
  assert.equal(await refused({ ...demo, max_sats: 500 }, answer(await ask())), 'confirmation_expired');
  assert.equal(await refused(demo, answer('0'.repeat(32))), 'confirmation_expired');
  const state = await ask();
  assert.equal(await refused({ ...demo, method: 'POST' }, answer(state)), 'confirmation_expired');
  assert.equal(await refused(demo, answer(state)), 'confirmation_expired');
  // No answer, and one that says no.
  assert.equal(await refused(demo, { requestState: await ask() }), 'confirmation_expired');
  assert.equal(await refused(demo, { requestState: await ask(), inputResponses: { pay: { action: 'perhaps' } } }), 'confirmation_expired');
  assert.equal(await refused(demo, answer(await ask(), 'decline')), 'declined');
  // Without its state an answer is to no question.
  assert(isInputRequiredResult(await call(demo, { inputResponses: { pay: { action: 'accept', content: {} } } })));
  assert.deepEqual(await world.payments(), []);

  const agreed = answer(await ask());
  assert.equal(told((await call(demo, agreed)) as CallToolResult).paid, true);
  assert.equal(await refused(demo, agreed), 'confirmation_expired');
  assert.equal(await refused(demo, agreed, other), 'confirmation_expired');
  assert.deepEqual(await world.paid(), [21_000]);
  // Of two calls at once with one agreement, one pays.
  const once = answer(await ask());
  const both = (await Promise.all([call(demo, once), call(demo, once, other)])) as CallToolResult[];
  assert.equal(both.filter(({ isError }) => !isError).length, 1);
  assert.deepEqual(both.filter(({ isError }) => isError).map(refusal), ['confirmation_expired']);
  assert.deepEqual(await world.paid(), [21_000, 21_000]);
});

everywhere('progress is told in order before the result', async (t, world, how) => {
  const { call } = await agent(t, world, how);
  const steps: unknown[] = [];
  const onprogress = ({ progress, message }: { progress: number; message?: string }) => {
    steps.push([progress, message]);
  };
  const result = await call('fetch', { url: `${world.url}/v1/demo` }, { onprogress });
  assert.deepEqual(steps, [
    [1, 'asking the server'],
    [2, 'paying 21 sats, fee at most 10.21 sats'],
    [3, 'paid 21 sats'],
    [4, 'presenting the credential'],
  ]);
  told(result);
});

everywhere('a call that is given up in mid-payment is not paid twice', async (t, world, how) => {
  await world.fault({ operation: 'pay', kind: 'stuck', count: 1 });
  const { call } = await agent(t, world, how);
  const demo = { url: `${world.url}/v1/demo` };
  const patience = new AbortController();
  const given = assert.rejects(call('fetch', demo, { signal: patience.signal }));
  let payments = await world.payments();
  for (const until = Date.now() + 20_000; payments.length === 0; payments = await world.payments()) {
    assert(Date.now() < until, 'no payment was begun');
    await sleep(20);
  }
  patience.abort();
  await given;
  const hash = payments[0]?.payment_hash ?? '';
  // The server lives, and says what it waits for; the money is not spent, and not free.
  const waiting = failure(await call('fetch', demo));
  assert.equal(waiting.code, 'payment_unresolved');
  assert.equal(told(await call('wallet_status', {})).unresolved_payments, 1);
  await world.plannt('devnet', 'settle', hash);
  const { body, paid, verified, receipt } = told(await call('fetch', demo));
  assert.deepEqual({ body, paid, verified }, { body: { result: 'verified' }, paid: false, verified: true });
  assert.equal((receipt as Told).payment_hash, hash);
  assert.equal((await world.payments()).length, 1);
  assert.deepEqual(await world.paid(), [21_000]);
});

everywhere('a call that is given up before it paid pays nothing', async (t, world, how) => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const { url, seen } = await server(t, async () => {
    await held;
    return [200, {}, 'late'];
  });
  const { call } = await agent(t, world, how, { reach: [url] });
  const patience = new AbortController();
  const given = assert.rejects(call('fetch', { url }, { signal: patience.signal }));
  while (seen.length === 0) await sleep(20);
  patience.abort();
  await given;
  release();
  assert.equal(told(await call('fetch', { url })).body, 'late');
  assert.deepEqual(await world.payments(), []);
});
