// An agent that calls until its budget stops it: node agent-budget.mjs URL WALLET_URL [JOURNAL]

import { BudgetExceededError, BudgetRule, l402Fetch, wallet } from 'plannt';

const [url, walletUrl, journal] = process.argv.slice(2);
// 70 sat over all of this user's calls in 24 hours, in whatever process or language they are made.
const budget = [BudgetRule.perDay(70_000n)];
const pay = l402Fetch(fetch, { wallet: wallet(walletUrl), budget, maxPaymentMsat: 50_000n, journal });

try {
  for (;;) console.log((await pay(url)).status);
} catch (error) {
  if (!(error instanceof BudgetExceededError)) throw error;
  console.log(`stopped: ${error.code}, ${error.leftMsat} msat left`);
}
