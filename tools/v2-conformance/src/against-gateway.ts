import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, type RunningServer } from '@millrace/testing';
import { allCases } from './cases/index.js';
import { writeModels } from './models.js';
import { countsOf, resultRow, summary, type Counts } from './report.js';
import { runSuite } from './run-suite.js';
import { runStockClients } from './stock-clients.js';

const help = `Starts this checkout's gateway alone over the suite's models, on a free port of 127.0.0.1, and asks it everything: the suite,
then the stock clients of Triton and KServe. The last line is "N passed, N failed, N skipped"; exit code 0 when nothing failed.

  npm run conformance:ci

  --clients <python>        a Python that has the clients of clients/requirements.txt
  --no-clients <reason>     leaves them out, counted as one skipped
`;

const checkout = resolve(import.meta.dirname, '../../..');
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const sum = (all: readonly Counts[], name: keyof Counts): number => all.reduce((total, counts) => total + counts[name], 0);

/** Our own gateway claims every extension: a case that it makes us skip is a loss, not a choice. */
async function suite(url: string): Promise<Counts> {
  const results = await runSuite(url, allCases, (result) => {
    if (result.outcome !== 'passed') say(resultRow(result));
  });
  say(summary(url, results));
  const { passed, failed, skipped } = countsOf(results);
  return { passed, failed: failed + skipped, skipped: 0 };
}

async function clients(url: string, python: string | undefined, reason: string | undefined, folder: string): Promise<Counts> {
  if (python !== undefined) return runStockClients(python, join(checkout, 'tools/v2-conformance/clients/stock_clients.py'), url, folder, say);
  say(`stock clients: skipped, ${reason ?? 'no Python that has them was named (--clients)'}`);
  return { passed: 0, failed: 0, skipped: 1 };
}

function startGateway(models: string, log: string): Promise<RunningServer> {
  const parameters = (port: number): string[] => [join(checkout, 'apps/inference-gateway/dist/serve.js'), '--models', models, '--port', String(port), '--repository-control'];
  return launch({ name: 'the gateway', program: process.execPath, parameters, readyPath: '/v2/health/ready', log });
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { clients: { type: 'string' }, 'no-clients': { type: 'string' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-conformance-'));
  const counts: Counts[] = [];
  try {
    const models = join(folder, 'models');
    say(`${writeModels(models).length} models`);
    const gateway = await startGateway(models, join(folder, 'gateway.log'));
    try {
      counts.push(await suite(gateway.url), await clients(gateway.url, values.clients, values['no-clients'], folder));
    } finally {
      await gateway.stop();
    }
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    counts.push({ passed: 0, failed: 1, skipped: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  say(`${sum(counts, 'passed')} passed, ${sum(counts, 'failed')} failed, ${sum(counts, 'skipped')} skipped`);
  return sum(counts, 'failed') === 0 && sum(counts, 'passed') > 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
process.exitCode = await main();
