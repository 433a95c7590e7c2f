// The real things: `plannt serve --demo` with its devnet, a server that answers by a rule, and what a result says.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

import type { CallToolResult } from '@modelcontextprotocol/client';

export const PLANNT = process.env.PLANNT_BIN ?? 'plannt';
export const TOKEN = '0123456789abcdef';
const run = promisify(execFile);

export interface Running {
  url: string;
  close: () => Promise<void>;
}

/** `plannt …`, ready once it has said where it listens. It is told to end, as a person would tell it. */
export async function start(home: string, args: string[], env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(PLANNT, ['--data-dir', home, ...args], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
  const gone = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), gone])) as [unknown];
  assert(typeof line === 'string' && line.startsWith('listening on '), `it ended before it listened: ${args.join(' ')}`);
  return {
    url: line.slice('listening on '.length),
    async close() {
      child.kill();
      assert.deepEqual(await gone, [0, null]);
    },
  };
}

const endings = new WeakMap<TestContext, (() => unknown)[]>();

/** What is to be done after a test, before all that was asked for earlier: node:test itself keeps to the order of asking. */
export function after(t: TestContext, ending: () => unknown): void {
  const known = endings.get(t);
  if (known) {
    known.push(ending);
    return;
  }
  const all = [ending];
  endings.set(t, all);
  t.after(async () => {
    for (const one of all.reverse()) await one();
  });
}

/** A folder that is gone after the test. */
export function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'plannt-mcp-ts-'));
  after(t, () => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

interface Payment {
  payment_hash: string;
  amount_msat: number | string;
  status: string;
}

/** The demo service and its devnet, all state under one folder. */
export class World {
  private constructor(
    readonly home: string,
    readonly url: string,
  ) {}

  static async begin(t: TestContext): Promise<World> {
    const home = folder(t);
    const service = await start(home, ['serve', '--demo', '--listen', '127.0.0.1:0', '--challenges-per-minute', '6000']);
    after(t, () => service.close());
    return new World(home, service.url);
  }

  async plannt(...args: string[]): Promise<string> {
    const { stdout } = await run(PLANNT, ['--data-dir', this.home, ...args]);
    return stdout;
  }

  /** What the wallet was asked to pay. */
  async payments(): Promise<Payment[]> {
    const lines = (await this.plannt('devnet', 'payments')).split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Payment);
  }

  /** The amounts that it paid, msat. */
  async paid(): Promise<number[]> {
    const all = await this.payments();
    return all.filter(({ status }) => status === 'SUCCEEDED').map(({ amount_msat }) => Number(amount_msat));
  }

  /** How many invoices were asked of the service's node. */
  async invoices(): Promise<number> {
    return (await this.plannt('devnet', 'invoices')).split('\n').filter(Boolean).length;
  }

  /** Makes the devnet fail as docs/DEVNET.md says. */
  async fault(fault: Record<string, unknown>): Promise<void> {
    await this.plannt('devnet', 'fault', JSON.stringify(fault));
  }

  /** A gateway in front of `upstream`, on the same devnet. */
  async gateway(t: TestContext, upstream: string, sats: number): Promise<string> {
    const { invoicer_url } = JSON.parse(readFileSync(join(this.home, 'devnet', 'devnet.json'), 'utf8')) as { invoicer_url: string };
    const options = ['--upstream', upstream, '--price-sats', String(sats), '--node', invoicer_url, '--network', 'regtest'];
    const gateway = await start(folder(t), ['serve', '--listen', '127.0.0.1:0', ...options]);
    after(t, () => gateway.close());
    return gateway.url;
  }
}

/** A URL's host and port. */
export const authority = (url: string): string => new URL(url).host;

/** A request as a server got it, and the status that it answered. */
export interface Seen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  status: number;
}

export type Reply = [status: number, headers: OutgoingHttpHeaders, body: string | Buffer];

/** An HTTP server that answers by a rule. */
export async function server(t: TestContext, rule: (seen: Seen) => Reply | Promise<Reply>): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const answer = async (one: Seen): Promise<Reply> => {
    try {
      return await rule(one);
    } catch (error) {
      return [599, {}, String(error)];
    }
  };
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const one: Seen = { method, path, headers, body: Buffer.concat(chunks), status: 0 };
      seen.push(one);
      void answer(one).then(([status, fields, body]) => {
        one.status = status;
        response.writeHead(status, fields);
        response.end(body);
      });
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  after(t, () => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, seen };
}

function without(headers: IncomingHttpHeaders, ...names: string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** Hands every request on to the demo service, so that what it answers can be counted or changed. */
export function relay(world: World): (seen: Seen) => Promise<Reply> {
  return ({ method, path, headers, body }) =>
    new Promise((resolve, reject) => {
      const onward = httpRequest(world.url + path, { method, headers: without(headers, 'host') }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const fields = without(response.headers, 'content-length', 'connection', 'date');
          resolve([response.statusCode ?? 0, fields, Buffer.concat(chunks)]);
        });
      });
      onward.on('error', reject);
      onward.end(body);
    });
}

export type Told = Record<string, unknown>;

/** A tool's structured result, which is in its text too. */
export function told(result: CallToolResult): Told {
  const [first] = result.content;
  assert(first?.type === 'text');
  assert(!result.isError, first.text);
  assert.deepEqual(JSON.parse(first.text), result.structuredContent);
  return result.structuredContent as Told;
}

export interface ToolError {
  code: string;
  message: string;
  paid: boolean;
  receipt?: Told;
}

/** A tool's error. */
export function failure(result: CallToolResult): ToolError {
  const [first] = result.content;
  assert(first?.type === 'text');
  assert(result.isError, first.text);
  assert.equal(result.structuredContent, undefined);
  return (JSON.parse(first.text) as { error: ToolError }).error;
}

/** A refusal before any money was spent. */
export function refusal(result: CallToolResult): string {
  const { code, paid, receipt } = failure(result);
  assert.deepEqual({ paid, receipt }, { paid: false, receipt: undefined });
  return code;
}
