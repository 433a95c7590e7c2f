// Undici with an interceptor that pays, three calls at once: node agent-undici.mjs URL WALLET_URL [JOURNAL]

import { wallet } from 'plannt';
import { l402Interceptor } from 'plannt/undici';
import { Agent, request } from 'undici';

const [url, walletUrl, journal] = process.argv.slice(2);
const dispatcher = new Agent().compose(l402Interceptor({ wallet: wallet(walletUrl), maxPaymentMsat: 100_000n, journal }));
const answers = await Promise.all(
  [0, 1, 2].map(async (part) => {
    const { statusCode, body } = await request(`${url}?part=${part}`, { dispatcher });
    return `${statusCode} ${await body.text()}`;
  }),
);
for (const answer of answers) console.log(answer);
await dispatcher.close();
