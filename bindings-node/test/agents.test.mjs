// The examples, as they are run from a terminal, against the demo service and against one another.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, it } from 'node:test';
import { promisify } from 'node:util';

import { demo, folder, options } from './support.mjs';

const examples = new URL('../examples/', import.meta.url);
const run = async (name, ...args) => (await promisify(execFile)(process.execPath, [new URL(name, examples).pathname, ...args])).stdout.trim();

let service;
before(async () => {
  service = await demo();
});
after(() => service.close());

const at = (t, url = `${service.url}/v1/demo`) => [url, service.payerUrl, options(t).journal];

it('agent.mjs', async (t) => {
  assert.deepEqual(JSON.parse(await run('agent.mjs', ...at(t))), { result: 'verified' });
});

it('agent-budget.mjs', async (t) => {
  const lines = (await run('agent-budget.mjs', ...at(t))).split('\n');
  assert.deepEqual(lines, ['200', '200', 'stopped: budget_exceeded, 28000 msat left']);
});

it('agent-axios.mjs', async (t) => {
  assert.equal(await run('agent-axios.mjs', ...at(t)), '{"result":"verified"} spent');
});

it('agent-undici.mjs', async (t) => {
  assert.deepEqual((await run('agent-undici.mjs', ...at(t))).split('\n'), Array(3).fill('200 {"result":"verified"}'));
});

it('express-service.mjs', async (t) => {
  const env = { ...process.env, NODE: service.invoicerUrl, NETWORK: 'regtest', DATA_DIR: join(folder(t), 'data'), PORT: '0' };
  const shop = spawn(process.execPath, [new URL('express-service.mjs', examples).pathname], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => shop.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: shop.stdout }), 'line');
  const url = `${line.split(' ').pop()}/v1/report`;
  assert.deepEqual(JSON.parse(await run('agent.mjs', ...at(t, url))), { result: 'verified' });
});
