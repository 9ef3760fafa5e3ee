import { outcomeOf, type DriftFinding, type GateOutcome } from '../finding.js';
import type { DriftPolicy } from './drift-policy.js';
import { segmentOf, type SegmentAttribute } from './input-parts.js';
import { outputSubject, type InputState } from './input-state.js';
import { judgeJointly, jointSubject } from './joint-drift.js';
import { judgedAttributes, judgeSegments, segmentsShare } from './judge-segments.js';
import { judgeSubject, seasonedBy, subjectsOf } from './judge-subject.js';
import type { InputReference } from './reference.js';
import { rootCauses, type RootCause } from './root-cause.js';
import type { RowSample } from './row-sample.js';
import { samplesInSeason } from './seasonal-reference.js';
import { budgetWords } from './sentence.js';
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

/** What no single feature has. */
const withoutCause = new Set(['volume', jointSubject]);

function withBudget(finding: DriftFinding, level: number, { spent, allowed }: WindowHistory): DriftFinding {
  return finding.outcome !== 'failed' || allowed === null ? finding : { ...finding, reason: `${finding.reason}; ${budgetWords((spent + level) / allowed)}` };
}

interface Alarmed {
  readonly subject: string;
  readonly weight: number;
}

/** Where the shift sits. A segment’s is looked for among its own rows, for the feature that drifted most; it weighs by its part of the window. */
function causesOf(reference: RowSample, current: RowSample, whole: readonly Alarmed[], failed: readonly DriftFinding[], { rows, parts }: InputState): RootCause[] {
  const attributes = parts?.attributes ?? [];
  const inSegments = failed.flatMap(({ subject, lowerBound = 0, features: [feature] = [] }) => (feature === undefined ? [] : [{ subject, feature, weight: (lowerBound * (parts?.segments.get(subject)?.rows ?? 0)) / Math.max(1, rows) }]));
  const ofWhole = whole.reduce((sum, { weight }) => sum + weight, 0);
  const all = ofWhole + inSegments.reduce((sum, { weight }) => sum + weight, 0);
  const causes = rootCauses(reference, current, whole);
  if (inSegments.length === 0) return causes;
  const segmented = inSegments.flatMap(({ subject, feature, weight }) => {
    const [before, now] = [reference, current].map((sample) => rowsOfSegment(sample, attributes, subject));
    return before === undefined || now === undefined ? [] : rootCauses(before, now, [{ subject: feature, weight: 1 }]).map((cause) => ({ ...cause, subject, share: all > 0 ? weight / all : 0, segments: cause.segments.map((each) => ({ ...each, segment: `${subject} & ${each.segment}` })) }));
  });
  return [...causes.map((cause) => ({ ...cause, share: all > 0 ? (cause.share * ofWhole) / all : cause.share })), ...segmented].sort((a, b) => b.share - a.share || (a.subject < b.subject ? -1 : 1)).slice(0, causesMax);
}

const causesMax = 5;

function rowsOfSegment(sample: RowSample, attributes: readonly SegmentAttribute[], segment: string): RowSample {
  const places = attributes.map((attribute) => [attribute, sample.fields.indexOf(attribute.attribute)] as const);
  return { ...sample, rows: sample.rows.filter(({ values }) => places.some(([attribute, place]) => segmentOf(attribute, values[place]) === segment)) };
}

/**
 * Judges one window of inputs and outputs against the rows that the version was trained on: a subject has drifted when the lower
 * confidence bound of its effect exceeds the minimum effect. All bounds hold at once but for a chance of `policy.alpha`: each
 * subject, all inputs together and volume among them, has an equal part (Bonferroni); where segments are judged, they share one half of it,
 * and the whole the other. Missing data never passes; but a segment too small to be judged does not take the pass of the whole. With a
 * season the reference is mixed as the window’s rows are (`mixedReference`). Pure: the same rows, reference,
 * policy and history give the same verdict, in whatever order the rows came.
 */
export function judgeInputs(state: InputState, reference: InputReference, policy: DriftPolicy, history: WindowHistory): InputVerdict {
  const { rows, features, output, parts } = state;
  const subjects = subjectsOf({ rows, features, output, seasons: parts?.seasons ?? new Map() }, reference, seasonedBy(policy, reference.parts, reference.parts?.seasons));
  if (subjects.length === 0) return { outcome: 'errored', findings: [], level: 0, causes: [] };
  const [sample, current] = reference.sample === null ? [null, state.sample] : samplesInSeason(reference.sample, state.sample, policy.reference !== undefined);
  const segmented = judgedAttributes(policy, reference.parts).length > 0;
  const ofWhole = segmented ? (1 - segmentsShare) * policy.alpha : policy.alpha;
  const each = ofWhole / (subjects.length + (history.volumes === null ? 0 : 1) + (sample === null ? 0 : 1));
  const judged = subjects.map((subject) => judgeSubject(subject, policy, { falseAlarms: each }));
  const joint = sample === null || rows < policy.rowsMin ? null : judgeJointly(sample, current, outputSubject, each, policy.jointMin);
  if (joint !== null) judged.push(joint);
  if (history.volumes !== null) judged.push(judgeVolume(history.volume, history.volumes, each, policy.volumeMin));
  const level = rows < policy.rowsMin ? 0 : policy.alpha;
  const findings = judged.map((finding) => withBudget(finding, level, history));
  const alarmed = findings.filter(({ outcome, subject }) => outcome === 'failed' && !withoutCause.has(subject)).map(({ subject, lowerBound }) => ({ subject, weight: lowerBound ?? 0 }));
  const ofSegments = segmentFindings(state, reference, policy, new Set(alarmed.map(({ subject }) => subject))).map((finding) => withBudget(finding, level, history));
  const failed = ofSegments.filter(({ outcome }) => outcome === 'failed');
  const causes = alarmed.length + failed.length === 0 || sample === null ? [] : causesOf(sample, current, alarmed, failed, state);
  return { outcome: outcomeOf([...findings, ...failed], 'errored'), findings: [...findings, ...ofSegments], level, causes };
}

/** What the spec names and the reference or the counts do not have is not passed over in silence. */
function segmentFindings({ rows, parts }: InputState, { parts: known }: InputReference, policy: DriftPolicy, drifted: ReadonlySet<string>): DriftFinding[] {
  const missing = (policy.segments ?? []).filter((name) => !(known?.attributes ?? []).some(({ attribute }) => attribute === name));
  const unknown = missing.map((name): DriftFinding => ({ subject: `${name}=(any)`, detector: 'none', outcome: 'inconclusive', statistic: null, threshold: null, pValue: null, pAdjusted: null, referenceRows: 0, currentRows: rows, reason: `not enough evidence: the reference of this version is not by ${name}; train it anew` }));
  if (rows < policy.rowsMin || parts === null || known === null || known === undefined) return unknown;
  return [...judgeSegments(parts, known, policy, segmentsShare * policy.alpha, drifted), ...unknown];
}
