// The platform's part of a package's and a file's name: `linux-x64-gnu`. As a program it puts the binary that was built into the platform's
// own package: npm runs it there before it packs it.

import { copyFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export function platform() {
  if (process.platform !== 'linux') return `${process.platform}-${process.arch}${process.platform === 'win32' ? '-msvc' : ''}`;
  return `linux-${process.arch}-${process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) {
  const home = join(dirname(self), '..');
  const name = basename(process.cwd());
  for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) copyFileSync(join(home, '..', licence), licence);
  rmSync('plannt.node', { force: true });
  copyFileSync(join(home, 'native', `plannt.${name}.node`), 'plannt.node');
}
