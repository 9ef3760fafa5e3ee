import type { Command } from 'commander';
import { MillraceError } from '@millrace/contracts';
import { judgementOf, judgeRow, startLogJudge, unpairedUnits, type ArmTally, type LogJudge, type LogJudgement, type LogPlan } from '@millrace/core/rollout';
import { readOutcomeLog, type OutcomeLog } from '../plain-files/read-outcome-log.js';
import { show, table } from '../print.js';

interface JudgeOptions {
  readonly log: string;
  readonly margin: string;
  readonly alpha: string;
  readonly paired: boolean;
  readonly share?: string;
  readonly lossBound?: string;
  readonly effect?: string;
  readonly sampleRatioAlpha: string;
  readonly perRow: boolean;
  readonly json: boolean;
}

function numberOf(option: string, text: string, { above = -Infinity, below = Infinity, least = -Infinity }: { above?: number; below?: number; least?: number }): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(Number.isFinite(value) && value > above && value < below && value >= least)) {
    const bounds = [least > -Infinity ? `${least} or more` : '', above > -Infinity ? `above ${above}` : '', below < Infinity ? `below ${below}` : ''].filter((part) => part !== '').join(' and ');
    throw new MillraceError('REQUEST_INVALID', `--${option} ${text}: it must be a number ${bounds}`);
  }
  return value;
}

/** The candidate’s share from `candidate=0.1` or `champion=0.9`; without it both arms are meant to answer as often. */
function shareOf(text: string | undefined): number {
  if (text === undefined) return 0.5;
  const [, arm, value] = /^(candidate|champion)=(.+)$/u.exec(text.trim()) ?? [];
  if (arm === undefined || value === undefined) throw new MillraceError('REQUEST_INVALID', `--share ${text}: say candidate=0.1`);
  const share = numberOf('share', value, { above: 0, below: 1 });
  return arm === 'candidate' ? share : 1 - share;
}

function lossBoundOf({ log, lossBound }: JudgeOptions, { lossMax, lossMaxRow }: OutcomeLog): number {
  if (lossBound !== undefined) return numberOf('loss-bound', lossBound, { above: 0 });
  if (lossMax <= 1) return 1;
  throw new MillraceError('REQUEST_INVALID', `${log}, row ${lossMaxRow}: a loss of ${lossMax} is above 1; say with --loss-bound how large a loss can get (larger ones are cut to it)`);
}

function planOf(options: JudgeOptions, log: OutcomeLog): LogPlan {
  return {
    paired: options.paired,
    share: shareOf(options.share),
    lossBound: lossBoundOf(options, log),
    margin: numberOf('margin', options.margin, { least: 0 }),
    alpha: numberOf('alpha', options.alpha, { above: 0, below: 1 }),
    effect: options.effect === undefined ? null : numberOf('effect', options.effect, { above: 0 }),
    sampleRatioAlpha: numberOf('sample-ratio-alpha', options.sampleRatioAlpha, { above: 0, below: 1 }),
    slices: log.slices,
    drawnPerRow: options.perRow,
    latencyQuantile: 0.99,
  };
}

const count = (n: number): string => n.toLocaleString('en-US');
const four = (value: number): string => value.toFixed(4);
const meanOf = ({ n, loss }: ArmTally): string => (n === 0 ? '–' : four(loss / n));

function sentence({ verdict, firstRow, interval, arms, reason }: LogJudgement, plan: LogPlan): string {
  const { champion, candidate } = arms;
  const units = plan.paired ? `${count(candidate.n)} pairs` : `${count(champion.n)} and ${count(candidate.n)} outcomes`;
  const facts = `mean loss ${meanOf(champion)} (champion) and ${meanOf(candidate)} (candidate), difference in [${four(interval.lower)}, ${four(interval.upper)}], ${units}`;
  const since = firstRow === null ? '' : `; first shown at row ${count(firstRow)}`;
  switch (verdict) {
    case 'worse': return `Worse: the candidate loses more than the margin ${plan.margin} allows; ${facts}${since}.`;
    case 'better': return `Better: the candidate loses less; ${facts}${since}.`;
    case 'not-worse': return `Not worse: the candidate loses at most ${plan.margin} more; ${facts}${since}.`;
    case 'not-enough-evidence': {
      const why = { 'sample-ratio-mismatch': ', because the arms do not have the shares they should, so no good verdict counts', futile: ', and none is near: a difference of the declared size is not there', 'too-few-rows': ' from so few rows' };
      return `Not enough evidence${reason === null ? '' : why[reason]}; ${facts}.`;
    }
  }
}

function notes(judge: LogJudge, judgement: LogJudgement, { lossesAreBinary, lossMax }: OutcomeLog, options: JudgeOptions): string[] {
  const { plan } = judge;
  const { sampleRatio, futility, arms } = judgement;
  const lines: string[] = [];
  const seen = arms.candidate.n / Math.max(1, arms.candidate.n + arms.champion.n);
  if (!plan.paired) lines.push(`Sample ratio: the candidate has ${four(seen)} of the units against ${four(plan.share)}${options.share === undefined ? ' (no --share given)' : ''}; ${sampleRatio.mismatch ? `MISMATCH, found at row ${count(sampleRatio.firstRow ?? 0)}` : 'no mismatch'}.`);
  if (futility.firstRow !== null && judgement.verdict === 'not-enough-evidence') lines.push(`Futile since row ${count(futility.firstRow)}: stopping there misses a difference of the declared size with probability at most ${futility.error}.`);
  if (!lossesAreBinary && options.lossBound === undefined) lines.push('Losses are taken to lie in [0, 1]; say --loss-bound if they can be larger.');
  if (lossMax > plan.lossBound) lines.push(`Losses above ${plan.lossBound} were cut to it; the largest is ${lossMax}.`);
  if (judge.repeatedRows > 0) lines.push(`${count(judge.repeatedRows)} further rows of units already seen were left out${plan.paired ? '' : '; --per-row counts them, if the arm was drawn for each row'}.`);
  if (judge.unitsInBothArms > 0) lines.push(`${count(judge.unitsInBothArms)} rows were left out because their unit had been in the other arm; --per-row counts them, --paired pairs them.`);
  const halves = unpairedUnits(judge);
  if (halves > 0) lines.push(`${count(halves)} units have an outcome of one arm only and were left out.`);
  lines.push(`Looked at after every row: “worse” is wrong with probability at most ${plan.alpha}, “better” and “not worse” likewise${plan.slices > 0 ? `; so is any of the ${plan.slices} slices’ verdicts` : ''}.`);
  return lines;
}

function latencyTable({ latency }: LogJudgement): string[] {
  if (latency === null) return [];
  const rows = [latency.champion, latency.candidate].map(({ n, estimateMs, lowerMs, upperMs }, index) => [index === 0 ? 'champion' : 'candidate', n, estimateMs, lowerMs, upperMs]);
  const since = latency.firstRow === null ? '' : ` since row ${count(latency.firstRow)}`;
  return ['', table(['arm', 'answers', `p${latency.quantile * 100} ms`, 'lower', 'upper'], rows), `Latency: ${latency.verdict}${since}; share of answers above the champion’s p${latency.quantile * 100} differs by [${four(latency.slowShare.lower)}, ${four(latency.slowShare.upper)}].`];
}

function forPeople(judge: LogJudge, judgement: LogJudgement, log: OutcomeLog, options: JudgeOptions): string {
  const { trail, slices } = judgement;
  const parts = [sentence(judgement, judge.plan)];
  if (trail.length > 0) parts.push('', table(['row', 'verdict', 'lower', 'upper'], trail.map(({ row, verdict, lower, upper }) => [row, verdict, lower, upper])));
  if (slices.length > 0) parts.push('', table(['slice', 'verdict', 'first row', 'lower', 'upper', 'champion', 'candidate'], slices.map(({ slice, verdict, firstRow, interval, arms }) => [slice, verdict, firstRow, interval.lower, interval.upper, arms.champion.n, arms.candidate.n])));
  parts.push(...latencyTable(judgement), '', ...notes(judge, judgement, log, options));
  return parts.join('\n');
}

const isAlarm = ({ verdict, slices, sampleRatio, latency }: LogJudgement): boolean => verdict === 'worse' || sampleRatio.mismatch || latency?.verdict === 'worse' || slices.some((slice) => slice.verdict === 'worse');

async function judgeLog(options: JudgeOptions): Promise<void> {
  const log = await readOutcomeLog(options.log);
  const plan = planOf(options, log);
  const judge = startLogJudge(plan);
  for (let row = 1; row <= log.rows; row += 1) judgeRow(judge, log.at(row, plan.lossBound));
  const judgement = judgementOf(judge);
  const { repeatedRows, unitsInBothArms, rows } = judge;
  show(options.json, { ...judgement, rows, repeatedRows, unitsInBothArms, unpairedUnits: unpairedUnits(judge), plan }, () => forPeople(judge, judgement, log, options));
  if (isAlarm(judgement)) process.exitCode = 2;
}

export function addRolloutJudgeCommand(rollout: Command): void {
  rollout
    .command('judge')
    .description('judge a log of outcomes of two arms, looking after every row')
    .requiredOption('--log <file>', 'CSV, JSONL or Parquet with unit, arm (champion or candidate), loss and, if you have them, slice, latency_ms; in the order in which outcomes became known')
    .option('--margin <loss>', 'how much more the candidate may lose and still be not worse', '0')
    .option('--alpha <error>', 'error of each direction of the verdict, over all looks', '0.05')
    .option('--paired', 'both arms answered every unit', false)
    .option('--share <arm=share>', 'share of the units that the candidate was meant to get (default candidate=0.5)')
    .option('--loss-bound <loss>', 'largest possible loss; needed when losses exceed 1')
    .option('--effect <loss>', 'smallest difference that must be found (default a tenth of the loss’s standard deviation)')
    .option('--sample-ratio-alpha <error>', 'error of the sample ratio check, over all looks', '0.01')
    .option('--per-row', 'the arm was drawn for each row, not once per unit', false)
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      `
Verdict on candidate − champion: better below 0, not-worse below the margin, worse above the margin, else not-enough-evidence.
The latency's p99 is guarded where latency_ms is given, every slice where slice is given. Rows count from 1, without the header.

Examples:
  $ millrace rollout judge --log outcomes.csv --margin 0.01
  $ millrace rollout judge --log canary.parquet --share candidate=0.1 --json
  $ millrace rollout judge --log shadow.csv --paired --margin 0.005 --loss-bound 4

Exit codes: 0 no alarm, 2 worse, a slice or the latency worse, or sample ratio mismatch, 1 error.`,
    )
    .action((options: JudgeOptions) => judgeLog(options));
}
