// The same shop in each framework, on a real socket.

import { once } from 'node:events';
import { createServer } from 'node:http';

import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { FREE, l402 } from 'plannt';
import { l402Express, passageOf } from 'plannt/express';
import { l402Fastify } from 'plannt/fastify';
import { l402Hono } from 'plannt/hono';

const terms = { service: 'reports', priceMsat: 21_000n };
export const ROUTES = {
  '/v1/report': terms,
  '/v1/bundle': { ...terms, uses: 3 },
  'POST /v1/generate': { ...terms, bindsBody: 64 },
  '/v1/proxy': terms,
  '/v1/report:make': terms,
  '/status': FREE,
};

/** What a handler says that it saw. */
const saw = (headers, url, passage) => ({
  url,
  authorization: headers.authorization ?? null,
  own: Object.keys(headers).filter((name) => name.startsWith('x-l402')),
  remaining: passage.remaining,
});
const FORGED = { 'cache-control': 'public, max-age=60', 'x-l402': 'valid; remaining=9' };

function expressShop(gate) {
  const app = express();
  app.use(l402Express({ gate, routes: ROUTES }));
  const report = (req, res) => res.set(FORGED).json(saw(req.headers, req.url, passageOf(req)));
  app.get('/v1/report', report);
  app.get('/v1/bundle', report);
  app.get('/v1/report:make', report);
  app.post('/v1/generate', express.text({ type: '*/*' }), (req, res) => res.json({ body: req.body }));
  app.get('/v1/proxy', async (req, res) => {
    await passageOf(req).notReached();
    res.status(502).send('unreachable');
  });
  app.get('/status', (_req, res) => res.json({ status: 'up' }));
  return createServer(app);
}

function fastifyShop(gate) {
  const app = fastify();
  app.register(l402Fastify, { gate, routes: ROUTES });
  const report = (request, reply) => reply.headers(FORGED).send(saw(request.headers, request.raw.url, passageOf(request.raw)));
  app.get('/v1/report', report);
  app.get('/v1/bundle', report);
  app.get('/v1/report::make', report);
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post('/v1/generate', (request, reply) => reply.send({ body: request.body }));
  app.get('/v1/proxy', async (request, reply) => {
    await passageOf(request.raw).notReached();
    return reply.code(502).send('unreachable');
  });
  app.get('/status', (_request, reply) => reply.send({ status: 'up' }));
  return app;
}

function honoShop(gate) {
  const app = new Hono();
  app.use(l402Hono({ gate, routes: ROUTES }));
  const report = (c) => c.json(saw(Object.fromEntries(c.req.raw.headers), new URL(c.req.url).pathname, passageOf(c.req.raw)), 200, FORGED);
  app.get('/v1/report', report);
  app.get('/v1/bundle', report);
  app.get('/v1/*', async (c, next) => (c.req.path === '/v1/report:make' ? report(c) : next()));
  app.post('/v1/generate', async (c) => c.json({ body: await c.req.text() }));
  app.get('/v1/proxy', async (c) => {
    await passageOf(c.req.raw).notReached();
    return c.text('unreachable', 502);
  });
  app.get('/status', (c) => c.json({ status: 'up' }));
  return app;
}

/** The core on the web's own types, behind Hono's adapter for Node. */
function webShop(gate) {
  const shop = l402({ gate, routes: ROUTES });
  const answer = async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/status') return Response.json({ status: 'up' });
    if (pathname === '/v1/generate') return Response.json({ body: await request.text() });
    if (pathname !== '/v1/proxy') return Response.json(saw(Object.fromEntries(request.headers), pathname, passageOf(request)), { headers: FORGED });
    await passageOf(request).notReached();
    return new Response('unreachable', { status: 502 });
  };
  return { fetch: (request) => shop.handle(request, answer) };
}

export const SHOPS = { express: expressShop, fastify: fastifyShop, hono: honoShop, web: webShop };

/** Opens a shop on a free port. */
export async function open(name, gate, port = 0) {
  const made = SHOPS[name](gate);
  if (name === 'fastify') {
    await made.listen({ port, host: '127.0.0.1' });
    return { url: `http://127.0.0.1:${made.server.address().port}`, close: () => made.close() };
  }
  const http = name === 'express' ? made.listen(port, '127.0.0.1') : serve({ fetch: made.fetch, port, hostname: '127.0.0.1' });
  if (!http.listening) await once(http, 'listening');
  const close = () => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  };
  return { url: `http://127.0.0.1:${http.address().port}`, close };
}
