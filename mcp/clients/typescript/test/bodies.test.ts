// What comes back: text, JSON, images, bytes, and what is too long for a result.

import assert from 'node:assert/strict';

import type { ReadResourceResult } from '@modelcontextprotocol/client';

import { agent, everywhere } from './agents.js';
import { server, told } from './support.js';
import type { Reply, Told } from './support.js';

const MIB = 1 << 20;
const PART = 4 * MIB;
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)]);
const BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const TEXT = Buffer.from('0123456789 a line of text\n'.repeat(420_000)).subarray(0, 10 * MIB);
// No run of it is the same as another.
const BINARY = Buffer.alloc(10 * MIB);
for (let at = 0; at < BINARY.length; at += 4) BINARY.writeUInt32LE(Math.imul(at + 1, 2_654_435_761) >>> 0, at);

const BODIES: Record<string, [type: string, body: string | Buffer]> = {
  '/text': ['text/plain; charset=utf-8', 'é\n'],
  '/json': ['application/problem+json', '{"a":[1,2]}'],
  '/broken': ['application/json', '{"a":'],
  '/none': ['text/plain', ''],
  '/png': ['image/png', PNG],
  '/wav': ['audio/wav', BYTES],
  '/bytes': ['application/octet-stream', BYTES],
  '/large': ['application/octet-stream', BINARY],
};

/** A body's bytes, of one part. */
function bytes([contents, ...more]: ReadResourceResult['contents']): Buffer {
  assert.deepEqual(more, []);
  assert(contents);
  return 'text' in contents ? Buffer.from(contents.text) : Buffer.from(contents.blob, 'base64');
}

everywhere('bodies come in the form that fits them', async (t, world, how) => {
  const { url } = await server(t, ({ path }): Reply => {
    const [type, body] = BODIES[path] ?? ['text/plain', 'nothing'];
    return [200, { 'content-type': type }, body];
  });
  const paid = await world.gateway(t, url, 5);
  const { call, listResources, readResource } = await agent(t, world, how, { reach: [url, paid] });
  const fetch = async (at: string) => {
    const result = await call('fetch', { url: at });
    const block = result.content[1];
    assert(result.content.length <= 2);
    return { ...told(result), block } as Told & { block: typeof block; resource: string };
  };
  assert.equal((await fetch(`${url}/text`)).body, 'é\n');
  assert.deepEqual((await fetch(`${url}/json`)).body, { a: [1, 2] });
  assert.equal((await fetch(`${url}/broken`)).body, '{"a":');
  assert.equal('body' in (await fetch(`${url}/none`)), false);
  const image = await fetch(`${url}/png`);
  assert.deepEqual(image.block, { type: 'image', mimeType: 'image/png', data: PNG.toString('base64') });
  assert.equal(image.bytes, PNG.length);
  assert.deepEqual((await fetch(`${url}/wav`)).block, { type: 'audio', mimeType: 'audio/wav', data: BYTES.toString('base64') });
  const small = await fetch(`${url}/bytes`);
  const embedded = { uri: small.resource, mimeType: 'application/octet-stream', blob: BYTES.toString('base64') };
  assert.deepEqual(small.block, { type: 'resource', resource: embedded });

  // Paid for, through a gateway in front of the same server.
  const long = await fetch(`${paid}/large`);
  assert.equal((long.receipt as Told).sats, 5);
  assert.deepEqual([long.bytes, long.preview, long.incomplete], [BINARY.length, undefined, undefined]);
  const linked = { uri: long.resource, name: `GET ${paid}/large`, size: BINARY.length };
  assert(long.block?.type === 'resource_link');
  assert.deepEqual({ uri: long.block.uri, name: long.block.name, size: long.block.size }, linked);
  const [newest] = await listResources();
  assert.deepEqual({ uri: newest?.uri, name: newest?.name, size: newest?.size }, linked);
  // In parts, which every client can take.
  const parts: Buffer[] = [];
  for (let from = 0; from < BINARY.length; from += PART) parts.push(bytes(await readResource(`${long.resource}?from=${from}&length=${PART}`)));
  assert(Buffer.concat(parts).equals(BINARY));
  await assert.rejects(readResource('plannt://response/00000000000000000000000000000000'), /no such response/);
  assert.deepEqual(await world.paid(), [5_000]);
});

everywhere('a long text is shown in part, and can be read at once', async (t, world, how) => {
  const { url } = await server(t, () => [200, { 'content-type': 'text/plain' }, TEXT]);
  // Over stdio the SDK takes 10 MB a message unless told otherwise.
  const { call, readResource } = await agent(t, world, how, { reach: [url], maxMessage: 32 * MIB });
  const { bytes: size, preview, resource, body } = told(await call('fetch', { url }));
  assert.deepEqual({ size, preview, body }, { size: TEXT.length, preview: TEXT.toString('utf8', 0, 4096), body: undefined });
  assert(bytes(await readResource(String(resource))).equals(TEXT));
});
