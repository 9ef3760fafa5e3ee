import { rowsCounted, type FeatureCounts } from '../../statistics/index.js';
import { compareColumn, type ColumnVerdict } from '../compare/compare-column.js';
import type { CheckFinding, ComparePolicy } from '../compare/finding.js';
import type { DriftFinding, GateOutcome } from '../finding.js';
import { columnsOf } from './columns.js';
import type { DriftPolicy } from './drift-policy.js';
import type { PartCounts, PartsWanted, ReferenceParts } from './reference-parts.js';
import { outputSubject } from './input-state.js';
import { seasonWords, type Season } from './season.js';
import { mixedReference } from './seasonal-reference.js';
import { subjectSentence } from './sentence.js';

/** Room between the effect that matters and the one that a stable feature must stay below. */
const stableRoom = 0.1;

/** A feature, or the output, of a window or of a segment of it. */
export interface Subject {
  readonly name: string;
  readonly reference: FeatureCounts;
  readonly current: FeatureCounts | null;
  /** Part of the rows that have no like in the reference. */
  readonly leftOut: number;
  /** Why the reference says nothing about these rows; null when it does. */
  readonly lacking: string | null;
  /** What the reference’s rows are called. */
  readonly training: string;
}

/** What a window or a segment of it has counted. */
export interface CountedRows {
  readonly rows: number;
  readonly features: ReadonlyMap<string, FeatureCounts>;
  readonly output: FeatureCounts;
  /** Rows by bucket of the season; empty where they were not counted. */
  readonly seasons: ReadonlyMap<number, number>;
}

/** By what rows are told apart, and what training has of each bucket; null where it was not counted so. */
interface SeasonedReference {
  readonly season: Season;
  readonly byBucket: ReadonlyMap<number, PartCounts> | null;
}

/** What the spec asks for, as far as the reference has it; null to compare with all of training. */
export function seasonedBy({ reference: asked }: PartsWanted, parts: ReferenceParts | null | undefined, byBucket: ReadonlyMap<number, PartCounts> | undefined): SeasonedReference | null {
  return asked === undefined ? null : { season: asked.season, byBucket: parts?.season === asked.season ? (byBucket ?? null) : null };
}

function subjectOf(name: string, reference: FeatureCounts, current: FeatureCounts | null, { rows, seasons }: CountedRows, seasoned: SeasonedReference | null, part: (counts: PartCounts) => FeatureCounts | null | undefined): Subject {
  const plain = { name, reference, current, leftOut: 0, lacking: null, training: 'training' };
  if (seasoned === null) return plain;
  if (seasoned.byBucket === null) return { ...plain, lacking: 'the reference of this version is not by the season that its spec asks for; train it anew' };
  const byBucket = new Map([...seasoned.byBucket].flatMap(([bucket, counts]) => {
    const own = part(counts) ?? null;
    return own === null || rowsCounted(own) === 0 ? [] : [[bucket, own] as const];
  }));
  const mixed = mixedReference(seasoned.season, byBucket, seasons, rows);
  if (typeof mixed === 'string') return { ...plain, lacking: mixed };
  return { ...plain, reference: mixed.counts, leftOut: mixed.leftOut, training: `training at the same ${seasonWords[seasoned.season]}` };
}

/** Everything that is compared: the features of the reference, and the output. */
export function subjectsOf(counted: CountedRows, reference: PartCounts, seasoned: SeasonedReference | null): Subject[] {
  const subjects = [...reference.features].map(([name, counts]) => subjectOf(name, counts, counted.features.get(name) ?? null, counted, seasoned, ({ features }) => features.get(name)));
  return reference.output === null ? subjects : [...subjects, subjectOf(outputSubject, reference.output, counted.output, counted, seasoned, ({ output }) => output)];
}

/** Effects that rows without a like could have by themselves prove nothing. */
function comparePolicy(kind: FeatureCounts['kind'], policy: DriftPolicy, leftOut: number, { falseAlarms, roughBounds }: Pick<ComparePolicy, 'falseAlarms' | 'roughBounds'>): ComparePolicy {
  const minimumEffect = (kind === 'number' ? policy.ksMin : policy.categoryMin) + leftOut;
  return { falseAlarms, ...(roughBounds === undefined ? {} : { roughBounds }), minimumEffect, stableBelow: minimumEffect + stableRoom, minimums: { nulls: policy.nullShareMin + leftOut, newValue: policy.newCategoryMin + leftOut, range: policy.outOfRangeMin + leftOut } };
}

const outcomes: Readonly<Record<ColumnVerdict['verdict'], GateOutcome>> = { drifted: 'failed', stable: 'passed', 'not-enough-evidence': 'inconclusive' };

/** The check that decides: the distribution, unless only others alarm; of those the one with the most to spare. */
function decisive({ checks }: ColumnVerdict): CheckFinding | undefined {
  const toSpare = ({ reason, lowerBound, minimumEffect }: CheckFinding): number => (reason === 'distribution' ? 1 : lowerBound - minimumEffect);
  return checks.filter(({ drifted }) => drifted).sort((a, b) => toSpare(b) - toSpare(a))[0] ?? checks[0];
}

/** @param bounds its part of the window’s false alarms, and how sharp bounds must be. */
export function judgeSubject({ name, reference, current, leftOut, lacking, training }: Subject, policy: DriftPolicy, bounds: Pick<ComparePolicy, 'falseAlarms' | 'roughBounds'>): DriftFinding {
  const referenceRows = rowsCounted(reference);
  const none = { subject: name, detector: 'none', statistic: null, threshold: null, pValue: null, pAdjusted: null, referenceRows };
  const columns = current === null ? null : columnsOf(reference, current);
  if (current === null || columns === null) return { ...none, outcome: 'errored', currentRows: 0, reason: current === null ? 'no row has this feature' : `was a ${reference.kind} in training, is a ${current.kind} here` };
  const currentRows = rowsCounted(current);
  if (currentRows < policy.rowsMin) return { ...none, outcome: 'inconclusive', currentRows, reason: `${currentRows} rows are fewer than the ${policy.rowsMin} needed` };
  if (lacking !== null) return { ...none, outcome: 'inconclusive', currentRows, reason: `not enough evidence: ${lacking}` };
  const verdict = compareColumn(columns[0], columns[1], comparePolicy(reference.kind, policy, leftOut, bounds));
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
    reason: subjectSentence(verdict, reference, current, training),
  };
}
