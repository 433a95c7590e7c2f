// The examples of the documentation run, and whatever is public has documentation.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as plannt from 'plannt';
import ts from 'typescript';

import { blocks, run } from './examples.mjs';

const preimage = new plannt.Preimage('ab'.repeat(32));
const scope = { service: 'demo', method: 'GET', path: '/v1/demo' };
/** What the examples take as given, besides all that the package exports. */
const given = {
  ...plannt,
  crypto: Object.assign(Object.create(webcrypto), { randomBytes: (length) => Buffer.alloc(length, 7), getRandomValues: (array) => array.fill(7) }),
  macaroon: plannt.Macaroon.create('key', new plannt.Identifier(preimage.paymentHash(), Buffer.alloc(32)).toBytes()),
  now: 1_800_000_000,
  origin: plannt.Origin.parse('https://api.example'),
  paymentHash: preimage.paymentHash(),
  policy: new plannt.Policy({ network: 'regtest', maxPaymentMsat: 25_000n }),
  preimage,
  request: new plannt.MintRequest({ ...scope, paymentHash: preimage.paymentHash(), maxPriceMsat: 21_000n, validUntil: 1_900_000_000 }),
  context: new plannt.RequestContext({ ...scope, lowestPriceMsat: 21_000n, now: 1_800_000_000 }),
};
const modules = { plannt };

const home = new URL('../', import.meta.url);
const files = ['README.md', ...readdirSync(new URL('lib/', home)).map((name) => `lib/${name}`)];
let checks = 0;
for (const file of files) {
  // What pays or charges is run against a real service, in examples/ and in the tests of each adapter.
  const found = blocks(readFileSync(new URL(file, home), 'utf8')).filter(({ source }) => !/plannt\/|l402|lnd:|quoteFetch/.test(source));
  for (const { line, source } of found) {
    it(`${file}:${line}`, async () => {
      checks += await run(source, modules, given);
    });
  }
}

it('checks what the examples say', () => {
  assert.ok(checks >= 20, `${checks} values`);
});

describe('documentation', () => {
  const entry = fileURLToPath(new URL('dist/index.d.ts', home));
  const program = ts.createProgram([entry], { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16, types: ['node'] });
  const checker = program.getTypeChecker();
  const told = (symbol) =>
    symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags(checker).some(({ name }) => name === 'param' || name === 'throws');
  const own = (symbol) => symbol.declarations?.some((declaration) => !declaration.getSourceFile().fileName.includes('/node_modules/'));

  for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)))) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    it(exported.name, () => {
      assert.ok(told(symbol), 'it has none');
      if (!(symbol.flags & ts.SymbolFlags.Class)) return;
      const parts = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])].filter(own);
      for (const member of parts.filter((one) => one.flags & (ts.SymbolFlags.Method | ts.SymbolFlags.Accessor))) {
        if (/^(__|toString|toJSON|prototype)/.test(member.name)) continue;
        assert.ok(told(member), `${member.name} has none`);
      }
    });
  }
});
