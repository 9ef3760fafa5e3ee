import type { Command } from 'commander';
import { MillraceError } from '@millrace/contracts';
import { detectorTraits, observeError, startDetector, wilsonInterval, type DetectorName, type DetectorSettings, type DriftAlarm } from '@millrace/core/statistics';
import { readTable, type Column } from '../plain-files/read-table.js';
import { show, table } from '../print.js';

const invalid = (message: string): MillraceError => new MillraceError('REQUEST_INVALID', message);
const asNumber: Readonly<Record<string, number>> = { true: 1, false: 0, '1': 1, '0': 0 };

/** The column asked for, else the only one, else one called `error` or `e`. */
function errorColumn(file: string, columns: readonly Column[], asked: string | undefined): Column {
  const named = (name: string): Column | undefined => columns.find((column) => column.name === name);
  const found = asked === undefined ? (columns.length === 1 ? columns[0] : (named('error') ?? named('e'))) : named(asked);
  if (found === undefined) throw invalid(`${file} has the columns ${columns.map(({ name }) => name).join(', ')}; say with --column which one holds the errors`);
  if (asNumber[found.name.trim()] !== undefined) throw invalid(`${file} has no header: its first row is ${found.name}; put the column’s name above it`);
  return found;
}

/** Errors as numbers in [0, 1]; what is none is refused with its row, the first row below the header being row 1. */
function errorsOf(file: string, column: Column, takes: 'bits' | 'fractions'): Float64Array {
  const errors = new Float64Array(column.values.length);
  for (let row = 0; row < errors.length; row++) {
    const cell = column.values[row];
    const value = column.kind === 'number' ? Number(cell) : (asNumber[String(cell).trim().toLowerCase()] ?? (cell === null || cell === undefined || String(cell).trim() === '' ? NaN : Number(cell)));
    if (column.kind === 'time' || !(value >= 0 && value <= 1)) {
      const what = cell === null || cell === undefined || (typeof cell === 'number' && Number.isNaN(cell)) ? 'is empty' : `is ${cell}`;
      throw invalid(`${file} row ${row + 1}, column ${column.name} ${what}; an error is 0 or 1, true or false, or lies between 0 and 1`);
    }
    if (takes === 'bits' && value !== 0 && value !== 1) throw invalid(`${file} row ${row + 1}, column ${column.name} is ${value}; this detector takes errors that are 0 or 1`);
    errors[row] = value;
  }
  return errors;
}

function baselineOf(text: string | undefined): { errors: number; rows: number } {
  if (text === undefined) throw invalid('the e-detector needs --baseline-errors k/n: k wrong of n validation rows');
  const [, errors, rows] = /^(\d+(?:\.\d+)?)\/(\d+)$/u.exec(text.trim()) ?? [];
  const baseline = { errors: Number(errors), rows: Number(rows) };
  if (!(baseline.rows > 0 && baseline.errors <= baseline.rows)) throw invalid(`--baseline-errors is ${text}; give k/n such as 412/5000, with k at most n and n above 0`);
  return baseline;
}

interface Options {
  readonly errors?: string;
  readonly column?: string;
  readonly baselineErrors?: string;
  readonly meanTimeBetweenFalseAlarms?: string;
  readonly detector: string;
  readonly twoSided: boolean;
  readonly json: boolean;
}

const isDetector = (name: string): name is DetectorName => name in detectorTraits;

function settingsOf({ detector, baselineErrors, meanTimeBetweenFalseAlarms, twoSided }: Options): DetectorSettings {
  if (!isDetector(detector)) throw invalid(`there is no detector ${detector}; there are ${Object.keys(detectorTraits).join(', ')}`);
  if (twoSided && detector !== 'e-detector') throw invalid('--two-sided is for the e-detector; the others watch the sides that the field has them watch');
  if (detector !== 'e-detector') return { detector };
  const budget = Number(meanTimeBetweenFalseAlarms);
  if (meanTimeBetweenFalseAlarms === undefined || !(budget >= 1 && Number.isFinite(budget))) throw invalid('the e-detector needs --mean-time-between-false-alarms, in rows, at least 1');
  return { detector, baseline: baselineOf(baselineErrors), meanTimeBetweenFalseAlarms: budget, twoSided };
}

const rate = (value: number): string => value.toPrecision(2);

function sentence({ row, direction, errorBefore, errorNow, rowsNow }: DriftAlarm): string {
  const { low, high } = wilsonInterval(errorNow * rowsNow, rowsNow, 0.95);
  const verb = direction === 'rise' ? 'rose' : 'fell';
  return `error ${verb} from ${rate(errorBefore)} to ${rate(errorNow)} (95 % interval ${rate(low)}–${rate(high)}) around row ${Math.max(1, row - rowsNow + 1).toLocaleString('en-US')}, seen at row ${row.toLocaleString('en-US')}`;
}

function forPeople(settings: DetectorSettings, rows: number, alarms: readonly DriftAlarm[]): string {
  const promise = settings.detector === 'e-detector'
    ? `at most one false alarm in ${settings.meanTimeBetweenFalseAlarms.toLocaleString('en-US')} rows on average, from ${settings.baseline.errors} wrong of ${settings.baseline.rows.toLocaleString('en-US')}`
    : 'this detector promises no mean time between false alarms';
  const head = `${rows.toLocaleString('en-US')} rows, ${settings.detector}: ${alarms.length === 0 ? 'no alarm' : `${alarms.length} alarm${alarms.length === 1 ? '' : 's'}`} (${promise})`;
  if (alarms.length === 0) return head;
  const rowsOf = alarms.map(({ row, evidence, threshold, errorBefore, errorNow, rowsNow }) => [row, Number(evidence.toPrecision(4)), threshold, errorBefore, errorNow, rowsNow]);
  return [head, '', table(['row', 'evidence', 'threshold', 'error before', 'error now', 'rows since'], rowsOf), '', ...alarms.map(sentence)].join('\n');
}

async function watch(options: Options): Promise<void> {
  const settings = settingsOf(options);
  if (options.errors === undefined) throw invalid('say with --errors which file holds the errors');
  const { rows, columns } = await readTable(options.errors, options.column === undefined ? undefined : [options.column]);
  const column = errorColumn(options.errors, columns, options.column);
  const state = startDetector(settings);
  const alarms: DriftAlarm[] = [];
  for (const error of errorsOf(options.errors, column, detectorTraits[settings.detector].takes)) {
    const alarm = observeError(state, error);
    if (alarm !== null) alarms.push(alarm);
  }
  const report = { rows, alarms: alarms.map(({ row, evidence, errorBefore, errorNow }) => ({ row, evidence, errorBefore, errorNow })) };
  show(options.json, report, () => forPeople(settings, rows, alarms));
  if (alarms.length > 0) process.exitCode = 2;
}

/** `millrace drift watch`: concept drift on a file of errors. */
export function addDriftWatch(drift: Command): void {
  drift
    .command('watch')
    .description('watch the errors of a model, row by row, for a rise')
    .option('--errors <file>', 'CSV, TSV, JSON lines or Parquet, one row per answered prediction in the order of time')
    .option('--column <name>', 'which column: 0 or 1, true or false, or a loss in [0, 1]; default the only one, else error or e')
    .option('--baseline-errors <k/n>', 'k wrong of n validation rows; how well n rows tell the error rate is counted in')
    .option('--mean-time-between-false-alarms <rows>', 'false-alarm budget of the e-detector: one false alarm in so many rows, on average')
    .option('--detector <name>', Object.keys(detectorTraits).join(', '), 'e-detector')
    .option('--two-sided', 'alarm when the error falls, too; both sides share the budget', false)
    .option('--json', 'for machines: { rows, alarms: [{ row, evidence, errorBefore, errorNow }] }, rows from 1', false)
    .addHelpText('after', `
Examples:
  $ millrace drift watch --errors errors.csv --baseline-errors 412/5000 --mean-time-between-false-alarms 1000000
  $ millrace drift watch --errors outcomes.parquet --column wrong --detector adwin --json

evidence of the e-detector is in rows: an alarm when it reaches the budget. After an alarm the watch starts again from the
rows since the change, whose place is estimated; the interval is theirs, and as they were picked for standing out, the new
error is told a little too high. The other detectors are the field’s, with its usual settings, and promise no budget:
${Object.entries(detectorTraits).map(([name, { about }]) => `  ${name.padEnd(13)} ${about}`).join('\n')}

Exit codes: 0 no alarm, 2 alarm, 1 error.`)
    .action(watch);
}
