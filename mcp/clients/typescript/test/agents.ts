// `plannt mcp` behind the official SDK: three ways of speaking, over two transports, with one face for the tests.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { TestContext } from 'node:test';

import { Client as Client2, StreamableHTTPClientTransport as Http2 } from '@modelcontextprotocol/client';
import type { CallToolResult, ElicitResult, Progress, ReadResourceResult, Resource, Tool } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { CallToolResult as CallToolResult1 } from '@modelcontextprotocol/sdk/types.js';

import { PLANNT, TOKEN, World, after, authority, start } from './support.js';

/** The SDK's first line; its second, speaking as the first does; its second with the newest protocol. */
export const LINES = ['sdk 1', 'sdk 2, legacy', 'sdk 2'] as const;
export type Line = (typeof LINES)[number];
export const TRANSPORTS = ['stdio', 'http'] as const;
export type Transport = (typeof TRANSPORTS)[number];
export interface How {
  line: Line;
  transport: Transport;
}

/** The protocol that each line speaks. */
export const PROTOCOL: Record<Line, string> = { 'sdk 1': '2025-11-25', 'sdk 2, legacy': '2025-11-25', 'sdk 2': '2026-07-28' };

/** A test for every line and transport, each in a world of its own. */
export function everywhere(name: string, body: (t: TestContext, world: World, how: How) => Promise<void>): void {
  for (const line of LINES)
    for (const transport of TRANSPORTS)
      test(`${name} (${line}, ${transport})`, async (t) => {
        await body(t, await World.begin(t), { line, transport });
      });
}

type Answer = 'accept' | 'decline' | 'cancel';

/** Answers what is asked, and remembers it. */
export class Person {
  readonly asked: string[] = [];

  constructor(readonly answer: Answer) {}

  hear(params: { message: string; mode?: string }): ElicitResult {
    assert.notEqual(params.mode, 'url');
    this.asked.push(params.message);
    return this.answer === 'accept' ? { action: 'accept', content: {} } : { action: this.answer };
  }
}

export interface CallOptions {
  signal?: AbortSignal;
  onprogress?: (progress: Progress) => void;
  timeout?: number;
}

export interface Agent {
  /** What both sides agreed to speak. */
  protocol: string | undefined;
  call: (name: string, args: Record<string, unknown>, options?: CallOptions) => Promise<CallToolResult>;
  listTools: () => Promise<Tool[]>;
  listResources: () => Promise<Pick<Resource, 'uri' | 'name' | 'size' | 'mimeType'>[]>;
  readResource: (uri: string) => Promise<ReadResourceResult['contents']>;
}

export interface AgentOptions {
  /** Options of `plannt mcp`. */
  options?: string[];
  /** Servers on this machine, besides the demo service, that may be reached. */
  reach?: string[];
  /** Who answers questions; without one, the client can't ask. */
  person?: Person;
  /** Sees the HTTP transport's traffic. */
  fetch?: typeof fetch;
  /** The longest message that the client takes over stdio; the SDK's own limit unless said. */
  maxMessage?: number;
}

/** The options of `plannt mcp` that let it reach the world's servers. */
export function mcpArgs(world: World, { options = [], reach = [] }: AgentOptions = {}): string[] {
  return ['mcp', ...options, ...[world.url, ...reach].flatMap((url) => ['--allow-private', authority(url)])];
}

/** `plannt mcp --http`, for clients that show the token. */
export async function serveHttp(t: TestContext, world: World, options: AgentOptions = {}): Promise<string> {
  const served = await start(world.home, [...mcpArgs(world, options), '--http', '127.0.0.1:0'], { PLANNT_MCP_TOKEN: TOKEN });
  after(t, () => served.close());
  return served.url;
}

/** A client with a server of its own. */
export async function agent(t: TestContext, world: World, { line, transport }: How, options: AgentOptions = {}): Promise<Agent> {
  if (transport === 'http') return agentAt(t, await serveHttp(t, world, options), line, options);
  const args = ['--data-dir', world.home, ...mcpArgs(world, options)];
  const parameters = { command: PLANNT, args, stderr: 'ignore' as const, maxBufferSize: options.maxMessage };
  return line === 'sdk 1' ? sdk1(t, new Stdio1(parameters), options) : sdk2(t, new Stdio2(parameters), line, options);
}

/** A client of a server that listens already. */
export function agentAt(t: TestContext, url: string, line: Line, options: AgentOptions = {}): Promise<Agent> {
  const http = { requestInit: { headers: { authorization: `Bearer ${TOKEN}` } }, fetch: options.fetch };
  return line === 'sdk 1' ? sdk1(t, new Http1(new URL(url), http), options) : sdk2(t, new Http2(new URL(url), http), line, options);
}

const INFO = { name: 'plannt-tests', version: '1.0.0' };

async function sdk1(t: TestContext, transport: Stdio1 | Http1, { person }: AgentOptions): Promise<Agent> {
  const client = new Client1(INFO, { capabilities: person ? { elicitation: {} } : {} });
  if (person) client.setRequestHandler(ElicitRequestSchema, ({ params }) => person.hear(params));
  let protocol: string | undefined;
  const told = transport instanceof Http1 ? transport.setProtocolVersion.bind(transport) : undefined;
  Object.assign(transport, {
    setProtocolVersion(version: string) {
      protocol = version;
      told?.(version);
    },
  });
  await client.connect(transport);
  after(t, () => client.close());
  return {
    protocol,
    call: async (name, args, options) => (await client.callTool({ name, arguments: args }, undefined, options)) as CallToolResult1,
    listTools: async () => (await client.listTools()).tools as Tool[],
    listResources: async () => (await client.listResources()).resources,
    readResource: async (uri) => (await client.readResource({ uri })).contents,
  };
}

async function sdk2(t: TestContext, transport: Stdio2 | Http2, line: Line, { person }: AgentOptions): Promise<Agent> {
  const client = await client2(t, transport, line, person);
  return {
    protocol: client.getNegotiatedProtocolVersion(),
    call: (name, args, options) => client.callTool({ name, arguments: args }, options),
    listTools: async () => (await client.listTools()).tools,
    listResources: async () => (await client.listResources()).resources,
    readResource: async (uri) => (await client.readResource({ uri })).contents,
  };
}

/** The second line's own client, for what only it can do. */
export async function client2(t: TestContext, transport: Stdio2 | Http2, line: Line, person?: Person, byHand = false): Promise<Client2> {
  const client = new Client2(INFO, {
    capabilities: person ? { elicitation: {} } : {},
    versionNegotiation: { mode: line === 'sdk 2' ? 'auto' : 'legacy' },
    inputRequired: { autoFulfill: !byHand },
  });
  if (person) client.setRequestHandler('elicitation/create', ({ params }) => person.hear(params));
  await client.connect(transport);
  after(t, () => client.close());
  return client;
}
