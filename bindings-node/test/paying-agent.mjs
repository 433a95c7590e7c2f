// A paying agent, as the checks over the wire want a client: paying-agent.mjs LIBRARY URL

import { l402Fetch, wallet } from 'plannt';
import { l402Interceptor } from 'plannt/undici';
import { Agent, interceptors, request } from 'undici';

const [library, url] = process.argv.slice(2);
const options = { wallet: wallet(process.env.L402_WALLET, { network: 'regtest' }), maxPaymentMsat: 100_000n };

const LIBRARIES = {
  async fetch() {
    const response = await l402Fetch(fetch, options)(url);
    return [response.status, await response.arrayBuffer()];
  },
  async undici() {
    const dispatcher = new Agent().compose(l402Interceptor(options), interceptors.redirect({ maxRedirections: 5 }));
    const { statusCode, body } = await request(url, { dispatcher });
    return [statusCode, await body.arrayBuffer()];
  },
};

try {
  const [status, body] = await LIBRARIES[library]();
  process.stdout.write(Buffer.from(body));
  process.exitCode = status < 400 ? 0 : 22;
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
