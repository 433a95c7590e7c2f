// Other people's programs: the MCP inspector's command line, and the MCP conformance suite. Both need a newer Node than this package; scripts/mcp-typescript installs one beside them.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';

import { PLANNT, TOKEN, World, after, authority, folder, start, told } from './support.js';

import type { CallToolResult, ListToolsResult } from '@modelcontextprotocol/client';

const run = promisify(execFile);
const tools = join(import.meta.dirname, '..', 'tools', 'node_modules');

/** The Node that the programs need: the running one, or the one that is installed with them. */
function newNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 19)) return process.execPath;
  const installed = join(tools, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  assert(existsSync(installed), `there is no Node 22.19 or newer, and none in ${dirname(installed)}`);
  return installed;
}

/** What a program of the tools' folder answers. It has a home of its own, since some keep files there. */
async function program(t: test.TestContext, name: string, bin: string, args: string[]): Promise<string> {
  const { bin: bins } = createRequire(import.meta.url)(join(tools, name, 'package.json')) as { bin: Record<string, string> };
  const script = join(tools, name, bins[bin] ?? '');
  const home = folder(t);
  const env = { ...process.env, HOME: home, MCP_STORAGE_DIR: home, NO_COLOR: '1' };
  const { stdout } = await run(newNode(), [script, ...args], { cwd: home, env, timeout: 120_000, maxBuffer: 1 << 24 });
  return stdout;
}

const inspect = async <T>(t: test.TestContext, args: string[]): Promise<T> =>
  JSON.parse(await program(t, '@modelcontextprotocol/inspector', 'mcp-inspector', ['--cli', ...args])) as T;

for (const transport of ['stdio', 'http']) {
  test(`the inspector lists, pays and reads over ${transport}`, async (t) => {
    const world = await World.begin(t);
    const options = ['mcp', '--allow-private', authority(world.url)];
    let target = [PLANNT, '--data-dir', world.home, ...options];
    let session: string[] = [];
    if (transport === 'http') {
      const server = await start(world.home, [...options, '--http', '127.0.0.1:0'], { PLANNT_MCP_TOKEN: TOKEN });
      after(t, () => server.close());
      target = [server.url];
      session = ['--transport', 'http', '--header', `Authorization: Bearer ${TOKEN}`];
    }
    const ask = <T>(...args: string[]): Promise<T> => inspect(t, [...target, ...session, ...args]);
    const listed = await ask<ListToolsResult>('--method', 'tools/list', '--strict');
    assert.deepEqual(
      listed.tools.map(({ name }) => name),
      ['fetch', 'quote', 'discover', 'budget', 'receipts', 'wallet_status'],
    );
    const call = ['--method', 'tools/call', '--tool-name', 'fetch', '--tool-arg', `url=${world.url}/v1/demo`];
    const result = told(await ask<CallToolResult>(...call));
    assert.deepEqual(result.body, { result: 'verified' });
    assert.deepEqual(await world.paid(), [21_000]);
  });
}

test('the conformance suite finds no fault that its baseline does not explain', async (t) => {
  // The suite's own page is one that may call.
  const server = await start(folder(t), ['mcp', '--http', '127.0.0.1:0', '--allow-origin', 'http://127.0.0.1:*']);
  after(t, () => server.close());
  const baseline = join(tools, '..', 'baseline.yml');
  const args = ['server', '--url', server.url, '--suite', 'all', '--expected-failures', baseline];
  const said = await program(t, '@modelcontextprotocol/conformance', 'conformance', args);
  assert.match(said, /Baseline check passed/, said);
  for (const scenario of ['server-initialize', 'ping', 'tools-list', 'server-sse-multiple-streams', 'resources-list', 'dns-rebinding-protection'])
    assert.match(said, new RegExp(`✓ ${scenario}: [1-9]\\d* passed, 0 failed`), said);
});
