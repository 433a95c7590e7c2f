// Examples in documentation: a line `expression // value` says what the expression is, as `util.inspect` shows it.

import assert from 'node:assert/strict';
import { inspect } from 'node:util';

const AsyncFunction = (async () => {}).constructor;
const CHECKED = /^(\s*)(?!(?:const|let|import|export|return)\b)(\S.*\S) \/\/ (\S.*)$/;

/** The blocks of JavaScript in a text, each with the line that it begins at. */
export function blocks(text) {
  const found = [];
  let block = null;
  text.split('\n').forEach((line, index) => {
    const bare = line.replace(/^\s*\* ?/, '');
    if (block === null) {
      if (/^```js\b/.test(bare)) block = { line: index + 1, lines: [] };
    } else if (bare.startsWith('```')) {
      found.push({ line: block.line, source: block.lines.join('\n') });
      block = null;
    } else block.lines.push(bare);
  });
  return found;
}

/** Runs one, with `modules` for what it imports and `names` for what it takes as given. */
export async function run(source, modules, names) {
  let checks = 0;
  const check = (value, wanted) => {
    checks += 1;
    assert.equal(inspect(value, { breakLength: Infinity }), wanted);
  };
  const body = source
    .replace(
      /^import \{([^}]*)\} from '([^']+)';$/gm,
      (_, list, module) => `const {${list.replace(/ as /g, ': ')}} = __modules[${JSON.stringify(module)}];`,
    )
    .split('\n')
    .map((line) => {
      const [, indent, expression, value] = CHECKED.exec(line) ?? [];
      // A remark is in words; a value is what inspect shows.
      if (expression === undefined || expression.endsWith(';') || expression.startsWith('//')) return line;
      return `${indent}__check(${expression}, ${JSON.stringify(value)});`;
    })
    .join('\n');
  const imported = new Set([...body.matchAll(/const \{([^}]*)\} = __modules/g)].flatMap(([, list]) => list.split(',').map((name) => name.trim())));
  const given = Object.fromEntries(Object.entries(names).filter(([name]) => !imported.has(name)));
  // In a scope of its own, so that an example may define what others take as given.
  const program = new AsyncFunction('__check', '__modules', ...Object.keys(given), `{\n${body}\n}`);
  await program(check, modules, ...Object.values(given));
  return checks;
}
