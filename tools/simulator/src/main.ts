import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { calibrationPage } from './calibration-page.js';
import { meets, runStudy } from './run-study.js';
import { studies } from './studies.js';

const usage = `Holds verdicts to the errors they claim, in seeded simulations. Resumable: what was run is kept and not run again.

  npm run calibrate                            all studies in full; hours
  npm run calibrate -- --quick                 a twentieth of the trials; minutes
  npm run calibrate -- --study concept-drift   one study (may be given several times)
  npm run calibrate -- --list                  studies and their cells
  npm run calibrate -- --write-docs            also write docs/calibration.md
  npm run calibrate -- --json                  results as JSON lines on standard output
  --seed <n>       default 1
  --fresh          forget kept results first
  --help

Exit codes: 0 every goal was met, 2 some were not, 64 wrong usage.
`;

const checkout = fileURLToPath(new URL('../../..', import.meta.url));

function chosen(names: readonly string[] | undefined): typeof studies {
  if (names === undefined) return studies;
  const unknown = names.filter((name) => !studies.some((study) => study.name === name));
  if (unknown.length === 0) return studies.filter(({ name }) => names.includes(name));
  process.stderr.write(`There is no study ${unknown.join(', ')}; the studies are ${studies.map(({ name }) => name).join(', ')}.\n`);
  process.exit(64);
}

function main(): number {
  const { values } = parseArgs({
    options: { study: { type: 'string', multiple: true }, quick: { type: 'boolean' }, list: { type: 'boolean' }, seed: { type: 'string', default: '1' }, fresh: { type: 'boolean' }, 'write-docs': { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return process.stdout.write(usage), 0;
  const picked = chosen(values.study);
  if (values.list === true) {
    for (const study of picked) process.stdout.write(`${study.name}: ${study.title}\n${study.cells.map((cell) => `  ${cell.id}  ${cell.about}\n`).join('')}`);
    return 0;
  }
  const folder = join(checkout, '.millrace', 'calibrate');
  if (values.fresh === true) for (const { name } of picked) rmSync(join(folder, name), { recursive: true, force: true });
  const seed = Number(values.seed);
  const say = (line: string): void => void (values.json === true ? process.stderr : process.stdout).write(`${line}\n`);
  const done = picked.map((study) => ({ study, results: runStudy(study, { folder, seed, fraction: values.quick === true ? 0.05 : 1, say }) }));
  if (values.json === true) for (const { results } of done) for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`);
  if (values['write-docs'] === true) writeFileSync(join(checkout, 'docs', 'calibration.md'), calibrationPage(done, seed));
  const missed = done.flatMap(({ study, results }) => study.cells.filter((cell, index) => cell.goals.some((goal) => !meets(goal, results[index]?.figures ?? {}))).map((cell) => `${study.name} ${cell.id}`));
  say(missed.length === 0 ? 'Every goal was met.' : `Goals missed in ${missed.length} cells:\n  ${missed.join('\n  ')}`);
  return missed.length === 0 ? 0 : 2;
}

process.exitCode = main();
