import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Command } from 'commander';
import { MillraceError } from '@millrace/contracts';
import { momentMs } from '../moment.js';
import { show, table } from '../print.js';
import { replay, type JudgedPair, type ReplayReport } from '../replay/replay.js';
import { valueForPeople } from '../show-value.js';

interface ReplayOptions {
  readonly candidate: string;
  readonly champion?: string;
  readonly model?: string;
  readonly from: string;
  readonly to: string;
  readonly source: string;
  readonly margin?: string;
  readonly alpha: string;
  readonly slices?: string;
  readonly rowsMax: string;
  readonly out?: string;
  readonly json: boolean;
}

function within(option: string, text: string, isGood: (value: number) => boolean, wanted: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value) || !isGood(value)) throw new MillraceError('REQUEST_INVALID', `--${option} ${text}: it must be ${wanted}`);
  return value;
}

const sources = ['auto', 'log', 'archive'] as const;

function questionOf(options: ReplayOptions): Parameters<typeof replay>[0] {
  const source = sources.find((each) => each === options.source);
  if (source === undefined) throw new MillraceError('REQUEST_INVALID', `--source ${options.source}: it must be ${sources.join(', ')}`);
  const [fromMs, toMs] = [momentMs(options.from, '--from'), momentMs(options.to, '--to')];
  if (toMs <= fromMs) throw new MillraceError('REQUEST_INVALID', `--to ${options.to} is not after --from ${options.from}`);
  return {
    candidate: options.candidate, fromMs, toMs, source,
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.champion === undefined ? {} : { champion: options.champion }),
    ...(options.slices === undefined ? {} : { slices: options.slices.split(',').map((name) => name.trim()).filter((name) => name !== '') }),
    ...(options.margin === undefined ? {} : { margin: within('margin', options.margin, (value) => value >= 0, 'a number of 0 or more') }),
    alpha: within('alpha', options.alpha, (value) => value > 0 && value < 1, 'a number above 0 and below 1'),
    rowsMax: within('rows-max', options.rowsMax, (value) => Number.isInteger(value) && value > 0, 'a whole number above 0'),
  };
}

const count = (n: number): string => n.toLocaleString('en-US');
const four = (value: number): string => value.toFixed(4);

function sentence({ gate, verdict, interval, arms, plan, reason }: ReplayReport): string {
  const mean = ({ n, loss }: { readonly n: number; readonly loss: number }): string => (n === 0 ? '–' : four(loss / n));
  const said = {
    better: 'the candidate loses less', 'not-worse': `the candidate loses at most ${plan.margin} more`, worse: `the candidate loses more than the margin ${plan.margin} allows`,
    'not-enough-evidence': `not enough evidence${reason === 'futile' ? ', and none is near: a difference of the size that matters is not there' : reason === 'too-few-rows' ? ' from so few records' : ''}`,
  }[verdict];
  return `Gate ${gate}: ${said}; mean loss ${mean(arms.champion)} (champion) and ${mean(arms.candidate)} (candidate), difference in [${four(interval.lower)}, ${four(interval.upper)}].`;
}

function forPeople(report: ReplayReport): string {
  const { model, candidate, champions, records, from, to, source, because, slices, offsets, leftOut, value } = report;
  const who = Object.entries(champions).map(([version, n]) => `${version}: ${count(n)}`).join(', ');
  const parts = [`${candidate} on ${count(records)} records of ${model} from ${from} to ${to}, ${source === 'log' ? 'as the prediction log has them' : 'from the archive'}; champion ${who}.`, sentence(report)];
  if (because !== null) parts.push(`The archive was read because ${because}. What was said then is not there: both versions were asked now.`);
  if (slices.length > 0) parts.push('', table(['field', 'slice', 'verdict', 'lower', 'upper', 'records'], slices.map(({ field, slice, verdict, interval, arms }) => [field, slice, verdict, interval.lower, interval.upper, arms.candidate.n])));
  parts.push('', 'Read:', ...offsets.map(({ topic, partition, fromOffset, toOffset, rows }) => `  ${topic}/${partition} [${fromOffset}, ${toOffset}): ${count(rows)} of them count`));
  const out = Object.entries(leftOut).map(([why, n]) => `${count(n)}: ${why}`);
  if (out.length > 0) parts.push(`Left out: ${out.join('; ')}.`);
  if (value !== null) parts.push('', 'By the answers that the candidate gave itself, which count also what answers changed:', valueForPeople(value, `${candidate} for all`));
  return parts.join('\n');
}

const cell = (text: string): string => (/[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** The judged losses, as `rollout judge --paired` reads them. */
function write(file: string, pairs: readonly JudgedPair[], { plan }: ReplayReport): void {
  const rows = pairs.flatMap(({ unit, champion, candidate, slices }) => [['champion', champion] as const, ['candidate', candidate] as const].map(([arm, loss]) => ({ unit, arm, loss, slice: slices[0] ?? null })));
  const header = ['unit', 'arm', 'loss', ...(plan.sliceFields.length === 0 ? [] : ['slice'])];
  const csv = (): string => [header.join(','), ...rows.map(({ unit, arm, loss, slice }) => [cell(unit), arm, String(loss), ...(plan.sliceFields.length === 0 ? [] : [cell(slice ?? '')])].join(','))].join('\n');
  writeFileSync(file, `${extname(file) === '.jsonl' ? rows.map((row) => JSON.stringify(row)).join('\n') : csv()}\n`);
}

const exitCodes = { passed: 0, failed: 2, inconclusive: 1 } as const;

async function run(options: ReplayOptions): Promise<void> {
  if (options.out !== undefined && !['.csv', '.jsonl'].includes(extname(options.out))) throw new MillraceError('REQUEST_INVALID', `--out ${options.out}: only .csv and .jsonl are written`);
  const { report, pairs } = await replay(questionOf(options));
  if (options.out !== undefined) write(options.out, pairs, report);
  show(options.json, report, () => forPeople(report));
  process.exitCode = exitCodes[report.gate];
}

/** `millrace replay`: a gate before any live request. */
export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('score past traffic with a candidate, and judge it against what the champion said then')
    .requiredOption('--candidate <model>', 'model@version or model@alias of the ring; or a file or folder, with --model')
    .requiredOption('--from <time>', 'event time of the first record, ISO 8601; without a zone it is UTC')
    .requiredOption('--to <time>', 'event time behind the last record')
    .option('--champion <model>', 'as --candidate; default: whichever version was champion then, in the archive the one that is now')
    .option('--model <name>', 'whose traffic; default: the candidate’s model')
    .option('--source <where>', 'log: predictions and outcomes in Kafka; archive: records and labels in Parquet; auto: the log as far as it reaches', 'auto')
    .option('--margin <loss>', 'how much more the candidate may lose and still be not worse; default: lossMargin of the spec')
    .option('--alpha <error>', 'error of each direction of the verdict, over all looks; all slices together have as much again', '0.05')
    .option('--slices <features>', 'features whose values are judged apart, separated by commas; default: the spec’s')
    .option('--rows-max <n>', 'records held in memory at most, about 1 KB each', '500000')
    .option('--out <file>', 'write the losses as .csv or .jsonl; millrace rollout judge --paired reads them again (slice: the first field)')
    .option('--json', 'for machines, with every interval, slice and offset', false)
    .addHelpText('after', `
From the log: outcomes whose record's event time lies in [from, to), each record once, by its first outcome; the champion's answer
as it was logged (primary, or shadow), asked again only where --champion names a version that the log has no answer of. From the
archive: both versions are asked now, and labels are those known today. Losses: Brier score, half the multi-class Brier score,
or squared error, cut at the spec's lossBound. Pairs are judged in the order in which labels became known,
and taken as independent: where the records of a day share its weather, ask for many days.

Where the log shows that the candidate itself has answered some of this traffic by chance, its value had it answered all is
told too, with intervals (see millrace rollout value), or why it cannot be told.

Examples:
  $ millrace replay --candidate flight-delays@challenger --from 2013-05-01 --to 2013-06-01
  $ millrace replay --candidate flight-delays@v7 --champion flight-delays@v5 --from 2013-05-01T06:00Z --to 2013-05-02 --json
  $ millrace replay --candidate ./model.onnx --model flight-delays --source archive --from 2013-01-01 --to 2013-03-01 --slices carrier --out losses.csv

Exit codes: 0 the gate is passed (better, or not worse within the margin), 2 failed (worse, or a slice is), 1 inconclusive, refused or error.`)
    .action(run);
}
