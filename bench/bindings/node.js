// Measures Node's package on the token that its argument describes, and prints what it took as JSON (../README.md).
'use strict';
const plannt = require('plannt');

const todo = JSON.parse(process.argv[2]);
const ring = new plannt.Keyring('regtest', todo.root_key);
const preimage = new plannt.Preimage(todo.preimage);
const caveats = Object.fromEntries(todo.caveats.map((caveat) => caveat.split(/=(.*)/s, 2)));
const scope = { service: 'demo', method: caveats.demo_method, path: caveats.demo_path };
const price = BigInt(caveats.demo_max_price_msat);
const request = new plannt.MintRequest({
  ...scope, paymentHash: preimage.paymentHash(), validUntil: Number(caveats.demo_valid_until), maxPriceMsat: price,
});
const context = () => new plannt.RequestContext({ ...scope, now: todo.now, lowestPriceMsat: price });
const held = context();
const header = plannt.authorizationValue(todo.token, preimage);
const credential = plannt.Credential.fromAuthorization([header]);

// As a server does it for each request.
const fromHeader = () => ring.verify(plannt.Credential.fromAuthorization([header]), context());

// Nanoseconds of one, in the fastest of many batches of some milliseconds.
function best(work) {
  const batch = (iterations) => {
    const begun = process.hrtime.bigint();
    for (let i = 0; i < iterations; i++) work();
    return Number(process.hrtime.bigint() - begun);
  };
  const enough = () => {
    let iterations = 1;
    while (batch(iterations) < 2e6) iterations *= 2;
    return iterations;
  };
  for (let left = enough() * 100; left > 0; left--) work(); // until it is compiled as well as it gets
  const iterations = enough();
  let fastest = Infinity;
  for (let i = 0; i < todo.batches; i++) fastest = Math.min(fastest, batch(iterations));
  return fastest / iterations;
}

const forged = plannt.base64.decode(todo.token);
forged[forged.length - 1] ^= 1;
const line = plannt.authorizationValue(plannt.base64.encode(forged), preimage);
let refused = false;
try { ring.verify(plannt.Credential.fromAuthorization([line]), held); } catch { refused = true; }
if (!refused) throw new Error('a forged token was accepted');

console.log(JSON.stringify({
  library: `plannt ${plannt.version}`,
  runtime: `Node.js ${process.versions.node}`,
  token: ring.mint(request),
  mint: { ns: best(() => ring.mint(request)) },
  verify: { ns: best(() => ring.verify(credential, held)) },
  header: { ns: best(fromHeader) },
}));
