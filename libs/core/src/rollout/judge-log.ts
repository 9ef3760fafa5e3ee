import { observeUnit, startSampleRatio, type SampleRatio } from '../statistics/index.js';
import type { Arm } from './arm-difference.js';
import { firstRowOf, judgeArm, judgePair, lookAfter, lookAtInterval, startDifferenceJudge, type DifferenceJudge, type VerdictChange } from './difference-judge.js';
import { extendFutility, startFutility, type Futility } from './futility.js';
import type { RolloutVerdict } from './judge-step.js';
import { guardLatency, guardLatencyPair, latencyOf, startLatencyGuard, type ArmLatency, type LatencyGuard } from './latency-guard.js';

/** How a log of outcomes is judged. */
export interface LogPlan {
  /** Both arms answer every unit; rows of one unit belong together. */
  readonly paired: boolean;
  /** Share of the units that the candidate was meant to answer; not looked at for pairs. */
  readonly share: number;
  readonly lossBound: number;
  readonly margin: number;
  /** Error of each direction of the verdict; all slices together have as much again, each its even part. */
  readonly alpha: number;
  readonly effect: number | null;
  readonly sampleRatioAlpha: number;
  /** Slices there are; known before the losses. */
  readonly slices: number;
  /** Who answers is drawn for every row, not once per unit: rows of a unit seen before count too. Not for pairs. */
  readonly drawnPerRow: boolean;
  readonly latencyQuantile: number;
}

/** One answer whose loss has become known, in the order of the log. */
export interface LoggedOutcome {
  readonly unit: string;
  readonly arm: Arm;
  /** In [0, lossBound]. */
  readonly loss: number;
  readonly slice: string | null;
  readonly latencyMs: number | null;
}

/** Grows with the units (to know those seen before) and, where there are latencies, with the rows; costs the same for every row. */
export interface LogJudge {
  readonly plan: LogPlan;
  rows: number;
  /** Rows that were left out because their unit had answered in this arm before. */
  repeatedRows: number;
  /** Units that were seen in both arms although each belongs to one. */
  unitsInBothArms: number;
  readonly overall: DifferenceJudge;
  readonly futility: Futility;
  readonly slices: Map<string, DifferenceJudge>;
  readonly ratio: SampleRatio | null;
  ratioFirstRow: number | null;
  latency: LatencyGuard | null;
  /** Unpaired: arm of each unit. Paired: the half that waits for the other, null when both came. */
  readonly units: Map<string, LoggedOutcome | Arm | null>;
}

export interface LogJudgement {
  readonly verdict: RolloutVerdict;
  readonly firstRow: number | null;
  readonly interval: { readonly lower: number; readonly upper: number };
  readonly trail: readonly VerdictChange[];
  readonly slices: readonly { readonly slice: string; readonly verdict: RolloutVerdict; readonly firstRow: number | null; readonly interval: { readonly lower: number; readonly upper: number }; readonly arms: DifferenceJudge['arms'] }[];
  readonly sampleRatio: { readonly mismatch: boolean; readonly firstRow: number | null };
  /** Why no verdict came, where none did. */
  readonly reason: 'sample-ratio-mismatch' | 'futile' | 'too-few-rows' | null;
  readonly futility: { readonly futile: boolean; readonly firstRow: number | null; readonly error: number };
  readonly arms: DifferenceJudge['arms'];
  readonly latency: { readonly quantile: number; readonly verdict: RolloutVerdict; readonly firstRow: number | null; readonly slowShare: { readonly lower: number; readonly upper: number }; readonly champion: ArmLatency; readonly candidate: ArmLatency } | null;
}

export function startLogJudge(plan: LogPlan): LogJudge {
  const { paired, share, sampleRatioAlpha, ...rest } = plan;
  return {
    plan, rows: 0, repeatedRows: 0, unitsInBothArms: 0, ratioFirstRow: null, latency: null, slices: new Map(), units: new Map(),
    overall: startDifferenceJudge({ ...rest, share: paired ? null : share }),
    futility: startFutility(),
    ratio: paired ? null : startSampleRatio(share, sampleRatioAlpha),
  };
}

function sliceJudge({ slices, plan }: LogJudge, slice: string): DifferenceJudge {
  const known = slices.get(slice);
  if (known !== undefined) return known;
  const { paired, share, lossBound, margin, alpha, effect } = plan;
  const fresh = startDifferenceJudge({ share: paired ? null : share, lossBound, margin, alpha: alpha / Math.max(1, plan.slices), effect });
  slices.set(slice, fresh);
  return fresh;
}

function guardOf(judge: LogJudge): LatencyGuard {
  const { paired, share, alpha, latencyQuantile } = judge.plan;
  judge.latency ??= startLatencyGuard(latencyQuantile, paired ? null : share, alpha);
  return judge.latency;
}

function look(judge: LogJudge, told: number, slice: DifferenceJudge | null): void {
  const blocked = judge.ratioFirstRow !== null;
  const { overall, futility, rows } = judge;
  lookAfter(overall, rows, blocked);
  extendFutility(futility, overall.sequence, told, rows, overall.comparison);
  if (slice !== null) lookAfter(slice, rows, blocked);
}

/** A unit’s first row decides its arm; answers false for rows that do not count. */
function counts(judge: LogJudge, { unit, arm }: LoggedOutcome): boolean {
  if (judge.plan.drawnPerRow) return true;
  const known = judge.units.get(unit);
  if (known === undefined) {
    judge.units.set(unit, arm);
    return true;
  }
  if (known === arm) judge.repeatedRows += 1;
  else judge.unitsInBothArms += 1;
  return false;
}

function takeArm(judge: LogJudge, outcome: LoggedOutcome): void {
  if (!counts(judge, outcome)) return;
  const { arm, loss, latencyMs } = outcome;
  if (judge.ratio !== null && observeUnit(judge.ratio, arm === 'candidate')) judge.ratioFirstRow ??= judge.rows;
  const slice = outcome.slice === null ? null : sliceJudge(judge, outcome.slice);
  const told = judgeArm(judge.overall, arm, loss);
  if (slice !== null) judgeArm(slice, arm, loss);
  look(judge, told, slice);
  if (latencyMs !== null) guardLatency(guardOf(judge), arm, latencyMs, judge.rows);
}

function takeHalf(judge: LogJudge, outcome: LoggedOutcome): void {
  const waiting = judge.units.get(outcome.unit);
  if (waiting === undefined) {
    judge.units.set(outcome.unit, outcome);
    return;
  }
  if (waiting === null || typeof waiting === 'string' || waiting.arm === outcome.arm) {
    judge.repeatedRows += 1;
    return;
  }
  judge.units.set(outcome.unit, null);
  const [candidate, champion] = outcome.arm === 'candidate' ? [outcome, waiting] : [waiting, outcome];
  const sliceName = candidate.slice ?? champion.slice;
  const slice = sliceName === null ? null : sliceJudge(judge, sliceName);
  const told = judgePair(judge.overall, candidate.loss, champion.loss);
  if (slice !== null) judgePair(slice, candidate.loss, champion.loss);
  look(judge, told, slice);
  if (candidate.latencyMs !== null && champion.latencyMs !== null) guardLatencyPair(guardOf(judge), candidate.latencyMs, champion.latencyMs, judge.rows);
}

/** Takes in the next row of the log, in place, and looks. */
export function judgeRow(judge: LogJudge, outcome: LoggedOutcome): void {
  judge.rows += 1;
  if (judge.plan.paired) takeHalf(judge, outcome);
  else takeArm(judge, outcome);
}

/** Below this nothing but gross harm can be shown, and the verdict says so rather than “not enough evidence” alone. */
const rowsExpected = 100;

/** Judgement after the rows so far; looks at every interval once more. */
export function judgementOf(judge: LogJudge): LogJudgement {
  const { overall, futility, latency, ratioFirstRow } = judge;
  for (const each of [overall, ...judge.slices.values(), ...(latency === null ? [] : [latency.slow])]) lookAtInterval(each, judge.rows);
  const bounds = ({ lower, upper }: DifferenceJudge): { lower: number; upper: number } => ({ lower, upper });
  const undecided = overall.verdict === 'not-enough-evidence';
  const reason = ratioFirstRow !== null ? 'sample-ratio-mismatch' : futility.firstRow !== null ? 'futile' : overall.sequence.n < rowsExpected ? 'too-few-rows' : null;
  return {
    verdict: overall.verdict,
    firstRow: firstRowOf(overall),
    interval: bounds(overall),
    trail: overall.trail,
    slices: [...judge.slices].map(([slice, each]) => ({ slice, verdict: each.verdict, firstRow: firstRowOf(each), interval: bounds(each), arms: each.arms })),
    sampleRatio: { mismatch: ratioFirstRow !== null, firstRow: ratioFirstRow },
    reason: undecided ? reason : null,
    futility: { futile: futility.firstRow !== null, firstRow: futility.firstRow, error: futility.beta },
    arms: overall.arms,
    latency: latency === null ? null : { quantile: latency.quantile, verdict: latency.slow.verdict, firstRow: firstRowOf(latency.slow), slowShare: bounds(latency.slow), ...latencyOf(latency) },
  };
}

/** Units of a paired log whose other half never came. */
export function unpairedUnits({ units, plan }: LogJudge): number {
  if (!plan.paired) return 0;
  let waiting = 0;
  for (const half of units.values()) if (half !== null) waiting += 1;
  return waiting;
}
