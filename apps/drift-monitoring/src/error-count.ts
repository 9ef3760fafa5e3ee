import type { ErrorPane } from '@millrace/core/performance';
import type { Pane } from '@millrace/core/verdicts';

/** Wrong answers among the outcomes of a pane; the pane counts the rows. */
export interface ErrorCount {
  errors: number;
}

export interface ErrorsOfVersion {
  readonly version: string;
  readonly panes: readonly Pane<ErrorCount>[];
}

/** Panes of primary answers by version, each in the order of event time. */
export function errorsByVersion(panes: readonly Pane<ErrorCount>[]): ErrorsOfVersion[] {
  const versions = new Map<string, Pane<ErrorCount>[]>();
  for (const pane of panes) versions.set(pane.version, [...(versions.get(pane.version) ?? []), pane]);
  return [...versions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([version, own]) => ({ version, panes: own.sort((a, b) => a.windowStartMs - b.windowStartMs || a.partition - b.partition) }));
}

/** The partitions’ panes of one time are one pane. */
export function mergedCounts(panes: readonly Pane<ErrorCount>[]): ErrorPane[] {
  const byStart = new Map<number, ErrorPane>();
  for (const { windowStartMs, partition, rows, state, firstOffset, lastOffset } of panes) {
    const sum = byStart.get(windowStartMs);
    const offsets = { ...sum?.offsets, [partition]: { from: firstOffset, to: lastOffset + 1 } };
    byStart.set(windowStartMs, { startMs: windowStartMs, rows: (sum?.rows ?? 0) + rows, errors: (sum?.errors ?? 0) + state.errors, offsets });
  }
  return [...byStart.values()].sort((a, b) => a.startMs - b.startMs);
}
