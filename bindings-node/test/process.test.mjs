// Threads, memory, callbacks, huge inputs, defects: the process lives on, and answers are right.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';

import * as plannt from 'plannt';
import { native } from '../dist/native.js';
import { guard, guardAsync } from '../dist/guard.js';

const preimage = new plannt.Preimage(Buffer.alloc(32, 7));
const ring = new plannt.Keyring('regtest', Buffer.alloc(32, 9));
const scope = { service: 'demo', method: 'GET', path: '/v1/demo' };
const request = new plannt.MintRequest({ ...scope, paymentHash: preimage.paymentHash(), maxPriceMsat: 21_000n, validUntil: 1_900_000_000 });
const context = new plannt.RequestContext({ ...scope, lowestPriceMsat: 21_000n, now: 1_800_000_000 });
const token = ring.mint(request);
const credential = plannt.Credential.fromAuthorization([plannt.authorizationValue(token, preimage)]);

describe('huge inputs', () => {
  const MIB = 1 << 20;
  const code = (wanted, call) => assert.throws(call, (error) => error.code === wanted);

  it('end in an error where there is a limit', () => {
    code('macaroon_too_long', () => plannt.Macaroon.parse(Buffer.alloc(64 * MIB, 2)));
    code('macaroon_too_long', () => plannt.Macaroon.fromJson('{'.repeat(64 * MIB)));
    code('macaroon_field_too_long', () => plannt.Macaroon.create('key', Buffer.alloc(64 * MIB)));
    code('header_too_large', () => plannt.Credential.fromAuthorization(['L402 '.repeat(8 * MIB)]));
    code('header_too_large', () => plannt.Credential.fromAuthorization(Array.from({ length: 1_000_000 }, () => 'x')));
    code('malformed_credential', () => plannt.Credential.fromGrpcMetadata('ab'.repeat(32 * MIB)));
    code('decode_too_long', () => plannt.decodeAny('a'.repeat(64 * MIB)));
    code('invoice_malformed', () => plannt.readInvoice('lnbc1'.repeat(8 * MIB)));
    code('invalid_hex', () => new plannt.PaymentHash('a'.repeat(64 * MIB)));
    code('invalid_path', () => ring.mint(new plannt.MintRequest({ ...request, path: 'x'.repeat(64 * MIB) })));
    assert.throws(() => plannt.parseChallenges('Basic '.repeat(8 * MIB)), plannt.GrammarError);
    assert.throws(() => plannt.attenuateToken(token, ['x'.repeat(64 * MIB)]), plannt.TokenError);
    assert.throws(
      () =>
        plannt.attenuateToken(
          token,
          Array.from({ length: 100_000 }, () => 'a=b'),
        ),
      plannt.TokenError,
    );
    const macaroon = plannt.Macaroon.create('key', 'id');
    assert.throws(() => macaroon.attenuate(Buffer.alloc(64 * MIB)), plannt.MacaroonError);
    assert.ok(macaroon.verifySignature('key'), 'it is as it was');
  });

  it('are answered where there is none', () => {
    const path = `/${'a'.repeat(16 * MIB)}`;
    assert.equal(plannt.normalizePath(path), path);
    assert.equal(plannt.base64.decode('AAAA'.repeat(4 * MIB)).length, 12 * MIB);
    assert.equal(plannt.contentDigest(Buffer.alloc(16 * MIB)).length, 32);
    assert.equal(plannt.readChallenge(['x'.repeat(16 * MIB)], Buffer.alloc(16 * MIB)), null);
    const many = plannt.Hosts.listed(Array.from({ length: 10_000 }, (_, i) => `host-${i}.example`));
    assert.ok(many.contain(plannt.Origin.parse('https://host-9999.example')));
  });

  it('keep what they say of their length', () => {
    assert.throws(() => new plannt.Preimage(Buffer.alloc(33)), { name: 'LengthError', code: 'wrong_length' });
    assert.throws(() => new plannt.Keyring('regtest', Buffer.alloc(0)), { name: 'LengthError', code: 'wrong_length' });
    assert.throws(() => plannt.Identifier.parse(Buffer.alloc(67)), { name: 'IdentifierError', code: 'invalid_identifier' });
  });
});

describe('amounts and times', () => {
  const policy = (maxPaymentMsat) => new plannt.Policy({ network: 'regtest', maxPaymentMsat });

  it('are exact up to 64 bits', () => {
    const most = 2n ** 64n - 1n;
    assert.equal(policy(most).maxPaymentMsat, most);
    assert.equal(plannt.FeeLimit.fixed(most).forAmount(1n), most);
    assert.equal(plannt.BudgetRule.inTotal(most).leftMsat(1n), most - 1n);
  });

  it('are refused beyond, and in another type', () => {
    for (const amount of [-1n, 2n ** 64n]) assert.throws(() => policy(amount), RangeError);
    for (const amount of [1, 1.5, '1', null]) assert.throws(() => policy(amount), TypeError);
    for (const now of [-1, 1.5, NaN, Infinity, new Date(NaN)]) assert.throws(() => new plannt.RequestContext({ ...context, now }), RangeError);
    for (const now of ['1', 1n, null]) assert.throws(() => new plannt.RequestContext({ ...context, now }), TypeError);
  });

  it('may be a date', () => {
    assert.equal(new plannt.RequestContext({ ...context, now: new Date(1_800_000_000_999) }).now, 1_800_000_000);
  });
});

describe('a callback', () => {
  const macaroon = () => {
    const made = plannt.Macaroon.create('key', 'id');
    made.attenuate('a=b');
    return made;
  };

  it('that throws has its own error come out', () => {
    const mine = new Error('mine');
    assert.throws(
      () =>
        macaroon().verifyDischarged('key', [], () => {
          throw mine;
        }),
      (error) => error === mine,
    );
  });

  it('that answers with no boolean is a wrong type', () => {
    for (const answer of [undefined, 1, 'true', Promise.resolve(true)]) {
      assert.throws(() => macaroon().verifyDischarged('key', [], () => answer), TypeError);
    }
  });

  it('may use the macaroon that asks it', () => {
    const made = macaroon();
    made.verifyDischarged('key', [], (caveat) => {
      made.attenuate('c=d');
      made.verifyDischarged('key', [], () => true);
      return caveat.toString() === 'a=b';
    });
    assert.equal(made.caveats.length, 2);
  });
});

describe('a defect of the native part', () => {
  const internal = (error) => error instanceof plannt.InternalError && error instanceof plannt.PlanntError && error.code === 'internal';

  it('is an error', async () => {
    // What Rust writes to standard error of it is long enough.
    process.env.RUST_BACKTRACE = '0';
    assert.throws(() => guard(() => native.defect()), internal);
    await assert.rejects(
      guardAsync(() => native.defectLater()),
      internal,
    );
    await assert.rejects(
      guardAsync(() => native.defectAside()),
      internal,
    );
    assert.equal(ring.verify(credential, context).uses, 1);
  });
});

describe('secrets', () => {
  const hex = '5a'.repeat(32);
  const bytes = Buffer.from(hex, 'hex');
  const secret = new plannt.Preimage(hex);
  const held = plannt.Credential.fromAuthorization([`L402 AgEC:${hex}`]);
  const shown = [secret, new plannt.RootKey(bytes), new plannt.Keyring('regtest', bytes), held, held.tokens()[0]];

  it('do not show', () => {
    for (const one of shown) {
      const texts = [String(one), inspect(one, { showHidden: true, depth: 9 }), JSON.stringify(one), JSON.stringify({ one }), inspect({ one })];
      for (const text of texts) assert.doesNotMatch(String(text), /5a5a|90,\s*90|AgEC/i);
      assert.match(inspect(one), /redacted/);
      assert.deepEqual(
        Object.keys(one).filter((name) => name !== 'encoding'),
        [],
      );
    }
  });

  it('are not in errors', () => {
    const wrong = [
      () => new plannt.Preimage(`${hex}zz`),
      () => plannt.Preimage.fromHex(`${hex.slice(2)}zz`),
      () => new plannt.RootKey(Buffer.concat([bytes, bytes])),
      () => plannt.Credential.fromAuthorization([`L402 AgEC:${hex}5a`]),
      () => plannt.authorizationValue([hex], secret),
      () => plannt.authorizationValue('AgEC', { hex }),
      () => plannt.parseToken(hex),
      () => ring.verify(held, context),
    ];
    for (const call of wrong) {
      assert.throws(call, (error) => {
        assert.doesNotMatch(inspect(error), /5a5a|AgEC/i);
        return true;
      });
    }
  });

  it('are copies', () => {
    const mine = Buffer.from(bytes);
    const copy = new plannt.Preimage(mine);
    mine.fill(0);
    copy.exposeBytes().fill(0);
    assert.equal(copy.exposeHex(), hex);
    assert.ok(copy.equals(secret));
    assert.ok(!copy.equals(new plannt.RootKey(hex)));
  });
});

describe('threads', () => {
  const work = `
    const { parentPort, workerData } = require('node:worker_threads');
    const plannt = require(workerData.entry);
    const ring = new plannt.Keyring('regtest', Buffer.alloc(32, 9));
    const context = new plannt.RequestContext(workerData.asked);
    let uses = 0;
    for (let i = 0; i < workerData.rounds; i += 1) {
      const preimage = new plannt.Preimage(Buffer.alloc(32, i % 251));
      const token = ring.mint(new plannt.MintRequest({ ...workerData.minted, paymentHash: preimage.paymentHash() }));
      const credential = plannt.Credential.fromAuthorization([plannt.authorizationValue(token, preimage)]);
      uses += ring.verify(credential, context).uses;
      try {
        ring.verify(plannt.Credential.fromAuthorization([plannt.authorizationValue(token, Buffer.alloc(32, 255))]), context);
      } catch (error) {
        if (!(error instanceof plannt.VerifyError) || error.code !== 'invalid_credential') throw error;
        uses += 1;
      }
      if (i === 0) parentPort.postMessage('begun');
    }
    parentPort.postMessage(uses);`;
  const start = (rounds) =>
    new Worker(work, {
      eval: true,
      workerData: {
        rounds,
        entry: new URL('../dist/index.js', import.meta.url).pathname,
        minted: { ...scope, maxPriceMsat: 21_000n, validUntil: 1_900_000_000 },
        asked: { ...scope, lowestPriceMsat: 21_000n, now: 1_800_000_000 },
      },
    });

  it('have the native part at once', async () => {
    const results = Array.from({ length: 8 }, () => {
      const worker = start(200);
      return new Promise((resolve, reject) => {
        worker.on('error', reject);
        worker.on('message', (uses) => uses !== 'begun' && resolve(uses));
      });
    });
    assert.deepEqual(await Promise.all(results), Array(8).fill(400));
  });

  it('may end at any time', async () => {
    for (let i = 0; i < 8; i += 1) {
      const worker = start(1_000_000);
      await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
      await worker.terminate();
    }
    assert.equal(ring.verify(credential, context).uses, 1);
  });
});

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');

  it('is given back', async () => {
    const round = async () => {
      for (let i = 0; i < 2_000; i += 1) {
        const one = new plannt.RequestContext({ ...scope, path: `/${'a'.repeat(10_000)}`, lowestPriceMsat: 0n, now: i });
        plannt.Credential.fromAuthorization([plannt.authorizationValue(token, preimage)]);
        assert.throws(() => ring.verify(credential, one), plannt.VerifyError);
      }
      collect();
      // Node frees what is native once the program gives way.
      await setImmediate();
    };
    await round();
    const before = process.memoryUsage.rss();
    // 200 MB, were it kept.
    for (let i = 0; i < 10; i += 1) await round();
    assert.ok(process.memoryUsage.rss() - before < 80e6);
  });

  it('is held as long as it is used', () => {
    const held = Array.from({ length: 100 }, (_, i) => plannt.Credential.fromAuthorization([plannt.authorizationValue(token, Buffer.alloc(32, i))]));
    const derived = new plannt.Keyring('regtest', Buffer.alloc(32, 1)).withVerifying(Buffer.alloc(32, 9));
    for (let i = 0; i < 5; i += 1) collect();
    held.forEach((one, i) => assert.ok(one.preimage.equals(new plannt.Preimage(Buffer.alloc(32, i)))));
    assert.equal(derived.verify(held[7], context).uses, 1);
  });
});
