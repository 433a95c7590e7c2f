// Every conformance vector, each a test of its own.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { PlanntError } from 'plannt';
import { sorted } from './client-flow.mjs';
import { Refused, SUITES } from './vectors.mjs';

const folder = new URL('../../conformance/vectors/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

it('runs every suite', () => {
  assert.deepEqual(files.map((name) => name.slice(0, -5)).sort(), Object.keys(SUITES).sort());
});

// Amounts of 64 bits are more than a number holds.
function parse(text) {
  const exact = text.replace(/"(\w*msat)":\s*(\d{16,})/g, '"$1":"$2"');
  return JSON.parse(exact, (key, value) => (key.endsWith('msat') && typeof value === 'string' ? BigInt(value) : value));
}

for (const file of files) {
  const document = parse(readFileSync(new URL(file, folder), 'utf8'));
  const cases = document.groups.flatMap((group) => group.tests);
  describe(document.suite, () => {
    it('is whole', () => {
      assert.equal(cases.length, document.number_of_tests);
    });
    for (const one of cases) {
      it(one.id, () => {
        let output;
        try {
          output = SUITES[document.suite](one.input);
        } catch (error) {
          if (!(error instanceof PlanntError) && !(error instanceof Refused)) throw error;
          assert.ok(['invalid', 'acceptable'].includes(one.result), error.code);
          if (one.error !== undefined) assert.equal(error.code, one.error);
          return;
        }
        assert.ok(['valid', 'acceptable'].includes(one.result), JSON.stringify(sorted(output)));
        if (one.output !== undefined) assert.deepEqual(sorted(output), sorted(one.output));
      });
    }
  });
}
