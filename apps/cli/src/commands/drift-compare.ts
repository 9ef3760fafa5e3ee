import type { Command } from 'commander';
import { MillraceError } from '@millrace/contracts';
import { alphaFor, budgetOf, compareColumns, defaultPolicy, evidentlyChoice, percent, pictureOf, type Comparison, type ComparisonPolicy, type NamedColumn } from '@millrace/core/drift';
import { columnPairs, type ColumnPairs } from '../plain-files/column-pairs.js';
import { readTable } from '../plain-files/read-table.js';
import { show, table } from '../print.js';
import { sparklines } from '../sparkline.js';

interface Options {
  readonly reference?: string;
  readonly current?: string;
  readonly columns?: string;
  readonly falseAlarms: string;
  readonly familyWise: boolean;
  readonly budget?: string;
  readonly window: string;
  readonly minimumEffect: string;
  readonly stableBelow: string;
  readonly evidentlyCompat: boolean;
  readonly json: boolean;
}

const alarmed = 2;

const help = `
Examples:
  $ millrace drift compare --reference january.csv --current february.parquet
  $ millrace drift compare --reference a.csv --current b.csv --columns distance,carrier --false-alarms 0.0001
  $ millrace drift compare --reference a.csv --current b.csv --family-wise --json
  $ millrace drift compare --reference a.csv --current b.csv --budget "at most one false incident per model per 30 days" --window PT1H

A column has drifted when the lower bound of a change exceeds the smallest change that matters: of its distribution, its
missing values, its range, or by values that the reference does not have. Columns of text are categories, all others are
numbers; times are compared only when --columns names them, because they always move.

Exit codes: 0 no alarm, 2 a column drifted, 1 the question cannot be answered.`;

function numberOf(text: string, option: string, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= max)) throw new MillraceError('REQUEST_INVALID', `--${option} ${text}: a number from 0 to ${max} is needed`);
  return value;
}

function policyOf(options: Options, columns: number): ComparisonPolicy {
  const asked = numberOf(options.falseAlarms, 'false-alarms', 0.5);
  if (asked === 0) throw new MillraceError('REQUEST_INVALID', '--false-alarms 0: without any false alarm there is none at all');
  let falseAlarms = asked;
  if (options.budget !== undefined) {
    try {
      falseAlarms = alphaFor(budgetOf(options.budget), { window: options.window, features: columns });
    } catch (cause) {
      throw new MillraceError('REQUEST_INVALID', `--budget: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
  return { falseAlarms, familyWise: options.familyWise && options.budget === undefined, minimumEffect: numberOf(options.minimumEffect, 'minimum-effect', 1), stableBelow: numberOf(options.stableBelow, 'stable-below', 1) };
}

const evidentlyOf = ({ reference, current }: NamedColumn) => (current === null ? null : evidentlyChoice(reference, current));

function forPeople({ columns, verdict }: Comparison, pairs: ColumnPairs, policy: ComparisonPolicy, compat: boolean): string {
  const named = new Map(pairs.compared.map((pair) => [pair.name, pair]));
  const rows = columns.map((column) => {
    const pair = named.get(column.name);
    const current = pair?.current ?? null;
    const [before = '', now = ''] = pair === undefined || current === null ? [] : sparklines(pictureOf(pair.reference, current));
    const evidently = compat && pair !== undefined ? evidentlyOf(pair) : null;
    const theirs = compat ? [evidently === null ? null : `${evidently.drifted ? 'drift' : 'no drift'} (${evidently.method} ${evidently.value === null ? 'NaN' : Number(evidently.value.toPrecision(4))})`] : [];
    return [column.name, column.verdict, column.effect, column.lowerBound, column.reasons.join(', '), before, now, ...theirs];
  });
  const head = ['column', 'verdict', 'effect', 'at least', 'reasons', 'reference', 'current', ...(compat ? ['evidently'] : [])];
  const sentences = columns.filter((column) => column.verdict !== 'stable').map(({ name, sentence }) => `${name} ${sentence}`);
  const aside = pairs.notCompared.map(({ name, why }) => `${name} was not compared: ${why}.`);
  const rate = `False alarms: at most ${percent(policy.falseAlarms)} ${policy.familyWise ? 'over all columns together' : 'per column'}; changes of up to ${percent(policy.minimumEffect)} of the rows do not matter.`;
  return [table(head, rows), '', ...sentences, ...aside, `All together: ${verdict}. ${rate}`].join('\n');
}

function wantedColumns(text: string | undefined): string[] | undefined {
  return text?.split(',').map((name) => name.trim()).filter((name) => name !== '');
}

async function compare(options: Options): Promise<void> {
  if (options.reference === undefined || options.current === undefined) throw new MillraceError('REQUEST_INVALID', 'two files are needed: --reference and --current');
  const pairs = columnPairs(await readTable(options.reference), await readTable(options.current), wantedColumns(options.columns));
  const policy = policyOf(options, pairs.compared.length);
  const compared = compareColumns(pairs.compared, policy);
  const columns = compared.columns.map((column, index) => {
    const pair = pairs.compared[index];
    return options.evidentlyCompat && pair !== undefined ? { ...column, evidently: evidentlyOf(pair) } : column;
  });
  show(options.json, { ...compared, columns, falseAlarms: policy.falseAlarms, familyWise: policy.familyWise, notCompared: pairs.notCompared }, () => forPeople(compared, pairs, policy, options.evidentlyCompat));
  if (compared.verdict === 'drifted') process.exitCode = alarmed;
}

/** `drift compare`: two files, one verdict per column. */
export function addDriftCompare(drift: Command): void {
  drift
    .command('compare')
    .description('which columns of one file differ from those of another, by more than chance and enough to matter')
    .option('--reference <file>', 'the rows to compare with: .csv, .tsv, .jsonl or .parquet')
    .option('--current <file>', 'the rows in question')
    .option('--columns <names>', 'only these, separated by commas')
    .option('--false-alarms <rate>', 'chance of an alarm on a column that has not changed', String(defaultPolicy.falseAlarms))
    .option('--family-wise', 'the rate is for all columns together', false)
    .option('--budget <words>', 'instead of a rate: “at most one false incident per model per 30 days”')
    .option('--window <duration>', 'with --budget: how long a time the current file covers, ISO 8601', 'PT1H')
    .option('--minimum-effect <share>', 'share of rows that may move without mattering', String(defaultPolicy.minimumEffect))
    .option('--stable-below <share>', 'stable means: less than this share of the rows moved, with 95 % confidence', String(defaultPolicy.stableBelow))
    .option('--evidently-compat', 'show what Evidently 0.7 would say by its defaults, too', false)
    .option('--json', 'for machines, with every statistic', false)
    .action(compare)
    .addHelpText('after', help);
}
