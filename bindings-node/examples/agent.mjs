// An agent that pays for one call: node agent.mjs URL WALLET_URL [JOURNAL]

import { l402Fetch, outcomeOf, wallet } from 'plannt';

const [url, walletUrl, journal] = process.argv.slice(2);
const pay = l402Fetch(fetch, { wallet: wallet(walletUrl), maxPaymentMsat: 100_000n, journal });

const response = await pay(url);
if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
console.log(await response.text());

const receipt = outcomeOf(response)?.receipt;
if (receipt) console.error(`paid ${receipt.amountMsat} msat and ${receipt.feeMsat} msat of fee`);
