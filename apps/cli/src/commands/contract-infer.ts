import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { parse, stringify } from 'yaml';
import { MillraceError } from '@millrace/contracts';
import { compileTable, emptyContractEvidence, inferContract, observeForContract, startTableCheck, type CompiledTable, type DatasetFinding, type TableVerdict } from '@millrace/core/data-quality';
import { momentMs } from '../moment.js';
import { scanRecords, type CellKind } from '../plain-files/scan-records.js';
import { show, table } from '../print.js';

const invalid = (message: string): MillraceError => new MillraceError('REQUEST_INVALID', message);

/** Milliseconds of `now`, or of an ISO 8601 time. */
function timeOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  return text === 'now' ? Date.now() : momentMs(text, '--as-of (or now)');
}

/** A stream's name from a file's. */
function streamOf(file: string): string {
  const name = basename(file).replace(/(?:\.\w+){1,2}$/u, '').toLowerCase().replaceAll(/[^a-z0-9]+/gu, '-').replaceAll(/^[^a-z]+|-+$/gu, '');
  return name.slice(0, 63) || 'records';
}

interface InferOptions {
  readonly id?: string;
  readonly key?: string;
  readonly eventTime?: string;
  readonly asOf?: string;
  readonly json: boolean;
}

async function infer(file: string, { id, key, eventTime, asOf, json }: InferOptions): Promise<void> {
  const evidence = emptyContractEvidence();
  const columns = await scanRecords(file, null, (record) => observeForContract(evidence, record));
  if (evidence.rows === 0) throw invalid(`${file} has no rows, and nothing can be inferred from nothing`);
  for (const name of [key, eventTime]) if (name !== undefined && !columns.includes(name)) throw invalid(`${file} has no column ${name}; its columns are ${columns.join(', ')}`);
  const asOfMs = timeOf(asOf);
  const contract = inferContract(evidence, { id: id ?? streamOf(file), ...(asOfMs === null ? {} : { asOfMs }), ...(key === undefined ? {} : { key }), ...(eventTime === undefined ? {} : { eventTime }) });
  const note = '# Inferred by `millrace contract infer`; an Open Data Contract Standard 3.1 document.\n# To put it in force on a stream, add a schema object `label`; to judge files, use `millrace contract check`.\n';
  process.stdout.write(json ? `${JSON.stringify(contract, null, 2)}\n` : note + stringify(contract, { lineWidth: 0 }));
}

function contractIn(file: string): CompiledTable {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MillraceError('REQUEST_INVALID', `${file} cannot be read`, { cause });
  }
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new MillraceError('CONTRACT_INVALID', `${file} is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return compileTable(document);
}

/** How the contract wants the cells of a CSV read. */
function kindsOf({ fields }: CompiledTable): Map<string, CellKind> {
  const kinds: Partial<Record<string, CellKind>> = { integer: 'number', number: 'number', boolean: 'boolean', timestamp: 'time', date: 'time' };
  return new Map(fields.map(({ name, logicalType }) => [name, kinds[logicalType] ?? 'text']));
}

const limit = ({ low, high }: DatasetFinding): string => (low !== null && high !== null ? `${low} … ${high}` : low === null ? (high === null ? '–' : `≤ ${high}`) : `≥ ${low}`);

function forPeople(file: string, { rows, rejectedRows, rejectedShare, byRule, dataset }: TableVerdict): string {
  const head = `${file}: ${rows.toLocaleString('en-US')} rows, ${rejectedRows.toLocaleString('en-US')} rejected (${Number((100 * rejectedShare).toPrecision(3))} %), ${dataset.length} rules on all rows broken`;
  const parts = [head];
  if (byRule.length > 0) parts.push('', table(['fault', 'column', 'rule', 'rows', 'first row', 'for example'], byRule.map(({ kind, column, rule, rows: broken, firstRow, example }) => [kind, column, rule, broken, firstRow, example])));
  if (dataset.length > 0) parts.push('', table(['fault', 'columns', 'rule', 'measured', 'allowed', 'row', 'what'], dataset.map((finding) => [finding.kind, finding.columns.join(', ') || '–', finding.rule, Number(finding.value.toPrecision(5)), limit(finding), finding.row, finding.message])));
  return parts.join('\n');
}

interface CheckOptions {
  readonly contract: string;
  readonly asOf?: string;
  readonly tolerate: string;
  readonly examples: string;
  readonly json: boolean;
}

async function check(file: string, { contract, asOf, tolerate, examples, json }: CheckOptions): Promise<void> {
  const share = Number(tolerate);
  if (!(share >= 0 && share <= 1)) throw invalid(`--tolerate is a share from 0 to 1, not ${tolerate}`);
  const shown = Number(examples);
  if (!Number.isInteger(shown) || shown < 0) throw invalid(`--examples is a number of rows, not ${examples}`);
  const compiled = contractIn(contract);
  const running = startTableCheck(compiled, Math.max(100, shown));
  const columns = await scanRecords(file, kindsOf(compiled), (record) => running.observe(record));
  const verdict = running.finish(timeOf(asOf));
  const missing = compiled.fields.filter(({ name, required }) => required && verdict.rows > 0 && !columns.includes(name)).map(({ name }) => name);
  const broken = verdict.rejectedShare > share || verdict.dataset.length > 0;
  const report = { file, contract, tolerated: share, missingColumns: missing, ...verdict, verdict: broken ? 'broken' : 'kept', examples: verdict.examples.slice(0, shown) };
  show(json, report, () => forPeople(file, verdict));
  if (broken) process.exitCode = 2;
}

/** `millrace contract infer` and `millrace contract check`: data contracts of plain files. */
export function addContractCommands(program: Command): void {
  const contract = program.command('contract').description('infer a data contract from clean rows, and hold files to one');
  contract
    .command('infer')
    .description('an ODCS 3.1 contract that further clean rows keep and faulty ones break')
    .argument('<file>', 'clean rows: CSV, TSV, JSON lines or Parquet; some thousand or more')
    .option('--id <stream>', 'name of the stream; default from the file')
    .option('--key <column>', 'the column that names a row; default one that never repeats')
    .option('--event-time <column>', 'the column that holds the event time; default a time that rises')
    .option('--as-of <time>', 'when the rows were delivered: now, or an ISO 8601 time; widens the age that the newest event may have')
    .option('--json', 'JSON instead of YAML', false)
    .addHelpText('after', `
Examples:
  $ millrace contract infer orders.parquet > contract.yaml
  $ millrace contract infer orders.csv --key order_id --event-time ordered_at --as-of 2024-05-01T06:00:00Z > contract.yaml

Aims at rejecting at most 1 of 1,000 further clean rows. Rules on all rows together (null share, duplicate keys, rows per window of
event time, repeated times, age of the newest event, the usual middle of numbers) go beside those on each row. Read the
contract before you rely on it: it knows what these rows showed, not what they mean.`)
    .action(infer);
  contract
    .command('check')
    .description('judge the rows of a file, one by one and together')
    .argument('<file>', 'CSV, TSV, JSON lines or Parquet')
    .requiredOption('--contract <yaml>', 'an ODCS 3.1 contract; its schema object record, or its only one')
    .option('--as-of <time>', 'when the file came: now, or an ISO 8601 time; without it the age of its newest event is not judged')
    .option('--tolerate <share>', 'alarm for rejected rows only above this share', '0')
    .option('--examples <n>', 'how many rejected values to show with --json', '20')
    .option('--json', 'for machines: { rows, rejectedRows, rejectedShare, byRule, examples, dataset, verdict }', false)
    .addHelpText('after', `
Examples:
  $ millrace contract check today.csv --contract contract.yaml
  $ millrace contract check today.parquet --contract contract.yaml --as-of now --tolerate 0.001 --json

Rows count from 1, without a header. A share counts as above its limit when its 99.8 % interval lies above it. The kind of fault is
a guess by the broken rule and its value; the broken rule is certain.

Exit codes: 0 kept, 2 broken, 1 error.`)
    .action(check);
}
