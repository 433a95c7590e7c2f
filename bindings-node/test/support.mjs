// The real things: `plannt serve --demo` with its devnet, and a small server that answers as a test wants.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import * as plannt from 'plannt';

export const PLANNT = process.env.PLANNT_BIN ?? 'plannt';
export const PRICE = 21_000n;

export function folder(t) {
  const made = mkdtempSync(join(tmpdir(), 'plannt-node-'));
  t.after(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

/** A driver's options with a journal of the test's own. */
export const options = (t) => ({ journal: join(folder(t), 'journal.db'), maxPaymentMsat: 100_000n });

/** `plannt serve --demo` with all its state under a folder. */
export async function demo() {
  const home = mkdtempSync(join(tmpdir(), 'plannt-demo-'));
  const child = spawn(PLANNT, ['--data-dir', home, 'serve', '--demo', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, 'line');
  if (!line.startsWith('listening on ')) throw new Error(line);
  const urls = JSON.parse(readFileSync(join(home, 'devnet', 'devnet.json'), 'utf8'));
  const run = (...args) => execFileSync(PLANNT, ['--data-dir', home, ...args], { encoding: 'utf8' });
  return {
    home,
    url: line.split(' ').pop(),
    payerUrl: urls.payer_url,
    invoicerUrl: urls.invoicer_url,
    run,
    payments: () => run('devnet', 'payments').split('\n').filter(Boolean).map(JSON.parse),
    invoices: () => run('devnet', 'invoices').split('\n').filter(Boolean).map(JSON.parse),
    fault: (fault) => run('devnet', 'fault', JSON.stringify(fault)),
    mend: () => run('devnet', 'clear'),
    wallet: () => plannt.wallet(urls.payer_url, { network: 'regtest' }),
    async close() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** An HTTP server that answers by a rule: status, headers, body. */
export async function server(t, rule) {
  const seen = [];
  const http = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const one = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks) };
    seen.push(one);
    const answer = rule(one);
    if (answer === undefined) return request.socket.destroy();
    const [status, headers, body] = answer;
    response.writeHead(status, headers);
    response.end(body);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${http.address().port}`, seen };
}

/** A fresh challenge line of a service. */
export async function challengeLine(service, path = '/v1/demo') {
  const response = await fetch(service.url + path);
  await response.arrayBuffer();
  return response.headers.get('www-authenticate');
}

/** Pays for a challenge, and gives back the `Authorization` value. */
export async function buy(service, line) {
  const challenge = plannt.readChallenge([line]);
  const { preimage } = await service.wallet().payInvoice({ bolt11: challenge.invoice, maxFeeMsat: 1_000n, timeout: 10 });
  return plannt.authorizationValue(challenge.token, preimage);
}

const execFileAsync = promisify(execFile);

/** Runs a script in a Node of its own. */
export async function node(code, ...args) {
  const file = ['--input-type=module', '-e', code, ...args];
  try {
    const { stdout, stderr } = await execFileAsync(process.execPath, file, { cwd: import.meta.dirname, timeout: 120_000 });
    return { code: 0, signal: null, stdout, stderr };
  } catch (error) {
    return { code: error.code, signal: error.signal, stdout: error.stdout, stderr: error.stderr };
  }
}
