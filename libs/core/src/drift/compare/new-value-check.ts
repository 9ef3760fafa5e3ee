import { eachValue, shareRise, type NumberSample } from '../../statistics/index.js';
import { count, parts, percent, type CheckFinding, type ComparePolicy } from './finding.js';

/** One value of both samples together. */
export interface PooledValue {
  readonly name: string;
  readonly inReference: number;
  readonly inCurrent: number;
}

export interface NewValueFinding extends CheckFinding {
  /** Most frequent first. */
  readonly newCategories: { readonly name: string; readonly rows: number }[];
}

/** What a value of so many rows in both samples together would have to hide from the reference is below every level asked for. */
const hiddenMin = 1e-15;

/** [k] = chance that all of k given rows are in the current sample, when rows are exchangeable. */
function hiddenChances(n: number, m: number): number[] {
  const chances = [1];
  for (let k = 0; k < m; k += 1) {
    const next = ((chances[k] ?? 0) * (m - k)) / (n + m - k);
    if (next < hiddenMin) break;
    chances.push(next);
  }
  return chances;
}

export interface HiddenValues {
  /** Rows in the current sample from which on an unseen value is called new. */
  readonly rowsMin: number;
  /** Chance that the check alarms on exchangeable rows: at most what it was given. */
  readonly spent: number;
}

/**
 * From how many rows on is a value that the reference lacks new, and not just rare? Given how often each value occurs in
 * both samples together, a value of k rows is missing from the reference with probability C(m,k)/C(n+m,k); summed over the
 * values of at least k rows, that bounds the chance that any of them is (a union bound over the values there are, so a
 * long tail raises the bar by itself, and no model of the unseen is needed). Exact, whatever the distribution.
 * @param frequencies [k] = number of values with k rows in both samples together.
 */
export function hiddenValues(frequencies: ReadonlyMap<number, number>, n: number, m: number, level: number): HiddenValues {
  const chances = hiddenChances(n, m);
  let spent = 0;
  for (let k = chances.length - 1; k >= 1; k -= 1) {
    const [values, chance] = [frequencies.get(k) ?? 0, chances[k] ?? 0];
    // At least one: the value that would be called new.
    if (spent + Math.max(1, values) * chance > level) return { rowsMin: k + 1, spent };
    spent += values * chance;
  }
  return { rowsMin: 1, spent };
}

/** The part of the level that falls to a single new value of so many rows, next to others as frequent. */
function levelOfOne(frequencies: ReadonlyMap<number, number>, rows: number, n: number, m: number, level: number): number {
  const chances = hiddenChances(n, m);
  let all = 0;
  for (let k = rows; k < chances.length; k += 1) all += (frequencies.get(k) ?? 0) * (chances[k] ?? 0);
  return all > 0 ? (level * (chances[rows] ?? 0)) / all : level;
}

/** How often values occur, and which of them the reference lacks. */
export interface PooledFrequencies {
  /** [k] = number of values with k rows in both samples together. */
  readonly frequencies: ReadonlyMap<number, number>;
  readonly unseen: readonly PooledValue[];
}

export function frequenciesOf(values: readonly PooledValue[]): PooledFrequencies {
  const frequencies = new Map<number, number>();
  for (const { inReference, inCurrent } of values) frequencies.set(inReference + inCurrent, (frequencies.get(inReference + inCurrent) ?? 0) + 1);
  return { frequencies, unseen: values.filter(({ inReference }) => inReference === 0) };
}

/** Of numbers; values that occur once are counted only: they can hardly be new ones, and there may be very many. */
export function numberFrequencies(reference: NumberSample, current: NumberSample): PooledFrequencies {
  const frequencies = new Map<number, number>();
  const unseen: PooledValue[] = [];
  let single = 0;
  eachValue(reference, current, (value, inReference, inCurrent) => {
    const pooled = inReference + inCurrent;
    if (pooled === 1) {
      single += 1;
      return;
    }
    frequencies.set(pooled, (frequencies.get(pooled) ?? 0) + 1);
    if (inReference === 0) unseen.push({ name: String(value), inReference, inCurrent });
  });
  return { frequencies: frequencies.set(1, single), unseen };
}

/**
 * Values that the reference does not have, by name. Each proven one matters, however rare.
 * @returns the part of the false-alarm rate that the check can spend, and its finding.
 */
export function newValueCheck({ frequencies, unseen }: PooledFrequencies, n: number, m: number, policy: ComparePolicy): { spent: number; finding: NewValueFinding } {
  const level = parts.newCategory * policy.falseAlarms;
  const { rowsMin, spent } = hiddenValues(frequencies, n, m, level);
  const ordered = [...unseen].sort((a, b) => b.inCurrent - a.inCurrent || (a.name < b.name ? -1 : 1));
  const named = ordered.filter(({ inCurrent }) => inCurrent >= rowsMin).map(({ name, inCurrent }) => ({ name, rows: inCurrent }));
  const most = ordered[0]?.inCurrent ?? 0;
  const lowerBound = named.length === 0 ? 0 : shareRise({ hits: 0, n }, { hits: most, n: m }, levelOfOne(frequencies, most, n, m, level) * (1 + 1e-9)).lowerBound;
  const minimumEffect = policy.minimums?.newValue ?? 0;
  const drifted = named.length > 0 && (minimumEffect === 0 || lowerBound > minimumEffect);
  const tale = named.length === 0 ? `no new value (one would have to fill ${count(rowsMin)} of ${count(m)} rows)` : taleOf(named, n, m);
  const statistic = most / m;
  return {
    spent,
    finding: { reason: 'new-category', effect: statistic, lowerBound, upperBound: null, minimumEffect, statistic, threshold: minimumEffect === 0 ? (rowsMin - 1) / m : Math.max((rowsMin - 1) / m, statistic - lowerBound + minimumEffect), level: spent, drifted, tale, newCategories: named },
  };
}

const namesShown = 3;

function taleOf(named: NewValueFinding['newCategories'], n: number, m: number): string {
  const shown = named.slice(0, namesShown).map(({ name, rows }) => `“${name}” is new: ${count(rows)} of ${count(m)} rows (${percent(rows / m)})`);
  const more = named.length > namesShown ? ` and ${named.length - namesShown} more are new` : '';
  return `${shown.join(', ')}${more}, never in ${count(n)} rows of the reference`;
}
