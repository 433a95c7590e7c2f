// Axios with a fetch that pays: node agent-axios.mjs URL WALLET_URL [JOURNAL]

import axios from 'axios';
import { l402Fetch, wallet } from 'plannt';

const [url, walletUrl, journal] = process.argv.slice(2);
const client = axios.create({
  adapter: 'fetch',
  env: { fetch: l402Fetch(fetch, { wallet: wallet(walletUrl), maxPaymentMsat: 100_000n, journal }) },
});
const { data, headers } = await client.get(url);
console.log(JSON.stringify(data), headers.get('x-l402'));
