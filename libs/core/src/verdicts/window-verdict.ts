import type { Finding, VerdictIssued } from '@millrace/contracts';
import type { DriftFinding } from '../drift/index.js';
import type { PerformanceFinding } from '../drift/index.js';
import type { Pane, PaneKey } from './pane.js';

type Kind = VerdictIssued['kind'];

export const topicOfKind = { drift: 'inference.prediction-served.v1', performance: 'outcomes.outcome-observed.v1' } as const satisfies Record<Kind, string>;

/** Panes of the same version, role and window, from all partitions. */
export function byWindow<P extends PaneKey>(panes: readonly P[]): P[][] {
  const groups = new Map<string, P[]>();
  for (const pane of panes) {
    const key = JSON.stringify([pane.version, pane.role, pane.windowStartMs, pane.windowEndMs]);
    groups.set(key, [...(groups.get(key) ?? []), pane]);
  }
  return [...groups.values()];
}

export function plainFinding({ reasons, newCategories, ...finding }: DriftFinding | PerformanceFinding): Finding {
  return { reference: null, low: null, high: null, ...finding, ...(reasons === undefined ? {} : { reasons: [...reasons] }), ...(newCategories === undefined ? {} : { newCategories: [...newCategories] }) };
}

export const rowsOf = (panes: readonly Pane<unknown>[]): number => panes.reduce((sum, { rows }) => sum + rows, 0);

export function noReference(panes: readonly Pane<unknown>[]): Finding {
  const empty = { statistic: null, threshold: null, pValue: null, pAdjusted: null, reference: null, low: null, high: null };
  return { subject: 'version', detector: 'none', outcome: 'inconclusive', ...empty, referenceRows: 0, currentRows: rowsOf(panes), reason: 'no reference: this version was registered without a training profile' };
}

function offsetsOf(panes: readonly Pane<unknown>[], topic: string): VerdictIssued['offsets'] {
  const partitions = [...new Set(panes.map(({ partition }) => partition))].sort((a, b) => a - b);
  return partitions.map((partition) => {
    const own = panes.filter((pane) => pane.partition === partition);
    return { topic, partition, fromOffset: Math.min(...own.map(({ firstOffset }) => firstOffset)), toOffset: Math.max(...own.map(({ lastOffset }) => lastOffset)) + 1 };
  });
}

/** The id follows from what was judged: the same window judged again is the same verdict. */
export function verdictIdOf(kind: Kind, { model, version, role, windowStartMs, windowEndMs }: PaneKey): string {
  return `${model}:${version}:${kind}:${role}:${new Date(windowStartMs).toISOString()}/${new Date(windowEndMs).toISOString()}`;
}

/** What was judged, and by what; `panes` are all of one window. @throws RangeError without a pane. */
export function verdictOn(kind: Kind, panes: readonly Pane<unknown>[], watermarkMs: number, judged: Pick<VerdictIssued, 'outcome' | 'findings' | 'revision' | 'budget' | 'causes' | 'inputs'>): VerdictIssued {
  const [first] = panes;
  if (first === undefined) throw new RangeError('a window has at least one pane');
  const { model, version, windowStartMs, windowEndMs } = first;
  return {
    verdictId: verdictIdOf(kind, first),
    model,
    version,
    kind,
    window: { from: new Date(windowStartMs).toISOString(), to: new Date(windowEndMs).toISOString() },
    watermark: new Date(watermarkMs).toISOString(),
    ...judged,
    rows: rowsOf(panes),
    offsets: offsetsOf(panes, topicOfKind[kind]),
  };
}
