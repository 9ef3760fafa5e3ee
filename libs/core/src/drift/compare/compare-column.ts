import { categoricalDistribution } from './categorical-distribution.js';
import { namesOfNumbers, rowsOf, valuesOf, type CategoricalColumn, type ColumnSample, type NumericalColumn } from './column-sample.js';
import { defaultPolicy, percent, type CheckFinding, type ComparePolicy, type DriftReason } from './finding.js';
import { frequenciesOf, newValueCheck, numberFrequencies, type NewValueFinding, type PooledValue } from './new-value-check.js';
import { nullCheck, typeCheck } from './share-check.js';
import { numericalDistribution } from './numerical-distribution.js';
import { rangeCheck } from './range-check.js';
import { unitChange } from './unit-change.js';

export type ColumnOutcome = 'drifted' | 'stable' | 'not-enough-evidence';

export interface ColumnVerdict {
  readonly type: ColumnSample['type'];
  readonly verdict: ColumnOutcome;
  /** The check that decided: the distribution, unless only others alarm; of those the one whose bound exceeds its minimum most. */
  readonly effect: number;
  readonly lowerBound: number;
  readonly minimumEffect: number;
  readonly statistic: number;
  readonly threshold: number;
  /** Rows with nulls. */
  readonly nReference: number;
  readonly nCurrent: number;
  /** Every check that alarms, and what explains it. */
  readonly reasons: DriftReason[];
  readonly newCategories: string[];
  readonly sentence: string;
  readonly checks: CheckFinding[];
}


function pooledNames(reference: CategoricalColumn, current: CategoricalColumn): PooledValue[] {
  const pooled: PooledValue[] = [];
  for (const [name, inReference] of reference.counts) pooled.push({ name, inReference, inCurrent: current.counts.get(name) ?? 0 });
  for (const [name, inCurrent] of current.counts) if (!reference.counts.has(name)) pooled.push({ name, inReference: 0, inCurrent });
  return pooled;
}

function numericalChecks(reference: NumericalColumn, current: NumericalColumn, left: number, policy: ComparePolicy): CheckFinding[] {
  const [a, b] = [reference.sample, current.sample];
  if (a.n === 0 || b.n === 0) return [];
  const rankErrors = reference.rankError + current.rankError;
  if (rankErrors > 0) return [numericalDistribution(a, b, rankErrors, left, policy)];
  const range = rangeCheck(a, b, policy);
  const named = newValueCheck(numberFrequencies(a, b), a.n, b.n, policy);
  const distribution = numericalDistribution(a, b, 0, left - range.spent - named.spent, policy);
  return [distribution, range.finding, named.finding];
}

function categoricalChecks(reference: CategoricalColumn, current: CategoricalColumn, left: number, policy: ComparePolicy): CheckFinding[] {
  if (reference.n === 0 || current.n === 0) return [];
  const pooled = pooledNames(reference, current);
  const named = newValueCheck(frequenciesOf(pooled), reference.n, current.n, policy);
  return [categoricalDistribution(pooled, reference.n, current.n, left - named.spent, policy), named.finding];
}

/** The distribution first, then what exceeds its minimum most. */
function byWeight(a: CheckFinding, b: CheckFinding): number {
  const first = Number(b.reason === 'distribution') - Number(a.reason === 'distribution');
  return first !== 0 ? first : b.lowerBound - b.minimumEffect - (a.lowerBound - a.minimumEffect);
}

const isNewValue = (finding: CheckFinding): finding is NewValueFinding => finding.reason === 'new-category';

const distinctOf = (column: ColumnSample): number => (column.type === 'numerical' ? column.sample.values.length : column.counts.size);

/** What explains a drifted distribution, as further reasons with their tales. */
function explanations(reference: ColumnSample, current: ColumnSample): { reason: DriftReason; tale: string }[] {
  const found: { reason: DriftReason; tale: string }[] = [];
  const unit = reference.type === 'numerical' && current.type === 'numerical' ? unitChange(reference.sample, current.sample) : null;
  if (unit !== null) found.push({ reason: 'unit', tale: `looks like a change of unit: ${unit}` });
  if (distinctOf(current) === 1 && distinctOf(reference) > 1) found.push({ reason: 'constant', tale: 'is constant now' });
  if (distinctOf(current) > 1 && distinctOf(reference) === 1) found.push({ reason: 'constant', tale: 'was constant, and is no longer' });
  return found;
}

function stability(reference: ColumnSample, current: ColumnSample, checks: readonly CheckFinding[], policy: ComparePolicy): ColumnOutcome {
  const [n, m] = [valuesOf(reference), valuesOf(current)];
  const bothEmpty = n === 0 && m === 0 && reference.nulls > 0 && current.nulls > 0;
  if (!bothEmpty && (n === 0 || m === 0)) return 'not-enough-evidence';
  return checks.every(({ upperBound }) => upperBound === null || upperBound < policy.stableBelow) ? 'stable' : 'not-enough-evidence';
}

function sentenceOf(verdict: ColumnOutcome, alarms: readonly CheckFinding[], decisive: CheckFinding | undefined, tales: readonly string[], policy: ComparePolicy): string {
  if (verdict === 'drifted') return `drifted: ${[...alarms.map(({ tale }) => tale), ...tales].join('; ')}.`;
  if (decisive === undefined) return verdict === 'stable' ? 'stable: no values in either sample.' : 'not enough evidence: a sample has no values.';
  if (verdict === 'stable') return `stable: ${decisive.tale}; with 95 % confidence less than ${percent(policy.stableBelow)} have moved.`;
  return `not enough evidence: ${decisive.tale}; as much as ${percent(Math.min(1, decisive.upperBound ?? 1))} may have moved.`;
}

/** Both columns as one type: the reference’s, unless only names can hold what both have. */
function aligned(reference: ColumnSample, current: ColumnSample): [ColumnSample, ColumnSample] {
  if (reference.type === current.type) return [reference, current];
  return [reference.type === 'numerical' ? namesOfNumbers(reference) : reference, current.type === 'numerical' ? namesOfNumbers(current) : current];
}

/**
 * Has a column drifted? Every check has a lower bound for its effect and a part of the false-alarm rate; the column has
 * drifted when any bound exceeds its minimum effect. When rows are exchangeable between the samples, that happens with
 * probability at most `falseAlarms`: nulls, new values and range are exact; the distribution is exact for numbers up to
 * nm = 4,000,000 and within some per cent of its level beyond and for categories. Never NaN.
 */
export function compareColumn(referenceGiven: ColumnSample, currentGiven: ColumnSample, policy: ComparePolicy = defaultPolicy): ColumnVerdict {
  const [reference, current] = aligned(referenceGiven, currentGiven);
  const shares = [nullCheck(reference, current, policy), typeCheck(reference, current, policy)].filter((finding) => finding !== null);
  const left = policy.falseAlarms - shares.reduce((sum, { level }) => sum + level, 0);
  const values = reference.type === 'numerical' && current.type === 'numerical'
    ? numericalChecks(reference, current, left, policy)
    : reference.type === 'categorical' && current.type === 'categorical' ? categoricalChecks(reference, current, left, policy) : [];
  const checks = [...values, ...shares];
  const alarms = checks.filter(({ drifted }) => drifted).sort(byWeight);
  const decisive = alarms[0] ?? checks[0];
  const explained = values.some(({ reason, drifted }) => reason === 'distribution' && drifted) ? explanations(reference, current) : [];
  if (referenceGiven.type !== currentGiven.type && alarms.length > 0) explained.push({ reason: 'type', tale: `was ${referenceGiven.type}, is ${currentGiven.type}` });
  const verdict = alarms.length > 0 ? 'drifted' : stability(reference, current, checks, policy);
  return {
    type: reference.type,
    verdict,
    effect: decisive?.effect ?? 0,
    lowerBound: decisive?.lowerBound ?? 0,
    minimumEffect: decisive?.minimumEffect ?? policy.minimumEffect,
    statistic: decisive?.statistic ?? 0,
    threshold: decisive?.threshold ?? policy.minimumEffect,
    nReference: rowsOf(reference),
    nCurrent: rowsOf(current),
    reasons: [...new Set([...alarms.map(({ reason }) => reason), ...explained.map(({ reason }) => reason)])],
    newCategories: alarms.filter(isNewValue).flatMap(({ newCategories }) => newCategories.map(({ name }) => name)),
    sentence: sentenceOf(verdict, alarms, decisive, explained.map(({ tale }) => tale), policy),
    checks,
  };
}

