// The checks over the wire (conformance/WIRE.md): fetch and undici as clients, each framework's shop as a server.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';

import { demo, folder, PLANNT } from './support.mjs';

const here = (name) => join(import.meta.dirname, name);

/** @returns the checks that didn't pass, which are none. */
async function conformance(...args) {
  const { error, stdout, stderr } = await new Promise((resolve) => {
    execFile(PLANNT, ['conformance', ...args], { maxBuffer: 2 ** 24, timeout: 400_000 }, (...told) => {
      resolve({ error: told[0], stdout: told[1], stderr: told[2] });
    });
  });
  const failed = stdout.split('\n').filter((line) => !/^\s*passed/.test(line));
  assert.ok(error === null, `${failed.join('\n')}${stderr}`);
}

// All at once: most of their time is the servers' silence.
describe('over the wire', { concurrency: true }, () => {
  let service;
  before(async () => {
    service = await demo();
  });
  after(() => service.close());

  // What differs between the two; all else is the driver's, which one of them shows.
  const own = ['client.echo', 'client.once', 'client.pays', 'client.redirect', 'client.transport', 'client.untouched'];
  for (const [library, only] of [
    ['fetch', ['client']],
    ['undici', own],
  ]) {
    it(`${library} as a client`, async () => {
      const chosen = only.flatMap((identifier) => ['--only', identifier]);
      await conformance('client', '--strict', ...chosen, '--', process.execPath, here('paying-agent.mjs'), library, '{url}');
    });
  }

  for (const framework of ['express', 'fastify', 'hono', 'web']) {
    it(`${framework} as a server`, async (t) => {
      const store = join(folder(t), 'data');
      const shop = spawn(process.execPath, [here('shop.mjs'), framework, store, service.invoicerUrl], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => shop.kill('SIGKILL'));
      const [line] = await once(createInterface({ input: shop.stdout }), 'line');
      const url = `${line.split(' ').pop()}/v1/report`;
      const paths = ['--paid-path', '/v1/bundle', '--free-path', '/status', '--missing-path', '/nothing', '--post-path', '/v1/generate'];
      const known = ['--expected-failures', here(`expected/${framework}.txt`)];
      await conformance('server', url, '--wallet', service.payerUrl, '--strict', ...known, ...paths, '--post-body', '{"prompt":"hello"}');
    });
  }
});
