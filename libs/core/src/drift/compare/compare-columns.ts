import { compareColumn, type ColumnOutcome, type ColumnVerdict } from './compare-column.js';
import type { ColumnSample } from './column-sample.js';
import type { ComparePolicy } from './finding.js';

export interface NamedColumn {
  readonly name: string;
  readonly reference: ColumnSample;
  /** null when the current data lacks the column. */
  readonly current: ColumnSample | null;
}

export interface ComparisonPolicy extends ComparePolicy {
  /** `falseAlarms` for all columns together, not for each: every column gets an equal part (C. E. Bonferroni, 1936), which keeps all lower bounds true at once, however columns depend on each other. */
  readonly familyWise: boolean;
}

export interface Comparison {
  readonly columns: ({ readonly name: string } & ColumnVerdict)[];
  readonly verdict: ColumnOutcome;
}

function missing(reference: ColumnSample, policy: ComparePolicy): ColumnVerdict {
  const nReference = reference.nulls + (reference.type === 'numerical' ? reference.sample.n : reference.n);
  const { minimumEffect } = policy;
  return { type: reference.type, verdict: 'drifted', effect: 1, lowerBound: 1, minimumEffect, statistic: 1, threshold: minimumEffect, nReference, nCurrent: 0, reasons: ['missing'], newCategories: [], sentence: 'drifted: the current data has no such column.', checks: [] };
}

/** One verdict per column, and one over all: drifted when any column has, stable when all are. Columns keep their order. */
export function compareColumns(columns: readonly NamedColumn[], policy: ComparisonPolicy): Comparison {
  const each: ComparePolicy = policy.familyWise ? { ...policy, falseAlarms: policy.falseAlarms / Math.max(1, columns.length) } : policy;
  const judged = columns.map(({ name, reference, current }) => ({ name, ...(current === null ? missing(reference, each) : compareColumn(reference, current, each)) }));
  const has = (verdict: ColumnOutcome): boolean => judged.some((column) => column.verdict === verdict);
  return { columns: judged, verdict: has('drifted') ? 'drifted' : has('not-enough-evidence') || judged.length === 0 ? 'not-enough-evidence' : 'stable' };
}
