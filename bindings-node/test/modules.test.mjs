// How the package is loaded, and that its parts fit each other.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import * as esm from 'plannt';
import ts from 'typescript';

const require = createRequire(import.meta.url);
const home = new URL('../', import.meta.url);
const manifest = (path) => JSON.parse(readFileSync(new URL(path, home), 'utf8'));
const own = manifest('package.json');

describe('modules', () => {
  for (const subpath of Object.keys(own.exports).filter((one) => !one.endsWith('.json'))) {
    const name = `plannt${subpath.slice(1)}`;
    it(`${name} is one, imported or required`, async () => {
      const [imported, required] = [await import(name), require(name)];
      assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
      for (const member of Object.keys(required)) assert.equal(imported[member], required[member], member);
    });
  }

  it('errors are of one class, whichever module threw them', () => {
    assert.throws(() => require('plannt').readInvoice('x'), esm.InvoiceError);
    assert.throws(() => require('plannt').readInvoice('x'), { name: 'InvoiceError', code: 'invoice_malformed' });
  });

  it('has the manifest among its exports', () => {
    assert.equal(require('plannt/package.json').version, esm.version);
  });
});

describe('packages', () => {
  const platforms = readdirSync(new URL('npm/', home));

  it('are of one version', () => {
    const cargo = /^version = "(.+)"$/m.exec(readFileSync(new URL('../Cargo.toml', home), 'utf8'))[1];
    assert.equal(own.version, cargo);
    assert.equal(esm.version, cargo);
    for (const platform of platforms) assert.equal(manifest(`npm/${platform}/package.json`).version, cargo);
    const lock = manifest('package-lock.json');
    assert.equal(lock.version, cargo);
    assert.deepEqual(own.optionalDependencies, Object.fromEntries(platforms.map((platform) => [`plannt-${platform}`, cargo])));
    for (const platform of platforms) assert.equal(lock.packages[`node_modules/plannt-${platform}`].version, cargo);
  });

  it('are named for the system that they are for', () => {
    for (const platform of platforms) {
      const { name, os, cpu, main, files } = manifest(`npm/${platform}/package.json`);
      assert.equal(name, `plannt-${platform}`);
      assert.ok(platform.startsWith(`${os[0]}-${cpu[0]}`));
      assert.ok(files.includes(main));
    }
  });

  it('are locked without a registry', () => {
    assert.doesNotMatch(readFileSync(new URL('package-lock.json', home), 'utf8'), /"resolved"|registry\./);
  });
});

describe('errors', () => {
  const { CLASSES, REFUSALS } = require('../dist/raised.js');
  const source = (path) => readFileSync(new URL(path, home), 'utf8');

  it('have a class for each that the native part names', () => {
    const rust = source('src/error.rs');
    const lists = [...rust.matchAll(/^raised(?:_without_code)?!\(([^)]*)\);/gm)].flatMap(([, list]) => list.match(/\b[A-Z]\w+/g));
    const named = [...rust.matchAll(/"([A-Z]\w+Error)"/g)].map(([, name]) => name);
    assert.ok(lists.length > 15 && named.length > 8);
    for (const name of [...lists, ...named]) {
      assert.equal(CLASSES[name]?.name, name);
      assert.equal(esm[name], CLASSES[name]);
    }
  });

  it('have a class for each code of a refusal', () => {
    const codes = (path) => {
      const [, body] = /fn code\(&self\)[^]*?match self \{([^]*?)\n {8}\}/.exec(source(path));
      return [...body.matchAll(/=> "(\w+)"/g)].map(([, code]) => code);
    };
    const own = codes('../core/src/flow/refusal.rs');
    const invoice = codes('../core/src/invoice.rs');
    const challenge = codes('../core/src/challenge/header.rs');
    assert.ok(own.length > 20 && invoice.length > 4 && challenge.length > 1);
    assert.deepEqual(Object.keys(REFUSALS).sort(), [...new Set([...own, ...invoice, ...challenge])].sort());
    for (const Class of Object.values(REFUSALS)) {
      assert.ok(Class.prototype instanceof esm.RefusalError);
      assert.equal(esm[Class.name], Class);
    }
  });

  it('are of the class that they say', () => {
    for (const Class of Object.values(CLASSES)) {
      const made = new Class('told', 'a_code', {});
      assert.ok(made instanceof esm.PlanntError && made instanceof Error);
      assert.deepEqual([made.name, made.code, made.message], [Class.name, 'a_code', 'told']);
    }
  });
});

// The native part's types are written out in lib/native.ts: every name in there is one that it has, and the other way around.
describe('the native part', () => {
  const { native } = require('../dist/native.js');
  const source = ts.createSourceFile('native.ts', readFileSync(fileURLToPath(new URL('lib/native.ts', home)), 'utf8'), ts.ScriptTarget.ES2022, true);
  const interfaces = new Map(source.statements.filter(ts.isInterfaceDeclaration).map((one) => [one.name.text, one]));
  const members = (node) => node.members.filter((one) => one.name !== undefined && !one.name.text.startsWith('__'));
  const has = (value, { name, parameters }) => {
    assert.equal(typeof value[name.text], 'function', name.text);
    // napi's functions tell no number of parameters, so that only their being there is compared.
    assert.ok(Array.isArray(parameters));
  };
  // Those are in debug builds only, and for the tests.
  const DEFECTS = ['defect', 'defectAside', 'defectLater'];

  it('has what is declared, and nothing else', () => {
    const declared = members(interfaces.get('Native'));
    const functions = declared.filter(ts.isMethodSignature);
    for (const one of functions) has(native, one);
    const classes = declared.filter(ts.isPropertySignature).map((one) => one.name.text);
    const returned = ['Admitted', 'Call', 'Entered', 'Gate', 'Unfinished'];
    const names = [...functions.map((one) => one.name.text), ...classes, ...returned, ...DEFECTS];
    assert.deepEqual(Object.keys(native).sort(), [...new Set(names)].sort());
  });

  for (const name of interfaces.keys()) {
    if (name === 'Native') continue;
    it(`${name} has its methods`, () => {
      const Class = native[name.replace('Native', '')];
      const methods = members(interfaces.get(name)).filter(ts.isMethodSignature);
      for (const one of methods) has(Class.prototype, one);
      const there = Object.getOwnPropertyNames(Class.prototype).filter((member) => member !== 'constructor');
      assert.deepEqual(there.sort(), methods.map((one) => one.name.text).sort());
    });
  }
});
