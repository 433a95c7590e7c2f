// One worker of four, over the store that all share.

import cluster from 'node:cluster';
import { createServer } from 'node:http';

import { Gate } from 'plannt';
import { l402Express } from 'plannt/express';

const [store, node] = process.argv.slice(2);
const gate = await Gate.open(store, { node, network: 'regtest' });
const charge = l402Express({ gate, terms: { service: 'reports', priceMsat: 21_000n } });
const http = createServer((request, response) => {
  response.setHeader('x-worker', String(cluster.worker.id));
  charge(request, response, () => response.end('ok'));
});
http.listen(0, '127.0.0.1', () => {
  process.send(http.address().port);
});
