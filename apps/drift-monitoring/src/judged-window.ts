import { type topicNames, type Finding, type OutcomeObserved, type VerdictIssued } from '@millrace/contracts';
import { judgeDrift, judgePerformance, type DriftFinding, type PerformanceFinding } from '@millrace/core/drift';
import { mergePerformance, metricsOf, type FeatureProfile, type MeasuredMetric, type PerformanceSums } from '@millrace/core/statistics';
import { mergeInputs, type InputState } from './input-state.js';
import type { MonitoredModel } from './monitored-models.js';
import type { Pane, PaneKey, PaneSource } from './pane.js';
import type { Reference } from './references.js';

/** A verdict, and beside it what the event does not carry: every metric that was measured, and the window’s merged state. */
export interface JudgedWindow extends PaneKey {
  readonly verdict: VerdictIssued;
  readonly metrics: readonly MeasuredMetric[];
  readonly state: unknown;
}

type Kind = VerdictIssued['kind'];
type Role = OutcomeObserved['predictions'][number]['role'];

export const topicOf: Record<PaneSource, (typeof topicNames)[number]> = { predictions: 'inference.prediction-served.v1', outcomes: 'outcomes.outcome-observed.v1' };

/** Panes of the same version, role and window, from all partitions. */
export function byWindow<State>(panes: readonly Pane<State>[]): Pane<State>[][] {
  const groups = new Map<string, Pane<State>[]>();
  for (const pane of panes) {
    const key = JSON.stringify([pane.version, pane.role, pane.windowStartMs, pane.windowEndMs]);
    groups.set(key, [...(groups.get(key) ?? []), pane]);
  }
  return [...groups.values()];
}

export function judgeInputWindow(panes: readonly Pane<InputState>[], reference: Reference | null, model: MonitoredModel, watermarkMs: number): JudgedWindow {
  const state = panes.map((pane) => pane.state).reduce(mergeInputs);
  if (reference === null) return windowOf('drift', panes, watermarkMs, { outcome: 'inconclusive', findings: [noReference(panes)] }, [], state);
  const judged = judgeDrift(withOutput(reference.features, reference.output), withOutput(state.features, state.output), model.policy);
  return windowOf('drift', panes, watermarkMs, { outcome: judged.outcome, findings: judged.findings.map(findingOf) }, [], state);
}

export function judgeOutcomeWindow(panes: readonly Pane<PerformanceSums>[], reference: Reference | null, model: MonitoredModel, watermarkMs: number): JudgedWindow {
  const state = panes.map((pane) => pane.state).reduce(mergePerformance);
  if (reference === null) return windowOf('performance', panes, watermarkMs, { outcome: 'inconclusive', findings: [noReference(panes)] }, metricsOf(state), state);
  const { outcome, findings, metrics } = judgePerformance(reference.metrics, state, model.rules, model.policy);
  return windowOf('performance', panes, watermarkMs, { outcome, findings: findings.map(findingOf) }, metrics, state);
}

function withOutput(features: Readonly<Record<string, FeatureProfile>>, output: FeatureProfile | null): Record<string, FeatureProfile> {
  return output === null ? { ...features } : { ...features, output };
}

function findingOf(finding: DriftFinding | PerformanceFinding): Finding {
  return { reference: null, low: null, high: null, ...finding };
}

const rowsOf = (panes: readonly Pane<unknown>[]): number => panes.reduce((sum, { rows }) => sum + rows, 0);

function noReference(panes: readonly Pane<unknown>[]): Finding {
  const empty = { statistic: null, threshold: null, pValue: null, pAdjusted: null, reference: null, low: null, high: null };
  return { subject: 'version', detector: 'none', outcome: 'inconclusive', ...empty, referenceRows: 0, currentRows: rowsOf(panes), reason: 'no reference: this version was registered without a training profile' };
}

/** The id follows from what was judged: the same window judged again is the same verdict. */
function verdictId(kind: Kind, { model, version, windowStartMs, windowEndMs }: PaneKey, role: Role): string {
  return `${model}:${version}:${kind}:${role}:${new Date(windowStartMs).toISOString()}/${new Date(windowEndMs).toISOString()}`;
}

function windowOf(kind: Kind, panes: readonly Pane<unknown>[], watermarkMs: number, judged: Pick<VerdictIssued, 'outcome' | 'findings'>, metrics: readonly MeasuredMetric[], state: unknown): JudgedWindow {
  const [first] = panes;
  if (first === undefined) throw new RangeError('a window has at least one pane');
  const { model, version, role, windowStartMs, windowEndMs } = first;
  const topic = topicOf[kind === 'drift' ? 'predictions' : 'outcomes'];
  const verdict: VerdictIssued = {
    verdictId: verdictId(kind, first, role),
    model,
    version,
    kind,
    window: { from: new Date(windowStartMs).toISOString(), to: new Date(windowEndMs).toISOString() },
    watermark: new Date(watermarkMs).toISOString(),
    ...judged,
    rows: rowsOf(panes),
    offsets: panes.map(({ partition, firstOffset, lastOffset }) => ({ topic, partition, fromOffset: firstOffset, toOffset: lastOffset + 1 })),
  };
  return { model, version, role, windowStartMs, windowEndMs, verdict, metrics, state };
}
