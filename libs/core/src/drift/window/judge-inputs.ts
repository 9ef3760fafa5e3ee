import { rowsCounted, type FeatureCounts } from '../../statistics/index.js';
import { compareColumn, type ColumnVerdict } from '../compare/compare-column.js';
import type { CheckFinding, ComparePolicy } from '../compare/finding.js';
import { outcomeOf, type DriftFinding, type GateOutcome } from '../finding.js';
import { columnsOf } from './columns.js';
import type { DriftPolicy } from './drift-policy.js';
import { outputSubject, type InputState } from './input-state.js';
import { judgeJointly, jointSubject } from './joint-drift.js';
import type { InputReference } from './reference.js';
import { rootCauses, type RootCause } from './root-cause.js';
import { budgetWords, subjectSentence } from './sentence.js';
import { judgeVolume } from './volume.js';

/** What a window’s verdict depends on besides its own rows. */
export interface WindowHistory {
  /** Rows of the windows before it, newest last; null when this window’s volume is not to be judged. */
  readonly volumes: readonly number[] | null;
  /** Rows of the window over all versions that answer. */
  readonly volume: number;
  /** Levels that earlier verdicts of the model have spent in the budget’s period that ends with this window. */
  readonly spent: number;
  /** False incidents granted; null when the user has set a level instead of a budget. */
  readonly allowed: number | null;
}

export interface InputVerdict {
  readonly outcome: GateOutcome;
  readonly findings: DriftFinding[];
  /** What this verdict has spent: its level, or nothing when it could not have alarmed. */
  readonly level: number;
  readonly causes: RootCause[];
}

/** Room between the effect that matters and the one that a stable feature must stay below. */
const stableRoom = 0.1;

function comparePolicy(kind: FeatureCounts['kind'], policy: DriftPolicy, falseAlarms: number): ComparePolicy {
  const minimumEffect = kind === 'number' ? policy.ksMin : policy.categoryMin;
  return { falseAlarms, minimumEffect, stableBelow: minimumEffect + stableRoom, minimums: { nulls: policy.nullShareMin, newValue: policy.newCategoryMin, range: policy.outOfRangeMin } };
}

interface Subject {
  readonly name: string;
  readonly reference: FeatureCounts;
  readonly current: FeatureCounts | null;
}

function subjectsOf(state: InputState, reference: InputReference): Subject[] {
  const subjects = [...reference.features].map(([name, counts]): Subject => ({ name, reference: counts, current: state.features.get(name) ?? null }));
  return reference.output === null ? subjects : [...subjects, { name: outputSubject, reference: reference.output, current: state.output }];
}

const outcomes: Readonly<Record<ColumnVerdict['verdict'], GateOutcome>> = { drifted: 'failed', stable: 'passed', 'not-enough-evidence': 'inconclusive' };

/** The check that decides: the distribution, unless only others alarm; of those the one with the most to spare. */
function decisive({ checks }: ColumnVerdict): CheckFinding | undefined {
  const toSpare = ({ reason, lowerBound, minimumEffect }: CheckFinding): number => (reason === 'distribution' ? 1 : lowerBound - minimumEffect);
  return checks.filter(({ drifted }) => drifted).sort((a, b) => toSpare(b) - toSpare(a))[0] ?? checks[0];
}

function findingOf({ name, reference, current }: Subject, policy: DriftPolicy, level: number): DriftFinding {
  const referenceRows = rowsCounted(reference);
  const none = { subject: name, detector: 'none', statistic: null, threshold: null, pValue: null, pAdjusted: null, referenceRows };
  const columns = current === null ? null : columnsOf(reference, current);
  if (current === null || columns === null) return { ...none, outcome: 'errored', currentRows: 0, reason: current === null ? 'no row has this feature' : `was a ${reference.kind} in training, is a ${current.kind} here` };
  const currentRows = rowsCounted(current);
  if (currentRows < policy.rowsMin) return { ...none, outcome: 'inconclusive', currentRows, reason: `${currentRows} rows are fewer than the ${policy.rowsMin} needed` };
  const verdict = compareColumn(columns[0], columns[1], comparePolicy(reference.kind, policy, level));
  const check = decisive(verdict);
  const { reasons, newCategories } = verdict;
  return {
    subject: name,
    detector: check?.reason ?? 'none',
    outcome: outcomes[verdict.verdict],
    statistic: check?.effect ?? null,
    threshold: check?.minimumEffect ?? null,
    pValue: null,
    pAdjusted: null,
    referenceRows,
    currentRows,
    ...(check === undefined ? {} : { lowerBound: Math.max(0, check.lowerBound) }),
    reasons,
    ...(newCategories.length === 0 ? {} : { newCategories }),
    reason: subjectSentence(verdict, reference, current),
  };
}

/** What no single feature has. */
const withoutCause = new Set(['volume', jointSubject]);

function withBudget(finding: DriftFinding, level: number, { spent, allowed }: WindowHistory): DriftFinding {
  return finding.outcome !== 'failed' || allowed === null ? finding : { ...finding, reason: `${finding.reason}; ${budgetWords((spent + level) / allowed)}` };
}

/**
 * Judges one window of inputs and outputs against the rows that the version was trained on: a subject has drifted when the lower
 * confidence bound of its effect exceeds the minimum effect. All bounds hold at once but for a chance of `policy.alpha`: each
 * subject, all inputs together and volume among them, has an equal part (Bonferroni). Missing data never passes. Pure: the same rows, reference,
 * policy and history give the same verdict, in whatever order the rows came.
 */
export function judgeInputs(state: InputState, reference: InputReference, policy: DriftPolicy, history: WindowHistory): InputVerdict {
  const subjects = subjectsOf(state, reference);
  if (subjects.length === 0) return { outcome: 'errored', findings: [], level: 0, causes: [] };
  const each = policy.alpha / (subjects.length + (history.volumes === null ? 0 : 1) + (reference.sample === null ? 0 : 1));
  const judged = subjects.map((subject) => findingOf(subject, policy, each));
  const joint = reference.sample === null || state.rows < policy.rowsMin ? null : judgeJointly(reference.sample, state.sample, outputSubject, each, policy.jointMin);
  if (joint !== null) judged.push(joint);
  if (history.volumes !== null) judged.push(judgeVolume(history.volume, history.volumes, each, policy.volumeMin));
  const level = state.rows < policy.rowsMin ? 0 : policy.alpha;
  const findings = judged.map((finding) => withBudget(finding, level, history));
  const alarmed = findings.filter(({ outcome, subject }) => outcome === 'failed' && !withoutCause.has(subject)).map(({ subject, lowerBound }) => ({ subject, weight: lowerBound ?? 0 }));
  const causes = alarmed.length === 0 || reference.sample === null ? [] : rootCauses(reference.sample, state.sample, alarmed);
  return { outcome: outcomeOf(findings, 'errored'), findings, level, causes };
}
