import { emptyPerformance, mergePerformance, observeOutcome, type PerformanceSums, type Said, type Task } from '../statistics/index.js';
import { mergeDelays, observeDelay, type DelayCounts } from './delay-counts.js';
import { mergeFairness, observeGroup, type FairnessCounts } from './fairness.js';

/** What the outcomes of a version in a window add up to, in any order and over partitions. Plain JSON. */
export interface OutcomeState {
  readonly v: 1;
  readonly performance: PerformanceSums;
  readonly delays: DelayCounts;
  /** By the feature that tells the groups apart. */
  readonly groups: Record<string, FairnessCounts>;
  /** Outcomes by the window that their prediction fell into: start, milliseconds since the epoch → rows. */
  readonly cohorts: Record<string, number>;
  /** Event time of the earliest prediction among them, milliseconds since the epoch; null without any. */
  firstPredictionMs: number | null;
}

export interface ObservedOutcome {
  readonly said: Said;
  readonly label: boolean | number | string;
  readonly predictedAtMs: number;
  readonly labelledAtMs: number;
  readonly groups: Readonly<Record<string, string>>;
  /** Start of the window that the prediction fell into, milliseconds since the epoch. */
  readonly cohortMs: number;
}

export function emptyOutcomes(task: Task): OutcomeState {
  return { v: 1, performance: emptyPerformance(task), delays: {}, groups: {}, cohorts: {}, firstPredictionMs: null };
}

/**
 * Whether an answer was wrong: another class than the label’s, or, for a regression, off by more than the tolerance. Errors
 * of a regression have no bound, and a detector with a stated error needs one; a threshold keeps what matters to the reader.
 * null where the answer does not carry what the task needs, or there is no tolerance.
 */
export function isWrong(task: Task, { label: answer, probability, value }: Said, label: boolean | number | string, tolerance: number | null): boolean | null {
  if (task === 'regression') return value === undefined || typeof label !== 'number' || tolerance === null ? null : Math.abs(value - label) > tolerance;
  const said = answer ?? (task === 'binary' && probability !== undefined ? probability >= 0.5 : undefined);
  return said === undefined ? null : String(said) !== String(label);
}

/**
 * Wrong answers on labelled rows, from which the error watch starts. A regression without a tolerance gets the one that four
 * of five answers kept to: errors worth watching are neither rare nor the rule. null without rows.
 */
export function validationErrors(task: Task, rows: readonly { readonly said: Said; readonly label: boolean | number | string }[], tolerance: number | null): { wrong: number; rows: number; tolerance: number | null } | null {
  const kept = task === 'regression' ? (tolerance ?? usualError(rows)) : null;
  const judged = rows.map(({ said, label }) => isWrong(task, said, label, kept)).filter((wrong) => wrong !== null);
  return judged.length === 0 ? null : { wrong: judged.filter(Boolean).length, rows: judged.length, tolerance: kept };
}

function usualError(rows: readonly { readonly said: Said; readonly label: boolean | number | string }[]): number | null {
  const errors = rows.flatMap(({ said: { value }, label }) => (value === undefined || typeof label !== 'number' ? [] : [Math.abs(value - label)])).sort((a, b) => a - b);
  return errors[Math.floor(0.8 * errors.length)] ?? null;
}

/** More groups of one feature than this are counted as one: an identifier is no group. */
const groupsMax = 100;
export const otherGroups = '(other)';

/** Counts one outcome, in place. */
export function observeOutcomeState(state: OutcomeState, { said, label, predictedAtMs, labelledAtMs, groups, cohortMs }: ObservedOutcome): void {
  const { task } = state.performance;
  observeOutcome(state.performance, said, label);
  state.firstPredictionMs = Math.min(state.firstPredictionMs ?? Infinity, predictedAtMs);
  state.cohorts[cohortMs] = (state.cohorts[cohortMs] ?? 0) + 1;
  const wrong = isWrong(task, said, label, null);
  // The labels of a regression are no classes that could come at different paces.
  if (wrong !== null) observeDelay(state.delays, String(label), wrong, labelledAtMs - predictedAtMs);
  if (task !== 'binary' || wrong === null || typeof label !== 'boolean') return;
  for (const [by, value] of Object.entries(groups)) {
    const counts = (state.groups[by] ??= {});
    const group = Object.hasOwn(counts, value) || Object.keys(counts).length < groupsMax ? value : otherGroups;
    observeGroup(counts, { group, selected: wrong !== label, positive: label });
  }
}

function mergeCounts(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const merged: Record<string, number> = { ...a };
  for (const [name, rows] of Object.entries(b)) merged[name] = (merged[name] ?? 0) + rows;
  return merged;
}

/** @throws RangeError when the tasks differ. */
export function mergeOutcomes(a: OutcomeState, b: OutcomeState): OutcomeState {
  const groups: OutcomeState['groups'] = { ...a.groups };
  for (const [by, counts] of Object.entries(b.groups)) groups[by] = mergeFairness(groups[by] ?? {}, counts);
  const firsts = [a.firstPredictionMs, b.firstPredictionMs].filter((first) => first !== null);
  return {
    v: 1, performance: mergePerformance(a.performance, b.performance), delays: mergeDelays(a.delays, b.delays), groups,
    cohorts: mergeCounts(a.cohorts, b.cohorts), firstPredictionMs: firsts.length === 0 ? null : Math.min(...firsts),
  };
}
