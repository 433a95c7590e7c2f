// Builds the package: the native part with cargo, lib/ with tsc, and ESM entries around the CommonJS ones, so that each class is one
// however it is imported. Runs when npm installs this folder or packs it.
//
//   PLANNT_PROFILE=dev   builds the native part for tests instead of release
//   PLANNT_NATIVE=none   leaves it out: what is published has it in the platforms' own packages

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const home = join(dirname(fileURLToPath(import.meta.url)), '..');
const run = (command, args) => execFileSync(command, args, { cwd: home, stdio: ['ignore', 'inherit', 'inherit'] });

export function platform() {
  if (process.platform !== 'linux') return `${process.platform}-${process.arch}${process.platform === 'win32' ? '-msvc' : ''}`;
  return `linux-${process.arch}-${process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

function buildNative() {
  const profile = process.env.PLANNT_PROFILE ?? 'release';
  const manifest = join(home, '..', 'Cargo.toml');
  if (!existsSync(manifest)) return; // Unpacked from a tarball: there is nothing to build.
  run('cargo', ['build', '--locked', '--quiet', '--package', 'plannt-node', '--profile', profile, '--manifest-path', manifest]);
  const metadata = execFileSync('cargo', ['metadata', '--locked', '--no-deps', '--format-version=1', '--manifest-path', manifest]);
  const target = join(JSON.parse(metadata).target_directory, profile === 'dev' ? 'debug' : profile);
  const name = { darwin: 'libplannt_node.dylib', win32: 'plannt_node.dll' }[process.platform] ?? 'libplannt_node.so';
  mkdirSync(join(home, 'native'), { recursive: true });
  const file = join(home, 'native', `plannt.${platform()}.node`);
  // A new file: the old one may be loaded somewhere.
  rmSync(file, { force: true });
  copyFileSync(join(target, name), file);
}

function buildLib() {
  if (!existsSync(join(home, 'node_modules', 'typescript'))) run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  rmSync(join(home, 'dist'), { recursive: true, force: true });
  run(process.execPath, [join(home, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']);
  const { exports } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const require = createRequire(import.meta.url);
  for (const entry of Object.values(exports).filter((entry) => entry.import)) {
    const script = join(home, entry.require.default);
    const from = `./${script.split(/[\\/]/).pop()}`;
    const names = exportedNames(script, require);
    writeFileSync(join(home, entry.import.default), `import all from '${from}';\nexport const { ${names.join(', ')} } = all;\n`);
    writeFileSync(join(home, entry.import.types), `export * from '${from}';\n`);
  }
}

function exportedNames(script, require) {
  // In a process of its own would be cleaner, and ten times slower; the module only defines things.
  return Object.keys(require(script)).filter((name) => name !== '__esModule').sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.env.PLANNT_NATIVE !== 'none') buildNative();
  buildLib();
}
