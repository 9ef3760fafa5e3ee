import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkoutFolder } from '@millrace/stack';
import type { BenchSettings } from './cases/section.js';
import type { CpuProfile } from './profile/fold-profile.js';
import { profileTable } from './profile/profile-table.js';
import { comparison } from './report/compare.js';
import { readRecord } from './report/record.js';
import { benchmarksPage, textReport } from './report/report.js';
import { parts, runBench } from './run-bench.js';
import { writeProfilesTo } from './servers/node-flags.js';

const usage = `Measures the inference gateway beside a bare Fastify echo, in one run on one machine, in interleaved rounds.

  npm run bench -- gateway                     everything; about 20 minutes
  npm run bench -- gateway --quick             short windows; for looking, not for quoting
  npm run bench -- gateway --only throughput,latency --only memory
                                               parts: ${parts.join(', ')}
  --peers            also FastAPI, MLServer and BentoML, installed under .millrace/bench (Python needed)
  --rounds <n>       interleaved rounds, default 3
  --seconds <n>      of each window, default 4
  --subjects <ids>   only these servers of throughput and latency: echo, gateway, gateway.json, gateway.binary,
                     gateway.predict, logged, logged.…, fastapi-1, fastapi-2, mlserver, mlserver-batching, bentoml
  --profiles <folder>  servers on Node write CPU profiles there (and are slower by it)
  --json <file>      keeps the run, for compare
  --write-docs       also writes docs/benchmarks.md

  npm run bench -- compare <before.json> <after.json>
  npm run bench -- profile <file.cpuprofile> [--top 30]
                                               where the time of \`node --cpu-prof\` went, by package and by function
  --help

Exit codes: 0 measured, whether goals were reached or not; 1 something broke; 64 wrong usage.
`;

const options = {
  quick: { type: 'boolean', default: false }, peers: { type: 'boolean', default: false }, only: { type: 'string', multiple: true }, rounds: { type: 'string' }, seconds: { type: 'string' }, subjects: { type: 'string', multiple: true }, profiles: { type: 'string' },
  json: { type: 'string' }, 'write-docs': { type: 'boolean', default: false }, top: { type: 'string', default: '30' }, help: { type: 'boolean', default: false, short: 'h' },
} as const;
type Values = ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>['values'];

class WrongUsage extends Error {}

/** npm runs scripts in the checkout; paths are meant from where the command was given. */
const fromCaller = (path: string): string => resolve(process.env['INIT_CWD'] ?? '.', path);

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new WrongUsage(`--${name} must be a number above 0, not ${text}`);
  return value;
}

/** Each given once or often, with or without commas. */
const listed = (given: readonly string[]): string[] => given.flatMap((names) => names.split(',')).map((name) => name.trim());

function wantedParts(only: readonly string[] = []): readonly string[] {
  if (only.length === 0) return parts;
  const names = listed(only);
  const unknown = names.filter((name) => !parts.includes(name));
  if (unknown.length > 0) throw new WrongUsage(`there is no part ${unknown.join(', ')}; the parts are ${parts.join(', ')}`);
  return names;
}

function settingsOf({ quick, peers, rounds, seconds, subjects = [] }: Values): BenchSettings {
  return {
    quick, peers,
    rounds: Math.ceil(positive('rounds', rounds ?? (quick ? '1' : '3'))),
    warmUpMs: quick ? 500 : 1_500,
    windowMs: positive('seconds', seconds ?? (quick ? '1.5' : '4')) * 1_000,
    connections: 64,
    subjects: listed(subjects),
  };
}

async function gateway(values: Values): Promise<number> {
  const wanted = wantedParts(values.only);
  const settings = settingsOf(values);
  if (values.profiles !== undefined) writeProfilesTo(fromCaller(values.profiles));
  const { record, broken } = await runBench(settings, wanted, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(`\n${textReport(record)}`);
  if (values.json !== undefined) writeFileSync(fromCaller(values.json), `${JSON.stringify(record, undefined, 1)}\n`);
  if (values['write-docs']) writeFileSync(join(checkoutFolder, 'docs', 'benchmarks.md'), benchmarksPage(record));
  return broken === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ args: process.argv.slice(2), options, allowPositionals: true });
  const [command, first, second] = positionals;
  if (values.help || command === undefined) {
    process.stdout.write(usage);
    return values.help ? 0 : 64;
  }
  if (command === 'gateway') return gateway(values);
  if (command === 'compare' && first !== undefined && second !== undefined) {
    process.stdout.write(comparison(readRecord(fromCaller(first)), readRecord(fromCaller(second))));
    return 0;
  }
  if (command === 'profile' && first !== undefined) {
    process.stdout.write(profileTable(JSON.parse(readFileSync(fromCaller(first), 'utf8')) as CpuProfile, positive('top', values.top)));
    return 0;
  }
  throw new WrongUsage(`there is no such command: ${positionals.join(' ')}`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const wrong = error instanceof WrongUsage || (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}${wrong ? '; --help tells more' : ''}\n`);
    process.exit(wrong ? 64 : 1);
  },
);
