import { comparableNames, gridSamples, type FeatureCounts } from '../../statistics/index.js';
import type { CategoricalColumn, ColumnSample, NumericalColumn } from '../compare/column-sample.js';

const otherNames = '(all others)';
const noNumbers = '(no number)';

function namesColumn(counts: FeatureCounts, known: Map<string, number>): CategoricalColumn {
  const rest = counts.values.n - [...known.values()].reduce((sum, count) => sum + count, 0);
  return { type: 'categorical', counts: rest > 0 ? new Map([...known, [otherNames, rest]]) : known, n: counts.values.n, nulls: counts.nulls };
}

/**
 * Two features’ counts as columns to compare. Numbers are taken to the grid, and names to the set of known ones, that both
 * together have, so exchangeable rows stay exchangeable: no sketch error comes in. null when the kinds differ.
 */
export function columnsOf(reference: FeatureCounts, current: FeatureCounts): [ColumnSample, ColumnSample] | null {
  if (reference.kind === 'number' && current.kind === 'number') {
    const [before, now] = gridSamples(reference.values, current.values);
    const column = ({ nulls, odd }: FeatureCounts, sample: NumericalColumn['sample']): NumericalColumn => ({ type: 'numerical', sample, nulls, strays: odd > 0 ? new Map([[noNumbers, odd]]) : new Map(), rankError: 0 });
    return [column(reference, before), column(current, now)];
  }
  if (reference.kind !== 'category' || current.kind !== 'category') return null;
  const [before, now] = comparableNames(reference.values, current.values);
  return [namesColumn(reference, before), namesColumn(current, now)];
}
