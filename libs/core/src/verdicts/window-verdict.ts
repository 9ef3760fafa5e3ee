import type { Finding, VerdictIssued } from '@millrace/contracts';
import type { DriftFinding } from '../drift/index.js';
import type { PerformanceFinding } from '../drift/index.js';
import type { Pane, PaneKey } from './pane.js';

/** What a window was judged on. Verdicts on attributions are verdicts on drift to whoever acts on them. */
export type Judged = VerdictIssued['kind'] | 'attribution';

export const topicOf = { drift: 'inference.prediction-served.v1', performance: 'outcomes.outcome-observed.v1', attribution: 'inference.prediction-explained.v1' } as const satisfies Record<Judged, string>;

/** Told by its id, since a verdict on inputs and one on attributions are both on drift. */
export const judgedIn = ({ verdictId, model, version, kind }: Pick<VerdictIssued, 'verdictId' | 'model' | 'version' | 'kind'>): Judged => (verdictId.startsWith(`${model}:${version}:attribution:`) ? 'attribution' : kind);

/** Panes of the same version, role and window, from all partitions. */
export function byWindow<P extends PaneKey>(panes: readonly P[]): P[][] {
  const groups = new Map<string, P[]>();
  for (const pane of panes) {
    const key = JSON.stringify([pane.version, pane.role, pane.windowStartMs, pane.windowEndMs]);
    groups.set(key, [...(groups.get(key) ?? []), pane]);
  }
  return [...groups.values()];
}

export function plainFinding({ reasons, newCategories, features, ...finding }: DriftFinding | (PerformanceFinding & Pick<DriftFinding, 'features'>)): Finding {
  return { reference: null, low: null, high: null, ...finding, ...(reasons === undefined ? {} : { reasons: [...reasons] }), ...(newCategories === undefined ? {} : { newCategories: [...newCategories] }), ...(features === undefined ? {} : { features: [...features] }) };
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
export function verdictIdOf(judged: Judged, { model, version, role, windowStartMs, windowEndMs }: PaneKey): string {
  return `${model}:${version}:${judged}:${role}:${new Date(windowStartMs).toISOString()}/${new Date(windowEndMs).toISOString()}`;
}

/** What was judged, and by what; `panes` are all of one window. @throws RangeError without a pane. */
export function verdictOn(judged: Judged, panes: readonly Pane<unknown>[], watermarkMs: number, told: Pick<VerdictIssued, 'outcome' | 'findings' | 'revision' | 'budget' | 'causes' | 'inputs'>): VerdictIssued {
  const [first] = panes;
  if (first === undefined) throw new RangeError('a window has at least one pane');
  const { model, version, windowStartMs, windowEndMs } = first;
  return {
    verdictId: verdictIdOf(judged, first),
    model,
    version,
    kind: judged === 'attribution' ? 'drift' : judged,
    window: { from: new Date(windowStartMs).toISOString(), to: new Date(windowEndMs).toISOString() },
    watermark: new Date(watermarkMs).toISOString(),
    ...told,
    rows: rowsOf(panes),
    offsets: offsetsOf(panes, topicOf[judged]),
  };
}
