import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { answersOfBoards, readBoards, type PanelAnswer } from './board-answers.js';
import { isInstalled, query, startPrometheus } from './prometheus.js';

const help = `Usage: node tools/generate/dist/check-boards.js --endpoints <file> [--scrapes <n>]

Starts a Prometheus that reads the services of an endpoints file ({"services": {name: url}}) every second, waits for n scrapes
(default 6) of each, runs the query of every panel of the boards in deploy/grafana, and prints a table.

Exit codes: 0 each panel has an answer, or Prometheus is not installed (says so) · 1 a panel has none · 64 wrong usage`;

const scrapesDeadlineMs = 60_000;

async function readTargets(path: string): Promise<Record<string, string>> {
  const found = JSON.parse(await readFile(path, 'utf8')) as { services?: Record<string, string> };
  if (typeof found.services !== 'object') throw new Error(`${path} names no services`);
  return Object.fromEntries(Object.entries(found.services).map(([name, url]) => [name, new URL(url).host]));
}

/** Until each target that answers has been read often enough for a rate. A target that never answers is told by its panel “up”. */
async function waitForScrapes(url: string, targets: readonly string[], scrapes: number): Promise<void> {
  const deadline = Date.now() + scrapesDeadlineMs;
  const read = async () => new Set((await query(url, `count_over_time(up[5m]) >= ${scrapes}`)).map(({ metric }) => metric['job']));
  for (;;) {
    const jobs = await read();
    if (targets.every((name) => jobs.has(name))) return;
    if (Date.now() > deadline) throw new Error(`not read ${scrapes} times within ${scrapesDeadlineMs / 1000} s: ${targets.filter((name) => !jobs.has(name)).join(', ')}`);
    await pause(250);
  }
}

function show(answers: readonly PanelAnswer[]): string {
  const cells = [['board', 'panel', 'answer', ''], ...answers.map(({ board, panel, state, reason }) => [board, panel, state, reason])];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { endpoints: { type: 'string' }, scrapes: { type: 'string', default: '6' }, help: { type: 'boolean', default: false } } });
  const scrapes = Number(values.scrapes);
  if (values.help || values.endpoints === undefined || !Number.isInteger(scrapes) || scrapes < 2) {
    process.stdout.write(`${help}\n`);
    return values.help ? 0 : 64;
  }
  if (!isInstalled('prometheus')) {
    process.stdout.write('SKIPPED: the boards’ queries were not run, since Prometheus is not installed (Debian: apt-get install prometheus)\n');
    return 0;
  }
  const targets = await readTargets(values.endpoints);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-boards-'));
  try {
    const prometheus = await startPrometheus({ folder, targets });
    try {
      await waitForScrapes(prometheus.url, Object.keys(targets), scrapes);
      const answers = await answersOfBoards(prometheus.url, await readBoards());
      const missing = answers.filter(({ state }) => state === 'missing').length;
      const empty = answers.filter(({ state }) => state === 'empty').length;
      process.stdout.write(`${show(answers)}\n\n${answers.length} panels: ${answers.length - missing - empty} answered, ${empty} empty as they say, ${missing} missing\n`);
      return missing === 0 ? 0 : 1;
    } finally {
      await prometheus.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`check-boards: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
