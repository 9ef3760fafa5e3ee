import { columnsOf, referenceCounts, type ColumnSample } from '@millrace/core/drift';
import { countFeature, emptyFeatureCounts, mergeFeatureCounts, type FeatureCounts } from '@millrace/core/statistics';

const panes = 8;

function* valuesOf(column: ColumnSample): Generator<number | string | null> {
  if (column.type === 'numerical') for (let index = 0; index < column.sample.values.length; index += 1) for (let row = 0; row < (column.sample.counts[index] ?? 0); row += 1) yield column.sample.values[index] ?? null;
  else for (const [name, rows] of column.counts) for (let row = 0; row < rows; row += 1) yield name;
  for (let row = 0; row < column.nulls; row += 1) yield null;
}

const references = new WeakMap<ColumnSample, FeatureCounts>();

function referenceOf(column: ColumnSample): FeatureCounts {
  let counts = references.get(column);
  if (counts === undefined) references.set(column, (counts = referenceCounts(column.type === 'numerical' ? 'number' : 'category', [...valuesOf(column)])));
  return counts;
}

/** A reference as training counts it, and a window as panes do, brought back to columns to compare. */
export function throughPanes(reference: ColumnSample, current: ColumnSample): readonly [ColumnSample, ColumnSample] {
  const known = referenceOf(reference);
  const states = Array.from({ length: panes }, () => emptyFeatureCounts(known.kind, known.kind === 'category' ? known.values.wanted : []));
  let row = 0;
  for (const value of valuesOf(current)) {
    const state = states[row % panes];
    if (state !== undefined) countFeature(state, value);
    row += 1;
  }
  const columns = columnsOf(known, states.reduce(mergeFeatureCounts));
  if (columns === null) throw new RangeError('a column changed its kind');
  return columns;
}
