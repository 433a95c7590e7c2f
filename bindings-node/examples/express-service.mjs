// An Express service that charges for a report, 21 sat each:
//
//     NODE='lnd://127.0.0.1:8080?cert=tls.cert&macaroon=invoice.macaroon' NETWORK=bitcoin node express-service.mjs
//
// The keyring and the spent set are in $DATA_DIR; all processes on the machine share them.

import express from 'express';
import { FREE, Gate } from 'plannt';
import { l402Express } from 'plannt/express';

const gate = await Gate.open(process.env.DATA_DIR ?? 'data', { node: process.env.NODE, network: process.env.NETWORK ?? 'bitcoin' });
const app = express();
app.use(
  l402Express({
    gate,
    routes: { '/v1/report': { service: 'reports', priceMsat: 21_000n }, '/status': FREE },
  }),
);
app.get('/v1/report', (_request, response) => {
  response.json({ result: 'verified' });
});
app.get('/status', (_request, response) => {
  response.json({ status: 'up' });
});
const server = app.listen(Number(process.env.PORT ?? 8403), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
