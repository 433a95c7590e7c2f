// A shop of one framework, for the checks over the wire: shop.mjs FRAMEWORK STORE NODE

import { Gate } from 'plannt';

import { open } from './shops.mjs';

const [framework, store, node] = process.argv.slice(2);
const shop = await open(framework, await Gate.open(store, { node, network: 'regtest' }));
console.log(`listening on ${shop.url}`);
