// Many calls at once: what one budget holds, whoever asks.

import assert from 'node:assert/strict';

import { agent, agentAt, everywhere, serveHttp } from './agents.js';
import type { Agent } from './agents.js';
import { refusal, told } from './support.js';
import type { World } from './support.js';

// The fee is nothing on the devnet, and nothing is reserved for it.
const FEE = ['--max-fee-sats', '0'];

/** So many calls at once, by each agent the same number, of which so many are to be paid and the others refused. */
async function crowd(world: World, agents: Agent[], calls: number, paid: number): Promise<void> {
  // Each is a request of its own, so that none waits for another's credential.
  const each = agents.map(async (one, at) => {
    const own = Array.from({ length: calls / agents.length }, (_, call) => ({ url: `${world.url}/v1/demo?call=${at}-${call}` }));
    return Promise.all(own.map((args) => one.call('fetch', args, { timeout: 120_000 })));
  });
  const results = (await Promise.all(each)).flat();
  const good = results.filter(({ isError }) => !isError).map(told);
  assert.deepEqual(
    good.map(({ body }) => body),
    Array.from({ length: paid }, () => ({ result: 'verified' })),
  );
  const refused = results.filter(({ isError }) => isError).map(refusal);
  assert.deepEqual(
    refused,
    Array.from({ length: calls - paid }, () => 'budget_exceeded'),
  );
  const spent = Array.from({ length: paid }, () => 21_000);
  assert.deepEqual(await world.paid(), spent);
  assert.equal((await world.payments()).length, paid);
}

everywhere('fifty calls at once share one session', async (t, world, how) => {
  const options = { options: ['--max-sats-per-session', '250', ...FEE] };
  // Over HTTP the session is all connections' together.
  const [first, second] = await (how.transport === 'stdio'
    ? agent(t, world, how, options).then((one) => [one, one] as const)
    : serveHttp(t, world, options).then((url) => Promise.all([agentAt(t, url, how.line), agentAt(t, url, how.line)])));
  await crowd(world, [first, second], 50, Math.floor(250 / 21));
  const { session } = told(await first.call('budget', {}));
  assert.deepEqual(session, { limit_sats: 250, spent_sats: 231, reserved_sats: 0, left_sats: 19 });
});

everywhere('processes share one day', async (t, world, how) => {
  const options = { options: ['--max-sats-per-day', '100', ...FEE] };
  const agents = await Promise.all([agent(t, world, how, options), agent(t, world, how, options)]);
  await crowd(world, agents, 12, Math.floor(100 / 21));
});
