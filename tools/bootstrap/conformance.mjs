import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './ensure-built.mjs';
import { runOnNode24 } from './child.mjs';
import { places } from './places.mjs';

// npm run conformance:ci: the gateway of this checkout against the V2 suite and the stock clients. Packages of Python that
// cannot be had (no index, no Python) are told as skipped; packages that are not the pinned ones are a failure.
const script = join(places.checkout, 'tools', 'v2-conformance', 'dist', 'against-gateway.js');
const gateway = join(places.checkout, 'apps', 'inference-gateway', 'dist', 'serve.js');

function lastLine(text, pattern) {
  return text.split('\n').filter((line) => pattern.test(line)).at(-1)?.trim();
}

/** @returns parameters that name the clients' Python, or say why there is none. @throws Error when they are other than pinned */
function clients() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('bootstrap.mjs', import.meta.url)), '--only', 'clients'], { encoding: 'utf8' });
  process.stdout.write(stdout);
  if (status === 0) return ['--clients', places.clientsPython];
  const log = readLog(join(places.logs, 'clients.log'));
  const mismatch = lastLine(log, /DO NOT MATCH THE HASHES/);
  if (mismatch !== undefined) throw new Error(`the stock clients' packages are not the pinned ones: ${mismatch}`);
  const reason = lastLine(stderr, /^(ERROR:|FAILED|  - )/)?.replace(/^- /, '') ?? `the set-up ended with status ${status}`;
  return [`--no-clients=${reason}`];
}

function readLog(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function main() {
  for (const each of [script, gateway]) await ensureBuilt(each);
  const asked = process.argv.slice(2);
  return runOnNode24(script, asked.length > 0 ? asked : clients());
}

main().then(
  (code) => process.exit(code),
  (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  },
);
