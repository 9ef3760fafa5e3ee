import { shareRise } from '../../statistics/index.js';
import { count, percent } from '../compare/finding.js';
import type { DriftFinding } from '../finding.js';
import type { RowSample, SampledRow } from './row-sample.js';
import { separatingDirection } from './separating-direction.js';

/** The name under which all features together are judged. */
export const jointSubject = 'inputs';

/** Fewer sampled rows on a side than this teach nothing. */
const rowsMin = 100;
/** With more fields, their pairs would outnumber the rows that a classifier learns from. */
const fieldsMax = 12;
const categoriesMax = 8;

type Score = (row: SampledRow) => number[];

/** Numbers by their rank among those of both samples, from −1 to 1; the frequent categories by name. A missing value is 0. */
function encoderOf(both: readonly SampledRow[], index: number): Score {
  const numbers = both.map(({ values }) => values[index]).filter((value) => typeof value === 'number').sort((a, b) => a - b);
  if (numbers.length >= both.length / 2) {
    const rank = (value: number): number => {
      let [low, high] = [0, numbers.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((numbers[middle] ?? 0) < value) low = middle + 1;
        else high = middle;
      }
      return (2 * low) / numbers.length - 1;
    };
    return ({ values }) => [typeof values[index] === 'number' ? rank(values[index]) : 0];
  }
  const counts = new Map<string, number>();
  for (const { values } of both) if (typeof values[index] === 'string') counts.set(values[index], (counts.get(values[index]) ?? 0) + 1);
  const names = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, categoriesMax).map(([name]) => name);
  return ({ values }) => names.map((name) => (values[index] === name ? 1 : 0));
}

/** Each field by itself, and the products of numbers, so that a change of what goes with what shows too. */
function featuresOf(encoders: readonly Score[]): Score {
  return (row) => {
    const single = encoders.map((encode) => encode(row));
    const numbers = single.filter(({ length }) => length === 1).map(([value = 0]) => value);
    const products = numbers.flatMap((x, at) => numbers.slice(at + 1).map((y) => x * y));
    return [...single.flat(), ...products, ...numbers.map((x) => x * x)];
  };
}

/** The half that is learnt from, and the half that is asked, by the order of hashes, which is that of a shuffle. */
const halves = (rows: readonly SampledRow[]): [SampledRow[], SampledRow[]] => [rows.filter((_, index) => index % 2 === 0), rows.filter((_, index) => index % 2 === 1)];

/**
 * Has the distribution of all inputs together changed? A linear classifier learns to tell rows of the window from rows of training on
 * one half of both samples (D. Lopez-Paz, M. Oquab, “Revisiting classifier two-sample tests”, ICLR 2017). Of the other half it says
 * for each row whether it is of the window; how much more often it says so of the window’s own rows is at most the total variation
 * distance of the joint distributions, and bounded from below exactly, given the classifier. Sees changes that no single feature
 * shows, such as a correlation that turned round. null when the samples do not suit.
 */
export function judgeJointly(reference: RowSample, current: RowSample, without: string, level: number, minimum: number): DriftFinding | null {
  const same = reference.fields.length === current.fields.length && reference.fields.every((field, index) => field === current.fields[index]);
  const places = reference.fields.flatMap((field, index) => (field === without ? [] : [index]));
  if (!same || places.length < 2 || places.length > fieldsMax || Math.min(reference.rows.length, current.rows.length) < rowsMin) return null;
  const encode = featuresOf(places.map((index) => encoderOf([...reference.rows, ...current.rows], index)));
  const [[learnBefore, askBefore], [learnNow, askNow]] = [halves(reference.rows), halves(current.rows)];
  const isOfWindow = separatingDirection(learnBefore.map(encode), learnNow.map(encode));
  const said = (rows: readonly SampledRow[]) => ({ hits: rows.filter((row) => isOfWindow(encode(row))).length, n: rows.length });
  const [before, now] = [said(askBefore), said(askNow)];
  const { effect, lowerBound } = shareRise(before, now, level);
  const drifted = lowerBound > minimum;
  const tale = `all features together: a classifier takes ${percent(now.hits / now.n)} of ${count(now.n)} rows for new ones, and ${percent(before.hits / before.n)} of ${count(before.n)} from training: at least ${percent(Math.max(0, lowerBound))} of the rows are unlike training for certain; more than ${percent(minimum)} matters`;
  return {
    subject: jointSubject, detector: 'domain-classifier', outcome: drifted ? 'failed' : 'passed', statistic: Math.max(0, effect), threshold: minimum, pValue: null, pAdjusted: null,
    referenceRows: before.n, currentRows: now.n, lowerBound: Math.max(0, lowerBound), reasons: drifted ? ['joint'] : [], reason: tale,
  };
}
