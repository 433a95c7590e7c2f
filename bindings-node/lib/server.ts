/* What the adapters for Node's own servers share: raw headers in, raw headers out. */

import type { IncomingMessage, ServerResponse } from 'node:http';

import type { HeaderPairs, Passage, Refused } from './gate.js';

/** @internal A request's headers as they came. */
export function rawHeaders(request: IncomingMessage): [string, string][] {
  const { rawHeaders } = request;
  return Array.from({ length: rawHeaders.length / 2 }, (_, i) => [rawHeaders[2 * i] ?? '', rawHeaders[2 * i + 1] ?? '']);
}

/** @internal Path and query of a request's target, whatever its form. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const at = target.indexOf('?');
  return at < 0 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at) };
}

/** @internal Leaves to the handlers what the gate lets through of the headers. */
export function strip(request: IncomingMessage, passage: Passage): void {
  const kept = new Set(passage.headers.map(([name]) => name));
  for (const name of Object.keys(request.headers)) if (!kept.has(name)) Reflect.deleteProperty(request.headers, name);
  const authorization = passage.headers.find(([name]) => name === 'authorization');
  // Other schemes pass.
  if (authorization !== undefined) request.headers.authorization = authorization[1];
  request.rawHeaders = passage.headers.flat();
}

/** @internal Sends the gate's own answer: the challenge is the first line, spelled as clients look for it. */
export function refuse(request: IncomingMessage, response: ServerResponse, refused: Refused): void {
  const before = Object.entries(response.getHeaders()).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, String(one)] as const));
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const ours = new Set(refused.headers.map(([name]) => name.toLowerCase()));
  const body = request.method === 'HEAD' ? Buffer.alloc(0) : refused.body;
  const headers: HeaderPairs = [
    ...refused.headers,
    ...before.filter(([name]) => !ours.has(name)),
    ...(request.method === 'HEAD' ? [] : [['Content-Length', String(body.length)] as const]),
  ];
  response.writeHead(refused.status, headers.flat());
  response.end(body);
}

/** @internal Rewrites an answer's headers when they are written, however that is done. */
export function finish(response: ServerResponse, passage: Passage): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]) => {
    const given = args.find((arg) => typeof arg === 'object' && arg !== null);
    if (Array.isArray(given)) {
      const flat = given.flat() as unknown[];
      for (let i = 0; i + 1 < flat.length; i += 2) response.appendHeader(String(flat[i]), String(flat[i + 1]));
    } else if (given !== undefined) {
      for (const [name, value] of Object.entries(given as Record<string, string | string[] | number | undefined>)) {
        if (value !== undefined) response.setHeader(name, value);
      }
    }
    const pairs = Object.entries(response.getHeaders()).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, String(one)] as const));
    const finished = passage.answer(pairs);
    for (const name of response.getHeaderNames()) if (name.startsWith('x-l402') || name === 'cache-control') response.removeHeader(name);
    for (const [name, value] of finished) if (name.startsWith('x-l402') || name === 'cache-control') response.appendHeader(name, value);
    return writeHead(...args.filter((arg) => typeof arg !== 'object'));
  };
}

/**
 * Reads a body as far as one chunk more than its limit, and leaves it where it was for whoever reads it next.
 *
 * @internal
 */
export async function peek(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  await new Promise<void>((resolve, reject) => {
    const stop = (error?: Error): void => {
      request.off('readable', readable).off('error', stop).off('aborted', aborted).off('end', ended);
      if (error === undefined) resolve();
      else reject(error);
    };
    const aborted = (): void => {
      stop(new Error('the body broke off'));
    };
    const ended = (): void => {
      stop();
    };
    const readable = (): void => {
      let chunk: Buffer | null;
      while (size <= limit && (chunk = request.read() as Buffer | null) !== null) {
        chunks.push(chunk);
        size += chunk.length;
      }
      // Before the stream tells its end: what is put back now is read again.
      if (size > limit || request.complete) {
        if (size > 0) request.unshift(Buffer.concat(chunks));
        stop();
      }
    };
    request.on('readable', readable).on('error', stop).on('aborted', aborted).on('end', ended);
  });
  return Buffer.concat(chunks);
}
