import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import {
  deviationOfSample, eachValue, flooredShares, jensenShannonDistance, ksDistance, ksPValue, normalSurvival, populationStability, sturgesBins, wassersteinDistance, type NumberSample,
} from '../../statistics/index.js';
import type { CategoricalColumn, ColumnSample } from './column-sample.js';

export type EvidentlyMethod = 'ks' | 'wasserstein' | 'chisquare' | 'z' | 'jensenshannon';

/** What Evidently 0.7 says by its defaults, to compare before switching. Not our verdict. */
export interface EvidentlyChoice {
  readonly method: EvidentlyMethod;
  /** p for ks, chisquare and z, else a distance; null where Evidently gives NaN. */
  readonly value: number | null;
  readonly threshold: number;
  readonly drifted: boolean;
  /** By its rules, whatever the choice; null where they do not apply. */
  readonly psi: number | null;
  readonly jensenShannon: number | null;
  readonly wasserstein: number | null;
  readonly ks: number | null;
}

const smallReferenceMax = 1_000;
const fewValuesMax = 5;
/** Of the reference: with more distinct values numbers are binned, else each value is a cell. */
const cellValuesMax = 20;
const deviationMin = 0.001;

interface Cells {
  readonly reference: number[];
  readonly current: number[];
  readonly distinct: number;
}

/** Without infinities, which Evidently drops like nulls. */
function finite(sample: NumberSample): NumberSample {
  const kept = [...sample.values.keys()].filter((index) => Number.isFinite(sample.values[index]));
  const counts = Float64Array.from(kept, (index) => sample.counts[index] ?? 0);
  return { values: Float64Array.from(kept, (index) => sample.values[index] ?? NaN), counts, n: counts.reduce((sum, count) => sum + count, 0) };
}

function valueCells(reference: NumberSample, current: NumberSample): Cells {
  const cells: Cells = { reference: [], current: [], distinct: 0 };
  eachValue(reference, current, (_value, a, b) => {
    cells.reference.push(a);
    cells.current.push(b);
  });
  return { ...cells, distinct: cells.reference.length };
}

function nameCells(reference: CategoricalColumn, current: CategoricalColumn): Cells {
  const names = [...new Set([...reference.counts.keys(), ...current.counts.keys()])].sort();
  const countsOf = ({ counts }: CategoricalColumn): number[] => names.map((name) => counts.get(name) ?? 0);
  return { reference: countsOf(reference), current: countsOf(current), distinct: names.length };
}

const number = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** Current counts against the reference’s shares, as if these were certain. */
function oneSampleChiSquare({ reference, current }: Cells, n: number, m: number): number {
  const statistic = reference.reduce((sum, count, cell) => {
    const expected = (count * m) / n;
    return sum + ((current[cell] ?? 0) - expected) ** 2 / expected;
  }, 0);
  return statistic === Infinity ? 0 : 1 - chiSquareCdf(statistic, reference.length - 1);
}

function zTest({ reference, current, distinct }: Cells, n: number, m: number): number {
  if (distinct === 1) return 1;
  const [p1, p2] = [1 - (reference[0] ?? 0) / n, 1 - (current[0] ?? 0) / m];
  const pooled = (p1 * n + p2 * m) / (n + m);
  return 2 * normalSurvival(Math.abs((p1 - p2) / Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))));
}

function methodOf(numerical: boolean, distinct: number, n: number): EvidentlyMethod {
  const continuous = numerical && distinct > fewValuesMax;
  if (n > smallReferenceMax) return continuous ? 'wasserstein' : 'jensenshannon';
  return continuous ? 'ks' : distinct > 2 ? 'chisquare' : 'z';
}

function chosen(method: EvidentlyMethod, value: number): { value: number | null; threshold: number; drifted: boolean } {
  const isDistance = method === 'wasserstein' || method === 'jensenshannon';
  const threshold = isDistance ? 0.1 : 0.05;
  return { value: number(value), threshold, drifted: isDistance ? value >= threshold : method === 'ks' ? value <= threshold : value < threshold };
}

/**
 * Evidently’s automatic test by the size of the reference and the number of distinct values, with its values: pooled Sturges
 * bins, its filling of empty cells, a one-sample chi-square, W1 over the reference’s σ (at least 0.001).
 * null when a sample has no finite value, or the types differ.
 */
export function evidentlyChoice(referenceColumn: ColumnSample, currentColumn: ColumnSample): EvidentlyChoice | null {
  if (referenceColumn.type === 'categorical' && currentColumn.type === 'categorical') {
    const [n, m] = [referenceColumn.n, currentColumn.n];
    if (n === 0 || m === 0) return null;
    return choiceOf(nameCells(referenceColumn, currentColumn), null, n, m);
  }
  if (referenceColumn.type !== 'numerical' || currentColumn.type !== 'numerical') return null;
  const [reference, current] = [finite(referenceColumn.sample), finite(currentColumn.sample)];
  if (reference.n === 0 || current.n === 0) return null;
  return choiceOf(valueCells(reference, current), { reference, current, whole: referenceColumn.nulls + currentColumn.nulls === 0 }, reference.n, current.n);
}

interface Numbers {
  readonly reference: NumberSample;
  readonly current: NumberSample;
  /** Without nulls, so that pandas keeps whole numbers whole. */
  readonly whole: boolean;
}

function binned({ reference, current, whole }: Numbers): Pick<Cells, 'reference' | 'current'> {
  return sturgesBins(reference, current, whole && reference.values.every(Number.isInteger) && current.values.every(Number.isInteger));
}

function choiceOf(cells: Cells, numbers: Numbers | null, n: number, m: number): EvidentlyChoice {
  const bins = numbers !== null && numbers.reference.values.length > cellValuesMax ? binned(numbers) : cells;
  const shares = (counts: readonly number[], rows: number): number[] => counts.map((count) => count / rows);
  const psi = populationStability(flooredShares(bins.reference, 'evidently'), flooredShares(bins.current, 'evidently'));
  const jensenShannon = jensenShannonDistance(shares(bins.reference, n), shares(bins.current, m));
  const wasserstein = numbers === null ? null : wassersteinDistance(numbers.reference, numbers.current) / Math.max(deviationMin, deviationOfSample(numbers.reference));
  const ks = numbers === null ? null : ksPValue(n, m, ksDistance(numbers.reference, numbers.current));
  const method = methodOf(numbers !== null, cells.distinct, n);
  const values: Readonly<Record<EvidentlyMethod, number>> = { ks: ks ?? NaN, wasserstein: wasserstein ?? NaN, jensenshannon: jensenShannon, chisquare: method === 'chisquare' ? oneSampleChiSquare(cells, n, m) : NaN, z: method === 'z' ? zTest(cells, n, m) : NaN };
  return { method, ...chosen(method, values[method]), psi: number(psi), jensenShannon: number(jensenShannon), wasserstein, ks };
}
