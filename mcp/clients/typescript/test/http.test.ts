// Who may call over HTTP, and how long the list of tools is where it is sent.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { promisify } from 'node:util';

import { LINES, agentAt, serveHttp } from './agents.js';
import { PLANNT, TOKEN, World, after, authority, folder, start } from './support.js';

const run = promisify(execFile);
const NEWEST = '2026-07-28';
const INFO = { name: 'wire', version: '1' };
const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: INFO };

/** The status of a first message with these headers; the SDKs and fetch let no one choose them all. */
async function status(url: string, headers: Record<string, string>, path = '/mcp'): Promise<number> {
  const fields = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers };
  const sent = request(new URL(path, url), { method: 'POST', headers: fields, agent: false });
  sent.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: INITIALIZE }));
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode ?? 0;
}

test('pages and other names do not get in', async (t) => {
  const origins = ['--allow-origin', 'http://localhost:6274', '--allow-origin', 'https://a.example'];
  const { url, close } = await start(folder(t), ['mcp', '--http', '127.0.0.1:0', ...origins]);
  after(t, close);
  const { port } = new URL(url);
  for (const [headers, expected] of [
    [{}, 200],
    [{ host: `localhost:${port}` }, 200],
    [{ host: `evil.example:${port}` }, 403],
    [{ host: 'evil.example' }, 403],
    [{ origin: 'http://localhost:6274' }, 200],
    [{ origin: 'https://a.example' }, 200],
    [{ origin: 'http://localhost:6275' }, 403],
    [{ origin: 'https://a.example:8443' }, 403],
    [{ origin: 'http://a.example' }, 403],
    [{ origin: `http://127.0.0.1:${port}` }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
  ] as [Record<string, string>, number][])
    assert.equal(await status(url, headers), expected, JSON.stringify(headers));
  assert.equal(await status(url, {}, '/'), 404);
});

test('a token is asked for', async (t) => {
  const world = await World.begin(t);
  const url = await serveHttp(t, world);
  for (const [headers, expected] of [
    [{}, 401],
    [{ authorization: 'Bearer wrong' }, 401],
    [{ authorization: `Basic ${TOKEN}` }, 401],
    [{ authorization: `Bearer ${TOKEN}` }, 200],
    [{ authorization: `Bearer ${TOKEN}`, host: 'evil.example' }, 403],
  ] as [Record<string, string>, number][])
    assert.equal(await status(url, headers), expected, JSON.stringify(headers));
  // The SDKs are told so, too.
  const without: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.delete('authorization');
    return fetch(input, { ...init, headers });
  };
  for (const line of LINES) await assert.rejects(agentAt(t, url, line, { fetch: without }), /401|token/i, line);
});

test('it does not start where it would not be safe', async (t) => {
  const home = folder(t);
  for (const [options, says] of [
    [['--http', '0.0.0.0:0'], /needs a bearer token/],
    [['--http', '[::]:0'], /needs a bearer token/],
    [['--http', '127.0.0.1:0', '--token', 'short'], /bearer token/],
    [['--http', '127.0.0.1:0', '--allow-origin', 'localhost:6274'], /no origin of a page/],
    [['--http', '127.0.0.1:0', '--allow-origin', 'http://localhost:99999'], /no origin of a page/],
  ] as [string[], RegExp][]) {
    const ended = run(PLANNT, ['--data-dir', home, 'mcp', ...options], { timeout: 20_000 });
    await assert.rejects(ended, ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => {
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, says);
      return true;
    });
  }
  // With a token, others may come, under any name.
  const open = await start(home, ['mcp', '--http', '0.0.0.0:0'], { PLANNT_MCP_TOKEN: TOKEN });
  after(t, open.close);
  const url = `http://127.0.0.1:${new URL(open.url).port}/mcp`;
  assert.equal(await status(url, { host: 'box.example' }), 401);
  assert.equal(await status(url, { host: 'box.example', authorization: `Bearer ${TOKEN}` }), 200);
});

/** A message's result must be short as the bytes that were sent. */
function isShort(sent: string): void {
  const begin = sent.indexOf('"result":');
  assert(begin > 0 && sent.includes('wallet_status'), sent);
  const { result } = JSON.parse(sent) as { result: unknown };
  const minified = JSON.stringify(result);
  // What was sent is minified as it is.
  assert(sent.includes(minified), 'it is not minified');
  assert(Buffer.byteLength(minified) <= 6_000, String(Buffer.byteLength(minified)));
}

test('the list of tools is at most 6,000 bytes over HTTP', async (t) => {
  const world = await World.begin(t);
  const url = await serveHttp(t, world);
  for (const line of LINES) {
    const sent: string[] = [];
    const listening: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (typeof init?.body === 'string' && init.body.includes('"tools/list"')) sent.push(await response.clone().text());
      return response;
    };
    const { listTools } = await agentAt(t, url, line, { fetch: listening });
    await listTools();
    const [message = '', ...more] = sent;
    assert.deepEqual(more, []);
    // It is one JSON message, or the data of one event.
    isShort(
      message
        .split('\n')
        .find((part) => part.includes('"result"'))
        ?.replace(/^data: ?/, '') ?? '',
    );
  }
});

test('the list of tools is at most 6,000 bytes over stdio', async (t) => {
  const world = await World.begin(t);
  const meta = {
    'io.modelcontextprotocol/protocolVersion': NEWEST,
    'io.modelcontextprotocol/clientInfo': INFO,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  for (const messages of [
    [{ id: 0, method: 'initialize', params: INITIALIZE }, { method: 'notifications/initialized' }, { id: 1, method: 'tools/list', params: {} }],
    [{ id: 1, method: 'tools/list', params: { _meta: meta } }],
  ]) {
    const child = spawn(PLANNT, ['--data-dir', world.home, 'mcp', '--allow-private', authority(world.url)], { stdio: ['pipe', 'pipe', 'ignore'] });
    const gone = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    let line = '';
    for (const message of messages) {
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
      if ('id' in message) line = String((await lines.next()).value);
    }
    isShort(line);
    child.stdin.end();
    assert.deepEqual(await gone, [0, null]);
  }
});
