import { parseArgs } from 'node:util';
import { allCases } from './cases/index.js';
import type { Case } from './case.js';
import { writeModels } from './models.js';
import { caseRows, jsonReport, resultRow, summary } from './report.js';
import { runSuite } from './run-suite.js';

const help = `Asks a server of the Open Inference Protocol (V2, REST) everything that the protocol promises, and reports what it does.

  npm run conformance -- --make-models models          write the models that the cases ask for
  npm run conformance -- --url http://127.0.0.1:8080   ask a server that has them

  --only <pattern>   cases whose group or name has this text (a regular expression)
  --list             name the cases and ask nothing
  --json             report as JSON
  --failures         show failed and skipped cases only

Extensions that the server's metadata does not claim are skipped. Exit code: 0 all passed, 1 something failed, 2 could not be asked.`;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function chosenCases(pattern: string | undefined): readonly Case[] {
  if (pattern === undefined) return allCases;
  const wanted = new RegExp(pattern, 'iu');
  return allCases.filter(({ group, name }) => wanted.test(`${group}: ${name}`));
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' }, only: { type: 'string' }, 'make-models': { type: 'string' },
      list: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, failures: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
    },
  });
  const folder = values['make-models'];
  if (folder !== undefined) {
    const written = writeModels(folder);
    print(`${written.length} models in ${folder}`);
    return 0;
  }
  const cases = chosenCases(values.only);
  if (values.list) {
    print(values.json ? JSON.stringify(cases, null, 2) : caseRows(cases));
    return 0;
  }
  if (values.help || values.url === undefined) {
    print(help);
    return values.help ? 0 : 2;
  }
  const origin = values.url.replace(/\/+$/u, '');
  const results = await runSuite(origin, cases, (result) => {
    if (!values.json && !(values.failures && result.outcome === 'passed')) print(resultRow(result));
  });
  print(values.json ? jsonReport(origin, results) : `\n${summary(origin, results)}`);
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
