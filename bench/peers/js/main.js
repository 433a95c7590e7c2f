// Measures npm macaroon in the whole L402 operation, on the macaroon that its argument describes,
// and prints what it took as JSON (../../README.md).
'use strict';
const { createHash, createHmac, timingSafeEqual } = require('node:crypto');
const { importMacaroon, newMacaroon } = require('macaroon');

const todo = JSON.parse(process.argv[2]);
const rootKey = Buffer.from(todo.root_key, 'hex');
const preimage = Buffer.from(todo.preimage, 'hex');
const label = Buffer.concat([Buffer.from('l402/macaroon/0' + todo.currency), Buffer.alloc(1)]);
const UNTIL = 'demo_valid_until=';
const satisfied = new Set(todo.caveats.filter((caveat) => !caveat.startsWith(UNTIL)));

const mac = (key, ...parts) => {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
};
const sha256 = (bytes) => createHash('sha256').update(bytes).digest();
const macaroonKey = (paymentHash) => mac(rootKey, label, paymentHash);

function chain(paymentHash) {
  const identifier = Buffer.concat([Buffer.alloc(2), paymentHash, mac(rootKey, paymentHash)]);
  const macaroon = newMacaroon({
    version: 2, identifier, location: todo.location, rootKey: macaroonKey(paymentHash),
  });
  for (const caveat of todo.caveats) macaroon.addFirstPartyCaveat(caveat);
  return macaroon;
}

const mint = (paymentHash) => Buffer.from(chain(paymentHash).exportBinary()).toString('base64');

function satisfy(caveat) {
  if (caveat.startsWith(UNTIL)) {
    const until = Number(caveat.slice(UNTIL.length));
    return Number.isSafeInteger(until) && todo.now < until ? null : 'expired';
  }
  return satisfied.has(caveat) ? null : 'not satisfied';
}

// Throws unless the token holds.
function verify(token) {
  const macaroon = importMacaroon(Buffer.from(token, 'base64'));
  const identifier = Buffer.from(macaroon.identifier);
  if (identifier.length !== 66 || identifier[0] !== 0 || identifier[1] !== 0) throw new Error('refused');
  const paymentHash = identifier.subarray(2, 34);
  if (!timingSafeEqual(mac(rootKey, paymentHash), identifier.subarray(34))) throw new Error('refused');
  macaroon.verify(macaroonKey(paymentHash), satisfy, []);
  if (!timingSafeEqual(sha256(preimage), paymentHash)) throw new Error('refused');
}

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

const hash = sha256(preimage);
// Its exportBinary doubles a buffer at every append, and has no room left after a few caveats.
const exportable = todo.caveats.length <= 3;
const token = exportable ? mint(hash) : null;
verify(todo.token);
const forged = Buffer.from(todo.token, 'base64');
forged[forged.length - 1] ^= 1;
let refused = false;
try { verify(forged.toString('base64')); } catch { refused = true; }
if (!refused) throw new Error('a forged token was accepted');

console.log(JSON.stringify({
  library: `js macaroon ${require('macaroon/package.json').version}`,
  runtime: `Node.js ${process.versions.node}`,
  token,
  mint: exportable ? { ns: best(() => mint(hash)) } : null,
  chain: { ns: best(() => chain(hash)) },
  verify: { ns: best(() => verify(todo.token)) },
}));
