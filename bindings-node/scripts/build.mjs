// Builds the package: the native part with cargo, lib/ with tsc, and ESM entries around the CommonJS ones, so that each class is one
// however it is imported. npm runs it when it installs this folder and when it packs it.
//
//   PLANNT_PROFILE=dev   builds the native part for tests instead of release
//   PLANNT_NATIVE=none   leaves it out: what is published has it in the platforms' own packages

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { platform } from './platform.mjs';

const home = join(dirname(fileURLToPath(import.meta.url)), '..');
const native = join(home, 'native');

function run(command, args) {
  execFileSync(command, args, { cwd: home, stdio: ['ignore', 'inherit', 'inherit'] });
}

function npm(args) {
  const script = process.env.npm_execpath;
  if (script === undefined) run('npm', args);
  else run(process.execPath, [script, ...args]);
}

function buildNative() {
  const profile = process.env.PLANNT_PROFILE ?? 'release';
  const manifest = ['--locked', '--manifest-path', join(home, '..', 'Cargo.toml')];
  run('cargo', ['build', '--quiet', '--package', 'plannt-node', '--profile', profile, ...manifest]);
  const metadata = execFileSync('cargo', ['metadata', '--no-deps', '--format-version=1', ...manifest], { maxBuffer: 1 << 26 });
  const target = join(JSON.parse(metadata).target_directory, profile === 'dev' ? 'debug' : profile);
  const name = { darwin: 'libplannt_node.dylib', win32: 'plannt_node.dll' }[process.platform] ?? 'libplannt_node.so';
  mkdirSync(native, { recursive: true });
  const file = join(native, `plannt.${platform()}.node`);
  // A new file: the old one may be loaded somewhere.
  rmSync(file, { force: true });
  copyFileSync(join(target, name), file);
}

function buildLib() {
  // Where npm links this folder, it installs nothing in it. What is optional are the platforms' packages, which are made of this one.
  const compiler = join(home, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) npm(['ci', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund']);
  rmSync(join(home, 'dist'), { recursive: true, force: true });
  run(process.execPath, [compiler, '-p', 'tsconfig.json']);
  const { exports } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  for (const entry of Object.values(exports).filter((entry) => entry.import)) {
    const script = join(home, entry.require.default);
    const from = `./${basename(script)}`;
    // An ESM module has to name what it exports, and its names are those that the CommonJS one has.
    writeFileSync(join(home, entry.import.default), `import all from '${from}';\nexport const { ${names(script).join(', ')} } = all;\n`);
    writeFileSync(join(home, entry.import.types), `export * from '${from}';\n`);
  }
}

function names(script) {
  // tsc writes every name at a module's head, but for those that it passes on from others.
  const text = readFileSync(script, 'utf8');
  const own = [...text.matchAll(/^(?:Object\.defineProperty\(exports, "(\w+)"|exports\.(\w+) = )/gm)].map(([, a, b]) => a ?? b);
  const passed = [...text.matchAll(/^__exportStar\(require\("(.+)"\), exports\);$/gm)].flatMap(([, file]) => names(join(dirname(script), file)));
  return [...new Set([...own, ...passed])].filter((name) => name !== '__esModule' && name !== 'default').sort();
}

// What is packed has the licences, too.
for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(join(home, '..', licence), join(home, licence));
if (process.env.PLANNT_NATIVE === 'none') rmSync(native, { recursive: true, force: true });
else buildNative();
buildLib();
